"""Attempts to fool the gate: a copy of the committed results on the sample, changed by hand."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.paths import RESULTS

import pytest

import check
import gate.rescoring as module

CRF_ROW = re.compile(r"^sample,crf,.*\n", re.MULTILINE)
MINILM_ROWS = re.compile(r"^sample,minilm,.*\n", re.MULTILINE)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return results/ with the sample only, and its reference."""
    shutil.copytree(RESULTS / "sample", tmp_path / "sample", ignore=shutil.ignore_patterns("plots", "report*"))
    shutil.copytree(RESULTS / "reference/sample", tmp_path / "reference/sample")
    listed = (RESULTS / "reference/SHA256SUMS").read_text().splitlines()
    mine = [line for line in listed if line.endswith("  sample/crf.json")]
    (tmp_path / "reference/SHA256SUMS").write_text(f"{mine[0]}\n")
    shutil.copy(RESULTS / "provenance.json", tmp_path)
    monkeypatch.setattr(check, "RESULTS", tmp_path)
    monkeypatch.setattr(check, "REFERENCE", tmp_path / "reference")
    monkeypatch.setattr(check, "stale_results", dict)
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["check.py", *arguments])
        monkeypatch.setattr(check, "documents", lambda root: {})  # those of this checkout
        with pytest.raises(SystemExit) as end:
            check.main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out + captured.err

    return call


def scores(change: Callable[[str], str]) -> Callable[[Path], None]:
    def apply(results: Path) -> None:
        path = results / "sample/scores.csv"
        text = path.read_text()
        path.write_text(change(text))
        assert path.read_text() != text

    return apply


def column(number: int, value: str, rows: re.Pattern[str] = CRF_ROW) -> Callable[[Path], None]:
    """Put a value into a column of scores.csv, in some of its rows."""

    def replaced(row: re.Match[str]) -> str:
        cells = row[0].split(",")
        return ",".join([*cells[:number], value, *cells[number + 1 :]])

    return scores(lambda text: rows.sub(replaced, text))


def predictions(change: Callable[[str], str], is_recorded: bool = False) -> Callable[[Path], None]:
    def apply(results: Path) -> None:
        path = results / "sample/predictions/crf-0.tags"
        path.write_text(change(path.read_text()))
        if is_recorded:
            record = json.loads((results / "provenance.json").read_text())
            record["sample"]["runs"]["crf-0"]["predictions"] = hashlib.sha256(path.read_bytes()).hexdigest()
            (results / "provenance.json").write_text(json.dumps(record))

    return apply


def another_tag(text: str) -> str:
    return text.replace("B-TITLE", "O", 1)


def twenty_times(row: re.Match[str]) -> str:
    return row[0] * 20


def lower_reference(results: Path) -> None:
    path = results / "reference/sample/crf.json"
    path.write_text(path.read_text().replace("0.863544", "0.1"))


def removal(name: str) -> Callable[[Path], None]:
    def apply(results: Path) -> None:
        path = results / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return apply


