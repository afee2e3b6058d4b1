"""Folders and files on any file system that pyarrow reads: this machine's, S3, Google Cloud Storage, HDFS."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import pyarrow as pa
from pyarrow import fs

from bert_ner.errors import BertNerError, first_line


class Place(NamedTuple):
    """A file or a folder."""

    filesystem: Any  # of pyarrow
    path: str

    @classmethod
    def of(cls, address: str | os.PathLike[str]) -> Self:
        """Return the place of a path or of an address such as s3://bucket/folder; raise BertNerError if it is none."""
        if "://" not in str(address):
            return cls(fs.LocalFileSystem(), os.path.abspath(address))  # noqa: PTH100 - keeps links, whose names count
        try:
            filesystem, path = fs.FileSystem.from_uri(str(address))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise BertNerError(f"{address} is no address that pyarrow reads: {first_line(error)}") from None
        return cls(filesystem, path)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine's file system."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def __truediv__(self, name: str) -> Self:
        """Return a place in this folder."""
        return self._replace(path=f"{self.path.rstrip('/')}/{name}" if self.path else name)

    def is_within(self, other: Self) -> bool:
        """Return whether this is another place, or in it."""
        paths = [os.path.realpath(place.path) if place.is_local else place.path.rstrip("/") for place in (self, other)]
        return f"{paths[0]}/".startswith(f"{paths[1]}/") and bool(self.filesystem == other.filesystem)

    def info(self) -> Any:
        """Return pyarrow's FileInfo: type, size, time of the last change."""
        return self.filesystem.get_file_info(self.path)

    def is_file(self) -> bool:
        """Return whether there is a file."""
        return bool(self.info().is_file)

    def files(self) -> list[Any]:
        """Return the FileInfo of each file in this folder and in those below, by path; none if there is no folder."""
        selector = fs.FileSelector(self.path, recursive=True, allow_not_found=True)
        infos = [info for info in self.filesystem.get_file_info(selector) if info.is_file]
        return sorted(infos, key=lambda info: info.path)

    def read(self) -> bytes:
        """Return a file's content."""
        with self.filesystem.open_input_stream(self.path) as stream:
            content: bytes = stream.read()
        return content

    def write(self, content: bytes) -> None:
        """Write a file, and the folders that it needs, so that it is whole or absent."""
        with self.writing() as stream:
            stream.write(content)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """Open a stream to a new file, which gets its name when it is complete."""
        folder, _, name = self.path.rpartition("/")
        unfinished = self._replace(path=f"{folder}/.{name}.{secrets.token_hex(4)}")  # two may write the same one
        self.filesystem.create_dir(folder)
        try:
            with self.filesystem.open_output_stream(unfinished.path) as stream:
                yield stream
            unfinished.move_to(self)
        except BaseException:
            unfinished.remove()
            raise

    def move_to(self, target: Self) -> None:
        """Move a file to another place of the same file system, in a folder that is made if it is not there."""
        self.filesystem.create_dir(target.path.rpartition("/")[0])
        self.filesystem.move(self.path, target.path)

    def remove(self) -> None:
        """Remove a file or a folder with all that is in it, if there is one."""
        info = self.info()
        if info.is_file:
            self.filesystem.delete_file(self.path)
        elif info.type == fs.FileType.Directory:
            self.filesystem.delete_dir(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make a folder, and lock it until the process ends at the latest; raise BertNerError if another has it.

        Other file systems than this machine's have no locks.
        """
        self.filesystem.create_dir(self.path)
        if not self.is_local:
            yield
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                folder = Path(self.path).parent
                raise BertNerError(
                    f"another run writes to {folder}; wait for its end, or name another folder"
                ) from None
            yield
        finally:
            os.close(descriptor)
