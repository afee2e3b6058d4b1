"""Where one further run would be, in words."""

from __future__ import annotations

import pandas as pd
import pytest

from reporting.further_run import further_run_text

SENTENCE = "As accuracy, 94.47 is {}: one further run of it would have {}; as entity F1 it is {}: {}."
WEIGHTED = "plausible (weighted F1 with O fits as well, but the paper says micro)"


def over_seeds(**values: float) -> pd.DataFrame:
    """Return intervals of a mean of three runs, one point to each side: one further run is within two points."""
    rows = [
        {"system": "a", "source": source, "metric": metric, "value": value, "low": value - 0.01, "high": value + 0.01}
        | {"n": 3}
        for metric, value in values.items()
        for source in ("seeds", "sentences")
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("values", "words"), [
    ((0.95, 0.9, 0.9), ("plausible", "93.00 to 97.00", "not plausible", "88.00 to 92.00")),
    ((0.95, 0.9, 0.94), (WEIGHTED, "93.00 to 97.00", "not plausible", "88.00 to 92.00")),
    ((0.92, 0.9, 0.9), ("not plausible", "90.00 to 94.00", "not plausible", "88.00 to 92.00")),
    ((0.95, 0.94, 0.9), ("plausible", "93.00 to 97.00", "plausible", "92.00 to 96.00")),
])  # fmt: skip
def test_the_range_of_one_further_run_decides(values: tuple[float, ...], words: tuple[str, ...]) -> None:
    metrics = ("token_micro_f1", "entity_f1", "token_weighted_f1")
    runs = over_seeds(**dict(zip(metrics, values, strict=True)))
    assert further_run_text(runs, "a", "it") == SENTENCE.format(*words)


def test_a_system_with_one_run_has_no_such_range() -> None:
    rows = over_seeds(token_micro_f1=0.95, entity_f1=0.9)
    assert not further_run_text(rows[rows["source"] == "sentences"], "a", "it")
