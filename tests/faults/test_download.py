"""kill -9 in a download: nothing of it passes for whole, and the next run has it all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harm import publish
from publisher import TEST, TRAIN, Server, sends, stops

Workplace = Any


@pytest.mark.parametrize("after", [0, 1, 20_000])  # bytes
def test_of_a_corpus(place: Workplace, publisher: Server, tmp_path: Path, after: int) -> None:
    publish(place, publisher)
    publisher.behaviours["/train.bio"] = [stops(TRAIN, after), sends(TRAIN)]
    command = [sys.executable, "experiments/acquire.py", "--corpus", "published"]
    with subprocess.Popen(command, cwd=place.folder, env=place.environment) as process:
        assert publisher.stopped.wait(60)
        process.kill()
    assert not (place.folder / "data/raw/published").exists()
    assert not list((tmp_path / "cache").rglob("*.bio"))
    place.succeed(*command)
    for name, data in (("train.bio", TRAIN), ("test.bio", TEST)):
        assert (place.folder / "data/raw/published" / name).read_bytes() == data
