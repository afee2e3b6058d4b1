"""Where a tagging goes wrong.

from bert_ner.scoring.errors import error_kinds
error_kinds([["B-ACTOR", "I-ACTOR", "O"]], [["B-ACTOR", "O", "O"]])     # {("boundary", "ACTOR"): 1}
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from bert_ner.corpus.bio import Span, spans_of
from bert_ner.scoring.counts import Tags

KINDS = ("boundary", "type", "boundary and type", "missed", "spurious")


class EntityError(NamedTuple):
    """A wrong entity, or a pair of a gold and a predicted one.

    Attributes:
        kind: one of KINDS; `entity_errors` defines them.
        gold: the entity as it should be; None if the error is spurious.
        predicted: the entity as predicted; None if it is missed.
    """

    kind: str
    gold: Span | None
    predicted: Span | None

    @property
    def type(self) -> str:
        """The gold entity's type; the predicted one's if the error is spurious."""
        return next(span.type for span in (self.gold, self.predicted) if span)


class Recall(NamedTuple):
    """How many gold entities there are, and how many of them are found exactly, by bounds and type."""

    support: int
    found: int

    @property
    def value(self) -> float:
        """The fraction found, in [0, 1]; 0 if there are none."""
        return self.found / self.support if self.support else 0.0


def confusion(gold: Tags, predicted: Tags) -> Counter[tuple[str, str]]:
    """How many words of each gold entity type are tagged with each type; `O` is outside.

    B- and I- of a type count as one.
    """
    pairs = zip(chain.from_iterable(gold), chain.from_iterable(predicted), strict=True)
    return Counter((_type_of(a), _type_of(b)) for a, b in pairs)


def entity_errors(gold: Sequence[str], predicted: Sequence[str]) -> list[EntityError]:
    """The errors of one sentence, from left to right; entities are read as conlleval reads them.

    Entities that match exactly, by bounds and type, are no errors and are set aside. Every other one, gold or
    predicted, takes part in exactly one error:

    - type: a gold and a predicted entity have the same bounds, but not the same type.
    - boundary: the two share a word and the type, but not both bounds.
    - boundary and type: the two share a word, but neither the type nor both bounds.
    - missed: a gold entity without a partner.
    - spurious: a predicted entity without a partner.

    Pairs are made in this order of kinds, and within a kind from left to right: each gold entity gets the first
    predicted one that fits and has no partner yet. So a prediction that covers two gold entities of its type makes one
    boundary error and one missed entity. Each kind gets as many pairs as there can be after the kinds before it.

    Raises:
        BioError: something is not a tag.
        ValueError: the two differ in their number of words.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"the sentence has {len(gold)} words, but {len(predicted)} predicted tags")
    gold_spans, predicted_spans = spans_of(gold), spans_of(predicted)
    exact = set(gold_spans) & set(predicted_spans)
    left = [span for span in gold_spans if span not in exact]
    right = [span for span in predicted_spans if span not in exact]
    errors = []
    for kind, fits in _PAIRS.items():
        for span in list(left):
            if partner := next((other for other in right if fits(span, other)), None):
                errors.append(EntityError(kind, span, partner))
                left.remove(span)
                right.remove(partner)
    errors += [EntityError("missed", span, None) for span in left]
    errors += [EntityError("spurious", None, span) for span in right]
    return sorted(errors, key=lambda error: min(span.start for span in error[1:] if span))


def error_kinds(gold: Tags, predicted: Tags) -> Counter[tuple[str, str]]:
    """How many errors there are of each kind and type (`EntityError.type`).

    Raises:
        BioError, ValueError: as `entity_errors`; or the two differ in their number of sentences.
    """
    errors = chain.from_iterable(entity_errors(a, b) for a, b in zip(gold, predicted, strict=True))
    return Counter((error.kind, error.type) for error in errors)


def recall_by(gold: Tags, predicted: Tags, group: Callable[[int, Span], str]) -> dict[str, Recall]:
    """Recall on each group of gold entities that occurs, in alphabetical order.

    Args:
        gold, predicted: as `score`.
        group: from the index of a sentence, counted from 0, and one of its gold entities, the group's name.

    Raises:
        BioError: something is not a tag.
        ValueError: the two differ in their number of sentences or words.
    """
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for i, (ours, theirs) in enumerate(zip(gold, predicted, strict=True)):
        if len(ours) != len(theirs):
            raise ValueError(f"sentence {i + 1} has {len(ours)} words, but {len(theirs)} predicted tags")
        found = set(spans_of(theirs))
        for span in spans_of(ours):
            of_group = counts[group(i, span)]
            of_group[0] += 1
            of_group[1] += span in found
    return {name: Recall(*counts[name]) for name in sorted(counts)}


def _overlap(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


# What makes a pair an error of each kind, in the order in which pairs are sought.
_PAIRS: dict[str, Callable[[Span, Span], bool]] = {
    "type": lambda gold, predicted: gold[1:] == predicted[1:],
    "boundary": lambda gold, predicted: _overlap(gold, predicted) and gold.type == predicted.type,
    "boundary and type": _overlap,
}


def _type_of(tag: str) -> str:
    return tag if tag == "O" else tag[2:]
