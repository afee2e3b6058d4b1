"""Folders for unfinished files, which are moved when they are complete."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

_PREFIX = ".unfinished-"


@contextmanager
def unfinished_folder(parent: Path) -> Iterator[Path]:
    """Make a hidden folder in another one, which is made too, and remove it at the end.

    First, remove those that killed processes left. A living process holds a lock on its own.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with _locked(parent):  # so that no process takes a new folder, which is not locked yet, for a dead one's
            for left in parent.glob(f"{_PREFIX}*"):
                with suppress(OSError), _locked(left, fcntl.LOCK_NB) as is_dead:
                    if is_dead:
                        shutil.rmtree(left, ignore_errors=True)
            folder = Path(stack.enter_context(TemporaryDirectory(dir=parent, prefix=_PREFIX)))
            stack.enter_context(_locked(folder))
        yield folder


@contextmanager
def _locked(folder: Path, flags: int = 0) -> Iterator[bool]:
    """Lock a folder, until the process ends at the latest, and yield whether that worked.

    With LOCK_NB it fails if another process holds the lock. It always fails on a file system without locks.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
            is_locked = True
        except OSError:
            is_locked = False
        yield is_locked
    finally:
        os.close(descriptor)
