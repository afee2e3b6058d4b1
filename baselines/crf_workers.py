"""Ctrl-C in the processes that train a CRF: they end without a traceback, also while they start."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Hold Ctrl-C back in this thread, and in the processes that it starts, which print no traceback of their start."""
    resource_tracker.ensure_running()  # multiprocessing starts it with its first process, and then lets Ctrl-C through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_at_interrupts() -> None:
    """Let Ctrl-C end this process silently, also while it runs C code, and one that was held back at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
