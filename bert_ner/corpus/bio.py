"""Read, write and check BIO files, as in `bert-ner check train.bio`; convert between tags and spans.

A BIO file has one word and one tag per line, and a blank line after each sentence. `B-X` begins an entity of type X,
`I-X` continues it, and `O` is outside. Reading never repairs: every problem is reported with file and line.
"""

import os
from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bert_ner.corpus.columns import (
    MAX_PROBLEMS,
    OTHER_SCHEME,
    TAG,
    BioError,
    Group,
    Layout,
    Order,
    Problem,
    quoted,
    raise_problems,
    read_columns,
    tag_column_of,
    word_problem,
)
from bert_ner.corpus.schemes import SCHEME_TAG
from bert_ner.deprecated import moved
from bert_ner.errors import unusual_letters
from bert_ner.files import write_whole
from bert_ner.wording import counted

__all__ = [
    "MAX_PROBLEMS", "TAG", "BioError", "Order", "ParsedSentence", "Problem", "Sentence", "Span", "illegal_transitions",
    "labels_of", "parse_bio", "raise_problems", "read_bio", "spans_of", "tags_of", "write_bio",
]  # fmt: skip


class Sentence(NamedTuple):
    """The words of a sentence, and one tag per word."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


class Span(NamedTuple):
    """An entity: its type, and its words from `start` up to but not including `end` (0 <= start < end)."""

    type: str
    start: int
    end: int


class ParsedSentence(NamedTuple):
    """A sentence of a file, the line of each of its words, and all its problems."""

    sentence: Sentence
    lines: Sequence[int]
    problems: tuple[Problem, ...]


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
        if tag != "O" and (problem := tag_problem(tag)):
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
            raise ValueError(f"{span} does not fit into a sentence of {counted(length, 'word')}")
        if any(tag != "O" for tag in tags[span.start : span.end]):
            raise ValueError(f"{span} overlaps another entity; BIO tags can't express that")
        if problem := tag_problem(f"B-{span.type}"):
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
    problems = [problem for each in parsed for problem in each.problems]
    notes = []
    if allowed and any(problem.message.startswith("unknown tag") for problem in problems):
        notes.append(f"known tags: {', '.join(allowed)}")
    if any(problem.kind == OTHER_SCHEME for problem in problems):
        notes.append("read_sentences reads other schemes, bert-ner convert converts them")
    raise_problems(problems, str(path), notes)
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
    groups, _ = read_columns(content, name, Layout(order), allowed or ())
    return [parsed_sentence(group, allowed) for group in groups]


def parsed_sentence(group: Group, allowed: Container[str] | None = None) -> ParsedSentence:
    """Return the sentence in some lines of a file in IOB2, and its problems; `allowed`: the tags that may occur."""
    words, tags, lines, problems = [], [], [], []
    previous: str | None = ""  # the tag before; None if that line could not be read
    for entry in group:
        if isinstance(entry, Problem):
            problems.append(entry)
            previous = None
            continue
        line, word, tag = entry
        if message := tag_problem(tag, allowed):
            is_other = SCHEME_TAG.fullmatch(tag) and not TAG.fullmatch(tag)
            problems.append(Problem(line, message, OTHER_SCHEME if is_other else ""))
        elif previous is not None and (message := _transition_problem(previous, tag)):
            problems.append(Problem(line, message, is_transition=True))
        words.append(word)
        tags.append(tag)
        lines.append(line)
        previous = tag
    return ParsedSentence(Sentence(tuple(words), tuple(tags)), compact(lines), tuple(problems))


def compact(lines: Sequence[int]) -> Sequence[int]:
    """Return the numbers of lines in little memory: as a range if each is the one after the last, else a tuple."""
    is_range = lines and lines[-1] - lines[0] + 1 == len(lines)  # they never fall, and are all equal in a record
    return range(lines[0], lines[-1] + 1) if is_range else tuple(lines)


def write_bio(path: str | os.PathLike[str], sentences: Iterable[Sentence], order: Order = "tag-first") -> None:
    """Write sentences as a tab-separated BIO file, whole or not at all; `read_bio` reads them back unchanged.

    Raises:
        BioError: there is no sentence, or the file can't be written. Or a sentence is empty, or does not have one tag
            per word. Or it has a word that can't be written, an invalid tag, or an `I-X` without its `B-X`.
        ValueError: `order` is invalid.
    """
    tag_column = tag_column_of(order)
    lines = []
    for number, (words, tags) in enumerate(sentences, start=1):
        if len(words) != len(tags) or not words:
            raise BioError(
                f"{path}: sentence {number} can't be written: it has {counted(len(words), 'word')} and "
                f"{counted(len(tags), 'tag')}; it needs at least one word, and a tag for each"
            )
        for word, (previous, tag) in zip(words, pairwise(("", *tags)), strict=True):
            if problem := word_problem(word) or tag_problem(tag) or _transition_problem(previous, tag):
                raise BioError(f"{path}: sentence {number} can't be written: {problem}")
            lines.append(f"{word}\t{tag}\n" if tag_column else f"{tag}\t{word}\n")
        lines.append("\n")
    if not lines:
        raise BioError(f"{path}: no sentence to write")
    try:
        write_whole(path, "".join(lines))
    except OSError as error:
        raise BioError(f"{path} can't be written: {error.strerror}") from None


def tag_problem(tag: str, allowed: Container[str] | None = None) -> str | None:
    """Return the problem of a tag by itself, or None."""
    if (problem := _form_problem(tag)) or allowed is None or tag in allowed:
        return problem
    return f"unknown tag {quoted(tag)}{unusual_letters(tag)}"


@lru_cache(maxsize=2**12)
def _form_problem(tag: str) -> str | None:
    if TAG.fullmatch(tag):
        return None
    scheme = " of IOB2" if SCHEME_TAG.fullmatch(tag) else ""
    return f"{quoted(tag)} is not a tag{scheme}; expected O, B-<type> or I-<type>"


@lru_cache(maxsize=2**12)
def _transition_problem(previous: str, tag: str) -> str | None:
    """Return the problem of a tag after another one ("" at the start of a sentence), or None."""
    if not tag.startswith("I-") or previous in (f"B-{tag[2:]}", tag):
        return None
    where = f"after {quoted(previous)}" if previous else "at the start of a sentence"
    return f"{quoted(tag)} {where}; an entity opens with {quoted('B-' + tag[2:])}"


_RENAMED = {
    "MAX_OFFENCES": f"{__name__}:MAX_PROBLEMS",
    "Offence": f"{__name__}:Problem",
    "Passage": f"{__name__}:ParsedSentence",
    "refuse": f"{__name__}:raise_problems",
}
__getattr__ = moved(__name__, _RENAMED)
