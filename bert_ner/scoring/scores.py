"""Compute token-level and entity-level scores, each with its signature.

from bert_ner.scoring import score
score([["B-ACTOR", "I-ACTOR", "O"]], [["B-ACTOR", "O", "O"]])["entity_f1"].value
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bert_ner import __version__
from bert_ner.errors import BertNerError
from bert_ner.scoring.counts import Counts, Table, Tags, count

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


class Score(float):
    """A score, a fraction in [0, 1]: a number that also has the signature of how it was computed.

    Arithmetic and rounding give plain numbers. Before you compare two scores, see `check_same_signature`.
    """

    signature: str

    def __new__(cls, value: float, signature: str) -> Self:
        """Make a score."""
        made = super().__new__(cls, value)
        made.signature = signature
        return made

    @property
    def value(self) -> float:
        """The plain number."""
        return float(self)

    def _asdict(self) -> dict[str, float | str]:
        """Return the value and the signature by name, as a NamedTuple does."""
        return {"value": self.value, "signature": self.signature}

    def __reduce__(self) -> tuple[type[Score], tuple[float, str]]:
        """Return what a copy is made from."""
        return Score, (self.value, self.signature)

    def __repr__(self) -> str:
        """Show both; `str` and `format` show the number."""
        return f"Score(value={self.value!r}, signature={self.signature!r})"

    __str__ = float.__repr__


class UnlikeScores(BertNerError, ValueError):
    """Two scores were computed in different ways or on different data, so a comparison would mislead."""


class TypeScore(NamedTuple):
    """Entity-level precision, recall and F1 of a type, fractions in [0, 1]; support: its number of gold entities."""

    type: str
    support: int
    precision: float
    recall: float
    f1: float


class TypeScores(list[TypeScore]):
    """The scores of some types."""

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas table with a row per type, which is its index."""
        import pandas as pd  # noqa: PLC0415 - slow to import

        return pd.DataFrame(self, columns=TypeScore._fields).set_index("type")


class _Metric(NamedTuple):
    convention: str
    # From sums over sentences, words of shape (..., L, 3), to scores of shape (...).
    compute: Callable[[Counts], Floats]


def precision_recall_f1(sums: Table) -> tuple[Floats, Floats, Floats]:
    """Return precision, recall and F1, each of shape (...), from sums [gold, predicted, correct] of shape (..., 3).

    A ratio with denominator 0 is 0, as in conlleval and seqeval. F1 is 2PR / (P + R), in seqeval's order of operations,
    so that entity scores equal seqeval's to the last digit.
    """
    gold, predicted, correct = np.moveaxis(sums, -1, 0)
    precision, recall = _ratio(correct, predicted), _ratio(correct, gold)
    return precision, recall, _ratio(2 * precision * recall, precision + recall)


def conlleval_f1(sums: Table) -> Floats:
    """Return only the F1 of `precision_recall_f1`."""
    return precision_recall_f1(sums)[2]


def _token_f1(sums: Table) -> Floats:
    """Return 2 correct / (gold + predicted): scikit-learn's F1 and, over all words, its accuracy, to the last digit."""
    gold, predicted, correct = np.moveaxis(sums, -1, 0)
    return _ratio(2 * correct, gold + predicted)


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Floats:
    ratio: Floats = np.divide(numerator, np.where(denominator == 0, 1, denominator))
    return ratio


def _macro(table: Table, whole: Table, f1: Callable[[Table], Floats]) -> Floats:
    """Return the mean F1 of the labels or types that occur in the whole; one that a resample lacks counts 0."""
    return _ratio(f1(table).sum(axis=-1), whole[..., :2].any(axis=-1).sum(axis=-1))


def _token_macro(counts: Counts) -> Floats:
    return _macro(counts.words, (counts.whole or counts).words, _token_f1)


def _type_macro(counts: Counts) -> Floats:
    return _macro(counts.entities, (counts.whole or counts).entities, conlleval_f1)


def _words_without_o(counts: Counts) -> Floats:
    inside = np.array([label != "O" for label in counts.labels], bool)
    return _token_f1(counts.words[..., inside, :].sum(axis=-2))


def _words_weighted(counts: Counts) -> Floats:
    support = counts.words[..., 0]
    return _ratio((_token_f1(counts.words) * support).sum(axis=-1), support.sum(axis=-1))


def _partial(counts: Counts) -> Floats:
    gold, predicted, overlapping = np.moveaxis(counts.overlaps, -1, 0)
    exact = counts.entities[..., 2].sum(axis=-1)
    return _ratio(exact + overlapping, gold + predicted)  # 2 (exact + (overlapping - exact) / 2) / (gold + predicted)


def _entities(position: int) -> Callable[[Counts], Floats]:
    return lambda counts: precision_recall_f1(counts.entities.sum(axis=-2))[position]


