"""Per-sentence counts of a gold and a predicted tagging. Every score is a ratio of sums of them.

Counts add up: the counts of two sets of sentences, concatenated, are the counts of both together, and a resampled
test set is a resampled set of rows.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_ner.corpus.bio import TAG

Tags = Sequence[Sequence[str]]
Array = NDArray[np.int64]
Table = NDArray[np.int64 | np.float64]


@dataclass(frozen=True)
class Counts:
    """What a tagging of n sentences gets right and wrong.

    The last axis of each array holds [gold, predicted, correct]. The first is the sentence; in sums over sentences it
    is missing, and in sums over many resamples it is the resample. All are whole numbers.

    Attributes:
        labels: the L tags that occur in gold or prediction, in alphabetical order.
        types: the T entity types that occur in either, in alphabetical order.
        words: words by tag, of shape (n, L, 3).
        entities: entities by type as conlleval reads them, of shape (n, T, 3).
        strict_entities: the same without those that open with `I-`, which IOB2 does not allow.
        spans: entities whatever their types, of shape (n, 3); correct: the other side has one with the same bounds.
        overlaps: entities of all types, of shape (n, 3); correct: paired with one of the same type that shares a word
            with it, each with one at most, in as many pairs as there can be.
    """

    labels: tuple[str, ...]
    types: tuple[str, ...]
    words: Table
    entities: Table
    strict_entities: Table
    spans: Table
    overlaps: Table

    def map(self, function: Callable[..., Table], *others: Counts) -> Counts:
        """The counts that a function makes of each array and of the same array of others with the same axes."""
        names = [field.name for field in fields(self) if field.name not in ("labels", "types")]
        tables: dict[str, Any] = {name: function(*(getattr(c, name) for c in (self, *others))) for name in names}
        return replace(self, **tables)

    def total(self) -> Counts:
        """The sums over all sentences, without the sentences' axis."""
        return self.map(lambda table: table.sum(axis=0))

    def over(self, labels: tuple[str, ...], types: tuple[str, ...]) -> Counts:
        """The same counts on wider axes: 0 for each label and type that does not occur here."""

        def widen(table: Table, have: tuple[str, ...], want: tuple[str, ...]) -> Table:
            wide = np.zeros((*table.shape[:-2], len(want), 3), table.dtype)
            wide[..., [want.index(name) for name in have], :] = table
            return wide

        return replace(
            self,
            labels=labels,
            types=types,
            words=widen(self.words, self.labels, labels),
            entities=widen(self.entities, self.types, types),
            strict_entities=widen(self.strict_entities, self.types, types),
        )


