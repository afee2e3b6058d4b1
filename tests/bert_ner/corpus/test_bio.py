"""Reading and writing BIO files, and the message of each problem."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_ner.corpus.bio import (
    MAX_PROBLEMS,
    BioError,
    Order,
    Sentence,
    illegal_transitions,
    labels_of,
    parse_bio,
    read_bio,
    write_bio,
)
from bert_ner.corpus.columns import TAG

ORDERS: tuple[Order, Order] = ("tag-first", "word-first")
FILM = Sentence(("any", "quiet", "dramas", "by", "ada", "moss"), ("O", "O", "B-GENRE", "O", "B-DIRECTOR", "I-DIRECTOR"))
SHORT = Sentence(("from", "1931"), ("O", "B-YEAR"))
TAG_FIRST = "O\tany\nO\tquiet\nB-GENRE\tdramas\nO\tby\nB-DIRECTOR\tada\nI-DIRECTOR\tmoss\n\nO\tfrom\nB-YEAR\t1931\n\n"
WORD_FIRST = "".join("\t".join(reversed(line.split("\t"))) + "\n" for line in TAG_FIRST.splitlines())
TOO_MANY = "; a word can't have a space in it, except in JSON"
TOO_FEW = "; the word or its tag is missing"
ENCODING = "is not UTF-8; convert the file with iconv -f <its encoding> -t utf-8"
NAME_COLUMNS = "; name the right columns with word_column and tag_column"
NO_SENTENCE = "FILE: no sentence in it; expected a word and its tag in each line, such as 'Oslo<TAB>B-LOC'"
NO_GUESS = "FILE: both columns look like tags; say which holds them with order='tag-first' or order='word-first'"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.bio"


def problems_in(file: Path, content: str | bytes, **options: object) -> list[str]:
    """Return the lines of the error on reading this content, without the file's path."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BioError) as caught:
        read_bio(file, **options)  # type: ignore[arg-type]
    return str(caught.value).replace(str(file), "FILE").split("\n")


# Reading


@pytest.mark.parametrize("text", [TAG_FIRST, WORD_FIRST], ids=ORDERS)
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace("\t", " "),
        lambda text: text.replace("\t", " \t\t "),
        lambda text: text.replace("\t", " ", 3),
        lambda text: text.replace("\n", " \t\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("\n", "\r\n", 4),
        lambda text: "\ufeff" + text,
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.replace("\n\n", "\n\n\ufeff"),
        lambda text: text.replace("\n", "\r\r\n"),
        lambda text: text[:-1],
        lambda text: text[:-2],
        lambda text: "\n\n" + text.replace("\n\n", "\n \n\t\n\n") + "\n\n",
    ],
    ids=[
        "as written", "spaces", "wide gaps", "mixed gaps", "gaps at the end and in blank lines", "CRLF", "CR",
        "mixed line ends", "byte order mark", "byte order mark and CRLF", "byte order mark after joining", "doubled CR",
        "no last blank line", "no last line end", "several blank lines",
    ],
)  # fmt: skip
def test_layouts_that_mean_the_same(file: Path, text: str, change: object) -> None:
    file.write_bytes(change(text).encode())  # type: ignore[operator]
    assert read_bio(file) == [FILM, SHORT]
    assert read_bio(str(file), labels_of(["GENRE", "DIRECTOR", "YEAR"])) == [FILM, SHORT]


@pytest.mark.parametrize(
    "word",
    [
        "naïve", "東京", "\u00a0", "a\u00a0b", "a\u2028b", "a\u0085b", "a\x0bb", "\x0c", "a\x1cb", "a\x00b",
        "\U0001f3ac", "e\u0301", "\u0301", "a\ufeff", "a\u200db", "'", '"', "#", "O", "B-52", "I-X", "-DOCSTRANGE-",
    ],
    ids=ascii,
)  # fmt: skip
@pytest.mark.parametrize("order", ORDERS)
def test_words_are_read_back_character_by_character(file: Path, word: str, order: Order) -> None:
    sentences = [Sentence(("see", word), ("O", "B-TITLE")), Sentence((word,), ("O",))]
    write_bio(file, sentences, order)
    assert read_bio(file) == read_bio(file, order=order) == sentences


