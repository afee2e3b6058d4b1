"""Broken queries for `bert-ner tag`: each line gets an error of its own."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest
from broken import DEEP, LFS, Change, breaks

from bert_ner import cli

NO_QUERY = 'not a JSON object with "words", "tokens" or "text"'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"text": "caf\xe9"}\n', "byte 14 is 0xe9, which is not UTF-8 there"),
        ("{'text': 'a'}\n", "not JSON: "),
        ('{"text": "a",}\n', "not JSON: "),
        ('{"text": "a"} {"text": "b"}\n', "not JSON: "),
        ('{"text": "a"', "not JSON: "),
        ('{"text": "a\tb"}\n', "not JSON: "),
        ('{"text": "\\ud8"}\n', "not JSON: "),
        (LFS, "not JSON: "),
        ('[{"text": "a"}]\n', NO_QUERY),
        ('"a"\n', NO_QUERY),
        ("null\n", NO_QUERY),
        ("{}\n", NO_QUERY),
        ('{"Text": "a"}\n', NO_QUERY),
        ('{"text": null}\n', '"text" is not a string'),
        ('{"text": ["a"]}\n', '"text" is not a string'),
        ('{"words": "a b"}\n', '"words" is not a list of strings'),
        ('{"words": ["a", null]}\n', '"words" is not a list of strings'),
        ('{"words": {"a": 1}}\n', '"words" is not a list of strings'),
        ('{"words": [["a"]]}\n', '"words" is not a list of strings'),
        ('{"text": NaN}\n', "NaN is not a finite number"),
        ('{"text": -Infinity}\n', "-Infinity is not a finite number"),
        ('{"n": ' + "9" * 5000 + "}\n", "not JSON that can be read: Exceeds the limit"),
        (DEEP + "\n", "JSON that is nested too deeply"),
        ('{"a":' * 5_000, "JSON that is nested too deeply"),
        ('{"text": "' + "a" * 2**20 + '"}\n', "longer than 1,048,576 bytes"),
    ],
)
def test_broken_line(
    content: Change,
    message: str,
    crf_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    queries = tmp_path / "queries.jsonl"
    breaks(queries, content)
    monkeypatch.setattr(sys, "argv", ["bert-ner", "tag", str(queries), "--model", str(crf_folder)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code not in (0, None)
    out, err = capfd.readouterr()
    errors = [json.loads(line).get("error", "") for line in out.splitlines()]
    assert any(message in error for error in errors)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}\n'.encode("utf-16"), "UTF-16, not text; convert it with iconv -f utf-16 -t utf-8"),
        (gzip.compress(b'{"text": "a"}\n', mtime=0), "compressed by gzip, not text; decompress it first, with gzip -d"),
        (b'{"text": "a\0"}\n', "not text, because byte 12 is NUL"),
    ],
)
def test_no_line_of_a_file_that_is_no_text_is_tagged(
    content: bytes,
    message: str,
    crf_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["bert-ner", "tag", str(queries), "--model", str(crf_folder)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert str(end.value.code).startswith(f"bert-ner: {queries} is {message}")
    assert capfd.readouterr() == ("", "")
