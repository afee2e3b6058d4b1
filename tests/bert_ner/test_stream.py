"""Lines in, records out: shapes, order, errors, memory, and what a terminal is shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError
from bert_ner.stream import (
    _COLOURS,
    MAX_LINE,
    Format,
    LineError,
    Record,
    read_lines,
    tag_lines,
    tag_stream,
    text_renderer,
    wants_colour,
    words_of,
)

ESCAPE = "\x1b"


class Capitals:
    """Takes each run of capitalised words for a NAME; has the four methods and no scores."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        raise AssertionError("a stream only tags", train, validation)

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        self.sizes.append(len(sentences))
        return [[tag for tag, _ in self._scored(words)] for words in sentences]

    def save(self, folder: Path) -> None:
        raise AssertionError("a stream only tags", folder)

    @classmethod
    def load(cls, folder: Path) -> Capitals:
        raise AssertionError("a stream only tags", folder)

    @staticmethod
    def _scored(words: Sequence[str]) -> list[tuple[str, float]]:
        rows = []
        for i, word in enumerate(words):
            inside = i > 0 and words[i - 1].istitle()
            rows.append((f"{'I' if inside else 'B'}-NAME", 0.5 + i / 10) if word.istitle() else ("O", 0.9))
        return rows


class ScoringCapitals(Capitals):
    """The same with scores: 0.5, 0.6, 0.7 ... by position."""

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        return [self._scored(words) for words in sentences]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):  # the test closed it
            os.close(end)


def records_of(*lines: bytes, form: Format = "text", tagger: Capitals | None = None) -> list[Record]:
    return [record for batch in tag_lines(tagger or Capitals(), [lines], form) for record in batch]


def lines_of(path: Path, content: bytes) -> list[bytes]:
    path.write_bytes(content)
    with path.open("rb", buffering=0) as file:
        return [line for group in read_lines(file.fileno()) for line in group]


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
        lines = [(len(line), line[:6]) for group in read_lines(file.fileno()) for line in group]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines == [(MAX_LINE + 1, b"xxxxxx"), (6, b"and on"), (MAX_LINE + 1, b"yyyyyy")]
    assert peak < 4 * MAX_LINE


def test_each_line_is_answered_before_the_next_is_written(pipe: tuple[int, int]) -> None:
    source, target = pipe
    answers = tag_lines(Capitals(), read_lines(source), "text")
    for number, line in enumerate((b"by Ada\n", b"\n", b"no one\n"), start=1):
        os.write(target, line)
        assert [(record["line"], record["words"]) for record in next(answers)] == [(number, line.decode().split())]
    os.write(target, b"in part")
    os.write(target, b"s\nand the la")
    assert [record["words"] for record in next(answers)] == [["in", "parts"]]
    os.write(target, b"st")
    os.close(target)
    assert [record["words"] for record in next(answers)] == [["and", "the", "last"]]
    assert list(answers) == []


def test_waiting_lines_are_tagged_together_and_in_order() -> None:
    tagger = Capitals()
    batches = list(tag_lines(tagger, [[b"word %d" % i for i in range(1, 601)], [b"word 601"]], "text"))
    assert [len(batch) for batch in batches] == tagger.sizes == [256, 256, 88, 1]
    records = [record for batch in batches for record in batch]
    assert [record["line"] for record in records] == list(range(1, 602))
    assert all(record["words"] == ["word", str(record["line"])] for record in records)


def test_entities() -> None:
    [record] = records_of(b"films by Ada Brook or Olaf", tagger=ScoringCapitals())
    assert list(record) == ["line", "words", "tags", "entities"]
    assert record["tags"] == ["O", "O", "B-NAME", "I-NAME", "O", "B-NAME"]
    assert record["entities"] == [
        {"text": "Ada Brook", "type": "NAME", "start": 2, "end": 4, "score": 0.75},  # (0.7 + 0.8) / 2
        {"text": "Olaf", "type": "NAME", "start": 5, "end": 6, "score": 1.0},
    ]


def test_a_tagger_of_four_methods_has_no_scores() -> None:
    [record] = records_of(b"Ada")
    assert record["entities"] == [{"text": "Ada", "type": "NAME", "start": 0, "end": 1, "score": None}]


