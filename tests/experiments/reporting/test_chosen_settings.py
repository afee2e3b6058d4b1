"""The section on the search: the chosen trial of each finished search, and what its settings bring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.params import Params
from harness.trials import asked_folds

import pytest
from report_results import write_table

from bert_ner.corpus.catalog import corpus_named
from reporting.blocks import Block, Missing, Table
from reporting.results import Results
from reporting.sections import chosen_settings
from reporting.sections.chosen_settings import settings_sections

PARAMS = Params.model_validate({
    "corpora": ["sample"], "baselines": ["crf"], "encoders": ["minilm"], "seeds": [1], "extra_runs": {},
    "split": {"validation_fraction": 0.2, "seed": 1}, "label_audit": {"system": "crf", "folds": 3, "seed": 4},
    "search": {"folds": 2, "trials": {"crf": [{"c": [1, 2, 3]}], "hmm": [{"prior": [[1], [2]]}]}},
    "crf": {"d": ["x", "y"], "e": 5}, "hmm": {}, "minilm": {"kind": "encoder", "name": "x"},
})  # fmt: skip
F1 = {1: 0.80, 2: 0.83, 3: 0.84}  # of the CRF's trials


@pytest.fixture(autouse=True)
def _params(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_settings, "read_params", lambda: PARAMS)


def rows_of(system: str) -> list[dict[str, Any]]:
    """Return a finished search."""
    measured = {"seconds": 1, "machine": "m", "standard_error": 0.02}
    return [
        row | measured | {"validation_entity_f1": F1[row["trial"]] + row["fold"] / 100}
        for row in asked_folds(system, PARAMS)
    ]


def blocks(results: Path) -> list[Block]:
    sections = settings_sections(Results(results, corpus_named("sample")))
    return [block for section in sections for block in section.blocks]


def tables(results: Path) -> list[Table]:
    return [block for block in blocks(results) if isinstance(block, Table)]


def test_a_finished_search_has_a_row_with_the_settings_that_vary(results: Path) -> None:
    folder = results / "sample"
    folder.mkdir(parents=True)
    older = {**rows_of("crf")[-1], "trial": 4, "settings": "c=4"}
    unknown = {**older, "system": "gone"}
    write_table(folder / "search.csv", [older, unknown, *rows_of("crf")])
    [search] = tables(results)
    # The error is that of a mean of two folds, 0.02 / sqrt(2). Trial 2 is the first within it.
    assert [row[:4] for row in search.rows] == [["crf", "c=2", "no system", "3"]]
    assert search.rows[0][4:] == ["2", "81.50", "85.50", "1.41", "84.50"]


def test_a_choice_that_a_system_has_is_named(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = results / "sample"
    folder.mkdir(parents=True)
    tuned = {**PARAMS.model_dump(), "crf_tuned": {"kind": "crf", "d": ["x", "y"], "e": 5, "c": 2}}
    monkeypatch.setattr(chosen_settings, "read_params", lambda: Params.model_validate(tuned))
    write_table(folder / "search.csv", rows_of("crf"))
    assert tables(results)[0].rows[0][2] == "crf_tuned"


@pytest.mark.parametrize(("kept", "count"), [(slice(2), 2), (slice(0, None, 2), 2), (slice(1, 4), 3)])
def test_an_unfinished_search_chooses_nothing_and_has_its_command(results: Path, kept: slice, count: int) -> None:
    """Whole trials, one fold of each, and neither: an interrupted search leaves the first."""
    folder = results / "sample"
    folder.mkdir(parents=True)
    write_table(folder / "search.csv", [*rows_of("crf"), *rows_of("hmm")[kept]])
    [search] = tables(results)
    assert [row[0] for row in search.rows] == ["crf"]
    [missing] = [block for block in blocks(results) if isinstance(block, Missing)]
    assert missing.text == f"The search of hmm is not finished: it has {count} of 4 folds."
    assert missing.command == "python experiments/search.py --corpus sample --system hmm"


def test_an_ablation_has_a_row_for_each_change(results: Path) -> None:
    folder = results / "sample"
    folder.mkdir(parents=True)
    assert not tables(results)
    write_table(folder / "search.csv", rows_of("crf"))
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
