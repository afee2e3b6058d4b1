"""Tag a piece of an input into a part of its output, and join the parts.

    OUT/queries.jsonl                                   an output, which appears when it is complete
    OUT/.tag-files/done/queries.jsonl.json              what it was made from, and its size
    OUT/.tag-files/parts/queries.jsonl/<key>/...        its parts until then

The name of a part says which rows it has and how large it is. So a part that is there is not made again, and one that
a crash of the machine cut off is. The key stands for the input and the model: parts of another are not used.
"""

import hashlib
import json
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from bert_ner.errors import BertNerError, first_line
from bert_ner.queries import SOURCES, row_queries
from bert_ner.scale.inputs import Input, Piece, read_lines_of, read_rows
from bert_ner.scale.places import Place
from bert_ner.scale.records import answers_table, common_kinds, json_table, kinds_in, other_columns, with_types
from bert_ner.stream import Answer, as_json, tag_queries
from bert_ner.tagger import Tagger

STATE = ".tag-files"


class Output(NamedTuple):
    """An output: where it goes, and what it is made from."""

    folder: Place
    item: Input
    model: str  # a SHA-256

    @property
    def place(self) -> Place:
        """The file."""
        return self.folder / self.item.output

    @property
    def record(self) -> Place:
        """The file that says what a complete output was made from."""
        return self.folder / f"{STATE}/done/{self.item.output}.json"

    @property
    def sources(self) -> dict[str, Any]:
        """What decides an output: the input's size and time, how it is read, and the model."""
        return {"bytes": self.item.size, "changed": self.item.changed, **self.settings}

    @property
    def settings(self) -> dict[str, Any]:
        """The sources that a run sets."""
        return {"format": self.item.form or "text", "model": self.model}

    @property
    def all_parts(self) -> Place:
        """The folder of the parts, of other sources, too."""
        return self.folder / f"{STATE}/parts/{self.item.output}"

    @property
    def parts(self) -> Place:
        """The folder of the parts."""
        return self.all_parts / hashlib.sha256(json.dumps(self.sources).encode()).hexdigest()[:16]

    @property
    def is_parquet(self) -> bool:
        """Whether it is Parquet, not JSON Lines."""
        return self.item.output.endswith(".parquet")


class Part(NamedTuple):
    """A finished part: the place of its piece, its rows and how many of these are errors."""

    start: int
    end: int
    rows: int
    errors: int
    size: int = 0  # bytes

    @property
    def name(self) -> str:
        """The name of its file; parts sort by it."""
        return ".".join(f"{number:012}" for number in self)


def done_record(output: Output) -> dict[str, Any] | None:
    """Return the record of an output that is complete and made from these sources; None if it has to be made.

    Raises:
        BertNerError: it was made by another model or in another way, or not by this command.
    """
    size = output.place.info().size if output.place.is_file() else None
    if not output.record.is_file():
        if size is not None:
            raise BertNerError(f"{output.place.path} is not from bert-ner tag-files; move it, or name another folder")
        return None
    record: dict[str, Any] = json.loads(output.record.read())
    if any(record[key] != value for key, value in output.settings.items()):
        raise BertNerError(
            f"{output.place.path} was made with another model or format; name another folder, or remove this one"
        )
    is_whole = size == record["output_bytes"]
    return record if is_whole and all(record[key] == value for key, value in output.sources.items()) else None


def finished_parts(output: Output) -> dict[tuple[int, int], Part]:
    """Return the parts that are there, by their first and last place, in order."""
    parts = {}
    for info in output.parts.files():
        numbers = info.base_name.split(".")
        if len(numbers) == len(Part._fields) and all(numbers):  # else unfinished
            part = Part(*map(int, numbers))
            if part.size == info.size:
                parts[part.start, part.end] = part
    return parts


def tag_piece(tagger: Tagger, output: Output, piece: Piece) -> Part:
    """Tag a piece, and write its part; raise BertNerError if one can't be read or the other not written."""
    item, rows = output.item, None
    try:
        if item.is_parquet:
            rows = read_rows(item, piece)
            used = [name for name in rows.column_names if name in SOURCES or not output.is_parquet]
            queries = row_queries(rows.select(used).to_pylist(), piece.first)
        else:
            queries = read_lines_of(item, piece)
        answers = list(chain.from_iterable(tag_queries(tagger, [queries])))
        if output.is_parquet:
            content, errors = _as_parquet(answers, rows)
        else:
            content = "".join(f"{as_json(answer)}\n" for answer in answers).encode()
            errors = sum(answer.query.error is not None for answer in answers)
        part = Part(piece.start, piece.end, len(answers), errors, len(content))
        (output.parts / part.name).write(content)
    except (pa.ArrowException, OSError) as error:
        raise BertNerError(f"{output.place.path}, from row {piece.first:,} on: {first_line(error)}") from None
    return part


def _as_parquet(answers: Sequence[Answer], rows: Any) -> tuple[bytes, int]:
    """Return a Parquet file with answers and the other columns, and how many are errors."""
    table = answers_table(answers)
    others = json_table(answers) if rows is None else rows.select(other_columns(rows.column_names))
    for field, column in zip(others.schema, others.columns, strict=True):
        table = table.append_column(field, column)
    # The metadata of a Parquet file describes columns that the output may not have.
    table = table.replace_schema_metadata(others.schema.metadata if rows is None else None)
    target = pa.BufferOutputStream()
    parquet.write_table(table, target)
    return target.getvalue().to_pybytes(), table.num_rows - table["error"].null_count


def join(output: Output, pieces: Sequence[Piece]) -> None:
    """Write an output from the parts of its pieces, say what it was made from, and remove the parts.

    Raises:
        BertNerError: the input has changed since it was cut, or a file can't be read or written.
    """
    info, item = output.item.place.info(), output.item
    if (info.size, info.mtime_ns) != (item.size, item.changed):
        raise BertNerError(f"{item.place.path} changed while it was tagged; run the command again")
    found = finished_parts(output)
    if missing := [piece.first for piece in pieces if piece.place not in found]:
        raise BertNerError(
            f"{output.place.path}: the part from row {missing[0]:,} on was removed; run the command again"
        )
    parts = [found[piece.place] for piece in pieces]
    places = [output.parts / part.name for part in parts]
    whole = output.all_parts / "whole"
    try:
        with whole.writing() as stream:
            (_join_parquet if output.is_parquet else _join_lines)(stream, places)
        counts = {"rows": sum(part.rows for part in parts), "errors": sum(part.errors for part in parts)}
        record = {**output.sources, **counts, "output_bytes": whole.info().size}
        output.place.remove()  # an older one must not pass for the one that the record describes
        output.record.write(json.dumps(record, indent=2).encode())
        whole.move_to(output.place)
        output.all_parts.remove()
    except (pa.ArrowException, OSError) as error:
        raise BertNerError(f"{output.place.path} can't be written: {first_line(error)}") from None


def _join_lines(stream: Any, places: Sequence[Place]) -> None:
    for place in places:
        stream.write(place.read())


def _join_parquet(stream: Any, places: Sequence[Place]) -> None:
    """Write a row group for each part."""
    schemas = []
    for place in places:
        with place.filesystem.open_input_file(place.path) as file:
            schemas.append(parquet.read_schema(file))
    kinds = common_kinds(map(kinds_in, schemas))
    with parquet.ParquetWriter(stream, with_types(schemas[0].empty_table(), kinds).schema) as writer:
        for place in places:
            with place.filesystem.open_input_file(place.path) as file:
                writer.write_table(with_types(parquet.read_table(file), kinds))
