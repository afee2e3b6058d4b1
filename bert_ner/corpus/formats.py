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
from typing import Literal, NamedTuple, get_args

from bert_ner.corpus.bio import ParsedSentence, Sentence, compact, parsed_sentence
from bert_ner.corpus.columns import (
    DOCSTART,
    OTHER_SCHEME,
    BioError,
    Group,
    Layout,
    Order,
    Problem,
    Word,
    docstart_problem,
    listed,
    quoted,
    raise_problems,
    read_columns,
)
from bert_ner.corpus.records import (
    Record,
    Records,
    are_json_lines,
    begins_as_json,
    read_json,
    read_json_lines,
    read_parquet,
)
from bert_ner.corpus.schemes import (
    SCHEME_TAG,
    SCHEMES,
    Scheme,
    detect_scheme,
    expected_tags,
    has_prefixes_of,
    is_valid,
    to_iob2,
)
from bert_ner.errors import unusual_letters
from bert_ner.wording import counted, option

Format = Literal["columns", "json", "jsonl", "parquet"]
SUFFIXES: dict[str, Format] = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
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
    is_prediction: bool

    @property
    def place(self) -> str:
        """Return the text before the number of a line in messages."""
        return f"{self.name}: record " if self.format in ("json", "parquet") else f"{self.name}:"

    @property
    def problems(self) -> list[Problem]:
        """Return the problems of all sentences; wrong transitions are of one kind if another scheme fits better."""
        problems = [problem for each in self.sentences for problem in each.problems]
        if not self._better_scheme:
            return problems
        return [each._replace(kind=OTHER_SCHEME) if each.is_transition else each for each in problems]

    @property
    def iob2(self) -> list[tuple[str, ...]]:
        """Return each sentence's tags in IOB2; if they are already, as they are, invalid ones included."""
        tags = [each.sentence.tags for each in self.sentences]
        return tags if self.scheme == "IOB2" else [tuple(to_iob2(each)) for each in tags]

    @property
    def note(self) -> str:
        """Return in which scheme the file seems to be, if not in the one in which it was read; else an empty text."""
        if self._better_scheme:
            return f"{self.name}: {self._better_scheme}"
        if all(problem.kind != OTHER_SCHEME for each in self.sentences for problem in each.problems):
            return ""
        tags = [tag for tag in {*chain.from_iterable(each.sentence.tags for each in self.sentences)} if _is_tag(tag)]
        used = ", ".join(sorted({tag[:2] for tag in tags} - {"O"}))
        named = next((self._option(each) for each in SCHEMES if has_prefixes_of(tags, each)), "")
        remedy = f"name it with {named}" if named else "no scheme has all; correct the tags"
        return f"{self.name}: the prefixes {used} are of another scheme than {self.scheme}; {remedy}"

    @property
    def _better_scheme(self) -> str:
        """Return which scheme fits most sentences with entities, if the file's does not; else an empty text."""
        tagged = [each for each in self.sentences if {*each.sentence.tags} - {"O"}]
        right = sum(not each.problems for each in tagged)
        if 2 * right > len(tagged):
            return ""
        sequences = [each.sentence.tags for each in tagged if all(map(_is_tag, each.sentence.tags))]
        fits = {scheme: sum(is_valid(tags, scheme) for tags in sequences) for scheme in SCHEMES}
        best = max(SCHEMES, key=fits.__getitem__)
        if best == self.scheme or 2 * fits[best] <= len(tagged):
            return ""
        shares = (
            f"{best} fits {fits[best]:,} of {counted(len(tagged), 'sentence')} with entities, {self.scheme} {right:,}"
        )
        return f"{shares}; to read it so: {self._option(best)}"

    def _option(self, scheme: Scheme) -> str:
        return option("predicted_scheme" if self.is_prediction else "scheme", scheme)

    def listed_problems(self) -> list[str]:
        """Return the lines of a message on all problems."""
        problems = self.problems
        return [*listed(problems, self.place), *([self.note] if self.note else [])]

    def raise_problems(self, problems: Sequence[Problem] | None = None) -> None:
        """Raise BioError if there are problems, by default any."""
        problems = self.problems if problems is None else problems
        raise_problems(problems, self.name, [self.note] if problems and self.note else [], self.place)


def format_of(name: str, content: bytes = b"") -> Format:
    """Return the format of a file by its suffix: .json, .jsonl or .parquet; of any other, by how its content begins."""
    if form := SUFFIXES.get(Path(name).suffix.lower()):
        return form
    if content.startswith(b"PAR1"):
        return "parquet"
    return "json" if begins_as_json(content) else "columns"


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
    form = reading.format or format_of(name, content)
    if form == "json" and are_json_lines(content):
        form = "jsonl"  # which are often named .json
    others: list[Record] = []
    if form == "columns":
        groups, skipped = read_columns(content, name, reading.layout)
    else:
        found, skipped = _without_docstart(_RECORDS[form](content, name, reading.names), name, reading.layout)
        groups, others = found
    _find_wrong_tags(groups, reading.layout, "tag_column" if gold_scheme is None else "predicted_column")
    scheme = reading.scheme or _likely_scheme(groups, gold_scheme)
    groups.reverse()
    sentences = [_parse(groups.pop(), scheme) for _ in range(len(groups))]  # which frees each group
    return ParsedFile(name, form, scheme, sentences, skipped, others, gold_scheme is not None)


def _without_docstart(records: Records, name: str, layout: Layout) -> tuple[Records, Counter[str]]:
    """Return the records without those that only mark a document, if the layout says so, and their number.

    Other records with such a mark become problems.
    """
    remaining = Records([], [])
    for group, others in zip(records.groups, records.others, strict=True):
        words = {entry.word for entry in group if isinstance(entry, Word)}
        if layout.docstart and words == {DOCSTART}:
            continue
        remaining.groups.append([Problem(group[0].line, docstart_problem())] if DOCSTART in words else group)
        remaining.others.append(others)
    if not remaining.groups:
        raise BioError(f"{name}: no sentence in it but {DOCSTART}")
    skipped = len(records.groups) - len(remaining.groups)
    return remaining, Counter({DOCSTART: skipped} if skipped else {})


def _find_wrong_tags(groups: list[Group], layout: Layout, column: str) -> None:
    """Replace the words whose tag is none by problems of one kind, if most are so: it is the wrong column.

    `column` is the option that names it.
    """
    times = Counter(entry.tag for group in groups for entry in group if isinstance(entry, Word))
    wrong = {tag for tag in times if not _is_tag(tag)}
    if 2 * sum(times[tag] for tag in wrong) <= times.total():
        return
    remedy = "expected O, or a prefix such as B- and a type"
    if layout.order:
        [other] = {*get_args(Order)} - {layout.order}
        remedy = f"to take the other column: {option('order', other)}"
    elif layout.named_columns:
        remedy = f"name the column of the tags with {option(column)}"
    for i, group in enumerate(groups):
        groups[i] = [
            Problem(entry.line, f"{quoted(entry.tag)} is not a tag; {remedy}", "no tag")
            if isinstance(entry, Word) and entry.tag in wrong
            else entry
            for entry in group
        ]


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
