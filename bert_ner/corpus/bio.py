"""Read, write and check BIO files; turn tag sequences into spans and back.

A BIO file has one word and one tag a line, a blank line after each sentence. `B-X` opens an entity of type X,
`I-X` continues it, `O` is outside. Reading never repairs: whatever is wrong is reported with file and line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from bert_ner.errors import BertNerError
from bert_ner.files import write_whole

MAX_OFFENCES = 20  # one error lists this many, then says how many more there are
TAG = re.compile(r"O|[BI]-[^\s\ud800-\udfff]+")
_WORD = re.compile(r"(?!\ufeff)[^ \t\r\n\ud800-\udfff]+")  # no gaps, no byte order mark in front, no lone surrogates
_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")  # what surrogateescape makes of such a byte
_COLUMN = re.compile(r"[^ \t]+")

Order = Literal["tag-first", "word-first"]


class Sentence(NamedTuple):
    """The words of one sentence and their tags, equally many."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


class Span(NamedTuple):
    """An entity: words `start` up to, not including, `end` (0 <= start < end), and its type."""

    type: str
    start: int
    end: int


class Offence(NamedTuple):
    """What is wrong with a line of a file, and what to do; lines count from 1.

    Attributes:
        is_transition: an `I-X` without its `B-X`, which conlleval can read all the same.
    """

    line: int
    complaint: str
    is_transition: bool = False


class Passage(NamedTuple):
    """What stands between two blank lines of a file: a sentence, the line of each word, and all that is wrong there."""

    sentence: Sentence
    lines: tuple[int, ...]
    offences: tuple[Offence, ...]


class BioError(BertNerError, ValueError):
    """A BIO file, or a tag sequence, that breaks the format; the message says where and what to do."""


