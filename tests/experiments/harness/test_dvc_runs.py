"""Running DVC: a program that stands for it, its progress, its hints, and its failures."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import harness.dvc_runs as module
from harness.dvc_runs import run_pipeline, show
from harness.live_display import DONE, UNCHANGED, LiveDisplay

import pytest
from rich.console import Console

from bert_ner.errors import BertNerError

PREPARE, TRAININGS = "p:prepare@sample", [f"p:train_encoder@sample-minilm-{seed}" for seed in range(6)]
HINTS = """
To track the changes with git, run:

	git add dvc.lock

To enable auto staging, run:

	dvc config core.autostage true
Use `dvc push` to send your updates to remote storage.
"""
FAKE_DVC = f"""
import json, os, pathlib, sys, time
[stage] = [argument for argument in sys.argv if "@" in argument]
print(f"Running stage '{{stage}}':\\n> python x.py", flush=True)
if stage.startswith("p:train"):
    print("\\x1e" + json.dumps({{"step": 1, "steps": 2, "epoch": 1, "epochs": 2, "train_loss": 0.5,
                                "validation_entity_f1": None}}), flush=True)
    print(f"UserWarning from {{stage}}", file=sys.stderr, flush=True)
    assert os.environ["BERT_NER_PROGRESS"] == "lines" and os.environ["OMP_NUM_THREADS"]
    if stage.endswith(os.environ.get("FAILS", "none")):
        sys.exit("train.py: c1 must be a number")
    time.sleep(float(os.environ.get("SECONDS", 0)))
for name, other in (("evaluate", "audit"), ("audit", "evaluate")):
    if stage.startswith(f"p:{{name}}@"):
        pathlib.Path(__file__).with_name(name).touch()
        while not pathlib.Path(__file__).with_name(other).exists():
            time.sleep(0.01)
print("Updating lock file 'dvc.lock'" + {HINTS!r})
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Put the program in the place of DVC."""
    (tmp_path / "dvc.py").write_text(FAKE_DVC)
    monkeypatch.setattr(module, "DVC", (sys.executable, str(tmp_path / "dvc.py")))
    return monkeypatch


def run() -> None:
    run_pipeline([PREPARE, *TRAININGS, "p:report@sample"], [PREPARE], [*module.DVC, "repro", "p:report@sample"])


@pytest.mark.usefixtures("fake")
def test_stages_run_and_hints_are_one_summary(capfd: pytest.CaptureFixture[str]) -> None:
    run()
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "prepare sample: running"
    assert lines[-2:] == module.SUMMARY.splitlines()
    assert sum("UserWarning from" in line for line in lines) == len(TRAININGS)
    assert sum(": done, 00:" in line for line in lines) == 2 + len(TRAININGS)
    assert len(lines) == 2 * (2 + len(TRAININGS)) + len(TRAININGS) + 2  # nothing else


@pytest.mark.usefixtures("fake")
def test_evaluate_and_audit_run_at_once_after_the_trainings(capfd: pytest.CaptureFixture[str]) -> None:
    on_models = ["p:evaluate@sample", "p:audit@sample"]  # each waits until the other has begun
    run_pipeline(
        [PREPARE, *TRAININGS, *on_models, "p:report@sample"], [PREPARE], [*module.DVC, "repro", "p:report@sample"]
    )
    lines = capfd.readouterr().out.splitlines()
    begun = [line.partition(":")[0] for line in lines if line.endswith(": running")]
    assert sorted(begun[-3:-1]) == ["audit sample", "evaluate sample"]
    assert begun[-1] == "report sample"


@pytest.mark.usefixtures("fake")
def test_students_train_after_all_teachers(capfd: pytest.CaptureFixture[str]) -> None:
    students = [f"{module.STUDENTS}@sample-minilm_best-{seed}" for seed in range(3)]
    run_pipeline([PREPARE, *students, *TRAININGS], [PREPARE])
    lines = [line for line in capfd.readouterr().out.splitlines() if ": running" in line or ": done" in line]
    systems = [line.split("-")[1] for line in lines if line.startswith("sample-")]
    assert systems == ["minilm"] * 12 + ["minilm_best"] * 6


def test_a_failure_stops_the_others(fake: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    fake.setitem(module.ENVIRONMENT, "FAILS", "-2")
    fake.setitem(module.ENVIRONMENT, "SECONDS", "600")
    started = time.monotonic()
    with pytest.raises(BertNerError, match="the same command continues from there"):
        run()
    assert time.monotonic() - started < 300
    text = capfd.readouterr().out
    assert "train.py: c1 must be a number\n" in text
    assert "\nsample-minilm-2: failed" in text
    assert "report sample" not in text
    assert "sample-minilm-5" not in text  # it waited


def test_ctrl_c_kills_the_stages(fake: pytest.MonkeyPatch) -> None:
    fake.setitem(module.ENVIRONMENT, "SECONDS", "600")
    threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run()
    assert time.monotonic() - started < 300
    children = (task / "children" for task in Path("/proc/self/task").iterdir())
    assert not any(
        str(module.DVC[1]) in Path(f"/proc/{pid}/cmdline").read_text()
        for c in children
        for pid in c.read_text().split()
    )


def test_each_line_of_dvc() -> None:
    display = LiveDisplay([*TRAININGS[:1], PREPARE], {}, Console(file=io.StringIO(), width=80))
    stage = show(display, f"Running stage '{TRAININGS[0]}':", None)
    assert stage == TRAININGS[0]
    for line in [*HINTS.splitlines(), "> python x.py", "Data and pipelines are up to date."]:
        assert show(display, line, stage) == stage
    event = {"step": 3, "steps": 9, "epoch": None, "epochs": None, "train_loss": None, "validation_entity_f1": None}
    assert show(display, "\x1e" + json.dumps(event), stage) == stage
    assert show(display, '\x1e{"step": 4, "ste', stage) == stage  # cut, by a kill
    assert show(display, "\x1e" + json.dumps(event), None) is None
    assert display.rows[stage].progress == event
    assert show(display, "WARNING: something", stage) == stage
    assert show(display, f"Stage '{PREPARE}' didn't change, skipping", stage) is None
    assert [row.state for row in display.rows.values()] == [DONE, UNCHANGED]
    assert show(display, f"Stage '{PREPARE}' is cached - skipping run, checking out outputs", None) is None
    text = display.console.file.getvalue()  # type: ignore[attr-defined]
    assert text.splitlines() == [
        "sample-minilm-0: running", "WARNING: something", "sample-minilm-0: done, 00:00", "prepare sample: unchanged",
    ]  # fmt: skip
