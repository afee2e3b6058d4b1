"""The base of every error that the user can mend, and how errors are told."""

from __future__ import annotations

import re
from reprlib import Repr

_NO_MEMORY = re.compile(r"can't allocate memory|cannot allocate memory|out of memory|bad_alloc", re.IGNORECASE)
_BRIEF = Repr()
_BRIEF.maxlevel, _BRIEF.maxdict, _BRIEF.maxlist, _BRIEF.maxstring, _BRIEF.maxother = 3, 9, 9, 80, 80


class BertNerError(Exception):
    """Something is wrong with what was given; the message says what, where, and what to do."""


class InvalidValue(BertNerError, ValueError):
    """An argument or a setting is out of its range."""


class NotExportable(BertNerError):
    """An encoder that PyTorch's exporter can't do, or whose numbers no bytes can stand for."""


class OutOfMemory(BertNerError, MemoryError):
    """There is less memory than is needed."""


def as_out_of_memory(error: BaseException) -> OutOfMemory | None:
    """The error for people if this one says that memory ran out, each library in its own way; else None."""
    if not (isinstance(error, MemoryError) or _NO_MEMORY.search(str(error))):
        return None
    if isinstance(error, OutOfMemory):
        return error
    reason = first_line(error)
    return OutOfMemory(f"not enough memory ({reason}); close other programs, or give it less to do at once")


def first_line(error: BaseException) -> str:
    """An error's message without what libraries put below it, or its name if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def brief(value: object) -> str:
    """A value as Python writes it, cut to what a message can hold."""
    return _BRIEF.repr(value)


def printable(text: str) -> str:
    """The text with each character that doesn't print as its escape sequence: none reaches a terminal as a command."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def told(error: BaseException) -> str:
    """An error's message for a terminal, its lines kept."""
    return "\n".join(map(printable, str(error).split("\n")))
