"""The report's section on the labels, from label_audit.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from report_results import run, write_results

SHARE = {"count": 15, "of": 59, "share": 0.2542, "low": 0.1606, "high": 0.378}
NOTHING = {"count": 0, "of": 0, "share": None, "low": None, "high": None}
NONE_DIFFERS = {"count": 0, "of": 18, "share": 0.0, "low": 0.0, "high": 0.1759}
FACTS: dict[str, Any] = {
    "repeated": {
        "both": {"groups": 59, "differ": SHARE, "entity_f1": {"value": 0.8529, "low": 0.7853, "high": 0.9152}},
        "test": {"groups": 0, "differ": NOTHING, "entity_f1": None},
    },
    "repeated_by_part": {
        "1": {"groups": 36, "differ": SHARE, "entity_f1": {"value": 0.8036, "low": 0.7155, "high": 0.8857}},
        "2": {"groups": 18, "differ": NONE_DIFFERS, "entity_f1": {"value": 1.0, "low": None, "high": None}},
    },
    "ceiling": {
        "1": {"value": 0.9052, "low": 0.8537, "high": 0.9485},
        "2": None,
    },
    "systems": {
        "systems": ["crf", "mpnet"],
        "against_gold": {**SHARE, "of": 2443},
        "against_gold_by_part": {"1": {**SHARE, "count": 11, "of": 1054}},
    },
    "cleanlab": {"test": {"probabilities": "mean of crf-0", "sentences": SHARE}},
    "reading": {
        "read_by": "a tester",
        "readings": {"1": {"control": {"gold": {"count": 48, "of": 50, "share": 0.96, "low": 0.8654, "high": 0.989}}}},
        "same_verdict_twice": {"count": 140, "of": 150, "kappa": 0.891},
    },
}


def section(results: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]) -> str:
    monkeypatch.setattr("reporting.blocks.LONG", 9)  # so that Markdown has every row
    folder = write_results(results, "mit_movie_eng")
    (folder / "label_audit.json").write_text(json.dumps(facts))
    text, _ = run(monkeypatch)
    return text.partition("## How good are the labels?")[2].partition("\n## ")[0]


def test_every_figure_has_its_interval(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = section(results, monkeypatch, FACTS)
    for row in (
        "| both files | 59 | 15 | 25.42 | 16.06 to 37.80 | 85.29 | 78.53 to 91.52 |",
        "| test file | 0 | 0 |  |  |  |  |",
        "| both files, part 1 | 36 | 15 | 25.42 | 16.06 to 37.80 | 80.36 | 71.55 to 88.57 |",
        "| both files, part 2 | 18 | 0 | 0.00 | 0.00 to 17.59 | 100.00 |  |",
        "an entity F1 of 90.52 (85.37 to 94.85) in part 1, if gold",
        "| all strong systems against gold | test file | 15 | 2,443 |",
        "| all strong systems against gold | test file, part 1 | 11 | 1,054 |",
        "| cleanlab (mean of crf-0) | test file | 15 | 59 | 25.42 |",
        "| 1 | control | gold | 48 of 50 | 96.00 | 86.54 to 98.90 |",
        "here crf, mpnet",
        "140 of 150 verdicts were the same twice; Cohen's kappa is 0.89.",
    ):
        assert row in text, row


def test_what_is_not_known_is_left_out(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = section(results, monkeypatch, {**FACTS, "ceiling": {"all": None}, "reading": None})
    assert "Too few repeated sentences differ in their tags for a simulated ceiling." in text
    assert "perfect tagger" not in text
    assert "kappa" not in text


@pytest.mark.parametrize(("count", "said"), [(0, False), (15, True)])
def test_the_first_page_says_how_copies_differ_if_any_do(
    results: Path, monkeypatch: pytest.MonkeyPatch, count: int, said: bool
) -> None:
    both = {**FACTS["repeated"]["both"], "differ": {**SHARE, "count": count}}
    folder = write_results(results, "mit_movie_eng")
    (folder / "label_audit.json").write_text(json.dumps({**FACTS, "repeated": {"both": both}}))
    text = run(monkeypatch)[0]
    caveat = "one copy has an F1 of 80.36 (71.55 to 88.57) in part 1 against another; none differ in part 2 ("
    assert (caveat in text) is said


def test_without_parts_the_first_page_has_the_agreement_of_all_copies(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_results(results, "mit_movie_eng")
    (folder / "label_audit.json").write_text(json.dumps({**FACTS, "repeated_by_part": {}}))
    assert "one copy has an F1 of 85.29 (78.53 to 91.52) against another." in run(monkeypatch)[0]
