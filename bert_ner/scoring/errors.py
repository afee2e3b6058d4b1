"""Where a tagging goes wrong."""

from __future__ import annotations

from collections import Counter
from itertools import chain

from bert_ner.scoring.counts import Tags


def confusion(gold: Tags, predicted: Tags) -> Counter[tuple[str, str]]:
    """How many words of each gold entity type are tagged with each type; `O` is outside.

    B- and I- of a type count as one.
    """
    pairs = zip(chain.from_iterable(gold), chain.from_iterable(predicted), strict=True)
    return Counter((_type_of(a), _type_of(b)) for a, b in pairs)


def _type_of(tag: str) -> str:
    return tag if tag == "O" else tag[2:]
