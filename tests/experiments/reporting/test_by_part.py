"""The section on the parts of a corpus: there where it has parts, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_results import run, write_more, write_results, write_table

from reporting.formats import MINUS

PARTS = (("all", 0.85, 30), ("1", 0.7, 10), ("2", 0.95, 20))


def test_each_part_has_scores_and_the_lead_over_the_crf(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    write_table(folder / "intervals_by_part.csv", [
        {"system": system, "part": part, "metric": metric, "source": source, "value": value + gain,
         "low": value - 0.01, "high": value + 0.02, "n": n, "level": 0.95, "method": "m", "signature": "s"}
        for system, gain in (("crf", 0), ("encoder", 0.005))
        for part, value, n in PARTS
        for metric in ("entity_f1", "token_micro_f1", "span_f1")
        for source in ("sentences", "seeds")
    ])  # fmt: skip
    write_table(folder / "comparisons_by_part.csv", [
        {"system_a": "encoder", "system_b": "crf", "part": part, "metric": "entity_f1", "a": value, "b": value,
         "difference": 0.005, "low": -0.01, "high": 0.02, "p_value": 0.5, "p_holm": 0.5, "test": "t", "n": n}
        for part, value, n in PARTS
    ])  # fmt: skip
    share = {"value": 0.9, "low": 0.8, "high": 1.0}
    counted = share | {"count": 1, "of": 5, "share": 0.2}
    audit = {"repeated": {"both": {"groups": 5, "differ": counted, "entity_f1": share}},
             "repeated_by_part": {}, "ceiling": {part: share for part, *_ in PARTS}, "cleanlab": {}, "reading": None,
             "systems": {"systems": ["crf"], "against_gold": counted, "against_gold_by_part": {}}}  # fmt: skip
    (folder / "label_audit.json").write_text(json.dumps(audit))
    text, html = run(monkeypatch)
    assert "too uncertain: in part 2 it is 90.00, and encoder has 95.50." in text
    assert "too uncertain: in part 1" not in text
    assert "(part 1, free questions: 10; part 2, templates: 20 test sentences)" in text
    assert "| system | entity F1 | part 1 | part 2 | accuracy |" in text
    assert "70.00 (69.00 to 72.00) | 95.00 (94.00 to 97.00) |" in text
    assert f"not shown to differ in part 1 (+0.50, {MINUS}1.00 to +2.00), in part 2" in text
    assert "Entity F1 by part: the difference to crf in points" in html
    plots = {path.stem for path in (folder / "plots").glob("*.svg")}
    assert {f"quality_and_cost{part}" for part in ("", "_part_1", "_part_2")} <= plots


def test_a_corpus_of_one_piece_has_no_such_section(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    write_table(folder / "study_comparisons.csv", [])
    assert "part 1" not in run(monkeypatch)[0]
    for name in ("intervals_by_part", "comparisons_by_part"):
        write_table(folder / f"{name}.csv", [])
    assert "part 1" not in run(monkeypatch)[0]
