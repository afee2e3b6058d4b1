"""Read text files that have a word and its tag in each line, and a blank line after each sentence."""

import re
import sys
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from typing import Literal, NamedTuple, get_args

from bert_ner.corpus.schemes import SCHEME_TAG
from bert_ner.errors import BertNerError

MAX_PROBLEMS = 20  # listed in one error message
TAG = re.compile(r"O|[BI]-[^\s\ud800-\udfff]+")
DOCSTART = "-DOCSTART-"  # where CoNLL-2003 begins a document
DOCSTART_PROBLEM = f"{DOCSTART} begins a document and is no word; skip such lines with --docstart"
# A line end doubled by a careless conversion, "\r\r\n", is one: a blank line would end the sentence.
_LINE_END = re.compile(r"\r*\n|\r")
_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")  # surrogateescape decodes invalid bytes to these
_WORD = re.compile(r"(?!\ufeff)[^ \t\r\n\ud800-\udfff]+")
_COLUMN = re.compile(r"[^ \t]+")
_MARK = "\ufeff"  # a byte order mark, which stays inside a file when files are joined

Order = Literal["tag-first", "word-first"]


@dataclass(frozen=True)
class Layout:
    """The columns and the marker lines of a text file.

    By default, lines have two columns in either order. If a column is named, lines may have any number of columns.

    Attributes:
        order: of two columns; by default the tags decide.
        word_column, tag_column: as Python counts, so 0 is the first column and -1 the last. If only one is named, the
            word is in the first column, or the tag in the last.
        comments: skip lines that begin with this text.
        docstart: skip -DOCSTART- lines, which also end a sentence. Otherwise they are an error.
    """

    order: Order | None = None
    word_column: int | None = None
    tag_column: int | None = None
    comments: str | None = None
    docstart: bool = False

    @property
    def named_columns(self) -> tuple[int, int] | None:
        """Return the column of the words and that of the tags; None if neither is named."""
        if self.word_column is None and self.tag_column is None:
            return None
        return self.word_column or 0, -1 if self.tag_column is None else self.tag_column


class BioError(BertNerError, ValueError):
    """A file or a tag sequence that violates the format; the message says what is wrong, where, and what to do."""


class Problem(NamedTuple):
    """A problem in a line of a file; lines count from 1."""

    line: int
    message: str
    is_transition: bool = False  # a tag that can't stand there, such as `I-X` without its `B-X`; conlleval reads it


class Word(NamedTuple):
    """A word and its tag, neither checked, and their line."""

    line: int
    word: str
    tag: str


Row = tuple[str, ...] | str  # the columns of a line, () if it is blank, or its problem
Group = Sequence[Word | Problem]  # the lines of a sentence


class Columns(NamedTuple):
    """The sentences of a file, and the number of lines skipped, by their kind."""

    groups: list[Group]
    skipped: Counter[str]


def read_columns(content: bytes, name: str, layout: Layout, allowed: Container[str] = ()) -> Columns:
    """Split a file, called `name` in messages, into words with their tags; `allowed` tags help to find their column.

    A byte order mark at the start of any line is dropped, as joined files have it there.

    Raises:
        BioError: there is no sentence, or the column of the tags is unclear.
        ValueError: `layout.order` is invalid.
    """
    text = content.decode("utf-8", errors="surrogateescape")
    skipped: Counter[str] = Counter()
    row_of = lru_cache(maxsize=2**12)(partial(_row, layout=layout))  # for the frequent lines, such as blank ones
    rows: list[Row | None] = []  # of each line; None if it is a comment
    for raw in _LINE_END.split(text):
        entry = raw.removeprefix(_MARK)
        if layout.comments and entry.startswith(layout.comments):
            skipped["comment"] += 1
            rows.append(None)
            continue
        if layout.docstart and DOCSTART in _COLUMN.findall(entry):
            skipped[DOCSTART] += 1
            entry = ""
        rows.append(row_of(entry))
    if not any(rows):
        raise BioError(f"{name}: no sentence in it; expected a line 'TAG<TAB>word' for each word")
    word, tag = _columns(rows, name, layout, allowed)
    numbered = ((line, row) for line, row in enumerate(rows, start=1) if row is not None)
    groups: list[Group] = [
        [Problem(line, row) if isinstance(row, str) else Word(line, row[word], row[tag]) for line, row in group]
        for has_content, group in groupby(numbered, key=lambda entry: bool(entry[1]))
        if has_content
    ]
    return Columns(groups, skipped)