METRICS = {
    "token_micro_f1": _Metric("avg:micro|o:with", lambda sums: _token_f1(sums.words.sum(axis=-2))),
    "token_micro_f1_no_o": _Metric("avg:micro|o:without", _words_without_o),
    "token_macro_f1": _Metric("avg:macro|o:with", _token_macro),
    "token_weighted_f1": _Metric("avg:weighted|o:with", _words_weighted),
    "entity_precision": _Metric("avg:micro|mode:conlleval", _entities(0)),
    "entity_recall": _Metric("avg:micro|mode:conlleval", _entities(1)),
    "entity_f1": _Metric("avg:micro|mode:conlleval", _entities(2)),
    "entity_f1_strict": _Metric("avg:micro|mode:strict", lambda sums: conlleval_f1(sums.strict_entities.sum(axis=-2))),
    "span_f1": _Metric("avg:micro|mode:conlleval|match:bounds", lambda sums: conlleval_f1(sums.spans)),
    "partial_f1": _Metric("avg:micro|mode:conlleval|match:overlap+type|partial:0.5", _partial),
    "type_macro_f1": _Metric("avg:macro|mode:conlleval", _type_macro),
    "token_micro_f1_merged": _Metric("avg:micro|o:with|prefix:merged", lambda sums: _token_f1(sums.typed_words)),
}


def score(gold: Tags, predicted: Tags, split: str = "?", corpus: str = "?", data: str = "?") -> dict[str, Score]:
    """Return all scores of a prediction.

    - token_micro_f1: micro-F1 over every word, `O` included; equals accuracy.
    - token_micro_f1_no_o: the same over the tags other than `O`.
    - token_macro_f1: the unweighted mean of the F1 of each tag that occurs in gold or prediction, as in scikit-learn.
    - token_weighted_f1: the mean weighted by the tags' words in gold, as in scikit-learn's average="weighted".
    - entity_precision, entity_recall, entity_f1: entities that match exactly, as in conlleval and in seqeval's default
      mode.
    - entity_f1_strict: the same without entities that begin with `I-`, as in seqeval's strict mode with IOB2.
    - span_f1: entities that match in their bounds, with any types. Types still separate entities: `B-A I-B` is two.
    - partial_f1: an exact match counts 1; an entity that shares a word with one of the same type but differs in its
      bounds counts 1/2. With c exact and p partial matches, precision is (c + p/2) / predicted, and recall is
      (c + p/2) / gold. F1 is their harmonic mean, (2c + p) / (gold + predicted). Half a point is the rule of MUC-5
      (Chinchor and Sundheim, 1993) and of the 'partial' measure of SemEval-2013 task 9 (Segura-Bedmar et al., 2013;
      also in nervaluate), which ignores types. Matches are one to one, as many as possible. So a prediction that
      overlaps two gold entities of its type finds one of them, and misses the other.
    - type_macro_f1: the unweighted mean of entity_f1 of each type that occurs in gold or prediction, as in seqeval's
      average="macro".
    - token_micro_f1_merged: token_micro_f1 with `B-X` and `I-X` as one class; the accuracy of the types of words.

    Args:
        gold: one sequence of tags per sentence.
        predicted: the same, of the same shape.
        split, corpus, data: the source of gold, for the signatures; data: the first 8 digits of its file's SHA-256.

    Raises:
        InvalidValue, which is a ValueError: as `count`, which names the sentence.
    """
    counts = count(gold, predicted, by_sentence=False)
    return {
        name: Score(float(metric.compute(counts)), signature(name, split, corpus, data))
        for name, metric in METRICS.items()
    }


def signature(metric: str, split: str = "?", corpus: str = "?", data: str = "?") -> str:
    """Return the signature of a metric: how its scores are computed, by which version, on which data (see `score`)."""
    source = f"scheme:IOB2|unit:word|split:{split}|corpus:{corpus}|data:{data}|v:{__version__}"
    return f"{metric}|{METRICS[metric].convention}|{source}"


def check_same_signature(a: str, b: str) -> None:
    """Raise UnlikeScores, which names what differs, unless the signatures of two scores are equal."""
    if a == b:
        return
    keys_a, keys_b = (dict(part.partition(":")[::2] for part in f"metric:{text}".split("|")) for text in (a, b))
    differing = [key for key in {**keys_a, **keys_b} if keys_a.get(key) != keys_b.get(key)]
    raise UnlikeScores(
        f"these scores can't be compared, because they differ in {', '.join(differing) or 'the order of their keys'}:\n"
        f"  {a}\n  {b}\nscore both in the same way, on the same data, with the same version"
    )


def score_by_type(gold: Tags, predicted: Tags) -> TypeScores:
    """Return the entity-level scores of each type that occurs in gold or prediction, in alphabetical order.

    The result is a list; `to_frame()` makes a pandas table of it. Args and errors are those of `score`.
    """
    counts = count(gold, predicted, by_sentence=False)
    columns = (counts.entities[:, 0].astype(int), *precision_recall_f1(counts.entities))
    rows = zip(counts.types, *(column.tolist() for column in columns), strict=True)
    return TypeScores(TypeScore(*row) for row in rows)


def entity_f1(gold: Tags, predicted: Tags) -> float:
    """Return the entity-level micro-F1, in [0, 1], as in `score`; systems choose by it on validation sentences."""
    return float(METRICS["entity_f1"].compute(count(gold, predicted, by_sentence=False)))
