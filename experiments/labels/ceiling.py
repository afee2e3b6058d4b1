"""A simulated ceiling: the entity F1 of a perfect tagger if gold has as many errors as repeated sentences suggest.

Assumptions, on which every figure here rests:

1. Repeated sentences are as hard to tag consistently as all others, type by type.
2. Each entity has one right reading. A tagging keeps it with probability k, replaces it by another one that overlaps it
   with probability r, and drops it with probability d; k + r + d = 1.
3. Two copies of a sentence were tagged independently, equally well, and never replace an entity in the same way.
4. An entity that only one copy has was dropped from the other: nothing was added.

Of the entities in one copy the other then keeps the share a = k^2 / (k + r), and lacks, without any overlap, the share
d. So d is measured, and k = sqrt(a (1 - d)). A perfect tagger finds k of n right entities in a gold with (1 - d) n of
them, which gives F1 = 2 k / (1 + (1 - d)). A second tagging of the same quality has F1 = a.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from bert_ner.scoring.resampling import LEVEL, MIN_SENTENCES, SAMPLES, SEED
from labels.repeats import Floats, rounded

MIN_ENTITIES = 20  # in repeated sentences; types with fewer get the rates of all types together


def rates(counts: Floats, has_own: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the probabilities (k, d) of each type, both of shape (..., types), from sums of `copy_counts`."""
    pooled = counts.sum(axis=-2, keepdims=True)
    own = np.where(has_own[:, None] & (counts[..., :1] > 0), counts, pooled)
    entities, same, overlapping = np.moveaxis(own, -1, 0)
    dropped = (entities - same - overlapping) / np.maximum(entities, 1)
    return np.sqrt(same / np.maximum(entities, 1) * (1 - dropped)), dropped


def simulate(counts: Floats, test: Sequence[int], samples: int = SAMPLES) -> dict[str, float | None] | None:
    """Return the ceiling of some test sentences with its interval; None if too few copies differ to estimate rates.

    Each of the samples draws groups of repeated sentences with replacement, which gives rates, and then an outcome for
    each entity by these rates. The interval is thus of the rates and of one test file. Where all copies agree, every
    sample would give 1, which says that errors are rarer than these copies can show, not that there are none.

    Args:
        counts: what `copy_counts` returns, of shape (groups, types, 3).
        test: the number of gold entities of each type.
        samples: the number of simulations.
    """
    n, pooled = len(counts), counts.sum(axis=(0, 1))
    if n < MIN_SENTENCES or pooled[0] == pooled[1]:
        return None
    has_own = counts[..., 0].sum(axis=0) >= MIN_ENTITIES
    rng = Generator(PCG64(SEED))
    weights = rng.multinomial(n, np.full(n, 1 / n), size=samples).astype(float)
    keeps, drops = rates(np.tensordot(weights, counts, axes=1), has_own)
    right = np.array(test)
    kept = rng.binomial(right, keeps)
    dropped = rng.binomial(right - kept, np.clip(drops / np.maximum(1 - keeps, 1e-12), 0, 1))
    draws = perfect_f1(right.sum(), kept.sum(axis=-1), dropped.sum(axis=-1))
    best_keeps, best_drops = rates(counts.sum(axis=0), has_own)
    value = perfect_f1(right.sum(), right @ best_keeps, right @ best_drops)
    ends = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return dict(zip(("value", "low", "high"), map(rounded, (value, *ends)), strict=True))


def perfect_f1(right: Any, kept: Any, dropped: Any) -> Any:
    """Return the entity F1 of a tagger that finds all the right entities, where gold keeps some and drops some."""
    return 2 * kept / (2 * right - dropped)
