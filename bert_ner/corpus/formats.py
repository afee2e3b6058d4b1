"""Read files in the formats and the tag schemes that people use, and convert them; docs/formats.md describes them.

bert-ner convert conll2003.txt train.jsonl --word-column first --tag-column last --docstart
"""

import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

from bert_ner.corpus.bio import ParsedSentence, Sentence, compact, parsed_sentence
from bert_ner.corpus.columns import (
    DOCSTART,
    DOCSTART_PROBLEM,
    BioError,
    Group,
    Layout,
    Problem,
    Word,
    quoted,
    raise_problems,
    read_columns,
)
from bert_ner.corpus.records import Record, Records, read_json, read_json_lines, read_parquet
from bert_ner.corpus.schemes import SCHEME_TAG, Scheme, detect_scheme, expected_tags, has_prefixes_of, is_valid, to_iob2
from bert_ner.errors import unusual_letters

Format = Literal["columns", "json", "jsonl", "parquet"]
_FORMATS: dict[str, Format] = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_RECORDS = {"json": read_json, "jsonl": read_json_lines, "parquet": read_parquet}


@dataclass(frozen=True)
class Reading:
    """How to read a file.

    Attributes:
        layout: the columns of a text file.
        format: by default that of the file's suffix; see `format_of`.
        scheme: by default the one that fits the tags.
        names: the names of tags that are numbers, from 0 on; by default those in the file.
    """

    layout: Layout = field(default_factory=Layout)
    format: Format | None = None
    scheme: Scheme | None = None
    names: tuple[str, ...] | None = None


class ParsedFile(NamedTuple):
    """A file's sentences, with their tags as they stand there, and their problems.

    The number of a word's line is that of its record in JSON and Parquet; `place` stands before it in messages.
    """

    name: str
    format: Format
    scheme: Scheme
    sentences: list[ParsedSentence]
    skipped: Counter[str]  # lines by kind
    others: list[Record]  # the keys of each record but words and tags; empty for text

    @property
    def place(self) -> str:
        """Return the text before the number of a line in messages."""
        return f"{self.name}: record " if self.format in ("json", "parquet") else f"{self.name}:"

    @property
    def problems(self) -> list[Problem]:
        """Return the problems of all sentences."""
        return [problem for each in self.sentences for problem in each.problems]

    @property
    def iob2(self) -> list[tuple[str, ...]]:
        """Return each sentence's tags in IOB2; if they are already, as they are, invalid ones included."""
        tags = [each.sentence.tags for each in self.sentences]
        return tags if self.scheme == "IOB2" else [tuple(to_iob2(each)) for each in tags]

    @property
    def note(self) -> str:
        """Return which scheme fits more sentences than IOB2, for tags that were taken for it; else an empty text."""
        candidates: tuple[Scheme, ...] = ("IOB2", "IO", "IOB1")
        readable = [
            each.sentence.tags for each in self.sentences if all(found.is_transition for found in each.problems)
        ]
        valid = {name: sum(is_valid(tags, name) for tags in readable) for name in candidates}
        best = max(candidates, key=valid.__getitem__)
        if self.scheme != "IOB2" or best == "IOB2":
            return ""
        fits = f"{best} fits {valid[best]:,} of {len(self.sentences):,} sentences, IOB2 {valid['IOB2']:,}"
        return f"{self.name}: {fits}; to read it so: --scheme {best}"

    def raise_problems(self, problems: Sequence[Problem] | None = None) -> None:
        """Raise BioError if there are problems, by default any."""
        problems = self.problems if problems is None else problems
        raise_problems(problems, self.name, [self.note] if problems and self.note else [], self.place)


def format_of(name: str) -> Format:
    """Return the format of a file by its suffix: .json, .jsonl or .parquet; any other is text in columns."""
    return _FORMATS.get(Path(name).suffix.lower(), "columns")


