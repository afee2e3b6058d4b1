"""Keep two scripts from changing the same files of results/ at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from harness.paths import ROOT

FOLDER = ROOT / ".dvc/tmp"


@contextmanager
def sole_writer(files: str) -> Iterator[None]:
    """Wait until no other process is in here for these files: one that reads a file, and writes it with a change."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{files}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # it ends with the process
        yield
