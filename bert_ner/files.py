"""Files that are whole or absent, their SHA-256, and where copies of what is elsewhere are kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bert_ner.errors import BertNerError

SUMS = "SHA256SUMS"  # as sha256sum writes it and, with -c, checks it


class Damaged(BertNerError):
    """A file is not the one that was written; the message names it and both sums."""


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

    Raises:
        OSError: it can't be written; `filename` is the path.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    try:
        _write_whole(path, data)
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # else no name, or that of the part
        raise


def _write_whole(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
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


def write_sums(folder: Path) -> None:
    """Write the SHA-256 of every file in a folder into its SHA256SUMS."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    write_whole(folder / SUMS, "".join(f"{sha256_of(path)}  {path.name}\n" for path in files))


def check_sums(folder: Path, remedy: str, names: Iterable[str] | None = None) -> None:
    """Compare a folder's files with its SHA256SUMS; a folder that has none passes.

    Args:
        folder: what `write_sums` was given.
        remedy: what to do if a file is damaged.
        names: of the files to compare; by default all that the sums are of.

    Raises:
        Damaged: a file is missing or has another sum.
    """
    path = folder / SUMS
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in expected if names is None else names:
        if not (folder / name).is_file():
            raise Damaged(f"{folder / name} is missing, but {SUMS} beside it has its sum; {remedy}")
        if (found := sha256_of(folder / name)) != expected.get(name):
            raise Damaged(
                f"{folder / name} is not the file that was written: its SHA-256 is {found}, expected "
                f"{expected.get(name, 'none')}; {remedy}"
            )


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
