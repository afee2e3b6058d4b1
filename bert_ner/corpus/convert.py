"""Convert a file to another format or another tag scheme, as in `bert-ner convert bioes.txt bio.jsonl`."""

import io
import json
from collections.abc import Sequence
from os import PathLike
from typing import Any

from bert_ner.corpus.bio import spans_of
from bert_ner.corpus.columns import BioError, Problem, columns_text, word_problem
from bert_ner.corpus.entities import Entity
from bert_ner.corpus.formats import Format, ParsedFile, Reading, format_of, parse_file
from bert_ner.corpus.records import Record, import_pyarrow
from bert_ner.corpus.schemes import Scheme, first_loss, from_iob2
from bert_ner.errors import first_line
from bert_ner.files import write_whole
from bert_ner.wording import counted


def convert(
    content: bytes,
    name: str,
    reading: Reading,
    target: str | PathLike[str],
    scheme: Scheme = "IOB2",
    form: Format | None = None,
) -> str:
    """Convert the content of a file, called `name` in messages, and return a line that says what was done.

    Text has a line `word<TAB>tag` for each word. JSON is a list of records, JSON Lines and Parquet have a record for
    each sentence: "tokens", "ner_tags" as names, and the keys that the source's record has besides.

    Args:
        target: the file to write, whole or not at all.
        scheme: that of the target.
        form: that of the target; by default as its suffix says.

    Raises:
        BioError: the source has a problem, or something in it that the target can't express; the message names the
            lines. Or the target can't be written.
        BertNerError: the target is a device, a pipe, a link or `-`.
    """
    parsed = parse_file(content, name, reading)
    parsed.raise_problems()
    form = form or format_of(str(target))
    iob2 = parsed.iob2
    parsed.raise_problems(_losses(parsed, iob2, scheme))
    tags = [from_iob2(each, scheme) for each in iob2]
    written = _text(parsed, tags) if form == "columns" else _records(parsed, tags, form, str(target))
    try:
        write_whole(target, written)
    except OSError as error:
        raise BioError(f"{target} can't be written: {error.strerror}") from None
    notes = [f"left out {counted(number, f'{kind} line')}" for kind, number in parsed.skipped.items()]
    if form == "columns" and (lost := _lost_keys(parsed, iob2)):
        notes.append(f"left out {', '.join(lost)}, which .jsonl keeps")
    done = f"{name}: {counted(len(tags), 'sentence')}, scheme {parsed.scheme} -> {target}: {scheme}"
    return "; ".join([done, *notes])


def _losses(parsed: ParsedFile, iob2: Sequence[Sequence[str]], scheme: Scheme) -> list[Problem]:
    """Return where entities would merge: IO can't separate two of one type that touch."""
    places = ((each.lines, tags, first_loss(tags, scheme)) for each, tags in zip(parsed.sentences, iob2, strict=True))
    fault = f"{scheme} can't separate two entities of type {{}} that touch; choose BIOES or IOB2"
    return [Problem(lines[i], fault.format(tags[i][2:])) for lines, tags, i in places if i is not None]


def _lost_keys(parsed: ParsedFile, iob2: Sequence[Sequence[str]]) -> list[str]:
    """Return the keys of records that their words and tags can't give again, in alphabetical order."""
    triples = zip(parsed.others, parsed.sentences, iob2, strict=False)  # text has no others
    return sorted(
        {
            key
            for number, (record, each, tags) in enumerate(triples, start=1)
            for key, value in record.items()
            if not _is_derived(key, value, number, each.sentence.words, tags)
        }
    )


def _is_derived(key: str, value: Any, number: int, words: Sequence[str], tags: Sequence[str]) -> bool:
    """Return whether a key is one that `bert-ner tag` writes, with the value that it has for these words and tags."""
    if key == "entities" and isinstance(value, list):
        plain = [each for each in value if isinstance(each, dict) and each.keys() <= {*Entity._fields}]
        types = [span.type for span in spans_of(tags)]
        return len(plain) == len(value) and [each.get("type") for each in plain] == types
    return (key == "line" and value == number) or (key == "text" and value == " ".join(words))


def _text(parsed: ParsedFile, tags: Sequence[Sequence[str]]) -> str:
    """Return the sentences as text; raise BioError if one has no words, or a word that can't stand in a column."""
    for number, each in enumerate(parsed.sentences, start=1):
        if not each.lines:
            raise BioError(f"{parsed.name}: sentence {number} has no words; text can't express that, .jsonl can")
    words = [pair for each in parsed.sentences for pair in zip(each.lines, each.sentence.words, strict=True)]
    problems = [(line, word_problem(word)) for line, word in words]
    parsed.raise_problems([Problem(line, f"{fault}; .jsonl takes any word") for line, fault in problems if fault])
    return columns_text((each.sentence.words for each in parsed.sentences), tags)


def _records(parsed: ParsedFile, tags: Sequence[Sequence[str]], form: Format, target: str) -> str | bytes:
    others: Sequence[Record] = parsed.others or [{}] * len(tags)
    records = [
        {**other, "tokens": list(each.sentence.words), "ner_tags": list(own)}
        for other, each, own in zip(others, parsed.sentences, tags, strict=True)
    ]
    if form == "parquet":
        parquet, arrow = import_pyarrow(target)
        buffer = io.BytesIO()
        try:
            parquet.write_table(arrow.Table.from_pylist(records), buffer)
        except (arrow.ArrowException, ValueError) as error:
            raise BioError(
                f"{target}: the records don't fit into Parquet: {first_line(error)}; .jsonl takes them"
            ) from None
        return buffer.getvalue()
    if form == "json":
        return json.dumps(records, indent=1) + "\n"
    return "".join(f"{json.dumps(record)}\n" for record in records)
