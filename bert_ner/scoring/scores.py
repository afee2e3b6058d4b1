"""Token-level and entity-level scores, each with its signature.

from bert_ner.scoring import score
score([["B-ACTOR", "I-ACTOR", "O"]], [["B-ACTOR", "O", "O"]])["entity_f1"].value
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bert_ner import __version__
from bert_ner.scoring.counts import Counts, Table, Tags, count

Floats = NDArray[np.float64]


class Score(NamedTuple):
    """A score, a fraction in [0, 1], and the signature that says how it was computed."""

    value: float
    signature: str


class TypeScore(NamedTuple):
    """Entity-level precision, recall and F1 of one type, fractions in [0, 1]; support: gold entities."""

    type: str
    support: int
    precision: float
    recall: float
    f1: float


class _Metric(NamedTuple):
    convention: str
    compute: Callable[[Counts], Floats]  # of sums over sentences, of shape (..., L, 3), a score for each: (...)


def precision_recall_f1(sums: Table) -> tuple[Floats, Floats, Floats]:
    """Precision, recall and F1, each of shape (...), from sums [gold, predicted, correct] of shape (..., 3).

    A ratio whose denominator is 0 is 0, as in conlleval and seqeval. F1 is 2PR / (P + R), in seqeval's order of
    operations, so that entity scores equal seqeval's to the last digit.
    """
    gold, predicted, correct = np.moveaxis(sums, -1, 0)
    precision, recall = _ratio(correct, predicted), _ratio(correct, gold)
    return precision, recall, _ratio(2 * precision * recall, precision + recall)


def _f1(sums: Table) -> Floats:
    """2 correct / (gold + predicted): scikit-learn's F1 and, over all words, its accuracy, to the last digit."""
    gold, predicted, correct = np.moveaxis(sums, -1, 0)
    return _ratio(2 * correct, gold + predicted)


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Floats:
    ratio: Floats = np.divide(numerator, np.where(denominator == 0, 1, denominator))
    return ratio


def _words(counts: Counts) -> Floats:
    return _f1(counts.words.sum(axis=-2))


def _words_without_o(counts: Counts) -> Floats:
    inside = np.array([label != "O" for label in counts.labels], bool)
    return _f1(counts.words[..., inside, :].sum(axis=-2))


def _words_macro(counts: Counts) -> Floats:
    occurs = counts.words[..., :2].any(axis=-1)  # a resample may lack a rare label altogether
    return _ratio(_f1(counts.words).sum(axis=-1), occurs.sum(axis=-1))


def _entities(position: int) -> Callable[[Counts], Floats]:
    return lambda counts: precision_recall_f1(counts.entities.sum(axis=-2))[position]


def _strict_entities(counts: Counts) -> Floats:
    return precision_recall_f1(counts.strict_entities.sum(axis=-2))[2]


METRICS = {
    "token_micro_f1": _Metric("avg:micro|o:with", _words),
    "token_micro_f1_no_o": _Metric("avg:micro|o:without", _words_without_o),
    "token_macro_f1": _Metric("avg:macro|o:with", _words_macro),
    "entity_precision": _Metric("avg:micro|mode:conlleval", _entities(0)),
    "entity_recall": _Metric("avg:micro|mode:conlleval", _entities(1)),
    "entity_f1": _Metric("avg:micro|mode:conlleval", _entities(2)),
    "entity_f1_strict": _Metric("avg:micro|mode:strict", _strict_entities),
}


def score(gold: Tags, predicted: Tags, split: str = "?", corpus: str = "?", data: str = "?") -> dict[str, Score]:
    """All scores of a prediction.

    - token_micro_f1: micro-F1 over every word, `O` included; equals accuracy.
    - token_micro_f1_no_o: the same over the tags other than `O`.
    - token_macro_f1: the unweighted mean of the F1 of each tag that occurs in gold or prediction, as scikit-learn.
    - entity_precision, entity_recall, entity_f1: entities that match exactly, as conlleval and seqeval's default mode.
    - entity_f1_strict: the same without entities that open with `I-`, as seqeval's strict mode with IOB2.

    Args:
        gold: one sequence of tags per sentence.
        predicted: likewise, of the same shape.
        split, corpus, data: where gold comes from (data: the first 8 digits of its file's SHA-256); they go into
            the signatures.

    Raises:
        ValueError: the two differ in their number of sentences or words, or a tag is none.
    """
    counts = count(gold, predicted, by_sentence=False)
    source = f"scheme:IOB2|unit:word|split:{split}|corpus:{corpus}|data:{data}|v:{__version__}"
    return {
        name: Score(float(metric.compute(counts)), f"{name}|{metric.convention}|{source}")
        for name, metric in METRICS.items()
    }


def score_by_type(gold: Tags, predicted: Tags) -> list[TypeScore]:
    """Entity-level scores of each type that occurs in gold or prediction, in alphabetical order.

    Raises:
        ValueError: as `score`.
    """
    counts = count(gold, predicted, by_sentence=False)
    columns = (counts.entities[:, 0].astype(int), *precision_recall_f1(counts.entities))
    rows = zip(counts.types, *(column.tolist() for column in columns), strict=True)
    return [TypeScore(*row) for row in rows]


def entity_f1(gold: Tags, predicted: Tags) -> float:
    """Entity-level micro-F1 in [0, 1], as `score` computes it: what systems choose by on validation sentences."""
    return float(METRICS["entity_f1"].compute(count(gold, predicted, by_sentence=False)))
