"""Text that is safe to show on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with each character that doesn't print as its escape sequence, so that none of it is a command."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
