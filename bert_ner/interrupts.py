"""Ctrl-C ends a program with one line and exit status 130, from its first line on.

This module imports next to nothing, so that a program can handle Ctrl-C before it imports the rest.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, NoReturn


def handle_interrupts(handler: Callable[[int, FrameType | None], Any]) -> None:
    """Set the handler of Ctrl-C, unless the parent process wants Ctrl-C to be ignored."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def exit_interrupted(*_: object) -> NoReturn:
    """Exit at once, without waiting for a library's threads."""
    name = os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib is slow to import
    try:
        os.write(2, f"\n{name}: interrupted\n".encode())
    finally:
        os._exit(130)


def interrupt(_: int, frame: FrameType | None) -> NoReturn:
    """Raise KeyboardInterrupt. During an import, which may lose it or abort the process, exit at once instead."""
    while frame:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            exit_interrupted()
        frame = frame.f_back
    raise KeyboardInterrupt
