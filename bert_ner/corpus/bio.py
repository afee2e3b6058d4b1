"""Read, write and check BIO files, as in `bert-ner check train.bio`; convert between tags and spans.

A BIO file has one word and one tag per line, and a blank line after each sentence. `B-X` begins an entity of type X,
`I-X` continues it, and `O` is outside. Reading never repairs: every problem is reported with file and line.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from bert_ner.deprecated import moved
from bert_ner.errors import BertNerError
from bert_ner.files import write_whole

MAX_PROBLEMS = 20  # listed in one error message
TAG = re.compile(r"O|[BI]-[^\s\ud800-\udfff]+")
_WORD = re.compile(r"(?!\ufeff)[^ \t\r\n\ud800-\udfff]+")
_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")  # surrogateescape decodes invalid bytes to these
_COLUMN = re.compile(r"[^ \t]+")

Order = Literal["tag-first", "word-first"]


class Sentence(NamedTuple):
    """The words of a sentence, and one tag per word."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


class Span(NamedTuple):
    """An entity: its type, and its words from `start` up to but not including `end` (0 <= start < end)."""

    type: str
    start: int
    end: int


class Problem(NamedTuple):
    """A problem in a line of a file; lines count from 1."""

    line: int
    message: str
    is_transition: bool = False  # an `I-X` without its `B-X`, which conlleval can still interpret


class ParsedSentence(NamedTuple):
    """A sentence of a file, the line of each of its words, and all its problems."""

    sentence: Sentence
    lines: tuple[int, ...]
    problems: tuple[Problem, ...]


class Findings(NamedTuple):
    """Lines of text: one per problem, and a summary of the sentences without problems."""

    problems: list[str]
    summary: list[str]


class BioError(BertNerError, ValueError):
    """A BIO file or a tag sequence that violates the format; the message says what is wrong, where, and what to do."""


def labels_of(types: Iterable[str]) -> tuple[str, ...]:
    """Return the tag set of some entity types: `O`, then `B-` and `I-` of each type, in the order given."""
    return ("O", *(prefix + entity_type for entity_type in types for prefix in ("B-", "I-")))


def spans_of(tags: Sequence[str]) -> list[Span]:
    """Return the entities of a tag sequence, in order, as conlleval reads them; raise BioError if an item is no tag.

    An `I-X` that continues no entity of type X begins one (Tjong Kim Sang and Buchholz, 2000). So every sequence of
    `O`, `B-X` and `I-X` has a reading. `tags_of` is the inverse for sequences without such an `I-X`.
    """
    spans = []
    start, current = 0, ""  # the first word and the type of the open entity; "" if none is open
    for i, tag in enumerate((*tags, "O")):
        if current and tag == f"I-{current}":
            continue
        if current:
            spans.append(Span(current, start, i))
        if tag != "O" and (problem := _tag_problem(tag)):
            raise BioError(f"word {i + 1}: {problem}")
        start, current = i, "" if tag == "O" else tag[2:]
    return spans


def tags_of(spans: Iterable[Span], length: int) -> list[str]:
    """Return the BIO tags of a sentence of `length` words with these entities.

    Raises:
        ValueError: a span is empty, exceeds the sentence, overlaps another one, or has a type that no tag can express.
    """
    tags = ["O"] * length
    for span in spans:
        if not 0 <= span.start < span.end <= length:
            raise ValueError(f"{span} does not fit into a sentence of {length} words")
        if any(tag != "O" for tag in tags[span.start : span.end]):
            raise ValueError(f"{span} overlaps another entity; BIO tags can't express that")
        if problem := _tag_problem(f"B-{span.type}"):
            raise ValueError(f"{span}: {problem}")
        tags[span.start] = f"B-{span.type}"
        tags[span.start + 1 : span.end] = [f"I-{span.type}"] * (span.end - span.start - 1)
    return tags


def illegal_transitions(tags: Sequence[str]) -> list[int]:
    """Return the positions of every `I-X` that follows neither `B-X` nor `I-X`."""
    return [i for i, (previous, tag) in enumerate(pairwise(("", *tags))) if _transition_problem(previous, tag)]


