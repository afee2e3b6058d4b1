"""A tagger for tests of streams, and its answers to some lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bert_ner.corpus.bio import Sentence
from bert_ner.queries import QueryFormat, line_queries
from bert_ner.stream import Answer, as_json, tag_queries


class Capitals:
    """Takes each run of capitalised words for a NAME; has the four methods and no scores."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        raise AssertionError("a stream only tags", train, validation)

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        self.sizes.append(len(sentences))
        return [[tag for tag, _ in self._scored(words)] for words in sentences]

    def save(self, folder: Path) -> None:
        raise AssertionError("a stream only tags", folder)

    @classmethod
    def load(cls, folder: Path) -> Capitals:
        raise AssertionError("a stream only tags", folder)

    @staticmethod
    def _scored(words: Sequence[str]) -> list[tuple[str, float]]:
        rows = []
        for i, word in enumerate(words):
            inside = i > 0 and words[i - 1].istitle()
            rows.append((f"{'I' if inside else 'B'}-NAME", 0.5 + i / 10) if word.istitle() else ("O", 0.9))
        return rows


class ScoringCapitals(Capitals):
    """The same with scores: 0.5, 0.6, 0.7 ... by position."""

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        return [self._scored(words) for words in sentences]


def answers_to(*lines: bytes, form: QueryFormat = "text", tagger: Any = None) -> list[Answer]:
    return [answer for batch in tag_queries(tagger or Capitals(), line_queries([lines], form)) for answer in batch]


def records_of(*lines: bytes, form: QueryFormat = "text", tagger: Any = None) -> list[dict[str, Any]]:
    return [json.loads(as_json(answer)) for answer in answers_to(*lines, form=form, tagger=tagger)]
