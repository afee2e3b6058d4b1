"""Generate the corpus `sample`: movie queries from a seeded grammar, for machines without the real corpus.

It has the entity types of the MIT Movie queries and none of their sentences. It is hard in the same ways, so that
systems differ on it. Two names in five occur in the test file only, and three people in ten act and direct. Titles may
be songs and contain genres, years and jobs, and about one word in twenty is misspelt.

In sample_grammar.txt, the name of a rule starts a line, and its alternatives are indented below it, one per line.
`(a|b|)` is a, b or nothing; `Word` is a rule, `TYPE` an entity. All alternatives are equally likely.
"""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from bert_ner.corpus.bio import Sentence, Span, tags_of, write_bio
from bert_ner.corpus.catalog import corpus_named

SEED = 0
TRAIN_SENTENCES = 2_000
TEST_SENTENCES = 500
TEST_ONLY = 0.4  # share of the names of each kind
SLIP_RATE = 0.08  # of the words with four letters or more, about one in twenty of all words

_NAMES = {"Person": 300, "TITLE": 400, "SONG": 150, "CHARACTER": 200}  # number of names of each kind

Draw = Callable[[], float]  # random.Random(seed).random, whose sequence is the same in every Python version


def generate() -> tuple[list[Sentence], list[Sentence]]:
    """Return the sentences of the training and of the test file, the same on every machine."""
    draw = random.Random(SEED).random
    names = {kind: _names(kind, count, draw) for kind, count in _NAMES.items()}
    people = names.pop("Person")
    names["ACTOR"] = [person for i, person in enumerate(people) if i % 10 < 7]
    names["DIRECTOR"] = [person for i, person in enumerate(people) if i % 10 >= 4]
    shown = {kind: every[: round(len(every) * (1 - TEST_ONLY))] for kind, every in names.items()}
    train = [_sentence(shown, draw) for _ in range(TRAIN_SENTENCES)]
    test = [_sentence(names, draw) for _ in range(TEST_SENTENCES)]
    return train, test


def write_sample(folder: Path) -> None:
    """Write the training and the test file of the corpus `sample` into a folder."""
    for file, sentences in zip(corpus_named("sample").files.values(), generate(), strict=True):
        write_bio(folder / file.name, sentences)


def _sentence(names: dict[str, list[str]], draw: Draw) -> Sentence:
    """Return a query with its entities tagged."""
    words: list[str] = []
    spans: list[Span] = []
    for slot in _expand("Query", draw).split():
        if not slot.isupper():
            words.append(slot)
            continue
        entity = (_pick(names[slot], draw) if slot in names else _phrase(slot, draw)).split()
        spans.append(Span(slot, len(words), len(words) + len(entity)))
        words += entity
    articled = ["an" if a == "a" and b[0] in "aeio" else a for a, b in zip(words, [*words[1:], "."], strict=True)]
    return Sentence(tuple(_slip(word, draw) for word in articled), tuple(tags_of(spans, len(words))))


def _names(kind: str, count: int, draw: Draw) -> list[str]:
    names: dict[str, None] = {}  # different ones, in the order in which they were drawn
    while len(names) < count:
        names[_phrase(kind, draw)] = None
    return list(names)


def _phrase(rule: str, draw: Draw) -> str:
    """Return words by a rule, separated by single spaces."""
    return " ".join(_expand(_pick(_RULES[rule], draw), draw).split())


def _expand(text: str, draw: Draw) -> str:
    """Make the choices in a text, innermost first, then expand its rules; words and entity types remain."""
    while "(" in text:
        text = re.sub(r"\(([^()]*)\)", lambda choice: _pick(choice[1].split("|"), draw), text)
    return _RULE.sub(lambda rule: _expand(_pick(_RULES[rule[0]], draw), draw), text)


def _slip(word: str, draw: Draw) -> str:
    """Return the word, sometimes with a letter dropped, doubled or swapped with the next, never the first letter."""
    if len(word) < 4 or not word.isalpha() or draw() >= SLIP_RATE:
        return word
    i = 1 + int(draw() * (len(word) - 2))
    return word[:i] + _pick((word[i + 1 :], word[i] + word[i:], word[i + 1] + word[i] + word[i + 2 :]), draw)


def _pick(items: Sequence[str], draw: Draw) -> str:
    return items[int(draw() * len(items))]


_GRAMMAR = Path(__file__).with_name("sample_grammar.txt").read_text(encoding="utf-8")
_RULES = {
    name: [line.strip() for line in alternatives.splitlines()]
    for name, alternatives in re.findall(r"^(\w+)\n((?: .+\n)+)", _GRAMMAR, re.MULTILINE)
}
# In reverse order, Films comes before its prefix Film.
_RULE = re.compile("|".join(sorted((name for name in _RULES if not name.isupper()), reverse=True)))
