"""Ctrl-C ends a script within two seconds, with one line, and keeps the finished work."""

from __future__ import annotations

import os
import pty
import select
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from harm import TRAIN_ENCODER, contents, publish, untimed
from publisher import TRAIN, Server, sends, stops
from workplace import Workplace

pytestmark = pytest.mark.alone
SECONDS = 2.0


def interrupted(place: Workplace, script: str, until: Callable[[bytes], bool]) -> tuple[int, str, float]:
    """Start a script on a terminal of its own, and press Ctrl-C once `until` returns true for its output so far.

    Returns:
        Its exit status, its output from then on, and the seconds until it ended.
    """
    child, terminal = pty.fork()
    if not child:
        os.chdir(place.folder)
        os.execvpe("python", ["python", *script.split()], place.environment)
    termios.tcsetwinsize(terminal, (24, 80))  # wide enough for a progress bar
    seen = b""
    while not until(seen):
        if select.select([terminal], [], [], 0.02)[0]:
            seen += os.read(terminal, 4096)
    started, before = time.monotonic(), len(seen)
    os.write(terminal, b"\x03")
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk
    except OSError:  # the terminal of a program that has ended
        pass
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), seen[before:].decode(errors="replace"), time.monotonic() - started


def check(ended: tuple[int, str, float], script: str) -> None:
    status, text, seconds = ended
    assert status == 130, text
    assert text.replace("\r", "\n").strip().endswith(f"\n{script}: interrupted"), text
    assert "Traceback" not in text
    assert seconds < SECONDS


def test_training_an_encoder(place: Workplace) -> None:
    place.set_parameters({"minilm_crf": {"epochs": 100}})
    state = place.folder / "data/unfinished/sample/minilm_crf-13.safetensors"
    check(interrupted(place, TRAIN_ENCODER, lambda seen: state.exists()), "train.py")
    assert not list((place.folder / "models").glob("*/*/minilm_crf-13"))
    kept = state.read_bytes()

    def resumes(seen: bytes) -> bool:
        return b"resuming after epoch" in seen and state.read_bytes() != kept

    check(interrupted(place, TRAIN_ENCODER, resumes), "train.py")


@pytest.mark.parametrize("delay", [None, 0.0, 0.05, 0.2, 0.4, 0.8])  # seconds after its processes started; None: later
def test_training_a_crf(place: Workplace, delay: float | None) -> None:
    place.set_parameters({"crf": {"c1": [1e-9], "c2": [i * 1e-9 for i in range(1, 41)], "max_iterations": 2_000_000}})
    before = contents(place)

    def is_reached(seen: bytes) -> bool:
        return b" 1/40" in seen if delay is None else bool(workers(place)) and not time.sleep(delay)

    status, text, seconds = interrupted(place, "experiments/train.py --corpus sample --system crf", is_reached)
    check((status, text, seconds), "train.py")
    assert not workers(place)
    assert contents(place) == before


def workers(place: Workplace) -> list[str]:
    """Return the processes in which candidates of a CRF are trained in a workplace."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            if (process / "cwd").readlink() == place.folder and "crf_workers" in (process / "cmdline").read_text():
                found.append(process.name)
    return found


def test_evaluating(place: Workplace) -> None:
    before = contents(place)
    ended = interrupted(place, "experiments/evaluate.py --corpus sample", lambda seen: b"evaluate:" in seen)
    check(ended, "evaluate.py")
    assert untimed(contents(place)) == untimed(before)


def test_downloading(place: Workplace, publisher: Server, tmp_path: Path) -> None:
    publish(place, publisher)
    publisher.behaviours["/train.bio"] = [stops(TRAIN, 5_000), sends(TRAIN)]
    script = "experiments/acquire.py --corpus published"
    part = tmp_path / "cache/bert-ner/corpora/published/train.bio.part"

    def has_arrived(_: bytes) -> bool:
        return publisher.stopped.wait(0.1) and not time.sleep(0.5)

    check(interrupted(place, script, has_arrived), "acquire.py")
    assert part.stat().st_size > 0
    assert not (place.folder / "data/raw/published").exists()
    assert "SHA-256 verified" in place.succeed("python", *script.split())
    assert publisher.requests[-2:] == [("/train.bio", "bytes=5000-"), ("/test.bio", None)]