def labels_of(types: Iterable[str]) -> tuple[str, ...]:
    """The tag set of some entity types: `O`, then `B-` and `I-` of each, in the order given."""
    return ("O", *(prefix + entity_type for entity_type in types for prefix in ("B-", "I-")))


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The entities of one tag sequence, in order, as conlleval reads them.

    An `I-X` that continues nothing of type X opens an entity (Tjong Kim Sang and Buchholz, 2000), so every
    sequence of `O`, `B-X` and `I-X` has a reading. `tags_of` is the inverse for sequences without such an `I-X`.

    Raises:
        BioError: something in it is not a tag.
    """
    spans = []
    start, current = 0, ""  # the open entity's first word and type; "" while none is open
    for i, tag in enumerate((*tags, "O")):
        continues = bool(current) and tag == f"I-{current}"
        if current and not continues:
            spans.append(Span(current, start, i))
            current = ""
        if tag != "O" and not continues:
            if complaint := _complaint(tag):
                raise BioError(f"word {i + 1}: {complaint}")
            start, current = i, tag[2:]
    return spans


def tags_of(spans: Iterable[Span], length: int) -> list[str]:
    """The BIO tags of `length` words that carry these entities.

    Raises:
        ValueError: a span is empty, leaves the sentence, overlaps another one, or has a type that no tag can carry.
    """
    tags = ["O"] * length
    for span in spans:
        if not 0 <= span.start < span.end <= length:
            raise ValueError(f"{span} does not fit into a sentence of {length} words")
        if any(tag != "O" for tag in tags[span.start : span.end]):
            raise ValueError(f"{span} overlaps another entity; BIO tags can't express that")
        if complaint := _complaint(f"B-{span.type}"):
            raise ValueError(f"{span}: {complaint}")
        tags[span.start] = f"B-{span.type}"
        tags[span.start + 1 : span.end] = [f"I-{span.type}"] * (span.end - span.start - 1)
    return tags


def illegal_transitions(tags: Sequence[str]) -> list[int]:
    """The positions of every `I-X` that follows neither `B-X` nor `I-X`."""
    return [i for i, (before, tag) in enumerate(pairwise(("", *tags))) if _opens_nothing(tag, before)]


def read_bio(
    path: str | os.PathLike[str], labels: Iterable[str] | None = None, order: Order | None = None
) -> list[Sentence]:
    """Read a BIO file.

    Args:
        path: the file: UTF-8, with or without a byte order mark, any line ending, columns parted by tabs or spaces.
        labels: the tags allowed; by default every `O`, `B-X` and `I-X`.
        order: which column holds the tag; by default the one with more entries that are tags or, where both have as
            many, with more that are in `labels`.

    Returns:
        Its sentences, in order.

    Raises:
        BioError: the file is missing, a directory or empty, or has a line that is not UTF-8 or has other than two
            columns, an unknown tag, or an `I-X` without its `B-X`. Every offence carries its line number.
        ValueError: `order` is none of the two.
    """
    path = Path(path)
    allowed = None if labels is None else tuple(labels)
    try:
        if path.is_dir():
            raise BioError(f"{path} is a directory; name a file in it")
        content = path.read_bytes()
    except OSError as error:
        raise BioError(f"{path} can't be read: {error.strerror}") from None
    passages = parse_bio(content, str(path), allowed, order)
    refuse([offence for passage in passages for offence in passage.offences], str(path), allowed)
    return [passage.sentence for passage in passages]


def parse_bio(
    content: bytes, name: str, labels: Iterable[str] | None = None, order: Order | None = None
) -> list[Passage]:
    """The sentences of a BIO file as they are, with what is wrong with them: `read_bio` for who wants to know it all.

    Args:
        content: of the file.
        name: of the file, for messages.
        labels, order: as `read_bio` takes them.

    Raises:
        BioError: there is no sentence, or nothing tells which column holds the tags.
        ValueError: `order` is none of the two.
    """
    allowed = None if labels is None else dict.fromkeys(labels)
    rows = _rows(content)
    pairs = [row for row in rows if row and not isinstance(row, str)]
    offences = [Offence(number, row) for number, row in enumerate(rows, start=1) if isinstance(row, str)]
    if not pairs and not offences:
        raise BioError(f"{name}: no sentence in it; expected a line 'TAG<TAB>word' for each word")
    tag_column = _likely_tag_column(pairs, allowed or ()) if order is None else _tag_column(order)
    if tag_column is None:
        refuse(offences, name)
        looks = "both columns look" if any(TAG.fullmatch(entry) for entry, _ in pairs) else "neither column looks"
        raise BioError(f"{name}: {looks} like BIO tags; say which holds them with order='tag-first' or 'word-first'")
    parts = groupby(enumerate(rows, start=1), key=lambda numbered: bool(numbered[1]))
    return [_passage(part, tag_column, allowed) for has_content, part in parts if has_content]


def refuse(offences: Sequence[Offence], name: str, labels: Iterable[str] | None = None) -> None:
    """Raise a BioError that lists offences of a file of that name, if there are any, and the labels it may have."""
    if not offences:
        return
    lines = [f"{name}:{offence.line}: {offence.complaint}" for offence in offences[:MAX_OFFENCES]]
    if len(offences) > MAX_OFFENCES:
        lines.append(f"... and {len(offences) - MAX_OFFENCES} more in {name}")
    if labels and any(offence.complaint.startswith("unknown tag") for offence in offences):
        lines.append(f"known tags: {', '.join(labels)}")
    raise BioError("\n".join(lines))


def write_bio(path: str | os.PathLike[str], sentences: Iterable[Sentence], order: Order = "tag-first") -> None:
    """Write sentences as a tab-separated BIO file that `read_bio` reads back unchanged; whole or not at all.

    Raises:
        BioError: there is no sentence, or one that is empty, has unequally many words and tags, a word that is empty
            or holds a gap or a character that a text file can't keep, something that is not a tag, or an `I-X`
            without its `B-X`; or the file can't be written.
        ValueError: `order` is none of the two.
    """
    tag_column = _tag_column(order)
    lines = []
    for number, (words, tags) in enumerate(sentences, start=1):
        if len(words) != len(tags) or not words:
            raise BioError(
                f"{path}: sentence {number} can't be written: it has {len(words)} word(s) and {len(tags)} tag(s); "
                f"it needs at least one word, and a tag for each"
            )
        for word, (before, tag) in zip(words, pairwise(("", *tags)), strict=True):
            complaint = _complaint(tag) or _complaint_of_transition(before, tag)
            if not _WORD.fullmatch(word):
                complaint = f"{_quoted(word)} is empty or has a gap, a byte order mark in front or a lone surrogate"
            if complaint:
                raise BioError(f"{path}: sentence {number} can't be written: {complaint}")
            lines.append(f"{word}\t{tag}\n" if tag_column else f"{tag}\t{word}\n")
        lines.append("\n")
    if not lines:
        raise BioError(f"{path}: no sentence to write")
    try:
        write_whole(path, "".join(lines))
    except OSError as error:
        raise BioError(f"{path} can't be written: {error.strerror}") from None


def _rows(content: bytes) -> list[tuple[str, ...] | str]:
    """Each line's two columns, () for a blank line, or what is wrong with it."""
    text = content.decode("utf-8-sig", errors="surrogateescape")
    return [_row(line) for line in re.split(r"\r\n|\r|\n", text)]


