"""Broken corpus files: one error with file, line, fault and remedy."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from broken import LFS, MERGE, Change, breaks

from bert_ner.corpus import read_bio

ENCODING = "is not UTF-8; convert the file with iconv -f <its encoding> -t utf-8"
TAG = "is not a tag; expected O, B-<type> or I-<type>"
NO_TAGS = "x.bio: neither column looks like tags, such as O or B-LOC: '"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("O\ta\n".encode("utf-16-be"), NO_TAGS),
        ("O\ta\n".encode("utf-16"), "x.bio is UTF-16, not text; convert it with iconv -f utf-16 -t utf-8"),
        ("O\ta\n".encode("utf-32"), "x.bio is UTF-32, not text; convert it with iconv -f utf-32 -t utf-8"),
        (gzip.compress(b"O\ta\n", mtime=0), "x.bio is compressed by gzip, not text; decompress it first, with gzip -d"),
        (b"\x00" * 40, "x.bio:1: 1 column, not a word and a tag: '\\x00\\x00\\x00"),
        (
            "<html><body>Please log in</body></html>\n",
            "x.bio:1: 3 columns, not a word and a tag: '<html><body>Please log in</body></html>'",
        ),
        (
            '{"words": ["a"], "tags": ["O"]}\n',
            """x.bio:1: 4 columns, not a word and a tag: '{"words": ["a"], "tags": ["O"]}'; """
            "to read JSON Lines: format='jsonl'",
        ),
        (
            "O,a\nB-X,b\n",
            "x.bio:1: 1 column, not a word and a tag: 'O,a'; tabs or spaces separate the columns, not ','",
        ),
        (
            "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\n",
            "x.bio:1: -DOCSTART- begins a document and is no word; skip such lines with docstart=True",
        ),
        ("B-X\ta\nE-X\tb\n", f"x.bio:2: 'E-X' {TAG.replace('tag', 'tag of IOB2')}"),
        ("B-X\ta\nL-X\tb\nU-X\tc\n", f"x.bio:2: 'L-X' {TAG.replace('tag', 'tag of IOB2')}"),
        ("b-x\ta\nO\tb\n", f"x.bio:1: 'b-x' {TAG}"),
        ("B\u2013X\ta\nO\tb\n", f"x.bio:1: 'B\u2013X' {TAG}"),
        ("B_X\ta\nO\tb\n", f"x.bio:1: 'B_X' {TAG}"),
        ("B- X\ta\nO\tb\n", "x.bio:1: 3 columns, not a word and a tag: 'B- X\\ta'"),
        ("0\ta\nO\tb\nO\tc\n", f"x.bio:1: '0' {TAG}"),
        ("\ta\nO\tb\n", "x.bio:1: 1 column, not a word and a tag: '\\ta'"),
        ("O\ta\x0bb\n\x0c\nO\tc\n", "x.bio:2: 1 column, not a word and a tag: '\\x0c'"),
        ("word\ttag\nfilms\tO\nby\tO\n", f"x.bio:1: 'tag' {TAG}"),
        (MERGE, f"x.bio:1: '<<<<<<<' {TAG}"),
        (LFS, NO_TAGS),
        (b"O\ta\nO\t\x93quoted\x94\n", f"x.bio:2: byte 0x93 {ENCODING}"),
        (b"O\ta\nO\t\xed\xa0\xbd\xed\xb8\x80\n", f"x.bio:2: byte 0xed {ENCODING}"),
        (b"O\ta\nB-X\tcaf\xc3", f"x.bio:2: byte 0xc3 {ENCODING}"),
        ("x" * 1_000_000, "x.bio:1: 1 column, not a word and a tag: 'xxxxxxxxxx"),
        ("I-X\ta\nI-X\tb\n", "x.bio:1: 'I-X' at the start of a sentence; an entity opens with 'B-X'"),
        (None, "x.bio can't be read: No such file or directory"),
        ("", "x.bio: no sentence in it; expected a word and its tag in each line, such as 'Oslo<TAB>B-LOC'"),
    ],
)
def test_broken_file(content: Change, message: str, tmp_path: Path) -> None:
    breaks(tmp_path / "x.bio", content)
    with pytest.raises(ValueError) as caught:
        read_bio(tmp_path / "x.bio")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("loop", "loop can't be read: Too many levels of symbolic links"),
        ("x" * 300, f"{'x' * 300} can't be read: File name too long"),
        ("nul\0byte", "embedded null byte"),
    ],
)
def test_broken_path(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ValueError, match=message):
        read_bio(tmp_path / name)
