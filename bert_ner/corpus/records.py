"""Read the records of Hugging Face data sets, {"tokens": [...], "ner_tags": [...]}: JSON, JSON Lines and Parquet."""

import codecs
import io
import json
import operator
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bert_ner.corpus.binary import known_binary
from bert_ner.corpus.bio import Span, tags_of
from bert_ner.corpus.columns import BioError, Group, Problem, Word
from bert_ner.errors import BertNerError, first_line, install_command, shorten
from bert_ner.wording import counted, option

WORD_KEYS = ("tokens", "words")
TAG_KEYS = ("ner_tags", "tags")
_NEEDED = '"tokens" (or "words"), and "ner_tags" (or "tags" or "entities")'
_BEGINNING = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"[^"\n]*"\s*:')

Record = dict[str, Any]


class Records(NamedTuple):
    """The sentences of a file, and the other keys of each record."""

    groups: list[Group]
    others: list[Record]


def read_json_lines(content: bytes, name: str, names: Sequence[str] | None) -> Records:
    """Read a record in each line; raise BioError if there is none. Lines that are no record become problems."""
    if problem := known_binary(content):
        raise BioError(f"{name} is {problem}")
    records: list[tuple[int, Any]] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if text := line.removeprefix(codecs.BOM_UTF8).strip():
            try:
                records.append((number, json.loads(text)))
            except (ValueError, RecursionError) as error:
                records.append((number, Problem(number, f"not JSON: {first_line(error)}")))
    return _read(records, name, names)


def begins_as_json(content: bytes) -> bool:
    """Return whether a file begins as a JSON object does, or a list of them."""
    return _BEGINNING.match(content) is not None


def are_json_lines(content: bytes) -> bool:
    """Return whether the first line is an object, and not the only line."""
    first, _, rest = content.removeprefix(codecs.BOM_UTF8).strip().partition(b"\n")
    try:
        return bool(rest) and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def read_json(content: bytes, name: str, names: Sequence[str] | None) -> Records:
    """Read a list of records, {"data": [...], "names": [...]}, or a single record.

    Raises:
        BioError: the file is not JSON, or of another shape.
    """
    try:
        document = json.loads(content.removeprefix(codecs.BOM_UTF8))
    except json.JSONDecodeError as error:
        raise BioError(f"{name}:{error.lineno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise BioError(f"{name}: not JSON: {known_binary(content) or first_line(error)}") from None
    found_names = None
    if isinstance(document, dict):
        found_names = document.get("names")
        document = document.get("data", [document])
    if not isinstance(document, list):
        raise BioError(f'{name}: "data" must be a list of records, each with {_NEEDED}')
    return _read(list(enumerate(document, start=1)), name, found_names if names is None else names)


def read_parquet(content: bytes, name: str, names: Sequence[str] | None) -> Records:
    """Read the rows of a Parquet file; names of tags come from the metadata that `datasets` writes.

    Raises:
        BertNerError: pyarrow is not installed.
        BioError: the file is not Parquet.
    """
    rows, metadata = parquet_rows(content, name)
    found_names = _class_names(metadata)
    return _read(list(enumerate(rows, start=1)), name, found_names if names is None else names)


def parquet_rows(content: bytes, name: str) -> tuple[list[Record], bytes]:
    """Return the rows of a Parquet file, and the metadata that `datasets` writes, as JSON.

    Raises:
        BertNerError: pyarrow is not installed.
        BioError: the file is not Parquet.
    """
    parquet, arrow = import_pyarrow(name)
    try:
        # Without threads: a program that ended soon after starting some was aborted by C++, up to every second time.
        table = parquet.ParquetFile(io.BytesIO(content), pre_buffer=False).read(use_threads=False)
    except (arrow.ArrowException, OSError) as error:
        raise BioError(f"{name}: not Parquet: {first_line(error)}") from None
    return table.to_pylist(), (table.schema.metadata or {}).get(b"huggingface", b"{}")


def import_pyarrow(file: str) -> tuple[Any, Any]:
    """Return pyarrow.parquet and pyarrow; raise BertNerError, with the name of the file, if they are not installed."""
    try:
        import pyarrow  # noqa: PLC0415 - an optional extra
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError:
        raise BertNerError(f"{file}: Parquet takes pyarrow; install it with: {install_command('pyarrow')}") from None
    return pyarrow.parquet, pyarrow


def _class_names(metadata: bytes) -> Any:
    """Return the names of the tags' ClassLabel in the metadata of `datasets`, or None."""
    try:
        column = json.loads(metadata)["info"]["features"]["ner_tags"]
        return column.get("feature", column)["names"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _read(records: Sequence[tuple[int, Any]], name: str, names: Any) -> Records:
    """Return the sentences of some records, each with its number or line; other items become problems."""
    if not records:
        raise BioError(f"{name}: no record in it; expected objects with {_NEEDED}")
    if names is not None and not (isinstance(names, list | tuple) and all(isinstance(each, str) for each in names)):
        raise BioError(f'{name}: "names" must be a list of tags, not {shorten(names)}')
    groups: list[Group] = []
    others: list[Record] = []
    for number, record in records:
        try:
            words, tags = _words_and_tags(record, names)
        except ValueError as error:
            groups.append([record if isinstance(record, Problem) else Problem(number, str(error))])
            others.append({})
        else:
            groups.append([Word(number, word, tag) for word, tag in zip(words, tags, strict=True)])
            others.append({key: value for key, value in record.items() if key not in (*WORD_KEYS, *TAG_KEYS)})
    return Records(groups, others)


def _words_and_tags(record: Any, names: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the words and the tags of a record; raise ValueError with its problem."""
    if not isinstance(record, dict):
        raise ValueError(f"not an object with {_NEEDED}: {shorten(record)}")
    word_key = next((key for key in WORD_KEYS if key in record), None)
    tag_key = next((key for key in (*TAG_KEYS, "entities") if key in record), None)
    if word_key is None or tag_key is None:
        raise ValueError(
            f"expected an object with {_NEEDED}; this one has {', '.join(map(shorten, record)) or 'nothing'}"
        )
    words, tags = record[word_key], record[tag_key]
    if not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
        raise ValueError(f'"{word_key}" must be a list of strings, not {shorten(words)}')
    if tag_key == "entities":
        return words, tags_of(_spans(tags), len(words))
    if not isinstance(tags, list) or len(tags) != len(words):
        found = f"{len(tags)}" if isinstance(tags, list) else shorten(tags)
        needed = f"a list with a tag for each of {counted(len(words), 'word')}"
        raise ValueError(f'"{tag_key}" must be {needed}, not {found}')
    return words, [_tag(tag, tag_key, names) for tag in tags]


def _spans(entities: Any) -> Iterable[Span]:
    try:
        return [
            Span(str(each["type"]), operator.index(each["start"]), operator.index(each["end"])) for each in entities
        ]
    except (TypeError, KeyError):
        raise ValueError('"entities" must be a list of objects with "type", "start" and "end", in words') from None


def _tag(tag: Any, key: str, names: Sequence[str] | None) -> str:
    if isinstance(tag, str):
        return tag
    if not isinstance(tag, int) or isinstance(tag, bool):
        raise ValueError(f'"{key}" must hold names or numbers, not {shorten(tag)}')
    if names is None:
        example = option("names", ("O", "B-PER", "I-PER"))
        raise ValueError(f'"{key}" has numbers; name the tags in their order, as in {example}')
    if not 0 <= tag < len(names):
        raise ValueError(f'"{key}" has the number {tag}, but the names of tags are {len(names)}, from 0 on')
    return names[tag]