def read_sentences(
    path: str | os.PathLike[str], reading: Reading | None = None, types: Collection[str] | None = None
) -> list[Sentence]:
    """Read the sentences of a file in any format and scheme, in order, with their tags in IOB2.

    Args:
        types: the entity types allowed; by default all.

    Raises:
        BioError: the file can't be read, or has a problem; the message lists all with their lines.
        BertNerError: the file is Parquet, and pyarrow is not installed.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BioError(f"{path} can't be read: {error.strerror}") from None
    parsed = parse_file(content, str(path), reading or Reading())
    unknown = [
        Problem(line, f"unknown tag {quoted(tag)}; the types are {', '.join(types)}")
        for each in parsed.sentences
        for line, tag in zip(each.lines, each.sentence.tags, strict=True)
        if types is not None and tag != "O" and tag[2:] not in types
    ]
    parsed.raise_problems([*parsed.problems, *unknown])
    pairs = zip(parsed.sentences, parsed.iob2, strict=True)
    return [Sentence(each.sentence.words, tags) for each, tags in pairs]


def parse_file(content: bytes, name: str, reading: Reading, gold_scheme: Scheme | None = None) -> ParsedFile:
    """Parse a file, called `name` in messages, and return its sentences together with their problems.

    Args:
        gold_scheme: that of the gold file, if this is a prediction. It is also the prediction's if its prefixes are
            the same and no scheme fits all of it: invalid sequences are mistakes of the tagger. With IOB2 it is so even
            if another scheme fits: an `I-X` that continues nothing is a mistake, not IOB1.

    Raises:
        BioError: there is no sentence, the column of the tags is unclear, or the file is broken as a whole.
        BertNerError: the file is Parquet, and pyarrow is not installed.
    """
    form = reading.format or format_of(name)
    if form == "columns":
        groups, skipped = read_columns(content, name, reading.layout)
        others: list[Record] = []
    else:
        found, skipped = _without_docstart(_RECORDS[form](content, name, reading.names), name, reading.layout)
        groups, others = found
    scheme = reading.scheme or _likely_scheme(groups, gold_scheme)
    groups.reverse()
    sentences = [_parse(groups.pop(), scheme) for _ in range(len(groups))]  # which frees each group
    return ParsedFile(name, form, scheme, sentences, skipped, others)


def _without_docstart(records: Records, name: str, layout: Layout) -> tuple[Records, Counter[str]]:
    """Return the records without those that only mark a document, if the layout says so, and their number.

    Other records with such a mark become problems.
    """
    kept = Records([], [])
    for group, others in zip(records.groups, records.others, strict=True):
        words = {entry.word for entry in group if isinstance(entry, Word)}
        if layout.docstart and words == {DOCSTART}:
            continue
        kept.groups.append([Problem(group[0].line, DOCSTART_PROBLEM)] if DOCSTART in words else group)
        kept.others.append(others)
    if not kept.groups:
        raise BioError(f"{name}: no sentence in it but {DOCSTART}")
    skipped = len(records.groups) - len(kept.groups)
    return kept, Counter({DOCSTART: skipped} if skipped else {})


def _likely_scheme(groups: Sequence[Group], gold_scheme: Scheme | None) -> Scheme:
    sequences = [tags for group in groups if (tags := _tags(group)) is not None]
    scheme = detect_scheme(sequences)
    if not gold_scheme or not has_prefixes_of({*chain.from_iterable(sequences)}, gold_scheme):
        return scheme
    fits_all = all(is_valid(tags, scheme) for tags in {*map(tuple, sequences)})
    return scheme if fits_all and gold_scheme != "IOB2" else gold_scheme


def _tags(group: Group) -> list[str] | None:
    """Return the tags of a sentence; None if a line can't be read, or an item is no tag."""
    tags = [entry.tag for entry in group if isinstance(entry, Word) and _is_tag(entry.tag)]
    return tags if len(tags) == len(group) else None


@lru_cache(maxsize=2**12)
def _is_tag(text: str) -> bool:
    """Return whether a text is a tag of any scheme."""
    return SCHEME_TAG.fullmatch(text) is not None


def _parse(group: Group, scheme: Scheme) -> ParsedSentence:
    """Return the sentence in some lines of a file, and its problems."""
    if scheme == "IOB2":
        return parsed_sentence(group)
    entries = [entry for entry in group if isinstance(entry, Word)]
    tags = [entry.tag for entry in entries]
    if _tags(group) is None:
        problems = [entry if isinstance(entry, Problem) else _tag_problem(entry) for entry in group]
    else:
        problems = [
            Problem(entry.line, f"{quoted(entry.tag)}, where {scheme} has {quoted(tag)}", is_transition=True)
            if entry.tag != tag
            else None
            for entry, tag in zip(entries, expected_tags(tags, scheme), strict=True)
        ]
    sentence = Sentence(tuple(entry.word for entry in entries), tuple(tags))
    return ParsedSentence(sentence, compact([entry.line for entry in entries]), tuple(filter(None, problems)))


def _tag_problem(entry: Word) -> Problem | None:
    if SCHEME_TAG.fullmatch(entry.tag):
        return None
    expected = "O, or B, I, E, L, S or U, a hyphen and a type"
    return Problem(
        entry.line, f"{quoted(entry.tag)}{unusual_letters(entry.tag)} is a tag of no scheme; expected {expected}"
    )
