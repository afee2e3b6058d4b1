"""Files that are whole or absent, their SHA-256, and where copies of what is elsewhere are kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """Where what was downloaded or unpacked is kept: $XDG_CACHE_HOME/bert-ner/<kind>, or the same under ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bert-ner" / kind


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file so that a crash at any moment leaves the old one or the new one, never a part.

    Text is written as UTF-8 with its line ends as they are. Missing folders are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except BaseException:
        part.unlink()
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
