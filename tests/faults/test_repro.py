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

import pytest
from harm import contents, untimed
from workplace import Workplace

COMMAND = [sys.executable, "experiments/repro.py", "--corpus", "sample"]


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
    """Return the files that are equal in every run: no times, and no exported copy, which has the checkout's path."""
    varying = ("/report.", "quality_and_cost", "/int8/", "/SHA256SUMS")
    return {name: data for name, data in untimed(contents(place)).items() if not any(part in name for part in varying)}


@pytest.mark.slow
@pytest.mark.alone
def test_interrupted_killed_and_started_again(place: Workplace, tmp_path: Path) -> None:
    whole = lasting(place)
    begin_again(place)
    log = tmp_path / "interrupted"
    with started(place, log) as process:
        wait_for(log, "sample-minilm-13: running", process)
        second = place.run(*COMMAND)
        assert second.returncode == 1
        assert f"the pipeline already runs in {place.folder} (process {process.pid})" in second.stderr
        assert "Traceback" not in second.stderr
        children = descendants(process.pid)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert log.read_text().endswith("\nrepro.py: interrupted\n")
    assert "Traceback" not in log.read_text()
    assert not any(
        Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children
    )

    log = tmp_path / "killed"
    with started(place, log) as process:
        wait_for(log, "evaluate sample: running", process)
    assert "prepare sample: running" not in log.read_text()  # what was finished is kept
    place.succeed(*COMMAND)
    assert lasting(place) == whole


def test_the_results_pass_the_check_and_a_second_run_has_nothing_to_do(place: Workplace) -> None:
    assert place.run("python", "experiments/check.py").stdout.startswith("MISSING REFERENCE: sample crf ")
    place.succeed("python", "experiments/check.py", "--update")
    assert "no reference" in place.succeed("python", "experiments/check.py")
    for years in (30, -30):
        then = time.time() + years * 365 * 86400
        for path in (place.folder / "models").rglob("*"):
            os.utime(path, (then, then))
        assert "Nothing to do" in place.succeed(*COMMAND)


def test_one_of_two_trainings_fails(place: Workplace) -> None:
    begin_again(place)
    place.set_parameters({"crf": {"c1": [-1.0]}})
    failed = place.run(*COMMAND)
    assert failed.returncode == 1
    assert "c1.0 must be" in failed.stdout
    assert "sample-crf-0: failed" in failed.stdout
    assert "the same command continues from there" in failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
    assert not (place.folder / "models/sample/minilm-13").exists()
