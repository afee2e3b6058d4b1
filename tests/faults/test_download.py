"""A download that is killed leaves nothing that passes for a complete file, and the next run completes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from harm import publish
from publisher import TEST, TRAIN, Server, sends, stops
from workplace import Workplace


@pytest.mark.parametrize("after", [0, 1, 20_000])  # bytes
def test_killed_download_of_a_corpus(place: Workplace, publisher: Server, tmp_path: Path, after: int) -> None:
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