def _row(line: str) -> tuple[str, ...] | str:
    if escape := _NOT_UTF8.search(line):
        byte = ord(escape[0]) - 0xDC00
        return f"byte 0x{byte:02x} is not UTF-8; convert the file with iconv -f <its encoding> -t utf-8"
    columns = tuple(_COLUMN.findall(line))
    if len(columns) in (0, 2):
        return columns
    count = "1 column" if len(columns) == 1 else f"{len(columns)} columns"
    return f"{count}, not a tag and a word: {_quoted(line)}"


def _passage(
    rows: Iterable[tuple[int, tuple[str, ...] | str]], tag_column: int, allowed: Container[str] | None
) -> Passage:
    words, tags, lines, offences = [], [], [], []
    before: str | None = ""  # None: not known
    for number, row in rows:
        if isinstance(row, str):
            offences.append(Offence(number, row))
            before = None
            continue
        tag, word = row[tag_column], row[1 - tag_column]
        if complaint := _complaint(tag, allowed):
            offences.append(Offence(number, complaint))
        elif before is not None and (complaint := _complaint_of_transition(before, tag)):
            offences.append(Offence(number, complaint, is_transition=True))
        words.append(word)
        tags.append(tag)
        lines.append(number)
        before = tag
    return Passage(Sentence(tuple(words), tuple(tags)), tuple(lines), tuple(offences))


def _tag_column(order: Order) -> int:
    """0 or 1: the column that holds the tags."""
    if order not in get_args(Order):
        raise ValueError(f"order must be 'tag-first' or 'word-first', not {order!r}")
    return get_args(Order).index(order)


def _likely_tag_column(pairs: Sequence[tuple[str, ...]], allowed: Container[str]) -> int | None:
    """The column with more tags in it; of equals, with more that are allowed; None if that settles nothing."""
    first, second = (
        (sum(bool(TAG.fullmatch(pair[i])) for pair in pairs), sum(pair[i] in allowed for pair in pairs)) for i in (0, 1)
    )
    return None if first == second else int(first < second)


def _opens_nothing(tag: str, before: str) -> bool:
    """Whether this is an `I-X` that follows neither `B-X` nor `I-X`."""
    return tag.startswith("I-") and before not in (f"B-{tag[2:]}", tag)


def _complaint(tag: str, allowed: Container[str] | None = None) -> str | None:
    """What is wrong with a tag, wherever it stands."""
    if not TAG.fullmatch(tag):
        return f"{_quoted(tag)} is not a tag; expected O, B-<type> or I-<type>"
    if allowed is not None and tag not in allowed:
        return f"unknown tag {_quoted(tag)}"
    return None


def _complaint_of_transition(before: str, tag: str) -> str | None:
    """What is wrong with a tag after another one ("": it opens the sentence)."""
    if not _opens_nothing(tag, before):
        return None
    where = f"after {_quoted(before)}" if before else "at the start of a sentence"
    return f"{_quoted(tag)} {where}; an entity opens with {_quoted('B-' + tag[2:])}"


def _quoted(text: str) -> str:
    """The text in quotes, control characters escaped, cut to a line's length."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
