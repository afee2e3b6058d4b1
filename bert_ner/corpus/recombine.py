"""Make new sentences by exchanging the entities of given ones."""

import random
from collections.abc import Mapping, Sequence

from bert_ner.corpus.bio import Sentence, Span, spans_of, tags_of
from bert_ner.errors import InvalidValue
from bert_ner.wording import counted

_DRAWS = 100  # for each sentence wanted, because some give a sentence that is there

Phrases = Mapping[str, Sequence[tuple[str, ...]]]  # the different entities of each type


def recombine(sentences: Sequence[Sentence], n: int, seed: int) -> list[Sentence]:
    """Return `n` different sentences, none of which is among the given ones. Deterministic for a seed.

    Each is a given sentence that has entities. For each of them it has another one, drawn from all different entities
    of that type. Its tags are those of the given sentence, and valid BIO.

    Raises:
        InvalidValue: the sentences have so few entities that fewer than `n` were found.
    """
    draw = random.Random(f"recombine {seed}")
    patterns = [sentence for sentence in sentences if spans_of(sentence.tags)]
    phrases = _phrases(patterns)
    known = {tuple(words) for words, _ in sentences}
    made: dict[tuple[str, ...], Sentence] = {}
    for _ in range(_DRAWS * n if patterns else 0):
        if len(made) == n:
            break
        sentence = _exchanged(draw.choice(patterns), phrases, draw)
        if sentence.words not in known:
            made.setdefault(sentence.words, sentence)
    if len(made) < n:
        given = counted(len(sentences), "sentence")
        raise InvalidValue(f"{given} gave {len(made)} new ones by exchanging entities, not {n}; ask for fewer")
    return list(made.values())


def _phrases(sentences: Sequence[Sentence]) -> Phrases:
    found: dict[str, dict[tuple[str, ...], None]] = {}  # dicts, because they keep the order and a set does not
    for words, tags in sentences:
        for span in spans_of(tags):
            found.setdefault(span.type, {})[tuple(words[span.start : span.end])] = None
    return {name: list(entities) for name, entities in found.items()}


def _exchanged(sentence: Sentence, phrases: Phrases, draw: random.Random) -> Sentence:
    words: list[str] = []
    spans = []
    end = 0
    for span in spans_of(sentence.tags):
        words += sentence.words[end : span.start]
        phrase = draw.choice(phrases[span.type])
        spans.append(Span(span.type, len(words), len(words) + len(phrase)))
        words += phrase
        end = span.end
    words += sentence.words[end:]
    return Sentence(tuple(words), tuple(tags_of(spans, len(words))))