def test_empty_lines_have_no_words() -> None:
    for form in ("text", "jsonl"):
        records = records_of(b"", b" \t \r", "\u3000".encode(), form=form)
        assert [record.pop("line") for record in records] == [1, 2, 3]
        assert records == [{"words": [], "tags": [], "entities": []}] * 3


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"words": ["a b", "", "\\ud800", "\\u0000"]}', ["a b", "", "\ud800", "\0"]),
        (b'{"text": " Ada  \\n Brook\\t"}\r', ["Ada", "Brook"]),
        (b'{"words": ["a"], "text": 3, "id": [[1e999]]}', ["a"]),
        (b'{"words": []}', []),
        (b'{"text": ""}', []),
        ('{"text": "\\u00e9 é 🎬 \\ud83c\\udfac"}'.encode(), ["é", "é", "🎬", "🎬"]),
    ],
)
def test_words_in_json(line: bytes, words: list[str]) -> None:
    assert words_of(line, "jsonl") == words


@pytest.mark.parametrize(
    ("form", "line", "complaint"),
    [
        ("text", b"caf\xe9", "byte 4 is 0xe9, which is not UTF-8 there"),
        ("text", b"\xed\xa0\x80", "byte 1 is 0xed"),  # a surrogate as bytes
        ("text", b"\xff\xfea\0", "byte 1 is 0xff"),
        ("text", b"x" * (MAX_LINE + 1), "longer than 1,048,576 bytes"),
        ("jsonl", b" " * (MAX_LINE + 1), "longer than 1,048,576 bytes"),
        ("jsonl", b'{"text": "\xff"}', "byte 11 is 0xff"),
        ("jsonl", b"films by Ada", "not JSON: Expecting value at character 1"),
        ("jsonl", b'{"text": "a', "not JSON: Unterminated string"),
        ("jsonl", b'{"text": "a"} {"text": "b"}', "not JSON: Extra data at character 15"),
        ("jsonl", b'{"text": "a\x01"}', "not JSON: Invalid control character"),
        ("jsonl", b'{"text": NaN}', "not JSON: NaN is not a JSON number"),
        ("jsonl", b'{"words": ["a"], "score": -Infinity}', "not JSON: -Infinity is not a JSON number"),
        ("jsonl", b'{"words": [' + b"1" * 10_000 + b"]}", "not JSON that can be read|not a list of strings"),
        ("jsonl", b"[" * 500_000, "nested too deeply"),
        ("jsonl", b'{"text":' * 100_000, "nested too deeply"),
        ("jsonl", b'["a"]', 'not a JSON object with "words" or "text"'),
        ("jsonl", b'"words"', "not a JSON object"),
        ("jsonl", b"null", "not a JSON object"),
        ("jsonl", b'{"Words": ["a"]}', 'with "words" or "text"'),
        ("jsonl", b'{"text": ["a"]}', '"text" is not a string'),
        ("jsonl", b'{"text": null}', '"text" is not a string'),
        ("jsonl", b'{"words": "a b"}', '"words" is not a list of strings'),
        ("jsonl", b'{"words": ["a", 1]}', '"words" is not a list of strings'),
        ("jsonl", b'{"words": [["a"]]}', '"words" is not a list of strings'),
        ("jsonl", b'{"words": null, "text": "a"}', '"words" is not a list of strings'),
    ],
)
def test_a_bad_line_is_reported_and_the_rest_goes_on(form: Format, line: bytes, complaint: str) -> None:
    with pytest.raises(LineError, match=complaint):
        words_of(line, form)
    good = b'{"text": "by Ada"}' if form == "jsonl" else b"by Ada"
    first, bad, last = records_of(good, line, good, form=form)
    assert bad.keys() == {"line", "error"}
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
    assert record["entities"][-1] == {"text": "Ada", "type": "NAME", "start": 99_999, "end": 100_000, "score": None}


@pytest.mark.parametrize("system", ["crf", "encoder"])
def test_both_systems(system: str, trained: Any, crf_folder: Path, sentences: list[Sentence]) -> None:
    tagger = load_tagger(trained.folder if system == "encoder" else crf_folder)
    lines = [" ".join(words).encode() for words, _ in sentences]
    odd = [b"", b"\xff", "\x00 \x1b[31m 🎬 مرحبا \u200b".encode(), b"olaf " * 5000]
    records = [record for batch in tag_lines(tagger, [[*lines, *odd]], "text") for record in batch]
    assert [record["line"] for record in records] == list(range(1, len(lines) + 5))
    assert [record["tags"] for record in records[: len(lines)]] == [list(tags) for _, tags in sentences]
    assert records[0]["entities"][1]["text"] == "ada brook"
    assert records[0]["entities"][1]["score"] > 0.5
    assert all(len(record["words"]) == len(record["tags"]) for record in records if "words" in record)
    assert all(0 <= entity["score"] <= 1 for record in records for entity in record.get("entities", ()))