@pytest.mark.parametrize(
    ("text", "labels", "tags"),
    [
        ("O\tB-52\nO\tI-9\nO\tfliers\n", None, ("O", "O", "O")),  # 3 tags against 2 words that look like tags
        ("B-52\tO\nI-9\tO\nfliers\tO\n", None, ("O", "O", "O")),
        ("O\tB-52\n", ["O"], ("O",)),  # a tie that the labels settle
        ("B-52\tO\n", ["O"], ("O",)),
    ],
)
def test_column_order_is_inferred_from_the_tags(
    file: Path, text: str, labels: list[str] | None, tags: tuple[str, ...]
) -> None:
    file.write_text(text)
    assert [sentence.tags for sentence in read_bio(file, labels)] == [tags]


def test_a_given_order_is_not_questioned(file: Path) -> None:
    file.write_text("O\tB-X\n")
    assert read_bio(file, order="tag-first") == [Sentence(("B-X",), ("O",))]
    assert read_bio(file, order="word-first") == [Sentence(("O",), ("B-X",))]
    assert problems_in(file, TAG_FIRST, order="word-first")[0] == (
        "FILE:1: 'any' is not a tag; expected O, B-<type> or I-<type>"
    )


def test_an_invalid_order_is_an_error(file: Path) -> None:
    file.write_text(TAG_FIRST)
    with pytest.raises(ValueError, match=r"^order must be 'tag-first' or 'word-first', not 'words'$"):
        read_bio(file, order="words")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^order must be 'tag-first' or 'word-first', not ''$"):
        read_bio(file, order="")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^order must be 'tag-first' or 'word-first', not ''$"):
        write_bio(file, [FILM], order="")  # type: ignore[arg-type]
    assert file.read_text() == TAG_FIRST


# Problems


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", [NO_SENTENCE]),
        ("\ufeff", [NO_SENTENCE]),
        ("\n \t\r\n\r", [NO_SENTENCE]),
        ("O\ta\n\nO\n", [f"FILE:3: 1 column, not a word and a tag: 'O'{TOO_FEW}"]),
        ("O\ta\nO\t\n", [f"FILE:2: 1 column, not a word and a tag: 'O\\t'{TOO_FEW}"]),
        ("O\ta\nO\u00a0b\n", [f"FILE:2: 1 column, not a word and a tag: 'O\\xa0b'{TOO_FEW}"]),
        ("O\ta\r\nO\tb\tc\r\n", [f"FILE:2: 3 columns, not a word and a tag: 'O\\tb\\tc'{TOO_MANY}"]),
        ("a NN B-NP O\n", [f"FILE:1: 4 columns, not a word and a tag: 'a NN B-NP O'{NAME_COLUMNS}"]),
        ("O\ta\n" + "x" * 99, ["FILE:2: 1 column, not a word and a tag: '" + "x" * 77 + "...'" + TOO_FEW]),
        ("O\ta\nB\tb\n", ["FILE:2: 'B' is not a tag; expected O, B-<type> or I-<type>"]),
        ("O\ta\nB-\tb\n", ["FILE:2: 'B-' is not a tag; expected O, B-<type> or I-<type>"]),
        ("O\ta\no\tb\n", ["FILE:2: 'o' is not a tag; expected O, B-<type> or I-<type>"]),
        (
            "O\ta\nS-X\tb\n",
            [
                "FILE:2: 'S-X' is not a tag of IOB2; expected O, B-<type> or I-<type>",
                "read_sentences reads other schemes, bert-ner convert converts them",
            ],
        ),
        ("O\ta\nB-\u00a0\tb\n", ["FILE:2: 'B-\\xa0' is not a tag; expected O, B-<type> or I-<type>"]),
        (
            "O\ta\n-DOCSTART-\tO\n",
            ["FILE:2: -DOCSTART- begins a document and is no word; skip such lines with docstart=True"],
        ),
        ("O\ta\n# b c d\n", ["FILE:2: no word and its tag: '# b c d'; skip comments with comments='#'"]),
        ("O\ta\n\x1b[2J\tb\n", ["FILE:2: '\\x1b[2J' is not a tag; expected O, B-<type> or I-<type>"]),
        ("I-X\ta\nI-X\tb\n", ["FILE:1: 'I-X' at the start of a sentence; an entity opens with 'B-X'"]),
        ("B-X\ta\n\nI-X\tb\n", ["FILE:3: 'I-X' at the start of a sentence; an entity opens with 'B-X'"]),
        ("B-X\ta\nO\tb\nI-X\tc\n", ["FILE:3: 'I-X' after 'O'; an entity opens with 'B-X'"]),
        ("B-X\ta\nI-Y\tb\n", ["FILE:2: 'I-Y' after 'B-X'; an entity opens with 'B-Y'"]),
        ("B-X\ta\nI-X\tb\nI-XY\tc\n", ["FILE:3: 'I-XY' after 'I-X'; an entity opens with 'B-XY'"]),
        ("a\tO\rb\tI-X\r", ["FILE:2: 'I-X' after 'O'; an entity opens with 'B-X'"]),
        (b"O\ta\rO\tb\r\nO\tcaf\xe9\n", [f"FILE:3: byte 0xe9 {ENCODING}"]),
        (b"\xef\xbb\xbf\xff\n", [f"FILE:1: byte 0xff {ENCODING}"]),
        (
            "O\ta".encode("utf-16-le").join([b"\xff\xfe", b""]),
            ["FILE is UTF-16, not text; convert it with iconv -f utf-16 -t utf-8"],
        ),
        (
            b"O\ta\nO\t\xed\xa0\x80\n",  # a surrogate, which UTF-8 has no bytes for
            [f"FILE:2: byte 0xed {ENCODING}"],
        ),
        ("a\tb\n", ["FILE: neither column looks like tags, such as O or B-LOC: 'a b'"]),
        ("O\tO\n", [NO_GUESS]),
        ("B-X\tO\nO\tB-52\n", [NO_GUESS]),
        ("a\tb\nc\n", [f"FILE:2: 1 column, not a word and a tag: 'c'{TOO_FEW}"]),  # the columns come first
    ],
)
def test_each_problem_has_its_line(file: Path, content: str | bytes, expected: list[str]) -> None:
    assert problems_in(file, content) == expected


