"""The targets of the fuzzers: a reader applied to some bytes, and the errors that it may raise."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from bert_ner.corpus.bio import BioError, read_bio, write_bio
from bert_ner.queries import line_queries
from bert_ner.stream import as_json, tag_queries, text_renderer

_FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))


def bio(data: bytes) -> None:
    """Read a BIO file: the error has its name, or the sentences can be written and read back."""
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
        except (
            BioError
        ) as error:  # a word inside a file may begin with a byte order mark, the first word written may not
            assert "byte order mark" in str(error)
            continue
        assert read_bio(copy, order="tag-first") == sentences


class Outside:
    """Tags every word as outside."""

    def tag(self, sentences: list[list[str]]) -> list[list[str]]:
        return [["O"] * len(words) for words in sentences]


def lines(data: bytes) -> None:
    """Tag lines: each becomes one record, of its words or of an error, which both renderers accept."""
    rows = data.split(b"\n")
    render = text_renderer(coloured=True)
    for form in ("text", "jsonl"):
        answers = [answer for batch in tag_queries(Outside(), line_queries([rows], form)) for answer in batch]
        assert [answer.query.line for answer in answers] == list(range(1, len(rows) + 1))
        for answer in answers:
            query = answer.query
            assert len(answer.tags) == len(query.words)
            assert query.error is None or not query.words
            if query.text is not None:
                assert [query.text[start:end] for start, end in query.offsets] == query.words
            record = as_json(answer)
            assert "\n" not in record
            json.loads(record, parse_constant=_refuse)
            assert "\n" not in render(answer)
            assert "\x1b[2J" not in render(answer)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
