"""What is recorded of the machine, and how records are read again."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from harness import provenance
from harness.paths import RESULTS

import pytest

from bert_ner.errors import BertNerError


@pytest.mark.parametrize(
    ("cpuinfo", "processor"),
    [
        ("model name\t: AMD EPYC\nflags\t: fpu avx2 avx512f avx512_bf16\n", "AMD EPYC with avx2 avx512f avx512_bf16"),
        ("model name\t: AMD EPYC\nflags\t: fpu avx2\n", "AMD EPYC with avx2"),
        ("model name\t: old\nflags\t: fpu\n", "old with unknown matrix units"),
    ],
)  # fmt: skip
def test_processors_of_one_name_are_told_apart(cpuinfo: str, processor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "_cpuinfo", lambda: cpuinfo)
    assert provenance.processor() == processor
    assert processor.startswith(f"{provenance.processor_name()} with ")


def test_without_the_file_of_linux_the_name_is_that_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "_cpuinfo", lambda: "")
    monkeypatch.setattr("platform.processor", lambda: "arm")
    assert provenance.processor() == "arm with unknown matrix units"


def test_the_records_of_this_checkout_are_read() -> None:
    assert provenance.read_provenance(RESULTS)["mit_movie_eng"]["runs"]["crf-0"]["system"] == "crf"


def test_without_a_file_there_are_no_records(tmp_path: Path) -> None:
    assert provenance.read_provenance(tmp_path) == {}


RUN = {
    "system": "a", "settings": {"name": "b"}, "seconds": 1.5, "history": [], "cost": {}, "predictions": "00",
    "environment": (MACHINE := {"python": "3", "packages": {}, "processor": "A"}),
    "weights": {"source": "hub", "sha256": "00"},
}  # fmt: skip
RECORD = {"files": {"c.bio": "00"}, "evaluated": MACHINE, "runs": {"a-1": RUN}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, ""),
        ({"runs": {"a-1": {**RUN, "weights": None, "settings": {}}}}, ""),
        ({"runs": {"a-1": {**RUN, "weights": None}}}, "c.runs.a-1 must have the weights of its encoder"),
        *(
            (
                {"runs": {"a-1": {key: value for key, value in RUN.items() if key != gone}}},
                f"c.runs.a-1.{gone} is missing",
            )
            for gone in RUN
            if gone != "weights"
        ),
        ({"evaluated": None}, "c must have evaluated, the machine"),
        ({"evaluated": {"revision": "a"}}, "c.evaluated.processor is missing"),
    ],
)
def test_what_is_read_again_is_checked(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    (tmp_path / "provenance.json").write_text(json.dumps({"c": RECORD | change}))
    with pytest.raises(BertNerError, match=message) if message else nullcontext():
        provenance.read_provenance(tmp_path)


@pytest.mark.parametrize("content", ["", "{", '{"a": {}}}', "<<<<<<< HEAD\n{}", "[]", '{"a": 3}', '{"a": {"runs": 3}}'])
def test_nothing_is_recorded_over_a_broken_file(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "RESULTS", tmp_path)
    path = tmp_path / "provenance.json"
    path.write_text(content)
    with pytest.raises(BertNerError, match=r"provenance\.json.*; take the file from Git$"):
        provenance.record("b", {})
    assert path.read_text() == content
