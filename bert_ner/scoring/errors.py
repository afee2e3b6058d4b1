"""Classify the errors of a tagging, and measure recall by group of entities."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from bert_ner.corpus.bio import Span, spans_of
from bert_ner.scoring.counts import Tags
from bert_ner.wording import counted

KINDS = ("boundary", "type", "boundary and type", "missed", "spurious")


class EntityError(NamedTuple):
    """A wrong entity, or a pair of a gold and a predicted entity that differ; `entity_errors` defines the kinds."""

    kind: str
    gold: Span | None  # None if the error is spurious
    predicted: Span | None  # None if the error is missed

    @property
    def type(self) -> str:
        """The type of the gold entity; of the predicted one if the error is spurious."""
        return next(span.type for span in (self.gold, self.predicted) if span)


class Recall(NamedTuple):
    """The number of gold entities (support), and how many of them are found exactly, by bounds and type."""

    support: int
    found: int

    @property
    def value(self) -> float:
        """The fraction found, in [0, 1]; 0 if there are no gold entities."""
        return self.found / self.support if self.support else 0.0


def confusion(gold: Tags, predicted: Tags) -> Counter[tuple[str, str]]:
    """Count the words of each gold entity type by predicted type; `O` is outside, and B- and I- count as one type."""
    pairs = zip(chain.from_iterable(gold), chain.from_iterable(predicted), strict=True)
    return Counter((a[2:] or a, b[2:] or b) for a, b in pairs)


def entity_errors(gold: Sequence[str], predicted: Sequence[str]) -> list[EntityError]:
    """Return the errors of a sentence, from left to right; entities are read as conlleval reads them.

    Every entity without an exact match, gold or predicted, is part of exactly one error:

    - type: a gold and a predicted entity have the same bounds, but different types.
    - boundary: the two share a word and the type, but not both bounds.
    - boundary and type: the two share a word, but neither the type nor both bounds.
    - missed: a gold entity without a partner.
    - spurious: a predicted entity without a partner.

    Pairs are made in this order of kinds, and within a kind from left to right: each gold entity gets the first free
    predicted entity that fits. So a prediction that covers two gold entities of its type makes one boundary error and
    one missed entity. Raise BioError if an item is not a tag, ValueError if the numbers of words differ.
    """
    if len(gold) != len(predicted):
        raise ValueError(
            f"the sentence has {counted(len(gold), 'word')}, but {counted(len(predicted), 'predicted tag')}"
        )
    gold_spans, predicted_spans = spans_of(gold), spans_of(predicted)
    exact = set(gold_spans) & set(predicted_spans)
    missed = [span for span in gold_spans if span not in exact]
    spurious = [span for span in predicted_spans if span not in exact]
    errors = []
    for kind, fits in _PAIRS.items():
        for span in list(missed):
            if partner := next((other for other in spurious if fits(span, other)), None):
                errors.append(EntityError(kind, span, partner))
                missed.remove(span)
                spurious.remove(partner)
    errors += [EntityError("missed", span, None) for span in missed]
    errors += [EntityError("spurious", None, span) for span in spurious]
    return sorted(errors, key=lambda error: min(span.start for span in error[1:] if span))


def error_kinds(gold: Tags, predicted: Tags) -> Counter[tuple[str, str]]:
    """Count the errors by kind and type; raise as `entity_errors`, or if the numbers of sentences differ."""
    errors = chain.from_iterable(entity_errors(a, b) for a, b in zip(gold, predicted, strict=True))
    return Counter((error.kind, error.type) for error in errors)


def recall_by(gold: Tags, predicted: Tags, group: Callable[[int, Span], str]) -> dict[str, Recall]:
    """Return the recall of each group of gold entities that occurs, in alphabetical order.

    `group` maps the index of a sentence, counted from 0, and a gold entity of it to the name of the entity's group.
    Raise BioError if an item is not a tag, ValueError if the numbers of sentences or words differ.
    """
    support, found = Counter[str](), Counter[str]()
    for i, (gold_tags, predicted_tags) in enumerate(zip(gold, predicted, strict=True)):
        if len(gold_tags) != len(predicted_tags):
            number = counted(len(predicted_tags), "predicted tag")
            raise ValueError(f"sentence {i + 1} has {counted(len(gold_tags), 'word')}, but {number}")
        predicted_spans = set(spans_of(predicted_tags))
        for span in spans_of(gold_tags):
            name = group(i, span)
            support[name] += 1
            found[name] += span in predicted_spans
    return {name: Recall(support[name], found[name]) for name in sorted(support)}


def _overlap(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


# The pairs that are an error of each kind, in the order in which pairs are made.
_PAIRS: dict[str, Callable[[Span, Span], bool]] = {
    "type": lambda gold, predicted: gold[1:] == predicted[1:],
    "boundary": lambda gold, predicted: _overlap(gold, predicted) and gold.type == predicted.type,
    "boundary and type": _overlap,
}
