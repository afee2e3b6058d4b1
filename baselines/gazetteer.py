"""A rule-based tagger: lists of entities from the training sentences, and patterns for years and ratings."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field

from baselines.selection import candidates, select
from bert_ner.corpus.bio import Sentence, Span, spans_of, tags_of
from bert_ner.corpus.sequences import check_sequences
from bert_ner.model_folder import write_model
from bert_ner.settings import Settings
from bert_ner.tagger import System

MODEL_FILE = "gazetteer.json"
PATTERN_WORDS = 5  # in the longest pattern: "eight and a half stars"

_NUMBER = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty|forty|fifty)"
# Whole phrases in lower case. As for a phrase, the training sentences decide a pattern's type, and whether it is used.
PATTERNS = {
    "year": r"(?:1[89]|20)\d\d",
    "decade": r"(?:(?:early|mid|late) )?(?:1[89]|20)?\d0 ?s",
    "span of years": rf"(?:last|past) (?:few|{_NUMBER}) (?:years|decades)",
    "film rating": r"g|pg|pg ?13|r|nc ?17|x",
    "stars": rf"{_NUMBER}(?: and a half)? stars?(?: (?:and above|or (?:above|better|higher|more)))?",
}
_PATTERN = re.compile("|".join(f"(?P<{name.replace(' ', '_')}>{form})" for name, form in PATTERNS.items()))

Phrase = tuple[str, ...]
_Count = Annotated[int, Field(ge=1)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Entity(NamedTuple):
    """A phrase, or the name of a pattern, and its most frequent type in training."""

    key: Phrase | str
    type: str
    times: int  # occurrences as an entity of that type
    share: float  # of all occurrences, except those inside longer entities, such as "1980" in "1980 s"


class GazetteerSettings(Settings):
    """The candidates among which the validation sentences choose."""

    min_count: list[_Count] = Field(min_length=1, description="How often a phrase has to be an entity.")
    min_share: list[_Share] = Field(min_length=1, description="In which share of its occurrences.")


class GazetteerTagger(System):
    """Look entities up from left to right, the longest first, in lower case; a phrase wins over a pattern as long.

    A phrase or a pattern is listed with its most frequent type in the training sentences, of equals the first seen. It
    has to have that type `min_count` times, and in `min_share` of its occurrences.
    """

    Settings = GazetteerSettings
    settings: GazetteerSettings

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """List the entities of the training sentences, with the thresholds that the validation sentences choose."""
        found = _entities(train)
        trials = []
        for chosen in candidates(self.settings):
            count, share = chosen["min_count"], chosen["min_share"]
            listed = {each.key: each.type for each in found if each.times >= count and each.share >= share}
            trials.append((chosen, _Lists(listed)))
        self.lists, history = select(trials, _Lists.tag, validation, self.scoring)
        return history

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the tags of the listed phrases and patterns; always legal BIO."""
        check_sequences(sentences, "word")
        return self.lists.tag(sentences)

    @property
    def parameters(self) -> int:
        """The number of phrases and patterns that are listed."""
        return len(self.lists.type_of)

    def save(self, folder: Path) -> None:
        """Write the lists as JSON: for each type its phrases, as lists of words, and its patterns, as names."""
        lists: defaultdict[str, list[Phrase | str]] = defaultdict(list)
        for key, entity_type in self.lists.type_of.items():
            lists[entity_type].append(key)
        write_model(folder, "gazetteer", MODEL_FILE, json.dumps(lists, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        lists = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        tagger = cls.__new__(cls)
        listed = ((key, kind) for kind, keys in lists.items() for key in keys)
        tagger.lists = _Lists({key if isinstance(key, str) else tuple(key): kind for key, kind in listed})
        return tagger


class _Lists:
    """Phrases and patterns with their types, ready for look-up."""

    def __init__(self, type_of: dict[Phrase | str, str]) -> None:
        self.type_of = type_of
        self.lengths = _lengths(key for key in type_of if not isinstance(key, str))

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        return [tags_of(self._spans([word.lower() for word in words]), len(words)) for words in sentences]

    def _spans(self, words: list[str]) -> list[Span]:
        spans: list[Span] = []
        start = 0
        while start < len(words):
            found = [(end, key) for end, key in _keys(words, start, self.lengths) if key in self.type_of]
            end, key = max(found, key=lambda each: each[0], default=(start + 1, None))  # the phrase, of equals
            if key:
                spans.append(Span(self.type_of[key], start, end))
            start = end
        return spans


def _entities(train: Sequence[Sentence]) -> list[_Entity]:
    """Return every phrase that is an entity somewhere, and every pattern that matches one."""
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
    return [_Entity(key, kind, count, count / occurrences[key]) for key, kind, count in counted]


def _keys(words: Sequence[str], start: int, lengths: dict[str, list[int]]) -> Iterator[tuple[int, Phrase | str]]:
    """Yield what may be listed from the word `start` on, with its end: phrases, then names of patterns."""
    for length in lengths.get(words[start], ()):
        if start + length <= len(words):
            yield start + length, tuple(words[start : start + length])
    for end in range(start + 1, min(start + PATTERN_WORDS, len(words)) + 1):
        if match := _PATTERN.fullmatch(" ".join(words[start:end])):
            yield end, str(match.lastgroup).replace("_", " ")


def _lengths(phrases: Iterable[Phrase]) -> dict[str, list[int]]:
    """Map each phrase's first word to the lengths, in words, of the phrases that begin with it."""
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for phrase in phrases:
        lengths[phrase[0]].add(len(phrase))
    return {word: sorted(found, reverse=True) for word, found in lengths.items()}
