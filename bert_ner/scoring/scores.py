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
from bert_ner.errors import BertNerError
from bert_ner.scoring.counts import Counts, Table, Tags, count

Floats = NDArray[np.float64]


class Score(NamedTuple):
    """A score, a fraction in [0, 1], and the signature that says how it was computed."""

    value: float
    signature: str


class UnlikeScores(BertNerError, ValueError):
    """Two scores that were not computed in the same way from the same data, so that a comparison would mislead."""


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


def _words_weighted(counts: Counts) -> Floats:
    support = counts.words[..., 0]
    return _ratio((_f1(counts.words) * support).sum(axis=-1), support.sum(axis=-1))


def _entities(position: int) -> Callable[[Counts], Floats]:
    return lambda counts: precision_recall_f1(counts.entities.sum(axis=-2))[position]


def _strict_entities(counts: Counts) -> Floats:
    return precision_recall_f1(counts.strict_entities.sum(axis=-2))[2]


def _spans(counts: Counts) -> Floats:
    return precision_recall_f1(counts.spans)[2]


def _partial(counts: Counts) -> Floats:
    gold, predicted, overlapping = np.moveaxis(counts.overlaps, -1, 0)
    exact = counts.entities[..., 2].sum(axis=-1)
    return _ratio(exact + overlapping, gold + predicted)  # 2 (exact + (overlapping - exact) / 2) / (gold + predicted)


def _types_macro(counts: Counts) -> Floats:
    occurs = counts.entities[..., :2].any(axis=-1)  # a resample may lack a rare type altogether
    return _ratio(precision_recall_f1(counts.entities)[2].sum(axis=-1), occurs.sum(axis=-1))


METRICS = {
    "token_micro_f1": _Metric("avg:micro|o:with", _words),
    "token_micro_f1_no_o": _Metric("avg:micro|o:without", _words_without_o),
    "token_macro_f1": _Metric("avg:macro|o:with", _words_macro),
    "token_weighted_f1": _Metric("avg:weighted|o:with", _words_weighted),
    "entity_precision": _Metric("avg:micro|mode:conlleval", _entities(0)),
    "entity_recall": _Metric("avg:micro|mode:conlleval", _entities(1)),
    "entity_f1": _Metric("avg:micro|mode:conlleval", _entities(2)),
    "entity_f1_strict": _Metric("avg:micro|mode:strict", _strict_entities),
    "span_f1": _Metric("avg:micro|mode:conlleval|match:bounds", _spans),
    "partial_f1": _Metric("avg:micro|mode:conlleval|match:overlap+type|partial:0.5", _partial),
    "type_macro_f1": _Metric("avg:macro|mode:conlleval", _types_macro),
}


def score(gold: Tags, predicted: Tags, split: str = "?", corpus: str = "?", data: str = "?") -> dict[str, Score]:
    """All scores of a prediction.

    - token_micro_f1: micro-F1 over every word, `O` included; equals accuracy.
    - token_micro_f1_no_o: the same over the tags other than `O`.
    - token_macro_f1: the unweighted mean of the F1 of each tag that occurs in gold or prediction, as scikit-learn.
    - token_weighted_f1: the mean of the F1 of each tag, `O` included, weighted by its words in gold; scikit-learn's
      average="weighted".
    - entity_precision, entity_recall, entity_f1: entities that match exactly, as conlleval and seqeval's default mode.
    - entity_f1_strict: the same without entities that open with `I-`, as seqeval's strict mode with IOB2.
    - span_f1: entities that match in their bounds, whatever their types. Types decide where an entity ends before they
      are left out of account: `B-A I-B` holds two.
    - partial_f1: an entity that matches exactly counts 1; one that shares a word with an entity of the same type, but
      differs in its bounds, counts 1/2. With c and p such matches, precision is (c + p/2) / predicted, recall
      (c + p/2) / gold, and F1 their harmonic mean, (2c + p) / (gold + predicted). Half a point for a partial match is
      MUC-5's (Chinchor and Sundheim, 1993) and the 'partial' measure's of SemEval-2013 task 9 (Segura-Bedmar et al.,
      2013; in nervaluate, too), which does not look at types; here the type has to be right as well, as in the same
      task's 'type' measure. Matches are one to one, as many as there can be: a prediction that overlaps two
      gold entities of its type finds one of them, and the other one is missed.
    - type_macro_f1: the unweighted mean of entity_f1 of each type that occurs in gold or prediction, as seqeval's
      average="macro".

    Args:
        gold: one sequence of tags per sentence.
        predicted: likewise, of the same shape.
        split, corpus, data: where gold comes from (data: the first 8 digits of its file's SHA-256); they go into
            the signatures.

    Raises:
        ValueError: the two differ in their number of sentences or words, or a tag is none.
    """
    counts = count(gold, predicted, by_sentence=False)
    return {
        name: Score(float(metric.compute(counts)), signature(name, split, corpus, data))
        for name, metric in METRICS.items()
    }


def signature(metric: str, split: str = "?", corpus: str = "?", data: str = "?") -> str:
    """What says how a score of this metric is computed, by which version, and on what; the arguments are `score`'s."""
    source = f"scheme:IOB2|unit:word|split:{split}|corpus:{corpus}|data:{data}|v:{__version__}"
    return f"{metric}|{METRICS[metric].convention}|{source}"


def check_same_signature(a: str, b: str) -> None:
    """Refuse to compare two scores that differ in metric, convention, data or version.

    Args:
        a, b: their signatures.

    Raises:
        UnlikeScores: they differ; the message shows both and names the keys that differ.
    """
    if a == b:
        return
    keys_a, keys_b = (dict(part.partition(":")[::2] for part in f"metric:{text}".split("|")) for text in (a, b))
    differing = [key for key in {**keys_a, **keys_b} if keys_a.get(key) != keys_b.get(key)]
    raise UnlikeScores(
        f"these scores can't be compared, for they differ in {', '.join(differing) or 'the order of their keys'}:\n"
        f"  {a}\n  {b}\nscore both in the same way, on the same data, with the same version"
    )


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
