"""The rule for the search of settings: when a search decides, and what its evidence says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from claim_results import TUNED, entry, judged, searched, searching

from claims.rules import tuning


@pytest.fixture(autouse=True)
def _params(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "read_params", lambda: searching(3))


def test_the_evidence_of_a_search_names_what_the_best_trial_changes(tmp_path: Path) -> None:
    row = judged(tmp_path, entry(TUNED), searched(0.0, 0.02, 0.04))
    assert "the best of 2 trials has epochs 8, not 4. It is 0.02 (" in row["evidence"]


@pytest.mark.parametrize(("keep", "evidence"), [
    (lambda row: row["trial"] == 1, "the search of encoder is not finished: 3 folds to go; run make it"),
    (lambda row: row["fold"] < 3, "the search of encoder is not finished: 2 folds to go; run make it"),
    (lambda row: row["settings"] == "of older parameters",
     "search.csv has no trial of encoder that params.yaml asks for; run make it"),
])  # fmt: skip
def test_a_search_decides_only_with_all_trials_and_folds_that_params_yaml_asks_for(
    tmp_path: Path, keep: Callable[[Any], bool], evidence: str
) -> None:
    [rows] = searched(0.03, 0.031, 0.03).values()
    older = rows[0] | {"settings": "of older parameters", "trial": 3}
    row = judged(tmp_path, entry(TUNED), {"search.csv": [older, *filter(keep, rows)]})
    assert (row["verdict"], row["evidence"]) == ("not tested", evidence)
