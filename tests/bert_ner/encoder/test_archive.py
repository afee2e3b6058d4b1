"""Parts of a zip -> files; whatever is wrong with them says so, and nothing is written elsewhere."""

from __future__ import annotations

import random
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from bert_ner.encoder import archive
from bert_ner.encoder.archive import ArchiveError, unpack

CONTENTS = {"config.json": b'{"layers": 12}', "model.safetensors": random.Random(0).randbytes(50_000) + bytes(50_000)}


def zipped(contents: dict[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in contents.items():
            target.writestr(name, data)
    return buffer.getvalue()


WHOLE = zipped({f"large/{name}": data for name, data in CONTENTS.items()})


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def parts_of(data: bytes, folder: Path, size: int = 20_000) -> list[Path]:
    paths = []
    for start in range(0, len(data), size):
        paths.append(folder / f"{start}.part")
        paths[-1].write_bytes(data[start : start + size])
    return paths


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_parts_are_joined_in_their_order(tmp_path: Path, target: Path) -> None:
    parts = parts_of(WHOLE, tmp_path)
    assert len(parts) == 3
    unpack(parts, "large", CONTENTS, target)
    assert contents_of(target) == CONTENTS


def test_nothing_else_is_written(tmp_path: Path, target: Path) -> None:
    hostile = {"../evil": b"!", "/tmp/evil": b"!", "large/../../evil": b"!", "large/other": b"?", "config.json": b"!"}
    data = zipped({**hostile, **{f"large/{name}": data for name, data in CONTENTS.items()}})
    before = sorted(tmp_path.rglob("*"))
    parts = parts_of(data, target.parent)
    unpack(parts, "large", ["config.json"], target)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, *parts, target / "config.json"])
    assert contents_of(target) == {"config.json": CONTENTS["config.json"]}


def broken(place: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"<html>",
        lambda data: data[:-1],
        lambda data: data[100:],
        lambda data: data[20_000:] + data[:20_000],
        broken(0),
        broken(150),
        broken(20_000),
        broken(len(WHOLE) - 10),
        lambda data: data.replace(b"\x08\x00", b"\x63\x00"),  # an unknown method of compression
        lambda data: data.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),  # encrypted
    ],
)
def test_damage(tmp_path: Path, target: Path, damage: Callable[[bytes], bytes]) -> None:
    assert damage(WHOLE) != WHOLE
    with pytest.raises(ArchiveError, match="damaged"):
        unpack(parts_of(damage(WHOLE), tmp_path), "large", CONTENTS, target)


def test_any_byte_changed(tmp_path: Path, target: Path) -> None:
    """It is told, or harms none of the files."""
    told = 0
    for place in [*range(0, 120, 3), *range(120, len(WHOLE) - 240, 10_001), *range(len(WHOLE) - 240, len(WHOLE), 5)]:
        parts = parts_of(broken(place)(WHOLE), tmp_path)
        try:
            unpack(parts, "large", CONTENTS, target)
        except ArchiveError:
            told += 1
        else:
            assert contents_of(target) == CONTENTS
    assert told > 30


def test_missing_file(tmp_path: Path, target: Path) -> None:
    with pytest.raises(ArchiveError, match=r"large/vocab\.txt"):
        unpack(parts_of(WHOLE, tmp_path), "large", ["vocab.txt"], target)


def test_too_large(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = parts_of(WHOLE, tmp_path)
    monkeypatch.setattr(archive, "MAX_BYTES", len(WHOLE))
    with pytest.raises(
        ArchiveError, match=rf"model\.safetensors has 100000 bytes, more than the limit of {len(WHOLE)}"
    ):
        unpack(parts, "large", CONTENTS, target)
    monkeypatch.setattr(archive, "MAX_BYTES", len(WHOLE) - 1)
    with pytest.raises(ArchiveError, match=f"{len(WHOLE)} bytes are more than the limit"):
        unpack(parts, "large", CONTENTS, target)


def test_a_file_that_says_it_is_small(tmp_path: Path, target: Path) -> None:
    """No more is written than the directory of the zip announces."""
    size = len(CONTENTS["model.safetensors"])
    lying = WHOLE.replace(struct.pack("<I", size), struct.pack("<I", 10))
    with pytest.raises(ArchiveError, match="damaged"):
        unpack(parts_of(lying, tmp_path), "large", CONTENTS, target)
    assert (target / "model.safetensors").stat().st_size <= 10
