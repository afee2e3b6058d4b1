"""Parts of outputs: tagged, joined, used again, and never taken for those of another input or model."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from capitals import ScoringCapitals
from pyarrow import parquet

from bert_ner.errors import BertNerError
from bert_ner.queries import line_queries, row_queries
from bert_ner.scale import inputs
from bert_ner.scale.inputs import Piece, cut, find_inputs
from bert_ner.scale.parts import Output, done_record, finished_parts, join, tag_piece
from bert_ner.scale.places import Place
from bert_ner.stream import as_json, tag_queries

LINES = (
    b'{"text": "by Ada Brook?", "id": 1, "source": "web", "weight": 1}',
    b'{"words": ["Olaf", "x"], "id": 2, "weight": 0.5, "text": 7}',
    b"no JSON",
    b'{"text": "", "id": null, "source": ["a", 1]}',
    b'{"words": ["\\ud800"], "id": 9223372036854775808}',
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "_CHUNK", 64)
    monkeypatch.setattr(inputs, "_ROWS", 2)


def output_of(path: Path, form: Any = None, model: str = "m") -> Output:
    [item] = find_inputs(Place.of(path), output=form)
    return Output(Place.of(path.parent / "out"), item, model)


def complete(output: Output) -> Path:
    pieces = cut(0, output.item)
    for piece in pieces:
        tag_piece(ScoringCapitals(), output, piece)
    join(output, pieces)
    return Path(output.place.path)


def as_tag_prints(*lines: bytes) -> str:
    groups = tag_queries(ScoringCapitals(), line_queries([lines], "jsonl"))
    return "".join(f"{as_json(answer)}\n" for answers in groups for answer in answers)


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    path = tmp_path / "queries.jsonl"
    path.write_bytes(b"\n".join(LINES))
    return path


def test_json_lines_are_those_of_tag(queries: Path) -> None:
    output = output_of(queries)
    assert len(cut(0, output.item)) > 2
    assert complete(output).read_text() == as_tag_prints(*LINES)
    record = done_record(output)
    assert record
    assert (record["rows"], record["errors"]) == (5, 1)
    assert not (Path(output.folder.path) / ".tag-files/parts/queries.jsonl").exists()


def test_json_lines_as_parquet(queries: Path) -> None:
    """Other keys get the type that holds all values of the file, or stay JSON."""
    table = parquet.read_table(complete(output_of(queries, "parquet")))
    assert table.schema.metadata is None
    types = {name: str(table.schema.field(name).type) for name in table.column_names[6:]}
    assert types == {"id": "string", "source": "string", "weight": "double"}
    first, second, third, fourth, fifth = table.to_pylist()
    expected = [json.loads(line) for line in as_tag_prints(*LINES).splitlines()]
    for row, record in zip((first, fourth), (expected[0], expected[3]), strict=True):
        assert {key: row[key] for key in ("line", "text", "words", "tags", "entities")} == {
            key: record[key] for key in ("line", "text", "words", "tags", "entities")
        }
    assert (first["id"], first["source"], first["weight"], first["error"]) == ("1", '"web"', 1.0, None)
    assert (second["text"], second["weight"], second["source"]) == ("7", 0.5, None)
    assert third["error"].startswith("not JSON")
    assert third["words"] is None
    assert fourth["source"] == '["a", 1]'
    assert (fifth["id"], fifth["error"]) == ("9223372036854775808", "a lone surrogate, which Parquet can't hold")


def test_parquet_keeps_its_other_columns(tmp_path: Path) -> None:
    rows = {
        "tags": pa.array([["old"], None, None]),
        "text": pa.array(["by Ada", None, "no one"]),
        "day": pa.array([0, 1, None], pa.date32()),
        "share": pa.array([float("nan"), 1.0, 2.0], pa.float32()),
        "raw": pa.array([b"\xff", None, b""]),
    }
    described = pa.table(rows).replace_schema_metadata({"huggingface": "{}"})
    parquet.write_table(described, tmp_path / "q.parquet", row_group_size=2)
    table = parquet.read_table(complete(output_of(tmp_path / "q.parquet")))
    assert table.column_names == ["line", "text", "words", "tags", "entities", "error", "day", "share", "raw"]
    assert table.schema.metadata is None
    for name in ("day", "share", "raw"):
        assert table.schema.field(name).type == rows[name].type
        assert str(table[name].combine_chunks().to_pylist()) == str(rows[name].to_pylist())
    assert [row["tags"] for row in table.to_pylist()] == [["O", "B-NAME"], None, ["O", "O"]]
    assert [bool(row["error"]) for row in table.to_pylist()] == [False, True, False]


def test_parquet_as_json_lines_is_as_tag_reads_it(tmp_path: Path) -> None:
    rows = [{"words": ["Ada", "b"], "id": 1}, {"words": None, "id": 2}]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "q.parquet")
    lines = complete(output_of(tmp_path / "q.parquet", "jsonl")).read_text().splitlines()
    [answers] = tag_queries(ScoringCapitals(), [row_queries(rows)])
    assert lines == list(map(as_json, answers))


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_an_empty_file(tmp_path: Path, form: str) -> None:
    (tmp_path / "none.txt").touch()
    done = complete(output_of(tmp_path / "none.txt", form))
    assert parquet.read_table(done).num_rows == 0 if form == "parquet" else done.read_bytes() == b""


def test_finished_parts_are_found_again_and_damaged_ones_are_not(queries: Path) -> None:
    output = output_of(queries)
    pieces = cut(0, output.item)
    for piece in pieces:
        tag_piece(ScoringCapitals(), output, piece)
    assert list(finished_parts(output)) == [piece.place for piece in pieces]
    first = min(Path(output.parts.path).iterdir())
    first.write_bytes(first.read_bytes()[:-1])
    (first.parent / f".{first.name}.abcd").touch()
    assert list(finished_parts(output)) == [piece.place for piece in pieces[1:]]
    assert not finished_parts(output._replace(model="other"))


def test_only_the_parts_of_the_pieces_are_joined(queries: Path) -> None:
    """Another version may have cut the same input in other places."""
    output = output_of(queries)
    size = queries.stat().st_size
    tag_piece(ScoringCapitals(), output, Piece(0, 1, len(LINES), 0, size))
    assert complete(output).read_text() == as_tag_prints(*LINES)


def test_a_part_that_is_missing(queries: Path) -> None:
    output = output_of(queries)
    with pytest.raises(BertNerError, match="the part from row 1 on was removed; run the command again"):
        join(output, cut(0, output.item))
    assert not Path(output.place.path).exists()


def test_a_changed_input_is_done_again(queries: Path) -> None:
    output = output_of(queries)
    done = complete(output)
    assert done_record(output)
    queries.write_bytes(LINES[0])
    changed = output_of(queries)
    assert done_record(changed) is None
    assert complete(changed) == done
    assert done.read_text() == as_tag_prints(LINES[0])


def test_an_input_that_changes_meanwhile(queries: Path) -> None:
    output = output_of(queries)
    os.utime(queries, (0, 0))
    with pytest.raises(BertNerError, match=r"queries\.jsonl changed while it was tagged"):
        complete(output)
    assert not Path(output.place.path).exists()


def test_an_output_that_was_cut_off_is_made_again(queries: Path) -> None:
    done = complete(output_of(queries))
    done.write_bytes(done.read_bytes()[:-1])
    assert done_record(output_of(queries)) is None


def test_outputs_of_others_are_not_replaced(queries: Path) -> None:
    done = complete(output_of(queries))
    with pytest.raises(BertNerError, match=r"out/queries\.jsonl was made with another model or format"):
        done_record(output_of(queries, model="other"))
    (done.parent / ".tag-files/done/queries.jsonl.json").unlink()
    with pytest.raises(BertNerError, match=r"out/queries\.jsonl is not from bert-ner tag-files"):
        done_record(output_of(queries))


def test_a_folder_is_locked_once(tmp_path: Path) -> None:
    place = Place.of(tmp_path / "out/.tag-files")
    with place.locked(), pytest.raises(BertNerError, match=r"another run writes to .*/out; wait"), place.locked():
        raise AssertionError
    with place.locked():
        pass
