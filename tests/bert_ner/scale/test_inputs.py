"""The files to tag, and the pieces that they are cut into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import fs, parquet

from bert_ner.errors import BertNerError
from bert_ner.queries import line_queries, row_queries
from bert_ner.scale import inputs
from bert_ner.scale.inputs import cut, find_inputs, read_lines_of, read_rows
from bert_ner.scale.places import Place


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pieces of a few rows."""
    monkeypatch.setattr(inputs, "_CHUNK", 16)
    monkeypatch.setattr(inputs, "_ROWS", 3)


def made(folder: Path, *names: str) -> Place:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("a query\n")
    return Place.of(folder)


def test_files_of_a_folder_and_their_outputs(tmp_path: Path) -> None:
    place = made(tmp_path, "b.txt", "a.jsonl", "sub/c.ndjson", "sub/d.parquet", ".hidden.txt", "_sums/x.txt")
    found = [(item.output, item.form) for item in find_inputs(place)]
    assert found == [("a.jsonl", "jsonl"), ("b.jsonl", None), ("sub/c.jsonl", "jsonl"), ("sub/d.parquet", "parquet")]
    assert {item.output[-8:] for item in find_inputs(place, output="parquet")} >= {".parquet"}


def test_a_single_file_needs_no_suffix(tmp_path: Path) -> None:
    [item] = find_inputs(made(tmp_path, "queries") / "queries")
    assert (item.output, item.form) == ("queries.jsonl", None)


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "no file in it"),
        (["a.txt", "a.jsonl"], "would both be written to a.jsonl"),
        (["a.txt", "README.md"], "README.md: the suffix names no format"),
        (["a.json"], "a.json: only text, JSON Lines and Parquet"),
        (["a.conll"], "a.conll: only text, JSON Lines and Parquet"),
    ],
)
def test_folders_that_are_refused(tmp_path: Path, names: list[str], complaint: str) -> None:
    with pytest.raises(BertNerError, match=complaint):
        find_inputs(made(tmp_path, *names))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BertNerError, match="no such file or folder"):
        find_inputs(Place.of(tmp_path / "absent"))


def test_other_file_systems() -> None:
    memory = fs._MockFileSystem()
    memory.create_dir("in/sub")
    for name in ("in/a.txt", "in/sub/b.txt"):
        with memory.open_output_stream(name) as stream:
            stream.write(b"one\ntwo")
    for place in (Place(memory, "in"), Place(fs.SubTreeFileSystem("in", memory), "")):
        found = find_inputs(place)
        assert [item.output for item in found] == ["a.jsonl", "sub/b.jsonl"]
        [piece] = cut(0, found[1])
        assert [query.text for query in read_lines_of(found[1], piece)] == ["one", "two"]


def test_an_address_that_is_none() -> None:
    with pytest.raises(BertNerError, match="gopher://x/y is no address that pyarrow reads"):
        Place.of("gopher://x/y")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"one", b"one\n", b"a b\n" * 40, b"a b\r\n\n" * 20 + b"end", b"x" * 100 + b"\nshort\n" + b"y" * 50],
)
def test_pieces_of_text_are_the_whole_text(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "queries.txt"
    path.write_bytes(content)
    [item] = find_inputs(Place.of(path))
    pieces = cut(0, item)
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    whole = next(line_queries([lines], "text"))
    assert [query for piece in pieces for query in read_lines_of(item, piece)] == whole
    assert sum(piece.rows for piece in pieces) == len(lines)
    assert len(pieces) > 1 or len(lines) <= 3


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("groups", [1, 2, 5, 100])
def test_pieces_of_parquet_are_the_whole_file(tmp_path: Path, groups: int) -> None:
    rows = [{"text": f"query {i}", "id": i} for i in range(17)]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "q.parquet", row_group_size=groups)
    [item] = find_inputs(Place.of(tmp_path / "q.parquet"))
    pieces = cut(0, item)
    assert [row for piece in pieces for row in read_rows(item, piece).to_pylist()] == rows
    queries = [query for piece in pieces for query in row_queries(read_rows(item, piece).to_pylist(), piece.first)]
    assert queries == row_queries(rows)
    assert all(piece.rows <= 3 for piece in pieces)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.txt", json.dumps({"text": "a"}).encode(), "a.txt looks like JSON"),
        ("a.txt", b"a\0b", "a.txt is not text"),
        ("a.jsonl", b"\x1f\x8b...", "a.jsonl is compressed by gzip"),
        ("a.parquet", b"no Parquet at all", "a.parquet can't be read"),
    ],
)
def test_files_that_are_not_in_their_format(tmp_path: Path, name: str, content: bytes, complaint: Any) -> None:
    (tmp_path / name).write_bytes(content)
    [item] = find_inputs(Place.of(tmp_path / name))
    with pytest.raises(BertNerError, match=complaint):
        cut(0, item)