def read_bio(
    path: str | os.PathLike[str], labels: Iterable[str] | None = None, order: Order | None = None
) -> list[Sentence]:
    """Read the sentences of a BIO file, in order.

    Args:
        path: a UTF-8 file, with or without a byte order mark, with any line endings. Tabs or spaces separate columns.
        labels: the tags allowed; by default every `O`, `B-X` and `I-X`.
        order: the order of the columns. By default the column with more tags in it holds the tags. If both columns
            have equally many, it is the one with more tags from `labels`.

    Raises:
        BioError: the file is missing, a directory or empty. Or a line is not UTF-8, does not have two columns, or has
            an unknown tag or an `I-X` without its `B-X`. The message lists the problems with their lines.
        ValueError: `order` is invalid.
    """
    path = Path(path)
    allowed = None if labels is None else tuple(labels)
    try:
        if path.is_dir():
            raise BioError(f"{path} is a directory; name a file in it")
        content = path.read_bytes()
    except OSError as error:
        raise BioError(f"{path} can't be read: {error.strerror}") from None
    parsed = parse_bio(content, str(path), allowed, order)
    raise_problems([problem for each in parsed for problem in each.problems], str(path), allowed)
    return [each.sentence for each in parsed]


def parse_bio(
    content: bytes, name: str, labels: Iterable[str] | None = None, order: Order | None = None
) -> list[ParsedSentence]:
    """Parse a BIO file, and return its sentences together with their problems.

    Messages call the file `name`; `labels` and `order` are those of `read_bio`.

    Raises:
        BioError: there is no sentence, or the column of the tags is unclear.
        ValueError: `order` is invalid.
    """
    allowed = None if labels is None else dict.fromkeys(labels)
    text = content.decode("utf-8-sig", errors="surrogateescape")
    rows = list(enumerate(map(_row, re.split(r"\r\n|\r|\n", text)), start=1))
    if not any(row for _, row in rows):
        raise BioError(f"{name}: no sentence in it; expected a line 'TAG<TAB>word' for each word")
    pairs = [row for _, row in rows if row and not isinstance(row, str)]
    tag_column = _likely_tag_column(pairs, allowed or ()) if order is None else _tag_column(order)
    if tag_column is None:
        raise_problems([Problem(line, row) for line, row in rows if isinstance(row, str)], name)
        looks = "both columns look" if any(TAG.fullmatch(entry) for entry, _ in pairs) else "neither column looks"
        raise BioError(f"{name}: {looks} like BIO tags; say which holds them with order='tag-first' or 'word-first'")
    groups = groupby(rows, key=lambda numbered: bool(numbered[1]))
    return [_parsed_sentence(group, tag_column, allowed) for has_content, group in groups if has_content]


def check_bio(content: bytes, name: str, order: Order | None = None) -> Findings:
    """Check every line of a BIO file, named in messages by `name`; without `order`, the order of columns is inferred.

    Raises:
        BioError: there is no sentence, or the column of the tags is unclear.
    """
    parsed = parse_bio(content, name, order=order)
    problems = [f"{name}:{line}: {message}" for each in parsed for line, message, _ in each.problems]
    valid = [each.sentence for each in parsed if not each.problems]
    share = f"{len(valid):,} of {len(parsed):,}" if problems else f"{len(parsed):,}"
    return Findings(problems, [f"{name}: {share} sentence(s) are right", *(f"  {line}" for line in _summary(valid))])


