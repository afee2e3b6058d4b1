"""Keep two scripts from changing the same file of results/ at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from harness.paths import ROOT

LOCK = ROOT / ".dvc/tmp/results.lock"


@contextmanager
def sole_writer() -> Iterator[None]:
    """Wait until no other process is in here: one that reads a file, and writes it with a change."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # it ends with the process
        yield
