"""Where one further run would be, in words."""

from __future__ import annotations

import pandas as pd
import pytest

from reporting.further_run import further_run_text

ACCURATE = (
    "As accuracy, 94.47 is plausible: one further run of it would have 93.00 to 97.00. As entity F1: 88.00 to 92.00."
)
WEIGHTED = " Weighted F1 with O fits as well, but the paper says micro."


def over_seeds(**values: float) -> pd.DataFrame:
    """Return intervals of a mean of three runs, one point to each side: one further run is within two points."""
    rows = [
        {"system": "a", "source": source, "metric": metric, "value": value, "low": value - 0.01, "high": value + 0.01}
        | {"n": 3}
        for metric, value in values.items()
        for source in ("seeds", "sentences")
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("values", "text"), [
    ({"token_micro_f1": 0.95, "entity_f1": 0.9, "token_weighted_f1": 0.9}, ACCURATE),
    ({"token_micro_f1": 0.95, "entity_f1": 0.9, "token_weighted_f1": 0.94}, ACCURATE + WEIGHTED),
    ({"token_micro_f1": 0.92, "entity_f1": 0.9},
     ACCURATE.replace("plausible", "not plausible").replace("93.00 to 97.00", "90.00 to 94.00")),
])  # fmt: skip
def test_the_range_of_one_further_run_decides(values: dict[str, float], text: str) -> None:
    assert further_run_text(over_seeds(**values), "a", "it") == text


def test_a_system_with_one_run_has_no_such_range() -> None:
    rows = over_seeds(token_micro_f1=0.95, entity_f1=0.9)
    assert not further_run_text(rows[rows["source"] == "sentences"], "a", "it")
