"""The whole pipeline, as `make repro` starts it: twice at once, interrupted, killed, and with a failing training."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from harm import contents, untimed

Workplace = Any
COMMAND = [sys.executable, "experiments/repro.py", "--corpus", "sample"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, workplaces: type[Workplace], small: dict[str, Any]) -> Workplace:
    """A pipeline that ran from nothing without a fault."""
    place = workplaces(tmp_path_factory.mktemp("ran"), small)
    place.succeed(*COMMAND)
    return place


@contextmanager
def started(place: Workplace, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the pipeline in a session of its own, its output in a file; at the end kill what remains of it."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            COMMAND, cwd=place.folder, env=place.environment, stdout=output, stderr=output, start_new_session=True
        ) as process,
    ):
        try:
            yield process
        finally:
            for pid in descendants(process.pid):
                os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Return a process and all processes below it."""
    try:
        children = [(task / "children").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    return [pid, *(each for text in children for child in text.split() for each in descendants(int(child)))]


def wait_for(log: Path, text: str, process: subprocess.Popen[bytes]) -> None:
    while text not in log.read_text(errors="replace"):
        assert process.poll() is None, log.read_text(errors="replace")
        time.sleep(0.02)


def begin_again(place: Workplace) -> None:
    """Remove everything that was trained or evaluated, and DVC's records of it."""
    for name in ("models", "results/sample", "pipeline/dvc.lock", ".dvc/cache", ".dvc/tmp"):
        subprocess.run(["rm", "-rf", place.folder / name], check=True)


def lasting(place: Workplace) -> dict[str, bytes]:
    """Return the files that are equal from run to run; the report has times."""
    return {
        name: data
        for name, data in untimed(contents(place)).items()
        if "/report." not in name and "quality_and_cost" not in name
    }


def test_two_at_once_and_the_first_is_killed(ran: Workplace, tmp_path: Path) -> None:
    whole = lasting(ran)
    begin_again(ran)
    log = tmp_path / "log"
    with started(ran, log) as process:
        wait_for(log, ": running", process)
        second = ran.run(*COMMAND)
        assert second.returncode == 1
        assert f"the pipeline already runs in {ran.folder} (process {process.pid})" in second.stderr
        assert "Traceback" not in second.stderr
        wait_for(log, "evaluate sample: running", process)
    ran.succeed(*COMMAND)
    assert lasting(ran) == whole


def test_interrupted(ran: Workplace, tmp_path: Path) -> None:
    whole = lasting(ran)
    begin_again(ran)
    log = tmp_path / "log"
    with started(ran, log) as process:
        wait_for(log, "sample-minilm-13: running", process)
        children = descendants(process.pid)
        pressed = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        assert process.wait() == 130
        assert time.monotonic() - pressed < 2.0
    assert log.read_text().endswith("\nrepro.py: interrupted\n")
    assert "Traceback" not in log.read_text()
    assert not any(
        Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children
    )
    output = ran.succeed(*COMMAND)
    assert "prepare sample: running" not in output
    assert lasting(ran) == whole


def test_files_from_another_time(ran: Workplace) -> None:
    for years in (30, -30):
        then = time.time() + years * 365 * 86400
        for path in (ran.folder / "models").rglob("*"):
            os.utime(path, (then, then))
        assert "Nothing to do" in ran.succeed(*COMMAND)


def test_one_of_two_trainings_fails(ran: Workplace) -> None:
    begin_again(ran)
    ran.set_parameters({"crf": {"c1": [-1.0]}})
    failed = ran.run(*COMMAND)
    assert failed.returncode == 1
    assert "c1.0 must be" in failed.stdout
    assert "the same command continues from there" in failed.stderr
    assert "sample-crf-0: failed" in failed.stdout
    assert "Traceback" not in failed.stdout + failed.stderr
    assert not (ran.folder / "models/sample/minilm-13").exists()
