"""Read text files that have a word and its tag in each line, and a blank line after each sentence."""

import re
import sys
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Literal, NamedTuple, get_args

from bert_ner.corpus.binary import known_binary
from bert_ner.corpus.schemes import SCHEME_TAG
from bert_ner.errors import BertNerError
from bert_ner.wording import counted, option

MAX_PROBLEMS = 20  # listed in one error message
OTHER_SCHEME = "scheme"  # the kind of the problems of a file that seems to be in another scheme
TAG = re.compile(r"O|[BI]-[^\s\ud800-\udfff]+")
DOCSTART = "-DOCSTART-"  # where CoNLL-2003 begins a document
# A line end doubled by a careless conversion, "\r\r\n", is one: a blank line would end the sentence.
_LINE_END = re.compile(r"\r*\n|\r")
_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")  # surrogateescape decodes invalid bytes to these
_WORD = re.compile(r"(?!\ufeff)[^ \t\r\n\ud800-\udfff]+")
_COLUMN = re.compile(r"[^ \t]+")
# Between a word and its tag, or a tag and its word.
_OTHER_SEPARATOR = re.compile(r"(?<=.)([^\w\s-])(?=(?:O|[BIELSU]-\S+)$)|^(?:O|[BIELSU]-\w+)([^\w\s-])")
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
    """A problem in a line of a file; lines count from 1.

    Problems of one `kind` have the same cause and the same remedy, so messages list the first and count the others.
    """

    line: int
    message: str
    kind: str = ""
    is_transition: bool = False  # a tag that can't stand there, such as `I-X` without its `B-X`; conlleval reads it


class Word(NamedTuple):
    """A word and its tag, neither checked, and their line."""

    line: int
    word: str
    tag: str


class _Fault(NamedTuple):
    """What is wrong with a line: a Problem without its number."""

    message: str
    kind: str = ""


Row = tuple[str, ...] | _Fault  # the columns of a line, () if it is blank
Group = Sequence[Word | Problem]  # the lines of a sentence


class Columns(NamedTuple):
    """The sentences of a file, and the number of lines skipped, by their kind."""

    groups: list[Group]
    skipped: Counter[str]


