"""How a script ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXPERIMENTS = Path(__file__).resolve().parents[3] / "experiments"
PROGRAM = "from harness.run_main import run_main\nrun_main(lambda: print('a line'))"


def test_a_reader_that_closes_the_pipe_ends_it_silently() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        child = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=EXPERIMENTS, stdout=output, stderr=subprocess.PIPE, check=False
        )
    assert (child.returncode, child.stderr) == (141, b"")
