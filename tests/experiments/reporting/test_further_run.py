"""Where one further run would be, in words."""

from __future__ import annotations

import pandas as pd
import pytest

from reporting.further_run import further_run_text

SENTENCE = "As accuracy, 94.47 is {} the range of one further run of it, {}; as entity F1 it is {} it, {}."


def over_seeds(**values: float) -> pd.DataFrame:
    """Return intervals of a mean of three runs, one point to each side: one further run is within two points."""
    rows = [
        {"system": "a", "source": source, "metric": metric, "value": value, "low": value - 0.01, "high": value + 0.01}
        | {"n": 3}
        for metric, value in values.items()
        for source in ("seeds", "sentences")
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("accuracy", "entity_f1", "words"), [
    (0.95, 0.9, ("inside", "93.00 to 97.00", "2.47 points above", "88.00 to 92.00")),
    (0.92, 0.9, ("0.47 points above", "90.00 to 94.00", "2.47 points above", "88.00 to 92.00")),
    (0.97, 0.94, ("0.53 points below", "95.00 to 99.00", "inside", "92.00 to 96.00")),
])  # fmt: skip
def test_the_range_of_one_further_run_decides(accuracy: float, entity_f1: float, words: tuple[str, ...]) -> None:
    runs = over_seeds(token_micro_f1=accuracy, entity_f1=entity_f1)
    assert further_run_text(runs, "a", "it") == SENTENCE.format(*words)


def test_a_system_with_one_run_has_no_such_range() -> None:
    rows = over_seeds(token_micro_f1=0.95, entity_f1=0.9)
    assert not further_run_text(rows[rows["source"] == "sentences"], "a", "it")