def read_columns(content: bytes, name: str, layout: Layout, allowed: Container[str] = ()) -> Columns:
    """Split a file, called `name` in messages, into words with their tags; `allowed` tags help to find their column.

    A byte order mark at the start of any line is dropped, as joined files have it there.

    Raises:
        BioError: it is not text, there is no sentence, or the column of the tags is unclear.
        ValueError: `layout.order` is invalid.
    """
    if problem := known_binary(content):
        raise BioError(f"{name} is {problem}")
    text = content.decode("utf-8", errors="surrogateescape")
    lines = [line.removeprefix(_MARK) for line in _LINE_END.split(text)]
    skipped: Counter[str] = Counter()
    row_of = lru_cache(maxsize=2**12)(_row)  # for the frequent lines, such as blank ones
    rows: list[Row | None] = []  # of each line; None if it is a comment
    for line in lines:
        if layout.comments and line.startswith(layout.comments):
            skipped["comment"] += 1
            rows.append(None)
        elif layout.docstart and DOCSTART in _COLUMN.findall(line):
            skipped[DOCSTART] += 1
            rows.append(())
        else:
            rows.append(row_of(line))
    if not any(rows):
        raise BioError(f"{name}: no sentence in it; expected a word and its tag in each line, such as 'Oslo<TAB>B-LOC'")
    _find_wrong_widths(rows, lines, layout)
    word, tag = _columns(rows, name, layout, allowed)
    _find_comments(rows, lines, tag)
    numbered = ((number, row) for number, row in enumerate(rows, start=1) if row is not None)
    groups: list[Group] = [
        [
            Problem(number, *row) if isinstance(row, _Fault) else Word(number, row[word], row[tag])
            for number, row in group
        ]
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
    lines = listed(problems, place or f"{name}:")
    if len(lines) > MAX_PROBLEMS:
        lines[MAX_PROBLEMS:] = [f"... and {len(lines) - MAX_PROBLEMS} more in {name}"]
    raise BioError("\n".join([*lines, *notes]))


def listed(problems: Iterable[Problem], place: str) -> list[str]:
    """Return a line for each problem; one, with their number, for those of a kind and for those with the same message.

    Each wrong transition has a line of its own, unless it has a kind. `place` stands before the number of a line.
    """
    alike: dict[object, list[Problem]] = {}
    for problem in problems:
        message = (problem.line, problem.message) if problem.is_transition else problem.message
        alike.setdefault(problem.kind or message, []).append(problem)
    return [
        f"{place}{first.line}: {first.message}" + (f" (and {len(others):,} more like it)" if others else "")
        for first, *others in alike.values()
    ]


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


def docstart_problem() -> str:
    """Return what is wrong with a word that only marks a document."""
    return f"{DOCSTART} begins a document and is no word; skip such lines with {option('docstart', True)}"


def tag_column_of(order: Order) -> int:
    """Return the index of the column that holds the tags, 0 or 1."""
    if order not in get_args(Order):
        raise ValueError(f"order must be 'tag-first' or 'word-first', not {order!r}")
    return get_args(Order).index(order)


def column_index(column: str | int) -> int:
    """Return the index of a column that is named `first` or `last`, or counted from 1; raise ValueError if it is not.

    That of the last is -1.
    """
    named = {"first": 0, "last": -1}
    text = str(column)
    if text in named:
        return named[text]
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise ValueError(f"{text!r} is not a number from 1, first or last")
    return int(text) - 1


def _row(line: str) -> Row:
    """Return the columns of a line, () if it is blank, or what is wrong with it in any layout."""
    if escape := _NOT_UTF8.search(line):
        byte = ord(escape[0]) - 0xDC00
        message = f"byte 0x{byte:02x} is not UTF-8; convert the file with iconv -f <its encoding> -t utf-8"
        return _Fault(message, "encoding")
    columns = tuple(map(sys.intern, _COLUMN.findall(line)))  # each word is held once
    return _Fault(docstart_problem()) if DOCSTART in columns else columns


def _find_wrong_widths(rows: list[Row | None], lines: Sequence[str], layout: Layout) -> None:
    """Replace the rows with too few or too many columns by what is wrong with them."""
    named = layout.named_columns
    needed = max(column + 1 if column >= 0 else 1 - column for column in named or (0, 1))
    readable = {i: row for i, row in enumerate(rows) if row and not isinstance(row, _Fault)}
    odd = {i: row for i, row in readable.items() if len(row) < needed or (len(row) > needed and not named)}
    comments = {i for i in odd if lines[i].startswith("#")}
    most = 2 * (len(odd) - len(comments)) > len(readable) - len(comments)
    for i, row in odd.items():
        if i in comments:
            rows[i] = _comment_fault(lines[i])
            continue
        count = f"{counted(len(row), 'column')}{f' of at least {needed}' if named else ', not a word and a tag'}"
        remedy = _width_remedy(lines[i], row, most, bool(named))
        rows[i] = _Fault(f"{count}: {quoted(lines[i])}; {remedy}", remedy if most else "")


def _width_remedy(line: str, row: tuple[str, ...], most: bool, named: bool) -> str:
    """Return what to do about a line with a wrong number of columns; `most`: whether most lines have one."""
    if not most:
        return "a word can't have a space in it, except in JSON" if len(row) > 2 else "the word or its tag is missing"
    if line.startswith(("{", "[")):
        return f"to read JSON Lines: {option('format', 'jsonl')}"
    if not named and len(row) > 2 and not any(map(SCHEME_TAG.fullmatch, row)):
        return "there is no tag in it; bert-ner tag adds tags to a text"
    if named or len(row) > 2:
        return f"name the right columns with {option('word_column')} and {option('tag_column')}"
    if separator := _OTHER_SEPARATOR.search(line):
        return f"tabs or spaces separate the columns, not {separator[separator.lastindex or 0]!r}"
    return "a line needs a word and its tag, with a tab between them"


def _find_comments(rows: list[Row | None], lines: Sequence[str], tag: int) -> None:
    """Replace the rows that begin with # and have no tag, if most others have one, by what is wrong with them."""
    suspects = {i for i, line in enumerate(lines) if line.startswith("#")}
    if not suspects:
        return
    has_tag = {
        i: SCHEME_TAG.fullmatch(row[tag]) is not None
        for i, row in enumerate(rows)
        if row and not isinstance(row, _Fault)
    }
    others = [found for i, found in has_tag.items() if i not in suspects]
    if 2 * sum(others) > len(others):
        for i in suspects:
            if has_tag.get(i) is False:
                rows[i] = _comment_fault(lines[i])


def _comment_fault(line: str) -> _Fault:
    remedy = f"skip comments with {option('comments', '#')}"
    return _Fault(f"no word and its tag: {quoted(line)}; {remedy}", remedy)


def _columns(rows: Sequence[Row | None], name: str, layout: Layout, allowed: Container[str]) -> tuple[int, int]:
    """Return the indexes of the columns of words and of tags."""
    if layout.named_columns:
        return layout.named_columns
    if layout.order is not None:
        tag = tag_column_of(layout.order)
        return 1 - tag, tag
    pairs = [row for row in rows if row and not isinstance(row, _Fault)]
    likely = _likely_tag_column(pairs, allowed)
    if likely is not None:
        return 1 - likely, likely
    raise_problems([Problem(line, *row) for line, row in enumerate(rows, start=1) if isinstance(row, _Fault)], name)
    if any(SCHEME_TAG.fullmatch(entry) for entry, _ in pairs):
        orders = " or ".join(option("order", order) for order in get_args(Order))
        raise BioError(f"{name}: both columns look like tags; say which holds them with {orders}")
    raise BioError(f"{name}: neither column looks like tags, such as O or B-LOC: {quoted(' '.join(pairs[0]))}")


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
