"""Queries from bytes: lines, JSON, text in columns and Parquet, and the choice between them."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from bert_ner.corpus.columns import Layout
from bert_ner.errors import BertNerError
from bert_ner.queries import (
    MAX_LINE,
    Query,
    QueryFormat,
    column_queries,
    format_of_queries,
    json_queries,
    parquet_queries,
    read_chunks,
    read_lines,
    read_queries,
    read_query,
)


def lines_of(path: Path, content: bytes) -> list[bytes]:
    path.write_bytes(content)
    with path.open("rb", buffering=0) as file:
        return [line for group in read_lines(read_chunks(file.fileno(), "file")) for line in group]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a b\nc", [b"a b", b"c"]),
        (b"a b\nc\n", [b"a b", b"c"]),
        (b"a\n\n\nb\n", [b"a", b"", b"", b"b"]),
        (b"a\r\nb\rc\x0b\x85\n", [b"a\r", b"b\rc\x0b\x85"]),
        (b"x" * 200_000 + b"\n" + b"y" * 70_000, [b"x" * 200_000, b"y" * 70_000]),
        (b"x" * MAX_LINE + b"\nz\n", [b"x" * MAX_LINE, b"z"]),
    ],
)
def test_lines(tmp_path: Path, content: bytes, lines: list[bytes]) -> None:
    assert lines_of(tmp_path / "file", content) == lines


def test_no_more_than_the_limit_is_held_of_a_line_without_end(tmp_path: Path) -> None:
    content = b"x" * (24 * MAX_LINE) + b"\nand on\n" + b"y" * (MAX_LINE + 1)
    (tmp_path / "file").write_bytes(content)
    del content
    tracemalloc.start()
    with (tmp_path / "file").open("rb", buffering=0) as file:
        lines = [(len(line), line[:6]) for group in read_lines(read_chunks(file.fileno(), "file")) for line in group]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines == [(MAX_LINE + 1, b"xxxxxx"), (6, b"and on"), (MAX_LINE + 1, b"yyyyyy")]
    assert peak < 4 * MAX_LINE


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"words": ["a b", "", "\\ud800", "\\u0000"]}', ["a b", "", "\ud800", "\0"]),
        (b'{"text": " Ada  \\n Brook\\t"}\r', ["Ada", "Brook"]),
        (b'{"words": ["a"], "text": 3, "id": [[1e99]]}', ["a"]),
        (b'{"tokens": ["a?", "b"]}', ["a?", "b"]),
        (b'{"text": "a?b"}', ["a", "?", "b"]),
        (b'{"text": "\\ud800a."}', ["\ud800a", "."]),
        (b'{"words": []}', []),
        (b'{"text": ""}', []),
        ('{"text": "\\u00e9 é 🎬 \\ud83c\\udfac"}'.encode(), ["é", "é", "🎬", "🎬"]),
    ],
)
def test_words_in_json(line: bytes, words: list[str]) -> None:
    assert read_query(line, "jsonl").words == words


def test_a_file_in_columns_gives_its_words() -> None:
    queries = column_queries(b"by O\nAda X-X\n\n\nyes O\n", "file", Layout(order="word-first"))
    assert [(query.line, query.words) for query in queries] == [(1, ["by", "Ada"]), (5, ["yes"])]
    with pytest.raises(BertNerError, match=r"^file:2: 3 columns"):
        column_queries(b"by O\nAda NN B-X\n", "file", Layout())


@pytest.mark.parametrize(
    "content",
    [
        b'[{"text": "by Ada", "id": 1}, 7]',
        b'{"data": [{"text": "by Ada", "id": 1}, 7], "names": ["O"]}',
        b'{"text": "by Ada", "id": 1}\n7\n',
    ],
)
def test_a_json_file_gives_its_objects(content: bytes) -> None:
    first, second = json_queries(content, "file")
    assert (first.line, first.words, first.others) == (1, ["by", "Ada"], {"id": 1})
    assert (second.line, second.error) == (2, 'not a JSON object with "words", "tokens" or "text"')


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"{", "not JSON"), (b"\xff", "byte 1 is 0xff"), (b'{"data": 3}', "not a list of objects"), (b"3", "not a list")],
)
def test_a_broken_json_file(content: bytes, complaint: str) -> None:
    with pytest.raises(BertNerError, match=f"^file: .*{complaint}"):
        json_queries(content, "file")


def queries_in(path: Path, layout: Layout, form: QueryFormat | None = None) -> list[Query]:
    """Read a file as `bert-ner tag` does."""
    form = format_of_queries(path.name, layout, form)
    with path.open("rb", buffering=0) as file:
        return [query for group in read_queries(file.fileno(), path.name, layout, form) for query in group]


PLAIN = b"by O\nAda B-X\n\nyes O\n"
THREE = b"1 by O\n2 Ada B-X\n\n1 yes O\n"
ALONE = b"by\nAda\n\nyes\n"


@pytest.mark.parametrize(
    "name", ["bio", "bioes", "iobes", "bilou", "iob", "iob1", "iob2", "io", "ioe", "conllu", "TSV"]
)
def test_text_in_columns_by_its_suffix(tmp_path: Path, name: str) -> None:
    (tmp_path / f"a.{name}").write_bytes(PLAIN)
    assert [query.words for query in queries_in(tmp_path / f"a.{name}", Layout())] == [["by", "Ada"], ["yes"]]


@pytest.mark.parametrize("name", ["a.txt", "a", "a.bio"])
@pytest.mark.parametrize(
    ("content", "layout"),
    [
        (THREE, Layout(word_column=1)),
        (THREE, Layout(word_column=1, tag_column=-1)),
        (PLAIN, Layout(tag_column=-1)),
        (PLAIN, Layout(order="word-first")),
        (b"# one\n" + PLAIN, Layout(comments="#")),
        (b"-DOCSTART- O\n\n" + PLAIN, Layout(docstart=True)),
        (ALONE, Layout(word_column=0)),
    ],
)
def test_text_in_columns_by_an_option(tmp_path: Path, name: str, content: bytes, layout: Layout) -> None:
    (tmp_path / name).write_bytes(content)
    assert [query.words for query in queries_in(tmp_path / name, layout)] == [["by", "Ada"], ["yes"]]


def test_words_alone_need_an_option_that_the_error_names() -> None:
    with pytest.raises(BertNerError, match=r"name the column of the words: --word-column first$"):
        column_queries(ALONE, "file", Layout())


@pytest.mark.parametrize(
    ("name", "form", "layout", "message"),
    [
        ("a.json", None, Layout(word_column=0), "--word-column: no effect, because a.json is read as json"),
        ("a.jsonl", None, Layout(tag_column=0), "--tag-column: no effect, because a.jsonl is read as jsonl"),
        ("a.parquet", None, Layout(order="tag-first"), "--order: no effect, because a.parquet is read as parquet"),
        ("a.bio", "json", Layout(comments="#"), "--comments: no effect, because a.bio is read as json"),
        ("a.txt", "text", Layout(docstart=True), "--docstart: no effect, because a.txt is read as text"),
        ("a", "text", Layout(comments="#", docstart=True), "--comments, --docstart: no effect, because a is read as"),
    ],
)
def test_an_option_without_effect_is_an_error(
    name: str, form: QueryFormat | None, layout: Layout, message: str
) -> None:
    with pytest.raises(BertNerError, match=f"^{message}.*--format columns$"):
        format_of_queries(name, layout, form)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        b"O\tby\nB-X\tAda\n\nO\tyes\n",
        b"\xef\xbb\xbfO\tby\nS-X\tAda\n",
        b"-DOCSTART- -X- -X- O\n\nby IN O O\nAda NNP B-NP B-X\n",
        b"# one\nby O\nAda B-X\n",
    ],
)
def test_text_in_columns_is_not_taken_for_queries(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(BertNerError, match=r"^a\.txt looks like text in columns.*--format columns.*--format text$"):
        queries_in(tmp_path / "a.txt", Layout())
    assert queries_in(tmp_path / "a.txt", Layout(), "text")[-1].words


@pytest.mark.parametrize(
    "content", [b'{"text": "by Ada"}\n', b'\xef\xbb\xbf{ "id": 7}', b'[\n {"tokens": ["by"]}\n]', b'{"data": []}']
)
def test_json_is_not_taken_for_queries(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(BertNerError, match=r"^a looks like JSON; .* --format json.*--format jsonl.*--format text$"):
        queries_in(tmp_path / "a", Layout())
    assert queries_in(tmp_path / "a", Layout(), "text")[-1].words


@pytest.mark.parametrize("content", [b"", b"songs by O\n", b"songs by O\nfilms by O\n", b"by Ada\nsongs by B-Tribe\n"])
def test_queries_are_not_taken_for_text_in_columns(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    assert len(queries_in(tmp_path / "a.txt", Layout())) == content.count(b"\n")


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.txt", None), ("a.bio", None), ("a.json", None), ("a.jsonl", None), ("a", "text"), ("a", "columns")],
)
def test_a_file_that_is_no_text(tmp_path: Path, name: str, form: QueryFormat | None) -> None:
    (tmp_path / name).write_bytes(gzip.compress(PLAIN))
    with pytest.raises(BertNerError, match=rf"^{name} is compressed by gzip, not text; decompress it first"):
        queries_in(tmp_path / name, Layout(), form)


ROWS = [
    {"tokens": ["by", "Ada"], "text": None, "ner_tags": ["O", "B-X"], "id": 7, "seen": date(2020, 1, 2)},
    {"tokens": None, "text": "by Ada", "ner_tags": None, "id": 8, "seen": None},
    {"tokens": None, "text": None, "ner_tags": None, "id": 9, "seen": None},
]


@pytest.mark.parametrize(("name", "form"), [("a.parquet", None), ("a.txt", "parquet")])
def test_parquet(tmp_path: Path, name: str, form: QueryFormat | None) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(ROWS), tmp_path / name)
    words, text, neither = queries_in(tmp_path / name, Layout(), form)
    assert words == Query(1, ["by", "Ada"], others={"id": 7, "seen": "2020-01-02"})
    assert (text.line, text.words, text.text, text.others) == (2, ["by", "Ada"], "by Ada", {"id": 8, "seen": None})
    assert (neither.line, neither.error) == (3, 'not a JSON object with "words", "tokens" or "text"')
    (tmp_path / "b.txt").write_bytes((tmp_path / name).read_bytes())
    with pytest.raises(BertNerError, match=r"^b\.txt is Parquet, not text; read it with --format parquet$"):
        queries_in(tmp_path / "b.txt", Layout())


def test_parquet_with_texts(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"text": ["by Ada?", "yes"], "share": [0.5, float("nan")]}), tmp_path / "a")
    good, bad = parquet_queries((tmp_path / "a").read_bytes(), "a")
    assert (good.words, good.others) == (["by", "Ada", "?"], {"share": 0.5})
    assert "NaN is not a finite number" in (bad.error or "")


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_records_that_mark_documents_are_skipped_by_the_option(tmp_path: Path, name: str) -> None:
    records = [{"tokens": ["-DOCSTART-"]}, {"tokens": ["by", "Ada"]}]
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    (tmp_path / name).write_text(lines if name == "a.jsonl" else json.dumps(records), encoding="utf-8")
    assert [query.line for query in queries_in(tmp_path / name, Layout(docstart=True))] == [2]
    assert [query.line for query in queries_in(tmp_path / name, Layout())] == [1, 2]
