"""kill -9 in a download: nothing of it passes for whole, and the next run has it all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harm import Publisher, publish

Workplace = Any


@pytest.mark.parametrize("after", [0, 1, 20_000])  # bytes
def test_of_a_corpus(place: Workplace, publisher: Publisher, tmp_path: Path, after: int) -> None:
    publish(place, publisher)
    publisher.stop_after = after
    command = [sys.executable, "experiments/acquire.py", "--corpus", "published"]
    with subprocess.Popen(command, cwd=place.folder, env=place.environment) as process:
        assert publisher.is_stopped.wait(60)
        process.kill()
    assert not (place.folder / "data/raw/published").exists()
    assert not list((tmp_path / "cache").rglob("*.bio"))
    publisher.stop_after = None
    place.succeed(*command)
    for name, data in publisher.files.items():
        assert (place.folder / "data/raw/published" / name[1:]).read_bytes() == data