def test_a_tag_outside_the_labels_is_unknown(file: Path) -> None:
    labels = iter(labels_of(["X"]))
    assert problems_in(file, "B-X\ta\n\nB-Y\tb\nI-Y\tc\nI-X\td\n", labels=labels) == [
        "FILE:3: unknown tag 'B-Y'",
        "FILE:4: unknown tag 'I-Y'",
        "FILE:5: 'I-X' after 'I-Y'; an entity opens with 'B-X'",
        "known tags: O, B-X, I-X",
    ]
    assert problems_in(file, "B-Y\ta\nB-Y\tb\n", labels=["O"])[0] == "FILE:1: unknown tag 'B-Y' (and 1 more like it)"
    assert problems_in(file, "O\ta\n", labels=[]) == ["FILE:1: unknown tag 'O'"]


def test_problems_of_all_kinds_are_sorted_by_line(file: Path) -> None:
    content = b"O\ta\nI-X\tb\nB\tc\nO\n\nB-Y\td\nO\t\xff\n\nI-X\te\nO\tf\tg\n"
    assert problems_in(file, content, labels=["O", "B-X", "I-X"]) == [
        "FILE:2: 'I-X' after 'O'; an entity opens with 'B-X'",
        "FILE:3: 'B' is not a tag; expected O, B-<type> or I-<type>",
        f"FILE:4: 1 column, not a word and a tag: 'O'{TOO_FEW}",
        "FILE:6: unknown tag 'B-Y'",
        f"FILE:7: byte 0xff {ENCODING}",
        "FILE:9: 'I-X' at the start of a sentence; an entity opens with 'B-X'",
        f"FILE:10: 3 columns, not a word and a tag: 'O\\tf\\tg'{TOO_MANY}",
        "known tags: O, B-X, I-X",
    ]


