"""Quantiles of Student's t, against SciPy."""

from __future__ import annotations

import pytest
from scipy.special import stdtrit

from bert_ner.scoring.student import t_quantile


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 10, 29, 100, 999])
def test_quantiles_equal_scipy(df: int) -> None:
    for p in (0.5, 0.6, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9999):
        assert t_quantile(p, df) == pytest.approx(stdtrit(df, p), rel=1e-11, abs=1e-15)