def raise_problems(problems: Sequence[Problem], name: str, labels: Iterable[str] | None = None) -> None:
    """Raise a BioError that lists the problems of a file, if there are any, and its labels if one is unknown."""
    if not problems:
        return
    lines = [f"{name}:{problem.line}: {problem.message}" for problem in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        lines.append(f"... and {len(problems) - MAX_PROBLEMS} more in {name}")
    if labels and any(problem.message.startswith("unknown tag") for problem in problems):
        lines.append(f"known tags: {', '.join(labels)}")
    raise BioError("\n".join(lines))


def write_bio(path: str | os.PathLike[str], sentences: Iterable[Sentence], order: Order = "tag-first") -> None:
    """Write sentences as a tab-separated BIO file, whole or not at all; `read_bio` reads them back unchanged.

    Raises:
        BioError: there is no sentence, or the file can't be written. Or a sentence is empty, or does not have one tag
            per word. Or it has a word that can't be written, an invalid tag, or an `I-X` without its `B-X`.
        ValueError: `order` is invalid.
    """
    tag_column = _tag_column(order)
    lines = []
    for number, (words, tags) in enumerate(sentences, start=1):
        if len(words) != len(tags) or not words:
            raise BioError(
                f"{path}: sentence {number} can't be written: it has {len(words)} word(s) and {len(tags)} tag(s); "
                f"it needs at least one word, and a tag for each"
            )
        for word, (previous, tag) in zip(words, pairwise(("", *tags)), strict=True):
            problem = _tag_problem(tag) or _transition_problem(previous, tag)
            if not _WORD.fullmatch(word):
                problem = (
                    f"{_quoted(word)} is empty, or has a space, a tab, a line end, a leading byte order mark or a lone "
                    f"surrogate in it"
                )
            if problem:
                raise BioError(f"{path}: sentence {number} can't be written: {problem}")
            lines.append(f"{word}\t{tag}\n" if tag_column else f"{tag}\t{word}\n")
        lines.append("\n")
    if not lines:
        raise BioError(f"{path}: no sentence to write")
    try:
        write_whole(path, "".join(lines))
    except OSError as error:
        raise BioError(f"{path} can't be written: {error.strerror}") from None


def _row(line: str) -> tuple[str, ...] | str:
    """Return the two columns of a line, () if it is blank, or its problem."""
    if escape := _NOT_UTF8.search(line):
        byte = ord(escape[0]) - 0xDC00
        return f"byte 0x{byte:02x} is not UTF-8; convert the file with iconv -f <its encoding> -t utf-8"
    columns = tuple(_COLUMN.findall(line))
    if len(columns) in (0, 2):
        return columns
    count = "1 column" if len(columns) == 1 else f"{len(columns)} columns"
    return f"{count}, not a tag and a word: {_quoted(line)}"


def _parsed_sentence(
    rows: Iterable[tuple[int, tuple[str, ...] | str]], tag_column: int, allowed: Container[str] | None
) -> ParsedSentence:
    words, tags, lines, problems = [], [], [], []
    previous: str | None = ""  # the tag before; None if that line could not be read
    for line, row in rows:
        if isinstance(row, str):
            problems.append(Problem(line, row))
            previous = None
            continue
        tag, word = row[tag_column], row[1 - tag_column]
        if message := _tag_problem(tag, allowed):
            problems.append(Problem(line, message))
        elif previous is not None and (message := _transition_problem(previous, tag)):
            problems.append(Problem(line, message, is_transition=True))
        words.append(word)
        tags.append(tag)
        lines.append(line)
        previous = tag
    return ParsedSentence(Sentence(tuple(words), tuple(tags)), tuple(lines), tuple(problems))


def _summary(sentences: Sequence[Sentence]) -> list[str]:
    entities = Counter(span.type for _, tags in sentences for span in spans_of(tags))
    taggings: defaultdict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for words, tags in sentences:
        taggings[words].add(tags)
    inconsistent = sum(len(tags) > 1 for tags in taggings.values())
    types = ", ".join(f"{kind} {number:,}" for kind, number in sorted(entities.items()))
    listed = f": {types}" if types else ""
    return [
        f"words: {sum(len(words) for words, _ in sentences):,}",
        f"entities: {entities.total():,} of {len(entities)} type(s){listed}",
        f"duplicates: {len(sentences) - len(taggings):,} sentence(s) repeat an earlier one, word for word; "
        f"{inconsistent:,} of the repeated ones have different tags",
    ]


def _tag_column(order: Order) -> int:
    """Return the index of the column that holds the tags, 0 or 1."""
    if order not in get_args(Order):
        raise ValueError(f"order must be 'tag-first' or 'word-first', not {order!r}")
    return get_args(Order).index(order)


def _likely_tag_column(pairs: Sequence[tuple[str, ...]], allowed: Container[str]) -> int | None:
    """Return the column with more tags or, if they tie, with more allowed tags; None if these tie as well."""
    first, second = (
        (sum(bool(TAG.fullmatch(pair[i])) for pair in pairs), sum(pair[i] in allowed for pair in pairs)) for i in (0, 1)
    )
    return None if first == second else int(first < second)


def _tag_problem(tag: str, allowed: Container[str] | None = None) -> str | None:
    """Return the problem of a tag by itself, or None."""
    if not TAG.fullmatch(tag):
        return f"{_quoted(tag)} is not a tag; expected O, B-<type> or I-<type>"
    if allowed is not None and tag not in allowed:
        return f"unknown tag {_quoted(tag)}"
    return None


def _transition_problem(previous: str, tag: str) -> str | None:
    """Return the problem of a tag after another one ("" at the start of a sentence), or None."""
    if not tag.startswith("I-") or previous in (f"B-{tag[2:]}", tag):
        return None
    where = f"after {_quoted(previous)}" if previous else "at the start of a sentence"
    return f"{_quoted(tag)} {where}; an entity opens with {_quoted('B-' + tag[2:])}"


def _quoted(text: str) -> str:
    """Quote a text, with control characters escaped, and cut it to 80 characters."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


_RENAMED = {
    "MAX_OFFENCES": "MAX_PROBLEMS",
    "Offence": "Problem",
    "Passage": "ParsedSentence",
    "refuse": "raise_problems",
}
__getattr__ = moved(__name__, {old: f"{__name__}:{new}" for old, new in _RENAMED.items()})