def test_after_an_unreadable_line_a_transition_is_no_problem(file: Path) -> None:
    content = "O\ta\nB-X b c\nI-X\td\nI-Y\te\n"  # whether line 3 has its B- depends on what line 2 should be
    assert problems_in(file, content) == [
        f"FILE:2: 3 columns, not a word and a tag: 'B-X b c'{TOO_MANY}",
        "FILE:4: 'I-Y' after 'I-X'; an entity opens with 'B-Y'",
    ]


@pytest.mark.parametrize(
    ("count", "more"), [(20, []), (21, ["... and 1 more in FILE"]), (25, ["... and 5 more in FILE"])]
)
def test_one_error_lists_twenty_problems(file: Path, count: int, more: list[str]) -> None:
    listed = [f"FILE:{line}: 'I-X' after 'O'; an entity opens with 'B-X'" for line in range(2, 62, 3)]
    assert len(listed) == MAX_PROBLEMS
    assert problems_in(file, "O\ta\nI-X\tb\n\n" * count) == listed + more


def test_unreadable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def message(path: Path) -> str:
        with pytest.raises(BioError) as caught:
            read_bio(path)
        return str(caught.value).replace(str(tmp_path), "FOLDER")

    assert message(tmp_path) == "FOLDER is a directory; name a file in it"
    assert message(tmp_path / "none.bio") == "FOLDER/none.bio can't be read: No such file or directory"
    (tmp_path / "file.bio").write_text(TAG_FIRST)
    assert message(tmp_path / "file.bio" / "x") == "FOLDER/file.bio/x can't be read: Not a directory"

    def deny(_: Path) -> bytes:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "read_bytes", deny)  # a mode of 000 does not keep root out
    assert message(tmp_path / "file.bio") == "FOLDER/file.bio can't be read: Permission denied"


def test_parsing_returns_sentences_with_their_lines_and_problems() -> None:
    content = b"\n\nI-X\ta\nO b c\nI-X\td\n\n\nB-Y\te\nI-X\tf\n\nx\n"
    transition = "'I-X' {}; an entity opens with 'B-X'"
    assert parse_bio(content, "some.bio", labels=["B-X", "I-X"]) == [
        (
            (("a", "d"), ("I-X", "I-X")),
            (3, 5),
            (
                (3, transition.format("at the start of a sentence"), "", True),
                (4, f"3 columns, not a word and a tag: 'O b c'{TOO_MANY}", "", False),
            ),
        ),
        (
            (("e", "f"), ("B-Y", "I-X")),
            range(8, 10),
            ((8, "unknown tag 'B-Y'", "", False), (9, transition.format("after 'B-Y'"), "", True)),
        ),
        (((), ()), (), ((11, f"1 column, not a word and a tag: 'x'{TOO_FEW}", "", False),)),
    ]


# Writing


@pytest.mark.parametrize(("order", "text"), [("tag-first", TAG_FIRST), ("word-first", WORD_FIRST)])
def test_writing(file: Path, order: Order, text: str) -> None:
    write_bio(file, iter([FILM, SHORT]), order)
    assert file.read_bytes() == text.encode()


BAD_WORD = "is empty, or has a space, a tab, a line end, a leading byte order mark or a lone surrogate in it"


@pytest.mark.parametrize(
    ("words", "tags", "problem"),
    [
        ((), (), "it has 0 words and 0 tags; it needs at least one word, and a tag for each"),
        (("a", "b"), ("O",), "it has 2 words and 1 tag; it needs at least one word, and a tag for each"),
        (("a",), ("O", "O"), "it has 1 word and 2 tags; it needs at least one word, and a tag for each"),
        (("",), ("O",), f"'' {BAD_WORD}"),
        (("a b",), ("O",), f"'a b' {BAD_WORD}"),
        (("a\t",), ("O",), f"'a\\t' {BAD_WORD}"),
        (("a\n",), ("O",), f"'a\\n' {BAD_WORD}"),
        (("\r",), ("O",), f"'\\r' {BAD_WORD}"),
        (("\ufeffa",), ("O",), f"'\\ufeffa' {BAD_WORD}"),
        (("a\ud83c",), ("O",), f"'a\\ud83c' {BAD_WORD}"),
        (("-DOCSTART-",), ("O",), "-DOCSTART- is no word but begins a document"),
        (("a",), ("",), "'' is not a tag; expected O, B-<type> or I-<type>"),
        (("a",), ("O\n",), "'O\\n' is not a tag; expected O, B-<type> or I-<type>"),
        (("a",), ("B-X Y",), "'B-X Y' is not a tag; expected O, B-<type> or I-<type>"),
        (("a",), ("B-\ud83c",), "'B-\\ud83c' is not a tag; expected O, B-<type> or I-<type>"),
        (("a", "b"), ("O", "I-X"), "'I-X' after 'O'; an entity opens with 'B-X'"),
        (("a",), ("I-X",), "'I-X' at the start of a sentence; an entity opens with 'B-X'"),
    ],
)
def test_sentences_that_could_not_be_read_back_are_not_written(
    file: Path, words: tuple[str, ...], tags: tuple[str, ...], problem: str
) -> None:
    file.write_text("old")
    with pytest.raises(BioError) as caught:
        write_bio(file, [SHORT, Sentence(words, tags)])
    assert str(caught.value) == f"{file}: sentence 2 can't be written: {problem}"
    assert file.read_text() == "old"
    assert list(file.parent.iterdir()) == [file]


