"""Files that are whole or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole


@pytest.fixture(params=[0o022, 0o077, 0o002], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize(
    ("content", "expected"),
    [("", b""), (b"", b""), ("é\r\n\n", b"\xc3\xa9\r\n\n"), (b"\xff\x00\r", b"\xff\x00\r")],
)
def test_content_is_kept_byte_by_byte(tmp_path: Path, content: str | bytes, expected: bytes) -> None:
    write_whole(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == expected


def test_missing_folders_are_made_and_old_files_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_whole(str(path), "a longer old text")
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_bare_name_is_written_into_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_whole("file", "text")
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask to respect")
def test_the_umask_is_respected_and_left_alone(tmp_path: Path, umask: int) -> None:
    write_whole(tmp_path / "file", "text")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask
    assert os.umask(umask) == umask


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "Ctrl-C"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        write_whole(path, "new")
    with pytest.raises(type(error)):
        write_whole(tmp_path / "never", "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_only_a_regular_file_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("real").write_text("old")
    Path("link").symlink_to("real")
    Path("dangling").symlink_to("nothing")
    os.mkfifo("pipe")
    before = sorted(Path().iterdir())
    for name, message in [
        ("-", "^- stands for standard input, not for a file; name a file to write$"),
        ("link", "^link is a link; name the file that it leads to, real, or remove the link$"),
        ("dangling", "^dangling is a link"),
        ("/dev/stdout", "^/dev/stdout is a link"),
        ("pipe", "^pipe is a pipe or a device, which can't be written as a whole; name a file$"),
        ("/dev/null", "^/dev/null is a pipe or a device"),
    ]:
        with pytest.raises(BertNerError, match=message):
            write_whole(name, "new")
    assert (sorted(Path().iterdir()), Path("real").read_text()) == (before, "old")
    assert Path("pipe").is_fifo()


def test_text_that_utf8_cannot_hold_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "file", "\ud800")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "expected"),
    [  # NIST's examples for SHA-256
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (b"a" * 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ],
    ids=["empty", "abc", "a million a"],
)
def test_sha256_known_answers(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "file").write_bytes(content)
    assert sha256_of(tmp_path / "file") == sha256_of(str(tmp_path / "file")) == expected