@pytest.mark.parametrize(
    ("harm", "first_line"),
    [
        (column(12, "nan"), "INVALID: sample crf: entity_f1 of predictions/crf-0.tags is 0.863544, and nan in"),
        (column(12, "inf"), "INVALID: sample crf: entity_f1 of predictions/crf-0.tags is 0.863544, and inf in"),
        (column(12, "94.47"), "INVALID: sample crf: entity_f1 of predictions/crf-0.tags is 0.863544, and 94.470000"),
        (column(12, "nan", MINILM_ROWS), "INVALID: sample minilm: entity_f1 of predictions/minilm-13.tags is "),
        (column(15, "0.9"), "INVALID: sample crf: partial_f1 of predictions/crf-0.tags is "),
        (column(5, "10"), "INVALID: sample crf: scores.csv has 10 sentences of crf-0, and the test set has 500"),
        (scores(lambda text: MINILM_ROWS.sub("", text, 2)), "INCOMPLETE: sample minilm entity_f1: "),
        (scores(lambda text: MINILM_ROWS.sub(twenty_times, text, 1)), "INVALID: sample minilm entity_f1: repeated"),
        (scores(lambda text: MINILM_ROWS.sub("", text)), "INCOMPLETE: sample minilm: neither scores.csv nor not_run"),
        (scores(lambda text: CRF_ROW.sub("", text)), "INCOMPLETE: sample crf: neither scores.csv nor not_run.csv has"),
        (predictions(another_tag), "INVALID: sample crf: predictions/crf-0.tags has changed since it was scored, so "
         "the scores no longer follow from it; "),
        (predictions(another_tag, is_recorded=True), "INVALID: sample crf: token_micro_f1 of predictions/crf-0.tags"),
        (predictions(lambda text: text[:2000], is_recorded=True), "INVALID: sample crf: predictions/crf-0.tags does"),
        (removal("sample/predictions/crf-0.tags"), "INVALID: sample crf: predictions/crf-0.tags is missing"),
        (lower_reference, "INVALID: sample crf: the reference sample/crf.json is not the one in SHA256SUMS"),
        (removal("reference/sample/crf.json"), "MISSING REFERENCE: sample crf: SHA256SUMS lists sample/crf.json, but "),
        (removal("reference/SHA256SUMS"), "INVALID: sample crf: the reference sample/crf.json is not in SHA256SUMS"),
        (removal("reference"), "MISSING REFERENCE: sample crf entity_f1: new 86.35 ("),
    ],
)  # fmt: skip
def test_what_was_changed_by_hand_is_named_first(
    run: Any, results: Path, harm: Callable[[Path], None], first_line: str
) -> None:
    status, text = run()
    assert (status, text.splitlines()[0]) == (0, "pass: 2 no reference, 2 pass")
    harm(results)
    status, text = run()
    assert status == 1
    assert text.startswith(first_line)


@pytest.mark.parametrize(
    ("harm", "first_line"),
    [
        (column(5, "10"), "INVALID: sample crf: scores.csv has 10 sentences of crf-0, and the test set has 500"),
        (predictions(lambda text: text[:2000], is_recorded=True), "INVALID: sample crf: predictions/crf-0.tags has "),
        (column(12, "nan"), "INVALID: sample crf entity_f1: a score is a fraction from 0 to 1, not entity_f1 nan"),
        (column(12, "94.47"), "INVALID: sample crf entity_f1: a score is a fraction from 0 to 1, not entity_f1 94.47"),
    ],
)
def test_without_the_corpus(
    run: Any, results: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], None], first_line: str
) -> None:
    monkeypatch.setattr(module, "gold_tags", lambda corpus: None)
    assert run()[0] == 0
    harm(results)
    assert run()[1].startswith(first_line)


def test_a_run_without_its_number_of_sentences_ends_the_check(run: Any, results: Path) -> None:
    column(5, "")(results)
    status, text = run()
    assert status == 2
    assert "scores.csv:2: n_sentences is '', not a whole number; remove it and run" in text


def test_scores_that_are_none_do_not_become_a_reference(run: Any, results: Path) -> None:
    path = results / "reference/sample/crf.json"
    before = path.read_bytes()
    column(12, "nan")(results)
    status, text = run("--update")
    assert status == 1
    assert "sample/crf: not changed; entity_f1 of predictions/crf-0.tags is 0.8635" in text
    assert path.read_bytes() == before


def test_the_corpus_is_found_by_its_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = module.corpus_named("mit_movie_eng")
    path = tmp_path / corpus.name / corpus.test.name
    path.parent.mkdir()
    path.write_text("O\tx\n")
    monkeypatch.setenv("BERT_NER_CORPORA", str(tmp_path))
    monkeypatch.setattr(module, "SHARED", tmp_path)
    monkeypatch.setattr(module, "raw_folder", lambda name: tmp_path / name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert module.gold_tags(corpus.name) is None
