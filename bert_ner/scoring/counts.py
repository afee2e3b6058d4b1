"""Count words and entities of a gold and a predicted tagging by sentence; every score is a ratio of sums of these.

So the counts of two sets of sentences, concatenated, are those of their union. A resampled test set is a set of rows.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_ner.corpus.bio import TAG
from bert_ner.corpus.sequences import check_sequences
from bert_ner.errors import InvalidValue
from bert_ner.wording import counted, option

Tags = Sequence[Sequence[str]]
Array = NDArray[np.int32 | np.int64]
Table = NDArray[np.signedinteger | np.float64]

MAX_TYPES, MAX_CELLS = 1_000, 2**28
LONG_SENTENCE = 2**13  # words; the counts of shorter ones, and twice them, fit into 16 bits


@dataclass(frozen=True)
class Counts:
    """Counts of n tagged sentences: whole numbers, with [gold, predicted, correct] in the last axis of each array.

    The first axis is the sentence. Sums over sentences lack it; in sums over many resamples it is the resample.
    """

    labels: tuple[str, ...]  # the L tags that occur in gold or prediction, in alphabetical order
    types: tuple[str, ...]  # the T entity types that occur in either, in alphabetical order
    words: Table  # words by tag, of shape (n, L, 3)
    entities: Table  # entities by type as conlleval reads them, of shape (n, T, 3)
    strict_entities: Table  # the same without entities that begin with `I-`, which IOB2 does not allow
    spans: Table  # entities of all types, of shape (n, 3); correct: the other side has one with the same bounds
    # Likewise; correct: in a pair of entities of the same type that share a word. One to one, as many as possible.
    overlaps: Table
    typed_words: Table  # words, of shape (n, 3); correct: both sides give the word the same type, or both O
    # Macro scores are means over the labels and types that occur here; None: in these counts. A resample has the counts
    # of the whole test set here, so that each resample has the same labels.
    whole: Counts | None = None

    def over(self, labels: tuple[str, ...], types: tuple[str, ...]) -> Counts:
        """Return the same counts over more labels and types, with 0 for those that do not occur here."""
        if (labels, types) == (self.labels, self.types):
            return self
        axes = {"words": (self.labels, labels)} | dict.fromkeys(("entities", "strict_entities"), (self.types, types))
        wide: dict[str, Any] = {}
        for name, (old, new) in axes.items():
            table = getattr(self, name)
            wide[name] = np.zeros((*table.shape[:-2], len(new), 3), table.dtype)
            wide[name][..., [new.index(each) for each in old], :] = table
        return replace(self, labels=labels, types=types, **wide)


def shared_axes(runs: Collection[Counts]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels and the types that occur in any of the runs, in alphabetical order."""
    labels = {label for run in runs for label in run.labels}
    types = {name for run in runs for name in run.types}
    return tuple(sorted(labels)), tuple(sorted(types))