def columns_text(words: Iterable[Sequence[str]], tags: Iterable[Sequence[str]]) -> str:
    """Return the text of some sentences: a line `word<TAB>tag` for each word, and a blank line after each sentence."""
    sentences = (zip(*pair, strict=True) for pair in zip(words, tags, strict=True))
    return "".join("".join(f"{word}\t{tag}\n" for word, tag in pairs) + "\n" for pairs in sentences)


def raise_problems(problems: Sequence[Problem], name: str, notes: Sequence[str] = (), place: str | None = None) -> None:
    """Raise a BioError that lists the problems of a file, if there are any, and then the notes.

    Args:
        place: the text before a line's number; by default the name and a colon.
    """
    if not problems:
        return
    place = place or f"{name}:"
    lines = [f"{place}{problem.line}: {problem.message}" for problem in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        lines.append(f"... and {len(problems) - MAX_PROBLEMS} more in {name}")
    raise BioError("\n".join([*lines, *notes]))


def quoted(text: str) -> str:
    """Quote a text, with control characters escaped, and cut it to 80 characters."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def word_problem(word: str) -> str | None:
    """Return why a word can't stand in a column, or None."""
    if word == DOCSTART:
        return f"{DOCSTART} is no word but begins a document"
    if not _WORD.fullmatch(word):
        return (
            f"{quoted(word)} is empty, or has a space, a tab, a line end, a leading byte order mark or a lone "
            f"surrogate in it"
        )
    return None


def tag_column_of(order: Order) -> int:
    """Return the index of the column that holds the tags, 0 or 1."""
    if order not in get_args(Order):
        raise ValueError(f"order must be 'tag-first' or 'word-first', not {order!r}")
    return get_args(Order).index(order)


def _row(line: str, layout: Layout) -> Row:
    """Return the columns of a line, () if it is blank, or its problem."""
    if escape := _NOT_UTF8.search(line):
        byte = ord(escape[0]) - 0xDC00
        return f"byte 0x{byte:02x} is not UTF-8; convert the file with iconv -f <its encoding> -t utf-8"
    columns = tuple(map(sys.intern, _COLUMN.findall(line)))  # each word is held once
    if DOCSTART in columns:
        return DOCSTART_PROBLEM
    if not columns or (len(columns) == 2 and not layout.named_columns):
        return columns
    count = "1 column" if len(columns) == 1 else f"{len(columns)} columns"
    if layout.named_columns:
        needed = max(column + 1 if column >= 0 else 1 - column for column in layout.named_columns)
        return columns if len(columns) >= needed else f"{count} of at least {needed}: {quoted(line)}"
    remedy = ""
    if line.startswith("#"):
        remedy = "; skip comments with --comments '#'"
    elif len(columns) > 2:
        remedy = "; name them with --word-column and --tag-column"
    return f"{count}, not a tag and a word: {quoted(line)}{remedy}"


def _columns(rows: Sequence[Row | None], name: str, layout: Layout, allowed: Container[str]) -> tuple[int, int]:
    """Return the indexes of the columns of words and of tags."""
    if layout.named_columns:
        return layout.named_columns
    if layout.order is not None:
        tag = tag_column_of(layout.order)
        return 1 - tag, tag
    pairs = [row for row in rows if row and not isinstance(row, str)]
    likely = _likely_tag_column(pairs, allowed)
    if likely is None:
        raise_problems([Problem(line, row) for line, row in enumerate(rows, start=1) if isinstance(row, str)], name)
        looks = (
            "both columns look" if any(SCHEME_TAG.fullmatch(entry) for entry, _ in pairs) else "neither column looks"
        )
        raise BioError(f"{name}: {looks} like BIO tags; say which holds them with order='tag-first' or 'word-first'")
    return 1 - likely, likely


def _likely_tag_column(pairs: Sequence[tuple[str, ...]], allowed: Container[str]) -> int | None:
    """Return the column with more tags or, if they tie, more tags of BIO or more allowed ones; None if all tie."""
    counts = [Counter(pair[i] for pair in pairs) for i in (0, 1)]
    first, second = (
        (
            sum(times for entry, times in column.items() if SCHEME_TAG.fullmatch(entry)),
            sum(times for entry, times in column.items() if TAG.fullmatch(entry)),
            sum(times for entry, times in column.items() if entry in allowed),
        )
        for column in counts
    )
    return None if first == second else int(first < second)
