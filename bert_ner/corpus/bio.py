"""Read, write and check BIO files; turn tag sequences into spans and back.

A BIO file has one word and one tag a line, a blank line after each sentence. `B-X` opens an entity of type X,
`I-X` continues it, `O` is outside. Reading never repairs: whatever is wrong is reported with file and line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Sequence
from itertools import pairwise
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
    allowed = None if labels is None else dict.fromkeys(labels)
    rows, offences = _rows(path)
    pairs = [row for row in rows if row]
    if not pairs and not offences:
        raise BioError(f"{path}: no sentence in it; expected a line 'TAG<TAB>word' for each word")
    tag_column = _likely_tag_column(pairs, allowed or ()) if order is None else _tag_column(order)
    if tag_column is None:
        if offences:
            raise BioError(_listing(path, offences, allowed))
        looks = "both columns look" if any(TAG.fullmatch(entry) for entry, _ in pairs) else "neither column looks"
        raise BioError(f"{path}: {looks} like BIO tags; say which holds them with order='tag-first' or 'word-first'")

    sentences: list[Sentence] = []
    words: list[str] = []
    tags: list[str] = []
    before: str | None = ""
    for number, row in enumerate([*rows, ()], start=1):
        if row is None:
            before = None
        elif row:
            tag, word = row[tag_column], row[1 - tag_column]
            if complaint := _complaint(tag, before, allowed):
                offences.append((number, complaint))
            words.append(word)
            tags.append(tag)
            before = tag
        else:
            if words:
                sentences.append(Sentence(tuple(words), tuple(tags)))
            words, tags, before = [], [], ""
    if offences:
        raise BioError(_listing(path, sorted(offences), allowed))
    return sentences


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
            complaint = _complaint(tag, before)
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


def _rows(path: Path) -> tuple[list[tuple[str, ...] | None], list[tuple[int, str]]]:
    """Each line's two columns, () for a blank line, None for an offending one; and the offences."""
    try:
        if path.is_dir():
            raise BioError(f"{path} is a directory; name a file in it")
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise BioError(f"{path} can't be read: {error.strerror}") from None
    rows: list[tuple[str, ...] | None] = []
    offences = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        columns = tuple(_COLUMN.findall(line))
        complaint = None
        if escape := _NOT_UTF8.search(line):
            byte = ord(escape[0]) - 0xDC00
            complaint = f"byte 0x{byte:02x} is not UTF-8; convert the file with iconv -f <its encoding> -t utf-8"
        elif len(columns) not in (0, 2):
            count = "1 column" if len(columns) == 1 else f"{len(columns)} columns"
            complaint = f"{count}, not a tag and a word: {_quoted(line)}"
        if complaint:
            offences.append((number, complaint))
        rows.append(None if complaint else columns)
    return rows, offences


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


def _complaint(tag: str, before: str | None = None, allowed: Container[str] | None = None) -> str | None:
    """What is wrong with a tag that follows `before` ("": it opens the sentence; None: that's not known)."""
    if not TAG.fullmatch(tag):
        return f"{_quoted(tag)} is not a tag; expected O, B-<type> or I-<type>"
    if allowed is not None and tag not in allowed:
        return f"unknown tag {_quoted(tag)}"
    if before is not None and _opens_nothing(tag, before):
        where = f"after {_quoted(before)}" if before else "at the start of a sentence"
        return f"{_quoted(tag)} {where}; an entity opens with {_quoted('B-' + tag[2:])}"
    return None


def _listing(path: Path, offences: Sequence[tuple[int, str]], allowed: Iterable[str] | None) -> str:
    lines = [f"{path}:{number}: {complaint}" for number, complaint in offences[:MAX_OFFENCES]]
    if len(offences) > MAX_OFFENCES:
        lines.append(f"... and {len(offences) - MAX_OFFENCES} more in {path}")
    if allowed and any(complaint.startswith("unknown tag") for _, complaint in offences):
        lines.append(f"known tags: {', '.join(allowed)}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """The text in quotes, control characters escaped, cut to a line's length."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
