"""Wilson's interval and Cohen's kappa against published figures and by hand."""

from __future__ import annotations

import pytest

from labels.proportions import cohens_kappa, proportion


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (81, 263, 0.255, 0.366),  # Newcombe, Statistics in Medicine 1998, table I, method 3
        (15, 148, 0.062, 0.161),
        (0, 20, 0.0, 0.161),
        (1, 29, 0.006, 0.172),
    ],
)
def test_wilson_intervals_of_newcombe(count: int, of: int, low: float, high: float) -> None:
    found = proportion(count, of)
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=6e-4), pytest.approx(high, abs=6e-4))


def test_nothing_to_count_has_no_share() -> None:
    assert proportion(0, 0) == {"count": 0, "of": 0, "share": None, "low": None, "high": None}


def test_kappa_by_hand() -> None:
    """Two readings agree on 3 of 4. The first says A twice, the second three times: 0.5 by chance."""
    assert cohens_kappa("AABB", "AAAB") == 0.5
    assert cohens_kappa("AABB", "AABB") == 1
    assert cohens_kappa("AABB", "ABAB") == 0
    assert cohens_kappa("AAAA", "AAAA") is None
    assert cohens_kappa("", "") is None
