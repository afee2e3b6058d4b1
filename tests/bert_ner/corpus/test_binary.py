"""What files are that are not text, and the remedy for each."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from bert_ner.corpus.binary import binary_problem

TEXT = b"show me westerns\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(TEXT, mtime=0), "compressed by gzip, not text; decompress it first, with gzip -d"),
        (bz2.compress(TEXT), "compressed by bzip2, not text; decompress it first, with bzip2 -d"),
        (lzma.compress(TEXT), "compressed by xz, not text; decompress it first, with xz -d"),
        (b"PK\x03\x04\x14", "a zip archive, not text; unpack it first"),
        (TEXT.decode().encode("utf-16"), "UTF-16, not text; convert it with iconv -f utf-16 -t utf-8"),
        (TEXT.decode().encode("utf-32"), "UTF-32, not text; convert it with iconv -f utf-32 -t utf-8"),
        (TEXT.decode().encode("utf-16-le"), "not text, because byte 2 is NUL; if it is UTF-16, convert it with iconv"),
        (b"\x7fELF\x02\x01\x01\x00", "not text, because byte 8 is NUL"),
    ],
)
def test_binary(content: bytes, message: str) -> None:
    assert (binary_problem(content) or "").startswith(message)


@pytest.mark.parametrize("content", [TEXT, b"", "\ufeffcafé".encode(), "café".encode("latin-1"), b"PAR1 films", b"PK"])
def test_text(content: bytes) -> None:
    assert binary_problem(content) is None


@pytest.mark.parametrize("rows", [[], [{"text": "westerns"}]])
def test_parquet(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    schema = arrow.schema([("text", arrow.string())])
    parquet.write_table(arrow.Table.from_pylist(rows, schema), tmp_path / "file")
    start = (tmp_path / "file").read_bytes()[:5]
    assert binary_problem(start) == "Parquet, not text; read it with --format parquet"