def count(gold: Tags, predicted: Tags, by_sentence: bool = True) -> Counts:
    """Count words and entities, sentence by sentence or, sooner, their sums over all sentences.

    An entity is correct if the other side has one with the same first word, last word and type.

    Raises:
        ValueError: the two differ in their number of sentences or words, or a tag is none.
    """
    lengths = _shared_lengths(gold, predicted)
    # One pass over the words, where nearly all of the time goes: a label gets its number when it is first seen.
    numbers: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    gold_ids, predicted_ids = (
        np.fromiter(map(numbers.__getitem__, chain.from_iterable(tags)), np.int64) for tags in (gold, predicted)
    )
    labels = tuple(sorted(numbers))
    for label in labels:
        if not TAG.fullmatch(label):
            raise ValueError(f"'{label}' is not a tag; expected O, B-<type> or I-<type>")
    types = tuple(sorted({label[2:] for label in labels if label != "O"}))
    alphabetical = np.array([labels.index(label) for label in numbers], np.int64)
    gold_ids, predicted_ids = alphabetical[gold_ids], alphabetical[predicted_ids]

    # One row per label: its entity type (-1 for O), and whether it opens an entity by itself.
    type_of = np.array([types.index(label[2:]) if label != "O" else -1 for label in labels], np.int64)
    is_begin = np.array([label.startswith("B-") for label in labels], bool)
    gold_types, predicted_types = type_of[gold_ids], type_of[predicted_ids]
    first = np.zeros(len(gold_ids), bool)  # the first word of a sentence
    first[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
    gold_starts, gold_ends = _chunks(gold_types, is_begin[gold_ids], first)
    predicted_starts, predicted_ends = _chunks(predicted_types, is_begin[predicted_ids], first)

    row = np.repeat(np.arange(len(gold)), lengths) if by_sentence else np.int64(0)
    rows = (len(gold),) if by_sentence else ()

    def table(groups: int, *cells: Array) -> Array:
        """For each slot of the last axis, how often a cell, row * groups + group, is named."""
        shape = (*rows, groups)
        return np.stack([np.bincount(at, minlength=np.prod(shape)).reshape(shape) for at in cells], axis=-1)

    gold_cells, predicted_cells = row * len(labels) + gold_ids, row * len(labels) + predicted_ids
    words = table(len(labels), gold_cells, predicted_cells, gold_cells[gold_ids == predicted_ids])

    # Entities never overlap, so an entity is known by its first word: compare last words and types there.
    gold_end, predicted_end = np.full(len(gold_ids), -1), np.full(len(gold_ids), -2)
    gold_end[gold_starts], predicted_end[predicted_starts] = gold_ends, predicted_ends
    alike = np.flatnonzero(gold_end == predicted_end)
    both = alike[gold_types[alike] == predicted_types[alike]]

    # Groups 0 to T - 1 hold the entities that open with B-, T to 2T - 1 those that open with I-. A correct one goes by
    # the greater of its two groups, so that it is strict only if both sides open it with B-.
    group_of = type_of + len(types) * ~is_begin
    gold_cells, predicted_cells = (
        row * 2 * len(types) + group_of[gold_ids],
        row * 2 * len(types) + group_of[predicted_ids],
    )
    correct_cells = np.maximum(gold_cells[both], predicted_cells[both])
    entities = table(2 * len(types), gold_cells[gold_starts], predicted_cells[predicted_starts], correct_cells)
    strict_entities, lenient = np.split(entities, 2, axis=-2)

    def of_all_types(correct: Array) -> Array:
        """The entities of all types together, with those that are correct by another rule, known by first words."""
        sums: Array = entities.sum(axis=-2)
        sums[..., 2] = table(1, np.broadcast_to(row, len(gold_ids))[correct])[..., 0, 0]
        return sums

    # An exact match overlaps nothing else, so pairs are sought among the other overlaps alone. Each of these has one
    # first word in common, where one of its two entities opens.
    opens = (gold_end >= 0) | (predicted_end >= 0)
    overlap = np.flatnonzero(opens & (gold_end != predicted_end) & (gold_types == predicted_types) & (gold_types >= 0))
    of_gold, of_predicted = (np.searchsorted(starts, overlap, "right") for starts in (gold_starts, predicted_starts))
    pairs = np.append(both, overlap[_most_pairs(of_gold, of_predicted)])
    tables = (words, strict_entities + lenient, strict_entities, of_all_types(alike), of_all_types(pairs))
    return Counts(labels, types, *tables)


def _chunks(types: Array, begins: NDArray[np.bool_], first: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Positions of the first and the last word of each entity: conlleval's startOfChunk and endOfChunk for IOB2."""
    continues = np.zeros(len(types), bool)
    continues[1:] = (types[1:] >= 0) & (types[1:] == types[:-1]) & ~begins[1:] & ~first[1:]
    starts = (types >= 0) & ~continues
    ends = (types >= 0) & ~np.append(continues[1:], False)[: len(types)]
    return np.flatnonzero(starts), np.flatnonzero(ends)


def _most_pairs(a: Array, b: Array) -> list[int]:
    """Indexes of as many of the pairs (a[i], b[i]) as can be chosen with no entity in two of them.

    The pairs are overlaps, from left to right, and entities of one side never overlap. So of the first pair's two
    entities the one that ends sooner is in no other pair, and choosing that pair costs at most one other. The same
    holds for what is left.
    """
    chosen, last_a, last_b = [], -1, -1
    for i, (x, y) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        if x != last_a and y != last_b:
            chosen.append(i)
            last_a, last_b = x, y
    return chosen


def _shared_lengths(gold: Tags, predicted: Tags) -> Array:
    if len(gold) != len(predicted):
        raise ValueError(f"gold has {len(gold)} sentences, the prediction has {len(predicted)}")
    lengths, theirs = (np.fromiter(map(len, tags), np.int64, len(gold)) for tags in (gold, predicted))
    for i in np.flatnonzero(lengths != theirs):
        raise ValueError(f"sentence {i + 1} has {lengths[i]} words, but {theirs[i]} predicted tags")
    return lengths
