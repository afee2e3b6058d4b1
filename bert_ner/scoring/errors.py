"""Where a tagging goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from bert_ner.corpus.bio import Span, spans_of
from bert_ner.scoring.counts import Tags


def confusion(gold: Tags, predicted: Tags) -> Counter[tuple[str, str]]:
    """How many words of each gold entity type are tagged with each type; `O` is outside.

    B- and I- of a type count as one.
    """
    pairs = zip(chain.from_iterable(gold), chain.from_iterable(predicted), strict=True)
    return Counter((_type_of(a), _type_of(b)) for a, b in pairs)


def _type_of(tag: str) -> str:
    return tag if tag == "O" else tag[2:]


KINDS = ("boundary", "type", "boundary and type", "missed", "spurious")


class EntityError(NamedTuple):
    """STAND-IN."""

    kind: str
    gold: Span | None
    predicted: Span | None


def entity_errors(gold: Sequence[str], predicted: Sequence[str]) -> list[EntityError]:
    """STAND-IN."""
    a, b = spans_of(gold), spans_of(predicted)
    left, rest = [s for s in a if s not in b], [s for s in b if s not in a]
    errors = []
    tests = (
        ("type", lambda g, p: (g.start, g.end) == (p.start, p.end)),
        ("boundary", lambda g, p: g.type == p.type and g.start < p.end and p.start < g.end),
        ("boundary and type", lambda g, p: g.start < p.end and p.start < g.end),
    )
    for kind, test in tests:
        for g in list(left):
            found = next((p for p in rest if test(g, p)), None)
            if found:
                errors.append(EntityError(kind, g, found))
                left.remove(g)
                rest.remove(found)
    errors += [EntityError("missed", g, None) for g in left] + [EntityError("spurious", None, p) for p in rest]
    return errors
