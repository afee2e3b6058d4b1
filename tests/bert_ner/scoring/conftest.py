"""Fixtures for tests whose resamples are counted by hand, and for those of `bert-ner gate`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gate_runs import Gate, write

from bert_ner import cli
from bert_ner.scoring import resampling


@pytest.fixture
def few_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a handful of sentences be resampled, so few that all possible resamples can be listed."""
    monkeypatch.setattr(resampling, "MIN_SENTENCES", 1)


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gate:
    """Return the command, run in a folder with a gold file, five runs as good as each other and five worse ones."""
    monkeypatch.chdir(tmp_path)
    write(Path("gold.bio"), 0, 0)
    for seed in range(5):
        write(Path(f"old/{seed}.bio"), 0.1, seed)
        write(Path(f"same/{seed}.bio"), 0.1, seed + 10)
        write(Path(f"worse/{seed}.bio"), 0.3, seed + 20)

    def call(*arguments: str) -> tuple[int, str]:
        gold = [] if "--gold" in arguments else ["--gold", "gold.bio"]
        monkeypatch.setattr(sys, "argv", ["bert-ner", "gate", *gold, *arguments])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = int(end.code or 0)
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return call
