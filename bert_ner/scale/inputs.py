"""Find the files to tag, and cut them into pieces that are tagged one by one."""

from collections.abc import Iterator
from itertools import chain
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple, cast

import pyarrow as pa
from pyarrow import fs, parquet

from bert_ner.corpus.columns import Layout
from bert_ner.errors import BertNerError, first_line
from bert_ner.queries import Query, check_beginning, format_of_queries, line_queries, read_lines
from bert_ner.scale.places import Place

Form = Literal["text", "jsonl", "parquet"]
OutputForm = Literal["jsonl", "parquet"]
_CHUNK = 2**18  # bytes
_ROWS, _BYTES = 2**12, 2**24  # of a piece, about: a few seconds of work, which is what a crash costs


class Input(NamedTuple):
    """A file to tag."""

    place: Place
    output: str  # the path of its output in the output's folder
    form: Form | None  # None is text by its suffix
    size: int  # bytes
    changed: int  # when it was changed last, in nanoseconds since 1970

    @property
    def is_parquet(self) -> bool:
        """Whether the file is Parquet."""
        return self.form == "parquet"


class Piece(NamedTuple):
    """A part of an input that one actor tags at once."""

    input: int  # the index of the input
    first: int  # the number of its first row, from 1 on
    rows: int
    start: int  # its first byte or, of Parquet, row, from 0 on
    end: int  # the one after its last

    @property
    def place(self) -> tuple[int, int]:
        """Where it starts and ends."""
        return self.start, self.end


def find_inputs(source: Place, form: Form | None = None, output: OutputForm | None = None) -> list[Input]:
    """Return a file, or those in a folder and below it, by path. Hidden files, and those named _..., are not read.

    Args:
        source: the file or the folder.
        form: the format of all files; by default that of their suffixes.
        output: the format of all outputs; by default Parquet for Parquet, and JSON Lines for the rest.

    Raises:
        BertNerError: there is no file, a format is unknown, or two outputs would have the same name.
    """
    info = source.info()
    if info.type == fs.FileType.NotFound:
        raise BertNerError(f"{source.path}: no such file or folder")
    folder = source.path if info.type == fs.FileType.Directory else source.path.rpartition("/")[0]
    infos = source.files() if info.type == fs.FileType.Directory else [info]
    inputs: dict[str, Input] = {}
    for info in infos:
        name = info.path.removeprefix(folder).lstrip("/")
        if len(infos) > 1 and any(part.startswith((".", "_")) for part in name.split("/")):
            continue
        its_form = form or _form_of(name, strict=info.path != source.path)
        suffix = output or ("parquet" if its_form == "parquet" else "jsonl")
        target = str(PurePosixPath(name).with_suffix(f".{suffix}"))
        if target in inputs:
            raise BertNerError(
                f"{inputs[target].place.path} and {info.path} would both be written to {target}; rename one of them"
            )
        inputs[target] = Input(source._replace(path=info.path), target, its_form, info.size, info.mtime_ns)
    if not inputs:
        raise BertNerError(f"{source.path}: no file in it")
    return list(inputs.values())


def _form_of(name: str, strict: bool) -> Form | None:
    """Return the format that a suffix names; any other suffix is text, but for files of a folder only .txt is."""
    form = format_of_queries(name, Layout())
    if form in ("json", "columns"):
        raise BertNerError(f"{name}: only text, JSON Lines and Parquet can be cut into pieces; bert-ner tag reads it")
    if strict and form is None and PurePosixPath(name).suffix.lower() != ".txt":
        raise BertNerError(f"{name}: the suffix names no format; move it elsewhere, or give the format of all files")
    return cast(Form | None, form)


def cut(number: int, item: Input) -> list[Piece]:
    """Cut an input, whose index is `number`, into pieces: an empty one into one that is empty.

    Raise BertNerError if it is not in its format.
    """
    try:
        with item.place.filesystem.open_input_file(item.place.path) as file:
            pieces = list(_cut_parquet(number, file) if item.is_parquet else _cut_lines(number, file, item))
            return pieces or [Piece(number, 1, 0, 0, 0)]
    except (pa.ArrowException, OSError) as error:
        raise BertNerError(f"{item.place.path} can't be read: {first_line(error)}") from None


def _cut_lines(number: int, file: Any, item: Input) -> Iterator[Piece]:
    """Yield pieces that end with a line; each ends at the last line of a chunk."""
    first, rows, start, place = 1, 0, 0, 0
    while chunk := file.read(_CHUNK):
        if not place:
            check_beginning(chunk, item.place.path, item.form)
        rows += chunk.count(b"\n")
        end = place + chunk.rfind(b"\n") + 1  # unless the chunk has none
        place += len(chunk)
        if b"\n" in chunk and (rows >= _ROWS or end - start >= _BYTES):
            yield Piece(number, first, rows, start, end)
            first, rows, start = first + rows, 0, end
    if place > start:
        file.seek(place - 1)
        yield Piece(number, first, rows + (file.read(1) != b"\n"), start, place)


def _cut_parquet(number: int, file: Any) -> Iterator[Piece]:
    """Yield pieces that do not cross row groups."""
    metadata = parquet.ParquetFile(file).metadata
    begin = 0
    for group in (metadata.row_group(i) for i in range(metadata.num_row_groups)):
        step = max(1, min(_ROWS, _BYTES * group.num_rows // max(group.total_byte_size, 1)))
        for start in range(begin, begin + group.num_rows, step):
            end = min(start + step, begin + group.num_rows)
            yield Piece(number, start + 1, end - start, start, end)
        begin += group.num_rows


def read_lines_of(item: Input, piece: Piece) -> list[Query]:
    """Return the queries of a piece of a text or of JSON Lines."""
    with item.place.filesystem.open_input_file(item.place.path) as file:
        file.seek(piece.start)
        sizes = [min(_CHUNK, piece.end - start) for start in range(piece.start, piece.end, _CHUNK)]
        form: Literal["text", "jsonl"] = "jsonl" if item.form == "jsonl" else "text"
        return list(chain.from_iterable(line_queries(read_lines(map(file.read, sizes)), form, piece.first)))


def read_rows(item: Input, piece: Piece) -> Any:
    """Return the rows of a piece of Parquet as a table of Arrow."""
    with item.place.filesystem.open_input_file(item.place.path) as file:
        source = parquet.ParquetFile(file, pre_buffer=False, buffer_size=_CHUNK)
        return pa.Table.from_batches(_batches(source, piece), source.schema_arrow)


def _batches(source: Any, piece: Piece) -> Iterator[Any]:
    begin = 0
    for group in range(source.num_row_groups):
        rows = source.metadata.row_group(group).num_rows
        if begin <= piece.start < begin + rows:
            for batch in source.iter_batches(_ROWS, [group], use_threads=False):
                first, last = max(piece.start - begin, 0), min(piece.end - begin, batch.num_rows)
                if first < last:
                    yield batch.slice(first, last - first)
                begin += batch.num_rows
                if begin >= piece.end:
                    return
        else:
            begin += rows
