"""A folder of results for tests of the report."""

from __future__ import annotations

from pathlib import Path

from harness import paths

import pytest

import report


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty results/ of which reports are made; plots are empty files, which saves seconds."""

    def touch(_: object, folder: Path, name: str) -> None:
        folder.mkdir(exist_ok=True)
        for kind in ("png", "svg"):
            (folder / f"{name}.{kind}").touch()

    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(report, "save", touch)
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    return tmp_path / "results"
