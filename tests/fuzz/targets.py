"""What the fuzzers run: a reader on some bytes, and what it may answer with beside a result."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bert_ner.corpus.bio import BioError, read_bio, write_bio
from bert_ner.stream import LineError, as_json, tag_lines, text_renderer, words_of

_FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))


def bio(data: bytes) -> None:
    """A BIO file is refused with its name, or is read, and then written and read as the same sentences."""
    path = _FOLDER / "some.bio"
    path.write_bytes(data)
    for order in (None, "tag-first", "word-first"):
        try:
            sentences = read_bio(path, order=order)
        except BioError as error:
            assert str(path) in str(error)
            continue
        copy = _FOLDER / "copy.bio"
        try:
            write_bio(copy, sentences)
        except BioError as error:  # a byte order mark can be inside a file, but no word of it can begin one
            assert "byte order mark" in str(error)
            continue
        assert read_bio(copy, order="tag-first") == sentences


class Outside:
    """Tags every word as outside."""

    def tag(self, sentences: list[list[str]]) -> list[list[str]]:
        return [["O"] * len(words) for words in sentences]


def lines(data: bytes) -> None:
    """Each line becomes one record, of its words or of an error, and both renderings take it."""
    rows = data.split(b"\n")
    render = text_renderer(coloured=True)
    for form in ("text", "jsonl"):
        records = [record for batch in tag_lines(Outside(), [rows], form) for record in batch]
        assert [record["line"] for record in records] == list(range(1, len(rows) + 1))
        for record, row in zip(records, rows, strict=True):
            assert ("error" in record) != (len(record.get("tags", ())) == len(record.get("words", (None,))))
            assert "\n" not in as_json(record)
            assert "\n" not in render(record)
            assert "\x1b[2J" not in render(record)
            if record["line"] > 1:
                try:
                    assert words_of(row, form) == record["words"]
                except LineError as error:
                    assert str(error) == record["error"]
