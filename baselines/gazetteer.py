"""The rule-based tagger: lists of entities from the training sentences, and patterns for years and ratings."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, Self

from bert_ner.corpus.bio import Sentence, Span, spans_of, tags_of
from bert_ner.errors import InvalidValue
from bert_ner.model_folder import model_file, write_model

MODEL_FILE = "gazetteer.json"
PATTERN_WORDS = 5  # what the longest pattern spans: "eight and a half stars"

_NUMBER = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty|forty|fifty)"
# Whole phrases in lower case. A pattern says what looks alike, not what it is: its type comes from the training
# sentences, as a phrase's does, and so does whether it is used at all.
PATTERNS = {
    "year": r"(?:1[89]|20)\d\d",
    "decade": r"(?:(?:early|mid|late) )?(?:1[89]|20)?\d0 ?s",
    "span of years": rf"(?:last|past) (?:few|{_NUMBER}) (?:years|decades)",
    "film rating": r"g|pg|pg ?13|r|nc ?17|x",
    "stars": rf"{_NUMBER}(?: and a half)? stars?(?: (?:and above|or (?:above|better|higher|more)))?",
}
_PATTERN = re.compile("|".join(f"(?P<{name.replace(' ', '_')}>{form})" for name, form in PATTERNS.items()))

Phrase = tuple[str, ...]


class _Candidate(NamedTuple):
    """A phrase, or a pattern's name, with the type it has most often in training."""

    key: Phrase | str
    type: str
    times: int  # how often it is an entity of that type
    share: float  # of all its occurrences but those inside longer entities, as "1980" in "1980 s", where that is found


class GazetteerTagger:
    """Looks entities up, from left to right, the longest first; a listed phrase goes before a pattern as long.

    A phrase, or a pattern, is listed with the type that it most often has in the training sentences (of equals, the
    first seen), if it has it `min_count` times and in `min_share` of its occurrences. Words are compared in lower case.

    Args:
        min_count: candidates, whole numbers of at least 1.
        min_share: candidates, 0 to 1.
        scoring: (gold, predicted) -> score, by which the validation sentences choose among all pairs of the two.

    Raises:
        InvalidValue: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        min_count: Sequence[int],
        min_share: Sequence[float],
        scoring: Callable[[Sequence[Sequence[str]], Sequence[Sequence[str]]], float],
    ) -> None:
        if not (isinstance(min_count, Sequence) and min_count and all(type(n) is int and n >= 1 for n in min_count)):
            raise InvalidValue(f"min_count must be a list of whole numbers of at least 1, not {min_count!r}")
        if not (
            isinstance(min_share, Sequence)
            and min_share
            and all(type(share) in (int, float) and 0 <= share <= 1 for share in min_share)
        ):
            raise InvalidValue(f"min_share must be a list of numbers from 0 to 1, not {min_share!r}")
        self.candidates = [{"min_count": count, "min_share": share} for count, share in product(min_count, min_share)]
        self.scoring = scoring

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """List what the training sentences hold, with the thresholds that tag the validation sentences best."""
        found = _entities(train)
        gold = [tags for _, tags in validation]
        tried: list[dict[str, Any]] = []
        best = float("-inf")
        for settings in self.candidates:
            chosen = [c for c in found if c.times >= settings["min_count"] and c.share >= settings["min_share"]]
            listed = _Lists({c.key: c.type for c in chosen})
            quality = self.scoring(gold, [listed.tag(words) for words, _ in validation])
            tried.append({**settings, "validation_entity_f1": quality})
            if quality > best:
                best, self.lists = quality, listed
        return tried

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The tags of what is listed; always legal BIO."""
        return [self.lists.tag(words) for words in sentences]

    @property
    def parameters(self) -> int:
        """How many phrases and patterns have a type."""
        return len(self.lists.type_of)

    def save(self, folder: Path) -> None:
        """Write the lists as JSON: each type's phrases, as lists of words, and its patterns, as names."""
        lists: defaultdict[str, list[Phrase | str]] = defaultdict(list)
        for key, entity_type in self.lists.type_of.items():
            lists[entity_type].append(key)
        write_model(folder, "gazetteer", MODEL_FILE, json.dumps(lists, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            TaggerUnavailable: the file is missing, or not the one that `save` wrote.
        """
        lists = json.loads(model_file(folder, MODEL_FILE).read_text(encoding="utf-8"))
        tagger = cls.__new__(cls)
        tagger.lists = _Lists(
            {key if isinstance(key, str) else tuple(key): kind for kind, keys in lists.items() for key in keys}
        )
        return tagger


class _Lists:
    """Phrases and patterns with their types, ready to be looked up."""

    def __init__(self, type_of: dict[Phrase | str, str]) -> None:
        self.type_of = type_of
        self.lengths = _lengths(key for key in type_of if not isinstance(key, str))

    def tag(self, words: Sequence[str]) -> list[str]:
        lower = [word.lower() for word in words]
        spans: list[Span] = []
        start = 0
        while start < len(lower):
            end, key = max(
                ((end, key) for end, key in _keys(lower, start, self.lengths) if key in self.type_of),
                key=lambda found: found[0],  # of equally long ones the first, which is the phrase
                default=(start + 1, ""),
            )
            if key:
                spans.append(Span(self.type_of[key], start, end))
            start = end
        return tags_of(spans, len(lower))


def _entities(train: Sequence[Sentence]) -> list[_Candidate]:
    """Every phrase that is an entity somewhere, and every pattern that one follows."""
    sentences = [([word.lower() for word in words], spans_of(tags)) for words, tags in train]
    phrases = {tuple(words[span.start : span.end]): None for words, spans in sentences for span in spans}
    lengths = _lengths(phrases)
    types: defaultdict[Phrase | str, Counter[str]] = defaultdict(Counter)
    occurrences: Counter[Phrase | str] = Counter()
    for words, spans in sentences:
        covering = {i: span for span in spans for i in range(span.start, span.end)}
        for start in range(len(words)):
            around = covering.get(start)
            for end, key in _keys(words, start, lengths):
                if around and (around.start, around.end) == (start, end):
                    types[key][around.type] += 1
                elif around and end <= around.end:
                    continue
                occurrences[key] += 1
    counted = ((key, *counts.most_common(1)[0]) for key, counts in types.items())
    return [_Candidate(key, kind, count, count / occurrences[key]) for key, kind, count in counted]


def _keys(words: Sequence[str], start: int, lengths: dict[str, list[int]]) -> Iterator[tuple[int, Phrase | str]]:
    """What may be listed of the words from `start` on, with its end: phrases, then names of patterns."""
    for length in lengths.get(words[start], ()):
        if start + length <= len(words):
            yield start + length, tuple(words[start : start + length])
    for end in range(start + 1, min(start + PATTERN_WORDS, len(words)) + 1):
        if match := _PATTERN.fullmatch(" ".join(words[start:end])):
            yield end, str(match.lastgroup).replace("_", " ")


def _lengths(phrases: Iterable[Phrase]) -> dict[str, list[int]]:
    """A phrase's first word -> how many words the phrases have that begin with it."""
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for phrase in phrases:
        lengths[phrase[0]].add(len(phrase))
    return {word: sorted(found, reverse=True) for word, found in lengths.items()}
