"""The section on the search: the chosen trial of each complete search, and what its settings bring."""

from __future__ import annotations

from pathlib import Path

from report_results import write_table

from bert_ner.corpus.catalog import corpus_named
from reporting.blocks import Table
from reporting.results import Results
from reporting.sections.chosen_settings import settings_sections

TRIALS = {1: ("c=1 d=['x', 'y'] e=5", 0.80), 2: ("c=2 d=['x', 'y'] e=5", 0.83), 3: ("c=3 d=[] e=5", 0.84)}


def tables(results: Path) -> list[Table]:
    return [
        block
        for section in settings_sections(Results(results, corpus_named("sample")))
        for block in section.blocks
        if isinstance(block, Table)
    ]


def test_a_complete_search_has_a_row_with_the_settings_that_vary(results: Path) -> None:
    folder = results / "sample"
    folder.mkdir(parents=True)
    rows = [
        {"system": "crf", "trial": trial, "fold": fold, "settings": settings, "validation_entity_f1": f1 + fold / 100,
         "seconds": 1, "machine": "m", "standard_error": 0.02}
        for trial, (settings, f1) in TRIALS.items()
        for fold in (1, 2)
    ]  # fmt: skip
    write_table(folder / "search.csv", [*rows, {**rows[0], "system": "hmm"}, {**rows[-1], "system": "hmm"}])
    [search] = tables(results)
    # The error is that of a mean of two folds, 0.02 / sqrt(2). Trial 2 is the first within it; hmm lacks folds.
    assert [row[:3] for row in search.rows] == [["crf", "c=2 d=['x', 'y']", "3"]]
    assert search.rows[0][3:] == ["2", "81.50", "85.50", "1.41", "84.50"]


def test_an_ablation_has_a_row_for_each_change(results: Path) -> None:
    folder = results / "sample"
    folder.mkdir(parents=True)
    assert not tables(results)
    write_table(folder / "search.csv", [
        {"system": "crf", "trial": 1, "fold": 1, "settings": "c=1", "validation_entity_f1": 0.8, "seconds": 1,
         "machine": "m", "standard_error": 0.02}
    ])  # fmt: skip
    shared = {"system": "crf", "entity_f1": 0.8, "n": 9, "test": "t"}
    write_table(folder / "ablation.csv", [
        {**shared, "trial": 1, "change": "", "difference": "", "low": "", "high": "", "p_value": "", "p_holm": ""},
        {**shared, "trial": 2, "change": "c=2", "difference": 0.01, "low": 0.005, "high": 0.02, "p_value": 0.01,
         "p_holm": 0.02},
    ])  # fmt: skip
    assert tables(results)[1].rows == [
        ["crf", "none", "80.00", "", "", ""],
        ["crf", "c=2", "80.00", "+1.00", "+0.50 to +2.00", "0.0200"],
    ]
