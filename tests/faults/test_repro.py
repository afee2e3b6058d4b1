"""The whole pipeline, as `make repro` starts it: twice at once, interrupted, and killed with all that it started."""

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
    """A pipeline that DVC ran from nothing, and nothing happened to it."""
    place = workplaces(tmp_path_factory.mktemp("ran"), small)
    place.succeed(*COMMAND)
    return place


@contextmanager
def started(place: Workplace, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The pipeline in a session of its own, its output in a file; what is left of it at the end is killed."""
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
    """A process and all that it started, and they."""
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
    """Nothing is trained or evaluated, and DVC remembers nothing of it."""
    for name in ("models", "results/sample", "dvc.lock", ".dvc/cache", ".dvc/tmp"):
        subprocess.run(["rm", "-rf", place.folder / name], check=True)


def lasting(place: Workplace) -> dict[str, bytes]:
    """What is equal from run to run: the report tells of seconds, too."""
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
        wait_for(log, "Running stage", process)
        second = ran.run(*COMMAND)
        assert second.returncode == 1
        assert f"the pipeline is running in {ran.folder} already (process {process.pid})" in second.stderr
        assert "Traceback" not in second.stderr
        wait_for(log, "Running stage 'evaluate@sample'", process)
    ran.succeed(*COMMAND)
    assert lasting(ran) == whole


def test_interrupted(ran: Workplace, tmp_path: Path) -> None:
    whole = lasting(ran)
    begin_again(ran)
    log = tmp_path / "log"
    with started(ran, log) as process:
        wait_for(log, "Running stage 'train_encoder@", process)
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
    assert "Running stage 'prepare@sample'" not in output
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
    assert "c1 must be a list of numbers of at least 0, not [-1.0]" in failed.stdout
    assert "the same command goes on from there" in failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
    assert not (ran.folder / "models/sample/minilm-13").exists()
