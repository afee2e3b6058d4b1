"""Write files that are whole or absent, verify SHA-256 checksums, and locate the cache."""

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from bert_ner.errors import BertNerError

SUMS = "SHA256SUMS"  # as sha256sum writes it and, with -c, checks it
# For a file in a cache that is not the one asked for.
CACHE_REMEDY = "It was removed: run again to download it. If it is still there, the cache is read-only: remove it."


class Damaged(BertNerError):
    """A file is missing or not the one that was written; the message names it and its checksums."""


def cache_folder(kind: str) -> Path:
    """Return the folder for downloaded or unpacked files: $XDG_CACHE_HOME/bert-ner/<kind>, by default in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bert-ner" / kind


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file so that a crash at any moment leaves the old one or the new one, never a part of one.

    Text is written as UTF-8, its line ends unchanged. Missing folders are made. An OSError has the path in `filename`.
    Raise BertNerError, and write nothing, if the path is `-`, a link, a pipe or a device.
    """
    path = Path(path)
    if str(path) == "-":
        raise BertNerError("- stands for standard input, not for a file; name a file to write")
    if path.is_symlink():  # which may lead into DVC's cache
        raise BertNerError(f"{path} is a link; name the file that it leads to, {path.readlink()}, or remove the link")
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise BertNerError(f"{path} is a pipe or a device, which can't be written as a whole; name a file")
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}"  # "." has no name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None  # otherwise empty, or the temporary file
        raise


def write_sums(folder: Path) -> None:
    """Write the SHA-256 of every file in a folder into its SHA256SUMS."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    write_whole(folder / SUMS, "".join(f"{sha256_of(path)}  {path.name}\n" for path in files))


def list_sums(folder: Path, sums: Mapping[str, str]) -> None:
    """Write the SHA-256 of files, by their paths below a folder, into its SHA256SUMS."""
    write_whole(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))


def read_sums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that a folder's SHA256SUMS lists; empty if there is no such file."""
    path = folder / SUMS
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def check_sums(folder: Path, remedy: str, names: Iterable[str] | None = None) -> None:
    """Raise Damaged, with a remedy, if a file is missing or differs from its folder's SHA256SUMS, if that exists.

    By default all files that it lists are compared.
    """
    if (folder / SUMS).is_file():
        sums = read_sums(folder)
        for name in sums if names is None else names:
            check_file(folder / name, [sums.get(name, "none")], remedy)


def check_file(path: Path, expected: Iterable[str], remedy: str) -> str:
    """Return a file's SHA-256; raise Damaged if it is missing or differs from a checksum on record."""
    if not path.is_file():
        raise Damaged(f"{path} is missing, but its SHA-256 is on record; {remedy}")
    found = sha256_of(path)
    for digest in expected:
        if digest != found:
            sums = f"its SHA-256 is {found}, expected {digest}"
            raise Damaged(f"{path} is not the file that was written: {sums}; {remedy}")
    return found
