"""Read the queries of a file or a stream for `bert-ner tag`: raw text, JSON, text in columns, Parquet.

bert-ner tag conll2003.txt --word-column first --docstart
"""

import codecs
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

from bert_ner.corpus.binary import binary_problem
from bert_ner.corpus.columns import DOCSTART, BioError, Layout, Problem, raise_problems, read_columns
from bert_ner.corpus.entities import Offsets, word_offsets
from bert_ner.corpus.formats import SUFFIXES
from bert_ner.corpus.records import begins_as_json, parquet_rows
from bert_ner.corpus.schemes import ALIASES, SCHEME_TAG, SCHEMES
from bert_ner.errors import BertNerError

MAX_LINE = 2**20  # bytes; the rest of a longer line is never kept
MAX_WORDS = 2**17  # of a line; half a million take 1.4 GB
_CHUNK = 2**16  # bytes: the size of a pipe
SOURCES = ("words", "tokens", "text")  # the keys of a JSON object that may hold the query; the first one there does
OURS = ("line", "words", "tags", "ner_tags", "entities", "error")  # no other keys of a query, gold tags included

QueryFormat = Literal["text", "jsonl", "json", "columns", "parquet"]  # of queries
_IN_COLUMNS = (".conll", ".conllu", ".tsv", *(f".{scheme.lower()}" for scheme in (*SCHEMES, *ALIASES)))
_FORMATS: dict[str, QueryFormat] = {
    **dict.fromkeys(_IN_COLUMNS, "columns"),
    **SUFFIXES,
}


class LineError(BertNerError, ValueError):
    """A line that can't be read; the message says why."""


class Query(NamedTuple):
    """The words of a line, or why it can't be read."""

    line: int  # from 1 on
    words: Sequence[str] = ()
    text: str | None = None  # that the words are from; None if they were given as words
    offsets: Sequence[Offsets] | None = None  # of each word in the text
    others: Mapping[str, Any] = {}  # of a JSON object: what else is in it
    error: str | None = None


def format_of_queries(name: str, layout: Layout, form: QueryFormat | None = None) -> QueryFormat | None:
    """Return the format of a file of queries: the one given, or that of its suffix.

    With any other suffix it is text in columns if the layout has a setting; otherwise nothing is known, which is None.
    Raise BertNerError if the layout has a setting without effect in this format.
    """
    given = [field.name for field in fields(layout) if getattr(layout, field.name) != field.default]
    form = form or _FORMATS.get(Path(name).suffix.lower()) or ("columns" if given else None)
    useful = {"columns": given, "text": []}.get(form or "text", ["docstart"])
    useless = [f"--{option.replace('_', '-')}" for option in given if option not in useful]
    if useless:
        raise BertNerError(
            f"{', '.join(useless)}: no effect, because {name} is read as {form}; "
            f"leave the option out, or read text in columns with --format columns"
        )
    return form


def read_queries(source: int, name: str, layout: Layout, form: QueryFormat | None = None) -> Iterator[list[Query]]:
    """Yield the queries of a file descriptor in groups; those of text and of JSON Lines as they arrive.

    Args:
        name: the file's name, for messages.
        layout: the columns of a text file; `docstart` skips such records of JSON and Parquet, too.
        form: what `format_of_queries` returns. None is text, unless it looks like text in columns or JSON.

    Raises:
        BertNerError: the source can't be read, or is not in this format.
    """
    chunks = read_chunks(source, name)
    start = next(chunks, b"")
    check_beginning(start, name, form)
    chunks = chain([start], chunks)
    if form == "columns":
        groups = iter([column_queries(b"".join(chunks), name, layout)])
    elif form == "json":
        groups = iter([json_queries(b"".join(chunks), name)])
    elif form == "parquet":
        groups = iter([parquet_queries(b"".join(chunks), name)])
    else:
        groups = line_queries(read_lines(chunks), form or "text")
    for queries in groups:
        yield [query for query in queries if not (layout.docstart and [*query.words] == [DOCSTART])]


