"""Lines in, records out: shapes, order, errors, memory, and what a terminal is shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from capitals import Capitals, ScoringCapitals, answers_to, records_of

from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError
from bert_ner.queries import MAX_LINE, MAX_WORDS, QueryFormat, line_queries, read_chunks, read_lines, read_query
from bert_ner.stream import as_json, tag_queries, write_answers


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):  # the test closed it
            os.close(end)


def test_each_line_is_answered_before_the_next_is_written(pipe: tuple[int, int]) -> None:
    source, target = pipe
    answers = (
        [each.query for each in batch]
        for batch in tag_queries(Capitals(), line_queries(read_lines(read_chunks(source, "pipe")), "text"))
    )
    for number, line in enumerate((b"by Ada\n", b"\n", b"no one\n"), start=1):
        os.write(target, line)
        assert [(query.line, query.words) for query in next(answers)] == [(number, line.decode().split())]
    os.write(target, b"in part")
    os.write(target, b"s\nand the la")
    assert [query.words for query in next(answers)] == [["in", "parts"]]
    os.write(target, b"st")
    os.close(target)
    assert [query.words for query in next(answers)] == [["and", "the", "last"]]
    assert list(answers) == []


def test_waiting_lines_are_tagged_together_and_in_order() -> None:
    tagger = Capitals()
    lines = [[b"word %d" % i for i in range(1, 601)], [b"word 601"]]
    batches = list(tag_queries(tagger, line_queries(lines, "text")))
    assert [len(batch) for batch in batches] == tagger.sizes == [256, 256, 88, 1]
    queries = [answer.query for batch in batches for answer in batch]
    assert [query.line for query in queries] == list(range(1, 602))
    assert all(query.words == ["word", str(query.line)] for query in queries)


def test_entities_of_a_text() -> None:
    text = "films by  Ada\tBrook, or \u201cOlaf\u201d?"
    [record] = records_of(text.encode() + b"\r", tagger=ScoringCapitals())
    assert list(record) == ["line", "text", "words", "tags", "entities"]
    assert record["text"] == text
    assert record["words"] == ["films", "by", "Ada", "Brook", ",", "or", "\u201c", "Olaf", "\u201d", "?"]
    assert record["tags"] == ["O", "O", "B-NAME", "I-NAME", *["O"] * 3, "B-NAME", "O", "O"]
    assert record["entities"] == [
        {"text": "Ada\tBrook", "type": "NAME", "start": 10, "end": 19, "score": 0.75},  # (0.7 + 0.8) / 2
        {"text": "Olaf", "type": "NAME", "start": 25, "end": 29, "score": 1.2},
    ]
    assert all(text[entity["start"] : entity["end"]] == entity["text"] for entity in record["entities"])


@pytest.mark.parametrize("key", ["words", "tokens"])
def test_entities_of_words(key: str) -> None:
    line = json.dumps({key: ["by", "Ada", "Brook,"], "text": "other", "id": 7, "tags": ["X"]}).encode()
    [record] = records_of(line, form="jsonl")
    assert list(record) == ["line", "text", "id", "words", "tags", "entities"]
    assert (record["text"], record["id"], record["tags"]) == ("other", 7, ["O", "B-NAME", "I-NAME"])
    assert record["entities"] == [{"text": "Ada Brook,", "type": "NAME", "start": 1, "end": 3, "score": None}]


def test_a_line_that_can_not_be_read_keeps_its_other_keys() -> None:
    [record] = records_of(b'{"id": "7", "words": 3, "lang": "en"}', form="jsonl")
    assert record == {"line": 1, "id": "7", "lang": "en", "error": '"words" is not a list of strings'}


def test_empty_lines_have_no_words() -> None:
    for form in ("text", "jsonl"):
        records = records_of(b"", b" \t \r", "\u3000".encode(), form=form)
        assert [record.pop("line") for record in records] == [1, 2, 3]
        assert [record.pop("text").strip() for record in records] == ["", "", ""]
        assert records == [{"words": [], "tags": [], "entities": []}] * 3


@pytest.mark.parametrize(
    ("form", "line", "complaint"),
    [
        ("text", b"caf\xe9", "byte 4 is 0xe9, which is not UTF-8 there"),
        ("text", b"\xed\xa0\x80", "byte 1 is 0xed"),  # a surrogate as bytes
        ("text", b"\xff\xfea\0", "byte 1 is 0xff"),
        ("text", b"x" * (MAX_LINE + 1), "longer than 1,048,576 bytes"),
        ("text", b". " * (MAX_WORDS + 1), "131,073 words; the limit is 131,072; write a sentence in each line"),
        ("jsonl", b'{"words": [' + b'"x", ' * MAX_WORDS + b'"x"]}', "131,073 words; the limit is 131,072"),
        ("jsonl", b" " * (MAX_LINE + 1), "longer than 1,048,576 bytes"),
        ("jsonl", b'{"text": "\xff"}', "byte 11 is 0xff"),
        ("jsonl", b"films by Ada", "not JSON: Expecting value at character 1"),
        ("jsonl", b'{"text": "a', "not JSON: Unterminated string"),
        ("jsonl", b'{"text": "a"} {"text": "b"}', "not JSON: Extra data at character 15"),
        ("jsonl", b'{"text": "a\x01"}', "not JSON: Invalid control character"),
        ("jsonl", b'{"text": NaN}', "NaN is not a finite number"),
        ("jsonl", b'{"words": ["a"], "score": -Infinity}', "-Infinity is not a finite number"),
        ("jsonl", b'{"words": ["a"], "score": [1e999]}', "1e999 is not a finite number"),
        ("jsonl", b'{"words": [' + b"1" * 10_000 + b"]}", "not JSON that can be read|not a list of strings"),
        ("jsonl", b"[" * 500_000, "nested too deeply"),
        ("jsonl", b'{"text":' * 100_000, "nested too deeply"),
        ("jsonl", b'["a"]', 'not a JSON object with "words", "tokens" or "text"'),
        ("jsonl", b'"words"', "not a JSON object"),
        ("jsonl", b"null", "not a JSON object"),
        ("jsonl", b'{"Words": ["a"]}', 'with "words", "tokens" or "text"'),
        ("jsonl", b'{"tokens": ["a", 1]}', '"tokens" is not a list of strings'),
        ("jsonl", b'{"text": ["a"]}', '"text" is not a string'),
        ("jsonl", b'{"text": null}', '"text" is not a string'),
        ("jsonl", b'{"words": "a b"}', '"words" is not a list of strings'),
        ("jsonl", b'{"words": ["a", 1]}', '"words" is not a list of strings'),
        ("jsonl", b'{"words": [["a"]]}', '"words" is not a list of strings'),
        ("jsonl", b'{"words": null, "text": "a"}', '"words" is not a list of strings'),
    ],
)
def test_a_bad_line_is_reported_and_the_rest_goes_on(form: QueryFormat, line: bytes, complaint: str) -> None:
    assert re.search(complaint, read_query(line, form).error)
    good = b'{"text": "by Ada"}' if form == "jsonl" else b"by Ada"
    first, bad, last = records_of(good, line, good, form=form)
    assert bad.keys() - {"text"} == {"line", "error"}
    assert bad["line"] == 2
    assert re.match(f".*({complaint})", bad["error"])
    assert len(bad["error"]) < 200
    assert {**last, "line": 1} == first
    assert first["words"] == ["by", "Ada"]


def test_nothing_but_bad_lines() -> None:
    assert [record["line"] for record in records_of(b"\xff", b"\xff")] == [1, 2]


def test_byte_order_mark() -> None:
    mark = "\ufeff".encode()
    assert [record["words"] for record in records_of(mark + b"Ada", mark + b"Ada")] == [["Ada"], ["\ufeffAda"]]
    [record] = records_of(mark + b'{"text": "Ada"}', form="jsonl")
    assert record["words"] == ["Ada"]


def test_hundred_thousand_words() -> None:
    [record] = records_of(b" ".join([b"by", b"Ada"] * 50_000))
    assert len(record["words"]) == len(record["tags"]) == 100_000
    assert record["entities"][-1] == {"text": "Ada", "type": "NAME", "start": 349_996, "end": 349_999, "score": None}


@pytest.mark.parametrize("system", ["crf", "encoder"])
def test_both_systems(system: str, trained: Any, crf_folder: Path, sentences: list[Sentence]) -> None:
    tagger = load_tagger(trained.folder if system == "encoder" else crf_folder)
    lines = [" ".join(words).encode() for words, _ in sentences]
    odd = [b"", b"\xff", "\x00 \x1b[31m 🎬 مرحبا \u200b".encode(), b"olaf " * 5000]
    records = records_of(*lines, *odd, tagger=tagger)
    assert [record["line"] for record in records] == list(range(1, len(lines) + 5))
    assert [record["tags"] for record in records[: len(lines)]] == [list(tags) for _, tags in sentences]
    assert records[0]["entities"][1]["text"] == "ada brook"
    assert records[0]["entities"][1]["score"] > 0.5
    assert all(len(record["words"]) == len(record["tags"]) for record in records if "words" in record)
    assert all(0 <= entity["score"] <= 1 for record in records for entity in record.get("entities", ()))


def test_stream(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"by Ada\n\xff\nno one")
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as target:
        answers = tag_queries(Capitals(), line_queries(read_lines(read_chunks(source.fileno(), "file")), "text"))
        assert write_answers(target.fileno(), answers, as_json) == (3, 1)
    lines = (tmp_path / "out").read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["line"] for line in lines] == [1, 2, 3]
    assert all(line.endswith(b"}\n") for line in lines)


def test_closed_pipe(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    with pytest.raises(BrokenPipeError):
        write_answers(pipe[1], [answers_to(b"by Ada")], as_json)


def test_descriptors_that_fail(pipe: tuple[int, int], tmp_path: Path) -> None:
    with pytest.raises(BertNerError, match="queries can't be read: Bad file descriptor"):
        list(read_chunks(pipe[1], "queries"))
    (tmp_path / "in").write_bytes(b"by Ada\n")
    with (tmp_path / "in").open("rb") as source, pytest.raises(BertNerError, match="the output can't be written: "):
        write_answers(source.fileno(), [answers_to(b"by Ada")], as_json)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads a process's peak memory as Linux tells it")
def test_memory_stays_flat(crf_folder: Path) -> None:
    """Every word is new: what is remembered of words must not grow with the stream."""
    # VmHWM rather than ru_maxrss, which starts at that of the parent.
    code = "import sys; from bert_ner.cli import main; main(); sys.exit(open('/proc/self/status').read())"
    peaks = []
    for n_lines in (2_000, 40_000):
        content = "".join(f"film{i:x} {i}th\n" for i in range(n_lines)).encode()
        program = [sys.executable, "-c", code, "tag", "--model", str(crf_folder)]
        done = subprocess.run(program, input=content, capture_output=True, check=False)
        assert done.stdout.count(b"\n") == n_lines
        peaks.append(int(re.search(rb"VmHWM:\s+(\d+) kB", done.stderr)[1]))
    assert peaks[1] - peaks[0] < 50_000
