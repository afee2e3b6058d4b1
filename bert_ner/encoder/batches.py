"""Batches of windows of similar length, which need hardly any padding."""

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_POOL = 32  # batches; sorting within pools only keeps the order of an epoch random


def shuffled_batches(lengths: Sequence[int], size: int, seed: str) -> list[list[int]]:
    """Return indices in batches of similar length: shuffled, sorted within pools, the batches shuffled; by a seed."""
    draw = random.Random(seed)
    order = list(range(len(lengths)))
    draw.shuffle(order)
    batches = []
    for start in range(0, len(order), size * _POOL):
        pool = sorted(order[start : start + size * _POOL], key=lengths.__getitem__)
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    draw.shuffle(batches)
    return batches


def sorted_batches(lengths: Sequence[int], pieces: int) -> list[list[int]]:
    """Return indices in batches of similar length, longest first, of at most `pieces` pieces each, with padding."""
    batches: list[list[int]] = []
    room = 0
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if not room:
            batches.append([])
            room = max(1, pieces // lengths[i])
        batches[-1].append(i)
        room -= 1
    return batches


def pad_rows(rows: Sequence[Sequence[int]], value: int) -> NDArray[np.int64]:
    """Return rows of unequal length as one array of shape (rows, longest row), padded with a value."""
    padded = np.full((len(rows), max(map(len, rows))), value)
    for line, row in zip(padded, rows, strict=True):
        line[: len(row)] = row
    return padded


def attention_mask(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return an array of the shape that `pad_rows` returns: 1 for an element of a row, 0 for padding."""
    lengths = np.array([len(row) for row in rows])
    return (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
