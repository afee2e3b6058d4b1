"""The YAML files of corpora: what they may say, and the messages where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert_ner.corpus.catalog import corpus_named, corpus_names, read_corpus
from bert_ner.corpus.columns import Layout
from bert_ner.errors import BertNerError

OURS = ["mit_movie_eng", "mit_movie_trivia", "mit_restaurant", "sample"]  # users add their own
SHORT = "title: Toy\nfolder: files\ntrain: a/train.bio\ntest: test.bio\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "toy.yaml"
    path.write_text(text)
    return path


def test_ours_are_complete() -> None:
    assert set(OURS) <= set(corpus_names())
    for corpus in map(corpus_named, OURS):
        assert list(corpus.files) == ["train", "test"]
        assert all(file.sha256 for file in corpus.files.values())
        assert all(file.url for file in corpus.files.values()) != corpus.is_generated
        assert corpus.labels
        assert corpus.labels[0] == "O"


def test_a_path_is_enough_for_a_file(tmp_path: Path) -> None:
    corpus = read_corpus(written(tmp_path, f"{SHORT}validation: dev.bio\n"))
    assert (corpus.name, corpus.folder, corpus.labels) == ("toy", str(tmp_path / "files"), None)
    assert [file.name for file in corpus.files.values()] == ["train.bio", "dev.bio", "test.bio"]
    assert corpus.train.file == "a/train.bio"


def test_the_format_is_that_of_the_command_s_options(tmp_path: Path) -> None:
    for text, layout in [
        ("word_column: 2, tag_column: last", Layout(word_column=1, tag_column=-1)),
        ("tag_column: first, comments: '#', docstart: true", Layout(tag_column=0, comments="#", docstart=True)),
        ("order: word-first", Layout("word-first")),
    ]:
        read_corpus.cache_clear()
        corpus = read_corpus(written(tmp_path, f"{SHORT}format: {{{text}}}\n"))
        assert corpus.format.reading.layout == layout
    read_corpus.cache_clear()
    assert read_corpus(written(tmp_path, f"{SHORT}format: {{scheme: bio}}\n")).format.scheme == "IOB2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("title: Toy\n", ""), "line 1: title is missing"),
        (("test: test.bio", "test: b/train.bio"), "must have files of different names"),
        (
            ("test: test.bio", "test: {file: test.bio, sha256: abc}"),
            "line 4: test.sha256 must be 64 digits of 0-9 and a-f, not 'abc'",
        ),
        (("title: Toy", "title: Toy\ntypes: [A, B, A]"), "line 2: types must name each type once, not ['A', 'B', 'A']"),
        (("title: Toy", "title: Toy\ntypes: [A B]"), "line 2: types.0 must be a name without spaces, not 'A B'"),
        (("title: Toy", "title: Toy\ntypes: [A, '']"), "line 2: types.1 must be a name without spaces, not ''"),
        (("title: Toy", "title: Toy\ntypes: []"), "line 2: types must have at least 1 item"),
        (("title: Toy", "title: Toy\nis_generated: true"), "line 2: is_generated is for sample alone, whose files"),
        ((SHORT, ""), "line 1: the file must hold names and values; it is empty"),
        ((SHORT, "- title"), "line 1: the file must hold names and values; it has ['title']"),
        (("title: Toy", "title: Toy\n3: x"), "line 2: key 3 must be text; put it in quotes"),
        (("test: test.bio", "tset: test.bio"), "line 4: unknown key 'tset'; the keys here are name, title, folder"),
        (("title: Toy", "title: Toy\nname: other"), "its name is 'other'; name it 'toy', as the file"),
        (("title: Toy", "title: [Toy"), "is not YAML"),
        *(
            (("title: Toy", f"title: Toy\nformat: {{tag_column: {column}}}"), "is not a number from 1, first or last")
            for column in (0, -1, -2)
        ),
        (("title: Toy", "title: Toy\nformat: {order: words}"), "line 2: format.order"),
        (("title: Toy", "title: Toy\nformat: {word_column: 2, tag_column: 2}"), "the words and the tags in different"),
    ],
)
def test_a_mistake_is_named_with_its_line(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    path = written(tmp_path, SHORT.replace(*change))
    with pytest.raises(BertNerError) as caught:
        read_corpus(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_an_unknown_corpus_lists_the_known_ones() -> None:
    with pytest.raises(
        BertNerError, match=r"no corpus is named '-'; .*corpora has .*mit_movie_eng, .*mit_movie_trivia"
    ):
        corpus_named("-")
