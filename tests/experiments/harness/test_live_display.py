"""The live table and the lines that replace it where there is no terminal."""

from __future__ import annotations

import asyncio
import io
import time
from contextlib import suppress
from typing import Any

import harness.live_display as module
from harness.live_display import CACHED, DONE, FAILED, LiveDisplay, clock, label

import pytest
from rich.console import Console

TRAINING = "pipeline/dvc.yaml:train_encoder@sample-minilm-13"
EVALUATE = "pipeline/dvc.yaml:evaluate@sample"
EVENT = {
    "task": "minilm", "step": 10, "steps": 40, "epoch": 1, "epochs": 4, "train_loss": 0.43219,
    "validation_entity_f1": 0.8123,
}  # fmt: skip


@pytest.fixture
def display() -> LiveDisplay:
    console = Console(file=io.StringIO(), width=80, height=12, force_terminal=False)
    return LiveDisplay([TRAINING, EVALUATE], {TRAINING: 90.0}, console)


def rendered(display: LiveDisplay) -> list[str]:
    display.console.print(display.table())
    assert isinstance(display.console.file, io.StringIO)
    return display.console.file.getvalue().splitlines()


def test_names_fit_into_80_columns() -> None:
    assert label(TRAINING) == "sample-minilm-13"
    assert label(EVALUATE) == "evaluate sample"
    assert label("domains") == "domains"
    assert label("pipeline/dvc.yaml:study@epochs_8") == "study epochs_8"
    assert [clock(seconds) for seconds in (0, 59.6, 3725)] == ["00:00", "01:00", "1:02:05"]


def test_a_row_has_epoch_loss_f1_and_the_time_left(display: LiveDisplay, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    assert rendered(display)[1].split() == ["sample-minilm-13", "waiting", "01:30"]  # the recorded time
    display.begin(TRAINING)
    now[0] = 130.0
    assert display.rows[TRAINING].left() == 60.0
    # One that goes on from a checkpoint begins at step 10: its pace is that of the steps since.
    display.update(TRAINING, EVENT)
    now[0] = 140.0
    display.update(TRAINING, {**EVENT, "step": 20})
    assert rendered(display)[-3].split() == ["sample-minilm-13", "running", "1/4", "0.4322", "81.23", "00:40", "00:20"]
    display.end(TRAINING, DONE)
    now[0] = 999.0
    assert rendered(display)[-3].split() == ["sample-minilm-13", "done", "1/4", "0.4322", "81.23", "00:40"]
    assert rendered(display)[-1].startswith("1 waiting, 1 done")


def test_a_training_without_epochs_and_values_has_empty_cells(display: LiveDisplay) -> None:
    display.begin(TRAINING)
    nothing = dict.fromkeys(("epoch", "epochs", "train_loss", "validation_entity_f1"))
    display.update(TRAINING, {**nothing, "step": 0, "steps": 4})
    assert display.rows[TRAINING].cells()[:3] == ("", "", "")
    display.update(TRAINING, {**nothing, "step": 0, "steps": 4, "epochs": 2})
    assert display.rows[TRAINING].cells()[0] == "0/2"


def test_a_low_screen_shows_what_runs_first() -> None:
    stages = [f"pipeline/dvc.yaml:train_baseline@sample-crf-{seed}" for seed in range(40)]
    display = LiveDisplay(stages, {}, Console(file=io.StringIO(), width=80, height=10, force_terminal=True))
    display.rows[stages[0]].state = DONE
    display.rows[stages[30]].state = "running"
    display.rows[stages[35]].state = FAILED
    table = display.table()
    assert table.row_count == 6
    assert [str(cell) for cell in table.columns[0].cells][:3] == ["sample-crf-35", "sample-crf-30", "sample-crf-1"]
    assert "1 failed, 1 running, 37 waiting, 1 done" in str(table.caption)


def test_lines_where_there_is_no_terminal(display: LiveDisplay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.05)
    with display:
        display.begin(TRAINING)
        display.update(TRAINING, EVENT)
        display.print("a warning \x1b[31min red\x1b[0m with [brackets] that is longer than a line of eighty characters")
        with suppress(TimeoutError):
            asyncio.run(asyncio.wait_for(display.report(), 0.2))
        display.end(TRAINING, DONE)
        display.end(EVALUATE, CACHED)
        display.end("a stage without a row", CACHED)
    text = display.console.file.getvalue()  # type: ignore[attr-defined]
    assert text.startswith("sample-minilm-13: running\n")
    assert "\na warning in red with [brackets] that is longer than a line of eighty characters\n" in text
    assert "\nsample-minilm-13: epoch 1/4, loss 0.4322, val. F1 81.23, time 00:0" in text
    assert "\nsample-minilm-13: done, 00:0" in text
    assert text.endswith("\nevaluate sample: cached\n")


@pytest.mark.parametrize(
    ("error", "states"), [(None, ["done", "unchanged"]), (KeyboardInterrupt, ["stopped", "waiting"])]
)
def test_the_end_sets_the_states_and_restores_the_terminal(error: Any, states: list[str]) -> None:
    file = io.StringIO()
    display = LiveDisplay([TRAINING, EVALUATE], {}, Console(file=file, width=80, height=12, force_terminal=True))
    with pytest.raises(error) if error else display:
        if not error:
            display.begin(TRAINING)
        else:
            with display:
                display.begin(TRAINING)
                raise error
    assert [row.state for row in display.rows.values()] == states
    assert file.getvalue().count("\x1b[?25l") == file.getvalue().count("\x1b[?25h") == 1  # cursor hidden, then shown
