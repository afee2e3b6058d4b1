"""Batches hold every index once, waste little, and depend on nothing but the seed."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from bert_ner.encoder.batches import pad_rows, shuffled_batches, sorted_batches

DRAW = random.Random(0)
LENGTHS = [DRAW.randint(3, 60) for _ in range(3001)]


@pytest.mark.parametrize(("n", "size"), [(0, 4), (1, 4), (4, 4), (5, 4), (3001, 32), (3001, 1), (7, 100)])
def test_shuffled_batches_hold_every_index_once(n: int, size: int) -> None:
    batches = shuffled_batches(LENGTHS[:n], size, "s")
    assert sorted(i for batch in batches for i in batch) == list(range(n))
    assert len(batches) == -(-n // size)  # so many steps the schedule counts on
    assert sum(len(batch) < size for batch in batches) <= 1


def test_seed_decides_the_order() -> None:
    assert shuffled_batches(LENGTHS, 32, "13-1") == shuffled_batches(LENGTHS, 32, "13-1")
    assert shuffled_batches(LENGTHS, 32, "13-1") != shuffled_batches(LENGTHS, 32, "13-2")
    assert shuffled_batches(LENGTHS, 32, "13-1") != shuffled_batches(LENGTHS, 32, "42-1")


def test_shuffled_batches_pad_little() -> None:
    batches = shuffled_batches(LENGTHS, 32, "s")
    padded = sum(len(batch) * max(LENGTHS[i] for i in batch) for batch in batches)
    assert padded / sum(LENGTHS) < 1.05  # random batches of these lengths: 1.85


def test_long_and_short_sentences_take_turns() -> None:
    means = [sum(LENGTHS[i] for i in batch) / len(batch) for batch in shuffled_batches(LENGTHS, 32, "s")]
    rises = sum(a < b for a, b in pairwise(means)) / (len(means) - 1)
    assert 0.3 < rises < 0.7


def test_other_sentences_share_a_batch_in_each_epoch() -> None:
    def neighbours(seed: str) -> set[frozenset[int]]:
        return {frozenset((a, b)) for batch in shuffled_batches([9] * 400, 4, seed) for a in batch for b in batch}

    first, second = neighbours("1"), neighbours("2")
    assert len(first & second - {frozenset((i,)) for i in range(400)}) < 0.1 * len(first)


@pytest.mark.parametrize("pieces", [1, 60, 512, 10**9])
def test_sorted_batches_keep_to_their_budget(pieces: int) -> None:
    batches = sorted_batches(LENGTHS, pieces)
    assert sorted(i for batch in batches for i in batch) == list(range(len(LENGTHS)))
    in_order = [LENGTHS[i] for batch in batches for i in batch]
    assert in_order == sorted(LENGTHS, reverse=True)
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(LENGTHS[i] for i in batch) <= pieces


def test_sorted_batches_of_nothing() -> None:
    assert sorted_batches([], 100) == []


def test_pad() -> None:
    assert pad_rows([[1, 2, 3], [4], []], -7).tolist() == [[1, 2, 3], [4, -7, -7], [-7, -7, -7]]
