"""Scripts that write the same file of results/ at once."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path

from harness import locks, provenance
from harness.tables import read_table

import pytest

import study
from bert_ner.files import read_sums, sha256_of

WRITERS, ENTRIES = range(3), range(10)


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(provenance, "RESULTS", tmp_path)
    monkeypatch.setattr(study, "RESULTS", tmp_path)
    monkeypatch.setattr(locks, "FOLDER", tmp_path / "tmp")
    return tmp_path


def write_at_once(write: Callable[[str], None]) -> list[str]:
    """Let three processes write the entries named; return all names."""

    def work(writer: int) -> None:
        for entry in ENTRIES:
            write(f"{writer}-{entry}")

    started = [multiprocessing.get_context("fork").Process(target=work, args=(writer,)) for writer in WRITERS]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0, 0, 0]
    return [f"{writer}-{entry}" for writer in WRITERS for entry in ENTRIES]


def test_no_entry_of_provenance_is_lost(results: Path) -> None:
    names = write_at_once(lambda name: provenance.record(name, {"name": name}))
    assert json.loads((results / "provenance.json").read_text()) == {name: {"name": name} for name in names}
    assert read_sums(results) == {"provenance.json": sha256_of(results / "provenance.json")}


def test_no_row_of_a_study_is_lost(results: Path) -> None:
    studies = [f"{writer}-{entry}" for writer in WRITERS for entry in ENTRIES]
    shared = {"variant": "v", "system": "crf", "seed": 1, "fraction": 0.3, "sentences": 9}
    write_at_once(lambda name: study.record("c", name, [{"study": name, **shared}], {}, studies))
    table = read_table(results, "c", "studies")
    assert table is not None
    assert list(table["study"]) == studies
    recorded = json.loads((results / "provenance.json").read_text())
    assert recorded == {"c": {"studies": {name: {} for name in studies}}}
    assert read_sums(results) == {name: sha256_of(results / name) for name in ("c/studies.csv", "provenance.json")}
