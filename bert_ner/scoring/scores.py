"""Token-level and entity-level scores, each with its signature.

from bert_ner.scoring import score
score([["B-ACTOR", "I-ACTOR", "O"]], [["B-ACTOR", "O", "O"]])["entity_f1"].value
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bert_ner import __version__
from bert_ner.scoring.counts import Array, Counts, Tags, count


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
    compute: Callable[[Counts], float]


def precision_recall_f1(counts: Array) -> tuple[float, float, float]:
    """Precision, recall and F1 from the sums [gold, predicted, correct].

    A ratio whose denominator is 0 is 0, as in conlleval and seqeval.
    """
    gold, predicted, correct = (int(n) for n in counts)
    precision = correct / predicted if predicted else 0.0
    recall = correct / gold if gold else 0.0
    return precision, recall, 2 * correct / (gold + predicted) if gold + predicted else 0.0


def _words(counts: Counts) -> float:
    return precision_recall_f1(counts.words.sum(axis=(0, 1)))[2]


def _words_without_o(counts: Counts) -> float:
    inside = np.array([label != "O" for label in counts.labels], bool)
    return precision_recall_f1(counts.words[:, inside].sum(axis=(0, 1)))[2]


def _words_macro(counts: Counts) -> float:
    by_label = counts.words.sum(axis=0)
    return sum(precision_recall_f1(row)[2] for row in by_label) / len(by_label) if len(by_label) else 0.0


def _entities(position: int) -> Callable[[Counts], float]:
    return lambda counts: precision_recall_f1(counts.entities.sum(axis=(0, 1)))[position]


METRICS = {
    "token_micro_f1": _Metric("avg:micro|o:with", _words),
    "token_micro_f1_no_o": _Metric("avg:micro|o:without", _words_without_o),
    "token_macro_f1": _Metric("avg:macro|o:with", _words_macro),
    "entity_precision": _Metric("avg:micro|mode:conlleval", _entities(0)),
    "entity_recall": _Metric("avg:micro|mode:conlleval", _entities(1)),
    "entity_f1": _Metric("avg:micro|mode:conlleval", _entities(2)),
    "entity_f1_strict": _Metric(
        "avg:micro|mode:strict", lambda counts: precision_recall_f1(counts.strict_entities.sum(axis=(0, 1)))[2]
    ),
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
    counts = count(gold, predicted)
    source = f"scheme:IOB2|unit:word|split:{split}|corpus:{corpus}|data:{data}|v:{__version__}"
    return {
        name: Score(metric.compute(counts), f"{name}|{metric.convention}|{source}") for name, metric in METRICS.items()
    }


def score_by_type(gold: Tags, predicted: Tags) -> list[TypeScore]:
    """Entity-level scores of each type that occurs in gold or prediction, in alphabetical order.

    Raises:
        ValueError: as `score`.
    """
    counts = count(gold, predicted)
    return [
        TypeScore(name, int(sums[0]), *precision_recall_f1(sums))
        for name, sums in zip(counts.types, counts.entities.sum(axis=0), strict=True)
    ]


def entity_f1(gold: Tags, predicted: Tags) -> float:
    """Entity-level micro-F1 in [0, 1], as `score` computes it: what systems choose by on validation sentences."""
    return METRICS["entity_f1"].compute(count(gold, predicted))
