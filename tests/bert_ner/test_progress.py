"""Progress: events for a program that asks for them, otherwise nothing but a bar on a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bert_ner.progress import RECORD_SEPARATOR, VARIABLE, Progress


def train(progress: Progress) -> None:
    with progress:
        for epoch in (1, 2):
            for _ in range(3):
                progress.step(epoch=epoch, train_loss=0.5)
            progress.end_epoch({"train_loss": 0.25, "validation_entity_f1": 0.75, "seconds": 1.0})


def events(output: str) -> list[dict[str, Any]]:
    lines = output.removesuffix("\n").split("\n")  # splitlines would split at the separator, too
    assert all(line.startswith(RECORD_SEPARATOR) for line in lines)
    return [json.loads(line[1:]) for line in lines]


def test_an_event_ends_each_epoch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(VARIABLE, "lines")
    train(Progress("minilm seed 13", 6, 2))
    captured = capsys.readouterr()
    assert captured.err == ""
    shared = {"task": "minilm seed 13", "steps": 6, "epochs": 2, "train_loss": 0.25, "validation_entity_f1": 0.75}
    assert events(captured.out) == [{**shared, "step": 3, "epoch": 1}, {**shared, "step": 6, "epoch": 2}]


def test_at_most_one_event_a_second_within_an_epoch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 0.5, 1.0, 1.0, 1.4, 2.1, 2.1])
    monkeypatch.setattr("bert_ner.progress.time.monotonic", lambda: next(now))
    monkeypatch.setenv(VARIABLE, "lines")
    progress = Progress("crf", 5, step=1)
    for _ in range(4):
        progress.step()
    found = events(capsys.readouterr().out)
    assert [event["step"] for event in found] == [3, 5]
    assert {(event["epoch"], event["epochs"], event["train_loss"]) for event in found} == {(None, None, None)}


def test_silent_without_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    train(Progress("minilm", 6, 2))
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    train(Progress("minilm", 6, 2))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "minilm: 100%" in captured.err
    assert "validation_entity_f1=0.750" in captured.err