def test_a_corpus_without_sentences_is_not_written(file: Path) -> None:
    with pytest.raises(BioError, match=r"some\.bio: no sentence to write$"):
        write_bio(file, [])
    assert not file.exists()


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(BioError) as caught:
        write_bio(tmp_path, [FILM])
    assert str(caught.value) == f"{tmp_path} can't be written: Is a directory"
    assert not list(tmp_path.iterdir())


def test_a_failed_write_keeps_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bio(file, [SHORT])

    def fill_up(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("bert_ner.files.os.fsync", fill_up)
    with pytest.raises(BioError) as caught:
        write_bio(file, [FILM])
    assert str(caught.value) == f"{file} can't be written: No space left on device"
    assert read_bio(file) == [SHORT]
    assert list(file.parent.iterdir()) == [file]


# Properties

characters = st.characters(exclude_categories=["Cs"], exclude_characters=" \t\r\n")
plain_words = st.text(characters, min_size=1).filter(lambda word: not word.startswith("\ufeff"))
words = plain_words | st.sampled_from(["O", "B-52", "I-X"])
types = st.sampled_from(["X", "Y", "X-Y", "-", "_", "O", "RATINGS_AVERAGE", "é"])
entities = st.builds(lambda kind, more: [f"B-{kind}"] + [f"I-{kind}"] * more, types, st.integers(0, 3))
legal_tags = st.lists(entities | st.just(["O"]), max_size=8).map(lambda parts: [tag for part in parts for tag in part])


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    tags = draw(legal_tags.filter(bool))
    return Sentence(tuple(draw(words) for _ in tags), tuple(tags))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bio")


@settings(deadline=None)
@given(corpus=st.lists(sentences(), min_size=1, max_size=4), order=st.sampled_from(ORDERS))
def test_read_write_read(folder: Path, corpus: list[Sentence], order: Order) -> None:
    file, again = folder / "first.bio", folder / "second.bio"
    write_bio(file, corpus, order)
    assert read_bio(file, order=order) == corpus
    write_bio(again, read_bio(file, order=order), order)
    assert again.read_bytes() == file.read_bytes()
    if all(TAG.fullmatch(word) for sentence in corpus for word in sentence.words):
        with pytest.raises(BioError, match="both columns look like tags"):
            read_bio(file)
    else:
        assert read_bio(file) == corpus  # the guess is right or there is none


@settings(deadline=None)
@given(content=st.binary() | st.lists(st.sampled_from([*"OBIX- \t\r\n\xff"])).map(lambda text: "".join(text).encode()))
def test_any_bytes_are_read_or_are_an_error_that_names_the_file(folder: Path, content: bytes) -> None:
    file = folder / "any.bio"
    file.write_bytes(content)
    try:
        corpus = read_bio(file)
    except BioError as error:
        assert str(error).startswith((f"{file}:", f"{file} is "))
    else:
        assert not any(illegal_transitions(sentence.tags) for sentence in corpus)
        assert sum(len(sentence.words) for sentence in corpus) == sum(
            bool(line.strip(b" \t")) for line in content.replace(b"\r", b"\n").split(b"\n")
        )
