"""Counts add up."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from bert_ner.scoring.counts import Counts, count

TABLES = ("words", "entities", "strict_entities", "spans", "overlaps")
LABELS = ["O", "B-A", "I-A", "B-B", "I-B"]


def test_counts_of_a_sentence_do_not_depend_on_its_neighbours() -> None:
    draw = random.Random(0)
    gold = [LABELS, *([draw.choice(LABELS) for _ in range(draw.randint(1, 9))] for _ in range(200))]
    predicted = [[draw.choice(LABELS) for _ in tags] for tags in gold]
    together = count(gold, predicted)
    assert together.words.shape == (201, 5, 3)
    assert together.entities.shape == (201, 2, 3)
    for i, (one_gold, one_predicted) in enumerate(zip(gold, predicted, strict=True)):
        # The first sentence brings every label into each count, so that the axes are the same.
        alone = count([LABELS, one_gold], [LABELS, one_predicted])
        for name in TABLES:
            assert np.array_equal(getattr(alone, name)[1], getattr(together, name)[i]), name


def test_sums_need_no_table_by_sentence() -> None:
    draw = random.Random(1)
    gold = [[draw.choice(LABELS) for _ in range(draw.randint(0, 9))] for _ in range(200)]
    predicted = [[draw.choice(LABELS) for _ in tags] for tags in gold]
    summed, counts = count(gold, predicted, by_sentence=False), count(gold, predicted)
    sums = {name: getattr(counts, name).sum(axis=0) for name in TABLES}
    assert_equal(summed, replace(counts, **sums))


def test_wider_axes_hold_the_same_counts() -> None:
    counts = count([["B-B", "I-B", "O"]], [["B-B", "O", "O"]])
    wide = counts.over(("B-A", "B-B", "I-B", "O"), ("A", "B"))
    assert wide.words[0].tolist() == [[0, 0, 0], [1, 1, 1], [1, 0, 0], [1, 2, 1]]
    assert wide.spans[0].tolist() == [1, 1, 0]
    assert wide.overlaps[0].tolist() == [1, 1, 1]
    assert wide.entities[0].tolist() == wide.strict_entities[0].tolist() == [[0, 0, 0], [1, 1, 0]]


def test_counts_of_nothing() -> None:
    assert count([], []).words.shape == (0, 0, 3)
    assert count([[]], [[]]).entities.shape == (1, 0, 3)
    assert count([], []).spans.shape == count([], []).overlaps.shape == (0, 3)
    assert count([["O"], []], [["O"], []], by_sentence=False).words.tolist() == [[1, 1, 1]]


def assert_equal(a: Counts, b: Counts) -> None:
    assert (a.labels, a.types) == (b.labels, b.types)
    for name in TABLES:
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_hand_counted_sentence() -> None:
    counts = count([["B-A", "I-A", "O", "B-B"]], [["B-A", "I-A", "I-B", "B-B"]])
    assert (counts.labels, counts.types) == (("B-A", "B-B", "I-A", "I-B", "O"), ("A", "B"))
    assert counts.words[0].tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 1], [0, 1, 0], [1, 0, 0]]
    assert counts.entities[0].tolist() == [[1, 1, 1], [1, 2, 1]]
    assert counts.strict_entities[0].tolist() == [[1, 1, 1], [1, 1, 1]]
    assert counts.spans[0].tolist() == counts.overlaps[0].tolist() == [2, 3, 2]
