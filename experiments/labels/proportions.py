"""Proportions with Wilson's interval, and the agreement of two readings."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from statistics import NormalDist
from typing import Any


def proportion(count: int, of: int) -> dict[str, Any]:
    """Return a share with its 95 % Wilson score interval; both are None if there is nothing to count.

    Source: Wilson, Journal of the American Statistical Association 1927. The interval lies in [0, 1], and it is not
    empty where the count is 0 or all.
    """
    if not of:
        return {"count": 0, "of": 0, "share": None, "low": None, "high": None}
    z, share = NormalDist().inv_cdf(0.975), count / of
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return {"count": count, "of": of, "share": round(share, 6), "low": round(low, 6), "high": round(high, 6)}


def cohens_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Return the agreement of two readings of the same items beyond chance, at most 1; None if chance explains all.

    Source: Cohen, Educational and Psychological Measurement 1960.
    """
    n = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n if n else 1.0
    counts, others = Counter(first), Counter(second)
    expected = sum(counts[verdict] * others[verdict] for verdict in counts) / n**2 if n else 1.0
    return None if expected == 1 else round((observed - expected) / (1 - expected), 6)
