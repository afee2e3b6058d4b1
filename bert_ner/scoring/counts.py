"""Per-sentence counts of a gold and a predicted tagging. Every score is a ratio of sums of them.

Counts add up: the counts of two sets of sentences, concatenated, are the counts of both together, and a resampled
test set is a resampled set of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from bert_ner.corpus.bio import TAG

Tags = Sequence[Sequence[str]]
Array = NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """What a tagging of n sentences gets right and wrong.

    The last axis of each array holds [gold, predicted, correct].

    Attributes:
        labels: the L tags that occur in gold or prediction, in alphabetical order.
        types: the T entity types that occur in either, in alphabetical order.
        words: words by tag, of shape (n, L, 3).
        entities: entities by type as conlleval reads them, of shape (n, T, 3).
        strict_entities: the same without those that open with `I-`, which IOB2 does not allow.
    """

    labels: tuple[str, ...]
    types: tuple[str, ...]
    words: Array
    entities: Array
    strict_entities: Array


def count(gold: Tags, predicted: Tags) -> Counts:
    """Count words and entities, sentence by sentence.

    An entity is correct if the other side has one with the same first word, last word and type.

    Raises:
        ValueError: the two differ in their number of sentences or words, or a tag is none.
    """
    _check_same_shape(gold, predicted)
    labels = tuple(sorted(set(chain.from_iterable(gold)) | set(chain.from_iterable(predicted))))
    for label in labels:
        if not TAG.fullmatch(label):
            raise ValueError(f"'{label}' is not a tag; expected O, B-<type> or I-<type>")
    types = tuple(sorted({label[2:] for label in labels if label != "O"}))

    lengths = np.fromiter(map(len, gold), np.int64, len(gold))
    sentence = np.repeat(np.arange(len(gold)), lengths)
    label_id = {label: i for i, label in enumerate(labels)}
    gold_ids, predicted_ids = (
        np.fromiter(map(label_id.__getitem__, chain.from_iterable(tags)), np.int64, len(sentence))
        for tags in (gold, predicted)
    )

    # One row per label: its entity type (-1 for O), and whether it opens an entity by itself.
    type_of = np.array([types.index(label[2:]) if label != "O" else -1 for label in labels], np.int64)
    is_begin = np.array([label.startswith("B-") for label in labels], bool)
    first = np.ones(len(sentence), bool)  # the first word of a sentence
    first[1:] = sentence[1:] != sentence[:-1]
    gold_starts, gold_ends = _chunks(type_of[gold_ids], is_begin[gold_ids], first)
    predicted_starts, predicted_ends = _chunks(type_of[predicted_ids], is_begin[predicted_ids], first)

    def table(groups: int, *marked: tuple[Array, Array]) -> Array:
        """Counts per sentence and group; `marked` holds positions and their groups, for each slot of the last axis."""
        return np.stack(
            [
                np.bincount(sentence[at] * groups + group, minlength=len(gold) * groups).reshape(len(gold), groups)
                for at, group in marked
            ],
            axis=-1,
        )

    everywhere = np.arange(len(sentence))
    same = np.flatnonzero(gold_ids == predicted_ids)
    words = table(len(labels), (everywhere, gold_ids), (everywhere, predicted_ids), (same, gold_ids[same]))

    # Entities never overlap, so an entity is known by its first word: compare last words and types there.
    gold_end, predicted_end = np.full(len(sentence), -1), np.full(len(sentence), -2)
    gold_end[gold_starts], predicted_end[predicted_starts] = gold_ends, predicted_ends
    both = np.flatnonzero((gold_end == predicted_end) & (type_of[gold_ids] == type_of[predicted_ids]))

    def entity_table(gold_at: Array, predicted_at: Array, correct_at: Array) -> Array:
        gold_type, predicted_type = type_of[gold_ids], type_of[predicted_ids]
        return table(
            len(types),
            (gold_at, gold_type[gold_at]),
            (predicted_at, predicted_type[predicted_at]),
            (correct_at, gold_type[correct_at]),
        )

    opens_gold, opens_predicted = is_begin[gold_ids], is_begin[predicted_ids]
    return Counts(
        labels,
        types,
        words,
        entity_table(gold_starts, predicted_starts, both),
        entity_table(
            gold_starts[opens_gold[gold_starts]],
            predicted_starts[opens_predicted[predicted_starts]],
            both[opens_gold[both] & opens_predicted[both]],
        ),
    )


def _chunks(types: Array, begins: NDArray[np.bool_], first: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Positions of the first and the last word of each entity: conlleval's startOfChunk and endOfChunk for IOB2."""
    continues = np.zeros(len(types), bool)
    continues[1:] = (types[1:] >= 0) & (types[1:] == types[:-1]) & ~begins[1:] & ~first[1:]
    starts = (types >= 0) & ~continues
    ends = (types >= 0) & ~np.append(continues[1:], False)[: len(types)]
    return np.flatnonzero(starts), np.flatnonzero(ends)


def _check_same_shape(gold: Tags, predicted: Tags) -> None:
    if len(gold) != len(predicted):
        raise ValueError(f"gold has {len(gold)} sentences, the prediction has {len(predicted)}")
    for number, (a, b) in enumerate(zip(gold, predicted, strict=True), start=1):
        if len(a) != len(b):
            raise ValueError(f"sentence {number} has {len(a)} words, but {len(b)} predicted tags")