def count(gold: Tags, predicted: Tags, by_sentence: bool = True) -> Counts:
    """Count words and entities by sentence or, if not `by_sentence`, faster, their sums over all sentences.

    Both sides have one sequence of tags per sentence. An entity is correct if the other side has one with the same
    first word, last word and type.

    Raises:
        InvalidValue, which is a ValueError: the two differ in their number of sentences or words, or an item is not a
            tag. Or one of them is a string, or a flat list of tags.
    """
    check_sequences(gold, "tag", "gold")
    check_sequences(predicted, "tag", "the prediction")
    lengths = _sentence_lengths(gold, predicted)
    # One pass over the words, which takes nearly all of the time: a label gets its number at its first occurrence.
    numbers: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    gold_ids, predicted_ids = (
        np.fromiter(map(numbers.__getitem__, chain.from_iterable(tags)), np.int32) for tags in (gold, predicted)
    )
    labels = tuple(sorted(numbers))
    for label in labels:
        if not TAG.fullmatch(label):
            number = next(i for i, (a, b) in enumerate(zip(gold, predicted, strict=True), 1) if label in (*a, *b))
            raise InvalidValue(f"sentence {number}: '{label}' is not a tag; expected O, B-<type> or I-<type>")
    types = tuple(sorted({label[2:] for label in labels if label != "O"}))
    rows = (len(gold),) if by_sentence else ()
    n_cells = 3 * math.prod(rows) * (len(labels) + 2 * len(types))
    if len(types) > MAX_TYPES or n_cells > MAX_CELLS:
        raise InvalidValue(
            f"{len(types):,} entity types in {counted(len(gold), 'sentence')} are too many to count; the limits are "
            f"{MAX_TYPES:,} types and {MAX_CELLS:,} counts by sentence. Is the column of tags one of ids? Name "
            f"the right one with {option('tag_column')}"
        )
    alphabetical = np.array([labels.index(label) for label in numbers], np.int32)
    gold_ids, predicted_ids = alphabetical[gold_ids], alphabetical[predicted_ids]

    # Per label: its entity type (-1 for O), and whether it always begins an entity.
    type_of = np.array([types.index(label[2:]) if label != "O" else -1 for label in labels], np.int32)
    is_begin = np.array([label.startswith("B-") for label in labels], bool)
    gold_types, predicted_types = type_of[gold_ids], type_of[predicted_ids]
    first = np.zeros(len(gold_ids), bool)  # the first word of a sentence
    first[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
    gold_starts, gold_ends = _chunks(gold_types, is_begin[gold_ids], first)
    predicted_starts, predicted_ends = _chunks(predicted_types, is_begin[predicted_ids], first)

    row = np.repeat(np.arange(len(gold), dtype=np.int32) * by_sentence, lengths)
    kind = np.int16 if by_sentence and lengths.max(initial=0) < LONG_SENTENCE else np.int64

    def table(groups: int, *cells: Array) -> Array:
        """Count how often each cell, row * groups + group, occurs in each of the arrays."""
        shape = (*rows, groups)
        counted = np.empty((*shape, len(cells)), kind)
        for i, at in enumerate(cells):
            counted[..., i] = np.bincount(at, minlength=math.prod(shape)).reshape(shape)
        return counted

    gold_cells, predicted_cells = row * len(labels) + gold_ids, row * len(labels) + predicted_ids
    words = table(len(labels), gold_cells, predicted_cells, gold_cells[gold_ids == predicted_ids])

    # Entities of one side never overlap, so the first word identifies an entity.
    gold_end, predicted_end = np.full(len(gold_ids), -1, np.int32), np.full(len(gold_ids), -2, np.int32)
    gold_end[gold_starts], predicted_end[predicted_starts] = gold_ends, predicted_ends
    same_bounds = np.flatnonzero(gold_end == predicted_end)
    exact = same_bounds[gold_types[same_bounds] == predicted_types[same_bounds]]

    # Groups 0 to T - 1 hold the entities that begin with B-, T to 2T - 1 those that begin with I-. A correct entity
    # counts in the greater of its two groups, so it is strict only if both sides begin it with B-.
    group_of = np.where(is_begin, type_of, type_of + len(types))
    gold_cells, predicted_cells = (row * 2 * len(types) + group_of[ids] for ids in (gold_ids, predicted_ids))
    correct_cells = np.maximum(gold_cells[exact], predicted_cells[exact])
    entities = table(2 * len(types), gold_cells[gold_starts], predicted_cells[predicted_starts], correct_cells)
    strict_entities, lenient = np.split(entities, 2, axis=-2)

    # An exact match overlaps no other entity, so only the other overlaps need pairing. Each of them contains a word
    # where one of its two entities begins.
    begins = (gold_end >= 0) | (predicted_end >= 0)
    overlap = np.flatnonzero(begins & (gold_end != predicted_end) & (gold_types == predicted_types) & (gold_types >= 0))
    candidates = (np.searchsorted(starts, overlap, "right") for starts in (gold_starts, predicted_starts))
    paired = np.append(exact, overlap[_most_pairs(*candidates)])
    gold_and_predicted = entities[..., :2].sum(axis=-2)
    spans, overlaps = (
        np.concatenate([gold_and_predicted, table(1, row[correct])[..., 0, :]], axis=-1)
        for correct in (same_bounds, paired)
    )
    typed_words = table(1, row, row, row[gold_types == predicted_types])[..., 0, :]
    return Counts(labels, types, words, strict_entities + lenient, strict_entities, spans, overlaps, typed_words)


def _chunks(types: Array, begins: NDArray[np.bool_], first: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return the first and the last word of each entity: conlleval's startOfChunk and endOfChunk for IOB2."""
    continues = np.zeros(len(types), bool)
    continues[1:] = (types[1:] >= 0) & (types[1:] == types[:-1]) & ~begins[1:] & ~first[1:]
    starts = (types >= 0) & ~continues
    ends = (types >= 0) & ~np.append(continues[1:], False)[: len(types)]
    return np.flatnonzero(starts), np.flatnonzero(ends)


def _most_pairs(a: Array, b: Array) -> list[int]:
    """Return indexes of as many pairs (a[i], b[i]) as possible, with no entity in two of them.

    Pair overlaps from left to right, each entity once. Of two overlapping entities, the one that ends first can be in
    no later pair, so taking the first free pair is optimal.
    """
    chosen, last_a, last_b = [], -1, -1
    for i, (x, y) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        if x != last_a and y != last_b:
            chosen.append(i)
            last_a, last_b = x, y
    return chosen


def _sentence_lengths(gold: Tags, predicted: Tags) -> Array:
    if len(gold) != len(predicted):
        raise InvalidValue(f"gold has {counted(len(gold), 'sentence')}, the prediction has {len(predicted):,}")
    lengths, predicted_lengths = (np.fromiter(map(len, tags), np.int64, len(gold)) for tags in (gold, predicted))
    for i in np.flatnonzero(lengths != predicted_lengths):
        found = counted(int(predicted_lengths[i]), "predicted tag")
        raise InvalidValue(f"sentence {i + 1} has {counted(int(lengths[i]), 'word')}, but {found}")
    return lengths
