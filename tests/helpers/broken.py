"""Ways in which files get broken: cut, in another encoding or format, half merged, with a typing error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Change = bytes | str | None | Callable[[bytes], bytes]  # a file's new content, None to remove it, or an edit

MERGE = "<<<<<<< HEAD\nO\ta\n=======\nO\tb\n>>>>>>> other\n"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
DEEP = "[" * 5_000
DEEP_YAML = "[" * 1_000  # the YAML library reaches Python's limit sooner, and is slower


def breaks(path: Path, change: Change) -> None:
    """Break a file."""
    content = path.read_bytes() if path.is_file() else b""
    path.unlink(missing_ok=True)  # it may be a link to a good one
    new = change(content) if callable(change) else change
    if new is not None:
        path.write_bytes(new.encode() if isinstance(new, str) else new)


def cut(content: bytes) -> bytes:
    """Return the first half."""
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    """Return the content with one bit changed."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def swapped(old: str, new: str) -> Callable[[bytes], bytes]:
    """Return an edit that replaces a text, which must be there."""

    def edit(content: bytes) -> bytes:
        assert old.encode() in content, f"{old!r} is not in the file"
        return content.replace(old.encode(), new.encode())

    return edit


def with_values(**values: Any) -> Callable[[bytes], bytes]:
    """Return an edit that sets keys of a JSON object."""
    return lambda content: json.dumps({**json.loads(content), **values}).encode()