@given(st.lists(st.text(st.characters(codec=None), max_size=8), max_size=5))
def test_json_is_one_line_of_printable_ascii_and_loses_nothing(words: list[str]) -> None:
    line = json.dumps({"line": 1, "words": words})
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["words"] == words


def test_text() -> None:
    render = text_renderer(coloured=False)
    shown = [render(record) for record in records_of(b"by Ada Brook or Olaf", b"", b"no one", b"\xff")]
    assert shown == [
        "by [Ada Brook NAME] or [Olaf NAME]",
        "",
        "no one",
        "line 4 can't be read: byte 1 is 0xff, which is not UTF-8 there",
    ]


def test_a_colour_for_each_type() -> None:
    def record(*kinds: str) -> Record:
        entities = [{"start": i, "end": i + 1, "type": kind} for i, kind in enumerate(kinds)]
        return {"line": 1, "words": [*kinds, "end"], "entities": entities}

    render = text_renderer(coloured=True)
    assert render(record("A")) == f"{ESCAPE}[38;5;32m[A A]{ESCAPE}[0m end"
    codes = [re.findall(r"38;5;(\d+)m\[(\w)", render(record(*kinds))) for kinds in ("BA", "ABCDEFGHIJKLM")]
    assert {kind: code for code, kind in codes[0]}.items() <= {kind: code for code, kind in codes[1]}.items()
    assert len({code for code, _ in codes[1]}) == len(_COLOURS) == 12


def test_colours_are_legible_on_black_and_on_white() -> None:
    """By the contrast ratio of WCAG 2.1."""

    def luminance(colour: int) -> float:
        levels = [(0, 95, 135, 175, 215, 255)[(colour - 16) // place % 6] / 255 for place in (36, 6, 1)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for light in map(luminance, _COLOURS):
        assert min((light + 0.05) / 0.05, 1.05 / (light + 0.05)) > 3.6


@given(st.lists(st.text(st.characters(codec=None), min_size=1, max_size=8), min_size=1, max_size=5))
def test_no_character_reaches_the_terminal_as_a_command(words: list[str]) -> None:
    kind = words[0]
    record = {"line": 1, "words": words, "entities": [{"start": 0, "end": 1, "type": kind}]}
    assert text_renderer(coloured=False)(record).isprintable()
    coloured = text_renderer(coloured=True)(record)
    assert coloured.count(ESCAPE) == 2
    assert coloured.replace(ESCAPE, "").isprintable()


def test_escapes_are_shown() -> None:
    words = ["\x1b[31mred", "a\nb", "\ud800", "\u202e", "é🎬"]
    shown = text_renderer(coloured=False)({"line": 1, "words": words, "entities": []})
    assert shown == r"\x1b[31mred a\nb \ud800 \u202e é🎬"


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_who_gets_colours(terminal: bool, environment: dict[str, str], coloured: bool) -> None:
    assert wants_colour(terminal, environment) is coloured


def test_stream(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"by Ada\n\xff\nno one")
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as target:
        assert tag_stream(Capitals(), source.fileno(), target.fileno(), "text", json.dumps) == (3, 1)
    lines = (tmp_path / "out").read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["line"] for line in lines] == [1, 2, 3]
    assert all(line.endswith(b"}\n") for line in lines)


def test_closed_pipe(pipe: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"by Ada\n")
    os.close(pipe[0])
    with (tmp_path / "in").open("rb") as source, pytest.raises(BrokenPipeError):
        tag_stream(Capitals(), source.fileno(), pipe[1], "text", json.dumps)


def test_descriptors_that_fail(pipe: tuple[int, int], tmp_path: Path) -> None:
    with pytest.raises(BertNerError, match="the input can't be read: "):
        list(read_lines(pipe[1]))
    (tmp_path / "in").write_bytes(b"by Ada\n")
    with (tmp_path / "in").open("rb") as source, pytest.raises(BertNerError, match="the output can't be written: "):
        tag_stream(Capitals(), source.fileno(), source.fileno(), "text", json.dumps)


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
