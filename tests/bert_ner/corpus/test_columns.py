"""What is wrong with a whole file is said once, with the option that mends it as the reader would write it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bert_ner import cli
from bert_ner.corpus import read_sentences
from bert_ner.corpus.bio import BioError
from bert_ner.corpus.catalog import read_corpus
from bert_ner.corpus.columns import Layout, column_index
from bert_ner.corpus.formats import Reading

FOUR = "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nOslo NNP B-NP B-LOC\n"
NAMED = "name the right columns with --word-column and --tag-column"
SPACE = "a word can't have a space in it, except in JSON"


def checked(
    content: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str
) -> list[str]:
    """Return the lines that `bert-ner check` prints on a file with problems."""
    Path("a.txt").write_text(content, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["bert-ner", "check", "a.txt", *options])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == "bert-ner: 1 of 1 file fails; the lines above say why"
    return capsys.readouterr().out.replace("a.txt:", ":").splitlines()


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        # The number of columns
        (FOUR, [], f":1: 4 columns, not a word and a tag: 'EU NNP B-NP B-ORG'; {NAMED} (and 2 more like it)"),
        (
            FOUR,
            ["--tag-column", "5"],
            f":1: 4 columns of at least 5: 'EU NNP B-NP B-ORG'; {NAMED} (and 2 more like it)",
        ),
        ("New York B-LOC\nis O\nbig O\n", [], f":1: 3 columns, not a word and a tag: 'New York B-LOC'; {SPACE}"),
        (
            "Who directed \u201cThe Lost Island\u201d?\nall of them\n",
            [],
            ":1: 5 columns, not a word and a tag: 'Who directed \u201cThe Lost Island\u201d?'; there is no tag in it; "
            "bert-ner tag adds tags to a text (and 1 more like it)",
        ),
        ("a O\nb\nc O\n", [], ":2: 1 column, not a word and a tag: 'b'; the word or its tag is missing"),
        (
            "Dana\nsings\n",
            [],
            ":1: 1 column, not a word and a tag: 'Dana'; a line needs a word and its tag, with a tab between them "
            "(and 1 more like it)",
        ),
        (
            "Dana,B-PER\nsings,O\n",
            [],
            ":1: 1 column, not a word and a tag: 'Dana,B-PER'; tabs or spaces separate the columns, not ',' "
            "(and 1 more like it)",
        ),
        # Comments, whatever their number of columns
        (
            "# id 7\nDana B-PER\nsings O\n\n# eight\nOslo B-LOC\n#\n",
            [],
            ":1: no word and its tag: '# id 7'; skip comments with --comments '#' (and 2 more like it)",
        ),
        (
            "# id 7\n1 Dana B-PER\n",
            ["--word-column", "2"],
            ":1: no word and its tag: '# id 7'; skip comments with --comments '#'",
        ),
        # The order, or the column of the tags
        (
            "Dana B-PER\nsings O\n",
            ["--order", "tag-first"],
            ":1: 'Dana' is not a tag; to take the other column: --order word-first (and 1 more like it)",
        ),
        (
            FOUR,
            ["--tag-column", "2"],
            ":1: 'NNP' is not a tag; name the column of the tags with --tag-column (and 2 more like it)",
        ),
        (
            "O O\n",
            [],
            ": both columns look like tags; say which holds them with --order tag-first or --order word-first",
        ),
        ("a b\n", [], ": neither column looks like tags, such as O or B-LOC: 'a b'"),
        ("", [], ": no sentence in it; expected a word and its tag in each line, such as 'Oslo<TAB>B-LOC'"),
        # Tags
        (
            "Dana PER\nsings O\nof O\nOslo PER\n",
            [],
            ":1: 'PER' is not a tag; expected O, B-<type> or I-<type> (and 1 more like it)",
        ),
        (
            "-DOCSTART- O\n\na O\n\n-DOCSTART- O\n",
            [],
            ":1: -DOCSTART- begins a document and is no word; skip such lines with --docstart (and 1 more like it)",
        ),
    ],
)
def test_one_line_for_a_whole_file(
    content: str,
    options: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = checked(content, monkeypatch, capsys, *options)
    assert lines[0] == expected
    assert all("right" in line or line.startswith("  ") for line in lines[1:])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "Dana B-PER\nLee E-PER\nsings O\n\nOslo B-LOC\ncalls O\n\nBo I-PER\nx O\n",
            [
                ":2: 'E-PER' is not a tag of IOB2; expected O, B-<type> or I-<type>",
                ":8: 'I-PER' at the start of a sentence; an entity opens with 'B-PER'",
                ": the prefixes B-, E-, I- are of another scheme than IOB2; name it with --scheme BIOES",
                ": 1 of 3 sentences is right",
            ],
        ),
        (
            "a E-X\n\nb L-X\n\nc B-X\n",
            [
                ":1: 'E-X' is not a tag of IOB2; expected O, B-<type> or I-<type> (and 1 more like it)",
                ": the prefixes B-, E-, L- are of another scheme than IOB2; no scheme has all; correct the tags",
                ": 1 of 3 sentences is right",
            ],
        ),
        (
            "a I-X\nb B-X\n\na I-X\n\na O\nb B-X\n\na B-X\n\na O\nb I-X\n",
            [
                ":1: 'I-X' at the start of a sentence; an entity opens with 'B-X' (and 2 more like it)",
                ": IOB1 fits 3 of 5 sentences with entities, IOB2 2; to read it so: --scheme IOB1",
                ": 2 of 5 sentences are right",
            ],
        ),
        (  # mistakes in a file that is in IOB2 each have a line
            "a I-X\n\nb I-X\n\n" + "c B-X\nd I-X\n\n" * 3,
            [
                ":1: 'I-X' at the start of a sentence; an entity opens with 'B-X'",
                ":3: 'I-X' at the start of a sentence; an entity opens with 'B-X'",
                ": 3 of 5 sentences are right",
            ],
        ),
    ],
)
def test_another_scheme_is_proposed(
    content: str,
    expected: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert checked(content, monkeypatch, capsys)[: len(expected)] == expected


def test_an_option_is_spelt_as_the_reader_would_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert checked(FOUR, monkeypatch, capsys)[0].partition("; ")[2].startswith(NAMED)
    with pytest.raises(BioError, match=r"; name the right columns with word_column and tag_column \(and"):
        read_sentences("a.txt")
    Path("toy.yaml").write_text("title: Toy\ntrain: a.txt\ntest: b.txt\n")
    for content, remedy in (("# 1\na O\n", 'comments: "#"'), ("-DOCSTART- O\na O\n", "docstart: true")):
        Path("a.txt").write_text(content)
        with pytest.raises(BioError, match=f"with {remedy}"):
            read_corpus(tmp_path / "toy.yaml").read(tmp_path)
    Path("a.txt").write_text("# 1 b\na O\n")
    with pytest.raises(BioError, match="with comments='#'"):  # Python's spelling is back
        read_sentences("a.txt", Reading(Layout(tag_column=-1)))


@pytest.mark.parametrize(("column", "index"), [("first", 0), ("last", -1), ("1", 0), (3, 2)])
def test_a_column_as_users_count_it(column: str | int, index: int) -> None:
    assert column_index(column) == index


@pytest.mark.parametrize("column", ["0", 0, -1, "second", "", "1.5", True, "\u0661"])
def test_what_is_no_column(column: str | int) -> None:
    with pytest.raises(ValueError, match="is not a number from 1, first or last"):
        column_index(column)