def check_beginning(start: bytes, name: str, form: QueryFormat | None) -> None:
    """Raise a BertNerError if a file is not of this format by its first bytes; None is text that looks like text."""
    if form != "parquet" and (problem := binary_problem(start)):
        raise BertNerError(f"{name} is {problem}")
    if form is None and (looks := _other_format(start)):
        raise BertNerError(f"{name} looks like {looks}, or tag each line as a query with --format text")


def read_chunks(source: int, name: str) -> Iterator[bytes]:
    """Yield what each read from a file descriptor gives; raise a BertNerError, with its name, if it can't be read.

    A read waits only if there is no input.
    """
    try:
        while chunk := os.read(source, _CHUNK):
            yield chunk
    except OSError as error:
        raise BertNerError(f"{name} can't be read: {error.strerror}") from None


def read_lines(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines that each chunk completes, without their line feeds, so that each is answered at once.

    A line longer than MAX_LINE is cut to MAX_LINE + 1 bytes.
    """
    rest = bytearray()
    for chunk in chunks:
        end, *others = chunk.split(b"\n")
        rest += end[: MAX_LINE + 1 - len(rest)]
        if others:
            yield [bytes(rest), *others[:-1]]
            rest = bytearray(others[-1])
    if rest:
        yield [bytes(rest)]


def line_queries(
    groups: Iterable[Sequence[bytes]], form: Literal["text", "jsonl"], first: int = 1
) -> Iterator[list[Query]]:
    """Yield the queries of each group of lines, in order; `first` is the number of the first line."""
    for lines in groups:
        yield [read_query(line, form, i) for i, line in enumerate(lines, first)]
        first += len(lines)


def column_queries(content: bytes, name: str, layout: Layout) -> list[Query]:
    """Return the words of the sentences of a text file in columns, called `name` in messages.

    Tags do not matter: if only the column of the words is named, there need not be any.

    Raises:
        BioError: there is no sentence, or a line can't be read.
    """
    if layout.word_column is not None and layout.tag_column is None:
        layout = replace(layout, tag_column=layout.word_column)
    try:
        groups, _ = read_columns(content, name, layout)
        raise_problems([entry for group in groups for entry in group if isinstance(entry, Problem)], name)
    except BioError as error:
        if layout.named_columns:
            raise
        raise BioError(f"{error}\nif there are no tags, name the column of the words: --word-column first") from None
    sentences = [[entry for entry in group if not isinstance(entry, Problem)] for group in groups]
    return [_checked(Query(words[0].line, [entry.word for entry in words])) for words in sentences]


def json_queries(content: bytes, name: str) -> list[Query]:
    """Return the queries of a JSON file: a list of objects, {"data": [...]}, or an object in each line.

    Objects are those of `read_query`; of a list, `line` is their number from 1 on. Raise BertNerError, which names the
    file, if it is not JSON.
    """
    lines = content.splitlines()
    try:
        document = _parse_json(_decode(content.removeprefix(codecs.BOM_UTF8), limit=None))
    except LineError as error:
        if len(lines) < 2:
            raise BertNerError(f"{name}: {error}") from None
        return [read_query(line, "jsonl", i) for i, line in enumerate(lines, start=1)]
    records = document.get("data", [document]) if isinstance(document, dict) else document
    if not isinstance(records, list):
        raise BertNerError(f"{name}: not a list of objects, nor an object with a list as its data")
    return [_record_query(i, record) for i, record in enumerate(records, start=1)]


def parquet_queries(content: bytes, name: str) -> list[Query]:
    """Return the queries of a Parquet file, as `row_queries` reads its rows.

    Raises:
        BertNerError: the file is not Parquet, or pyarrow is not installed.
    """
    rows, _ = parquet_rows(content, name)
    return row_queries(rows)


def row_queries(rows: Iterable[Mapping[str, Any]], first: int = 1) -> list[Query]:
    """Return the queries of rows, which are as the objects of `read_query`; `line` is their number, from `first` on.

    A null is no text and no list of words; values that JSON lacks, such as dates, become text.
    """
    records = [{key: value for key, value in row.items() if value is not None or key not in SOURCES} for row in rows]
    return [_json_query(i, json.dumps(record, default=str)) for i, record in enumerate(records, first)]


def read_query(line: bytes, form: Literal["text", "jsonl"], number: int = 1) -> Query:
    r"""Return the query of a line: a text, or a JSON object with "words" (or "tokens"), or with "text".

    An empty line has no words. A query with an error is longer than MAX_LINE or MAX_WORDS, not UTF-8, not JSON, or JSON
    of another shape.
    """
    try:
        text = _decode(line.removeprefix(codecs.BOM_UTF8) if number == 1 else line)
    except LineError as error:
        return Query(number, error=str(error))
    if form == "text" or not text.strip():
        return _text_query(number, text.removesuffix("\r"), {})
    return _json_query(number, text)


def _other_format(start: bytes) -> str | None:
    """Return which format, other than queries in lines, a file seems to have by its start, and how to read it."""
    if begins_as_json(start):
        return "JSON; read it with --format json, or JSON Lines with --format jsonl"
    if _looks_like_columns(start):
        return "text in columns, with a tag in each line; read its words with --format columns"
    return None


def _looks_like_columns(start: bytes) -> bool:
    """Return whether each of the first lines, but comments, begins or ends with a tag, and some with that of an entity.

    A single line is not enough.
    """
    lines = start.decode("utf-8-sig", errors="replace").splitlines()[:100]
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    if len(rows) < 2 or min(map(len, rows)) < 2:
        return False
    return any(
        all(map(SCHEME_TAG.fullmatch, tags)) and {*tags} != {"O"}
        for tags in ([row[0] for row in rows], [row[-1] for row in rows])
    )


def _json_query(number: int, text: str) -> Query:
    try:
        record = _parse_json(text)
    except LineError as error:
        return Query(number, error=str(error))
    return _record_query(number, record)


def _record_query(number: int, record: Any) -> Query:
    source = next((key for key in SOURCES if key in record), None) if isinstance(record, dict) else None
    if source is None:
        return Query(number, error='not a JSON object with "words", "tokens" or "text"')
    others = {key: value for key, value in record.items() if key not in (source, *OURS)}
    value = record[source]
    if source == "text" and isinstance(value, str):
        return _text_query(number, value, others)
    if source != "text" and isinstance(value, list) and all(isinstance(word, str) for word in value):
        return _checked(Query(number, value, others=others))
    expected = "a string" if source == "text" else "a list of strings"
    return Query(number, others=others, error=f'"{source}" is not {expected}')


def _text_query(number: int, text: str, others: Mapping[str, Any]) -> Query:
    offsets = word_offsets(text)
    return _checked(Query(number, [text[start:end] for start, end in offsets], text, offsets, others))


def _checked(query: Query) -> Query:
    """Return a query, or one with an error if it has too many words."""
    if len(query.words) <= MAX_WORDS:
        return query
    error = f"{len(query.words):,} words; the limit is {MAX_WORDS:,}; write a sentence in each line"
    return Query(query.line, others=query.others, error=error)


def _decode(line: bytes, limit: int | None = MAX_LINE) -> str:
    if limit and len(line) > limit:
        raise LineError(f"longer than {limit:,} bytes")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise LineError(f"byte {error.start + 1} is 0x{line[error.start]:02x}, which is not UTF-8 there") from None


def _parse_json(text: str) -> Any:
    def reject(constant: str) -> NoReturn:
        raise LineError(f"not JSON that can be written again: {constant} is not a finite number")

    def finite(number: str) -> float:
        return value if math.isfinite(value := float(number)) else reject(number)

    try:
        return json.loads(text, parse_constant=reject, parse_float=finite)
    except LineError:
        raise
    except json.JSONDecodeError as error:
        raise LineError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise LineError("JSON that is nested too deeply") from None
    except ValueError as error:  # a number with thousands of digits
        raise LineError(f"not JSON that can be read: {error}") from None
