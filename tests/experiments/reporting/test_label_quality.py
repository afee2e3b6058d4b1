"""The report's section on the labels, from label_audit.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from report_results import run, write_results

SHARE = {"count": 15, "of": 59, "share": 0.2542, "low": 0.1606, "high": 0.378}
NOTHING = {"count": 0, "of": 0, "share": None, "low": None, "high": None}
FACTS: dict[str, Any] = {
    "repeated": {
        "both": {"groups": 59, "differ": SHARE, "entity_f1": {"value": 0.8529, "low": 0.7853, "high": 0.9152}},
        "test": {"groups": 0, "differ": NOTHING, "entity_f1": None},
    },
    "ceiling": {"all": {"value": 0.9287, "low": 0.8846, "high": 0.966}},
    "systems": {"systems": ["crf", "mpnet"], "against_gold": {**SHARE, "of": 2443}},
    "cleanlab": {"test": {"probabilities": "mean of crf-0", "sentences": SHARE}},
    "reading": {
        "read_by": "a tester",
        "readings": {"1": {"control": {"gold": {"count": 48, "of": 50, "share": 0.96, "low": 0.8654, "high": 0.989}}}},
        "same_verdict_twice": {"count": 140, "of": 150, "kappa": 0.891},
    },
}


def section(results: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]) -> str:
    folder = write_results(results, "mit_movie_eng")
    (folder / "label_audit.json").write_text(json.dumps(facts))
    text, _ = run(monkeypatch)
    return text.partition("## How good are the labels?")[2].partition("\n## ")[0]


def test_every_figure_has_its_interval(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = section(results, monkeypatch, FACTS)
    for row in (
        "| both files | 59 | 15 | 25.42 | 16.06 to 37.80 | 85.29 | 78.53 to 91.52 |",
        "| test file | 0 | 0 |  |  |  |  |",
        "| all | 92.87 | 88.46 to 96.60 |",
        "| all strong systems against gold | test file | 15 | 2,443 |",
        "| cleanlab (mean of crf-0) | test file | 15 | 59 | 25.42 |",
        "| 1 | control | gold | 48 of 50 | 96.00 | 86.54 to 98.90 |",
        "here crf, mpnet",
        "140 of 150 verdicts were the same twice; Cohen's kappa is 0.89.",
    ):
        assert row in text, row


def test_what_is_not_known_is_left_out(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = section(results, monkeypatch, {**FACTS, "ceiling": {}, "reading": None})
    assert "Too few sentences are repeated for a simulated ceiling." in text
    assert "perfect tagger" not in text
    assert "kappa" not in text
