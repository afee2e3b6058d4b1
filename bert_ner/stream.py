"""Tag a stream of queries, one per line, as they arrive; memory use does not grow.

echo "movies starring mel gibson" | bert-ner tag --system crf
"""

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, NoReturn

from bert_ner.corpus.columns import Layout, Problem, columns_text, raise_problems, read_columns, word_problem
from bert_ner.corpus.entities import Entity, Offsets, entities, word_offsets
from bert_ner.deprecated import moved
from bert_ner.errors import BertNerError, printable
from bert_ner.tagger import Tagger, tags_and_scores

MAX_LINE = 2**20  # bytes; the rest of a longer line is never kept
MAX_WORDS = 2**17  # of a line; half a million take 1.4 GB
_CHUNK = 2**16  # bytes: the size of a pipe
_BATCH = 256  # lines tagged at once
_UTF8_MARK = b"\xef\xbb\xbf"
_SOURCES = ("words", "tokens", "text")  # the keys of a JSON object that may hold the query; the first one there does
_OURS = ("line", "words", "tags", "ner_tags", "entities", "error")  # no other keys of a query, gold tags included

# Of the 256 colours of terminals: distinct, and each with a contrast of at least 3.6 on black and on white.
_COLOURS = (32, 166, 28, 162, 99, 100, 196, 30, 164, 130, 63, 64)

Format = Literal["text", "jsonl", "json", "columns"]  # of queries


class LineError(BertNerError, ValueError):
    """A line that can't be read; the message says why."""


class Query(NamedTuple):
    """The words of a line, or why it can't be read."""

    line: int  # from 1 on
    words: Sequence[str] = ()
    text: str | None = None  # that the words are from; None if they were given as words
    offsets: Sequence[Offsets] | None = None  # of each word in the text
    others: Mapping[str, Any] = {}  # of a JSON object: what else is in it
    error: str | None = None


class Answer(NamedTuple):
    """A query with its tags and entities; both are empty if it can't be read."""

    query: Query
    tags: Sequence[str]
    entities: Sequence[Entity]


def tag_queries(tagger: Tagger, groups: Iterable[Sequence[Query]]) -> Iterator[list[Answer]]:
    """Yield the answers to the queries of each group, at most 256 at a time."""
    for group in groups:
        for start in range(0, len(group), _BATCH):
            queries = group[start : start + _BATCH]
            tagged = iter(tags_and_scores(tagger, [query.words for query in queries if query.error is None]))
            yield [
                Answer(query, (), ()) if query.error is not None else _answer(query, *next(tagged)) for query in queries
            ]


def write_answers(target: int, groups: Iterable[Sequence[Answer]], render: Callable[[Answer], str]) -> tuple[int, int]:
    """Write each answer as `render` shows it to a file descriptor.

    Return the number of lines, and of those that could not be read. Raise a BertNerError if a descriptor fails, and a
    BrokenPipeError if the reader of the target closed it.
    """
    lines = errors = 0
    for answers in groups:
        _write(target, "".join(f"{render(answer)}\n" for answer in answers).encode())
        lines += len(answers)
        errors += sum(answer.query.error is not None for answer in answers)
    return lines, errors


def line_queries(groups: Iterable[Sequence[bytes]], form: Literal["text", "jsonl"]) -> Iterator[list[Query]]:
    """Yield the queries of each group of lines, in order."""
    number = 0
    for lines in groups:
        yield [read_query(line, form, i) for i, line in enumerate(lines, number + 1)]
        number += len(lines)


def column_queries(content: bytes, name: str, layout: Layout) -> list[Query]:
    """Return the words of the sentences of a text file in columns, called `name` in messages; tags do not matter.

    Raise BioError if there is no sentence, or a line can't be read.
    """
    groups, _ = read_columns(content, name, layout)
    raise_problems([entry for group in groups for entry in group if isinstance(entry, Problem)], name)
    sentences = [[entry for entry in group if not isinstance(entry, Problem)] for group in groups]
    return [_checked(Query(words[0].line, [entry.word for entry in words])) for words in sentences]


def json_queries(content: bytes, name: str) -> list[Query]:
    """Return the queries of a JSON file: a list of objects, {"data": [...]}, or an object in each line.

    Objects are those of `read_query`; of a list, `line` is their number from 1 on. Raise BertNerError, which names the
    file, if it is not JSON.
    """
    lines = content.splitlines()
    try:
        document = _parse_json(_decode(content.removeprefix(_UTF8_MARK), limit=None))
    except LineError as error:
        if len(lines) < 2:
            raise BertNerError(f"{name}: {error}") from None
        return [read_query(line, "jsonl", i) for i, line in enumerate(lines, start=1)]
    records = document.get("data", [document]) if isinstance(document, dict) else document
    if not isinstance(records, list):
        raise BertNerError(f"{name}: not a list of objects, nor an object with a list as its data")
    return [_record_query(i, record) for i, record in enumerate(records, start=1)]


def read_lines(source: int) -> Iterator[list[bytes]]:
    """Yield the lines that each read from a file descriptor completes, without their line feeds.

    A read waits only if there is no input, so each line can be answered before the next one is written. A line longer
    than MAX_LINE is cut to MAX_LINE + 1 bytes. Raise a BertNerError if the source can't be read.
    """
    rest = bytearray()
    while chunk := _read(source):
        end, *others = chunk.split(b"\n")
        rest += end[: MAX_LINE + 1 - len(rest)]
        if others:
            yield [bytes(rest), *others[:-1]]
            rest = bytearray(others[-1])
    if rest:
        yield [bytes(rest)]


def read_query(line: bytes, form: Literal["text", "jsonl"], number: int = 1) -> Query:
    r"""Return the query of a line: a text, or a JSON object with "words" (or "tokens"), or with "text".

    An empty line has no words. A query with an error is longer than MAX_LINE or MAX_WORDS, not UTF-8, not JSON, or JSON
    of another shape.
    """
    try:
        text = _decode(line.removeprefix(_UTF8_MARK) if number == 1 else line)
        if form == "text" or not text.strip():
            return _text_query(number, text.removesuffix("\r"), {})
        record = _parse_json(text)
    except LineError as error:
        return Query(number, error=str(error))
    return _record_query(number, record)


def as_json(answer: Answer) -> str:
    """Return an answer as a JSON object.

    It is {"line", "text", "words", "tags", "entities": [{"text", "type", "start", "end", "score"}, ...]}, with "text"
    only if the query was one, or {"line", "error"}. Other keys of the query come second. `start` and `end` cut an
    entity out of the text or, without one, of the words. Scores have four digits.
    """
    query = answer.query
    record = {"line": query.line, **query.others}
    if query.error is not None:
        return json.dumps({**record, "error": query.error})
    if query.text is not None:
        record["text"] = query.text
    found = [
        {**entity._asdict(), "score": None if entity.score is None else round(entity.score, 4)}
        for entity in answer.entities
    ]
    return json.dumps({**record, "words": query.words, "tags": answer.tags, "entities": found})


def as_bio(answer: Answer) -> str:
    """Return an answer as the lines of a BIO file; a blank line has to follow.

    Raise a BertNerError if the query can't be read, or has a word that can't stand in a column. A file without it
    would not have the same sentences.
    """
    query = answer.query
    problem = query.error or next(filter(None, map(word_problem, query.words)), None)
    if problem:
        raise BertNerError(f"line {query.line} can't be written as BIO: {problem}; correct it, or use --output jsonl")
    return columns_text([query.words], [answer.tags]).removesuffix("\n")


def text_renderer(coloured: bool) -> Callable[[Answer], str]:
    """Return a function that turns an answer into text, each entity as [words TYPE] in the colour of its type.

    A type keeps its colour; there are twelve. A character that doesn't print is shown as its escape sequence, so that
    no input reaches the terminal as a command.
    """
    colours: dict[str, int] = {}

    def paint(text: str, kind: str) -> str:
        colour = colours.setdefault(kind, _COLOURS[len(colours) % len(_COLOURS)])
        return f"\x1b[38;5;{colour}m{text}\x1b[0m" if coloured else text

    def render(answer: Answer) -> str:
        query = answer.query
        if query.error is not None:
            return printable(f"line {query.line} can't be read: {query.error}")
        whole, glue = (query.words, " ") if query.text is None else (query.text, "")
        parts, done = [], 0
        for entity in answer.entities:
            marked = paint(printable(f"[{entity.text} {entity.type}]"), entity.type)
            parts += [printable(glue.join(whole[done : entity.start])), marked]
            done = entity.end
        parts.append(printable(glue.join(whole[done:])))
        return glue.join(filter(None, parts))

    return render


def wants_colour(terminal: bool, environment: Mapping[str, str]) -> bool:
    """Return whether to use colours: on a terminal that has them, or with FORCE_COLOR; never with NO_COLOR."""
    if environment.get("NO_COLOR"):
        return False
    return bool(environment.get("FORCE_COLOR")) or (terminal and environment.get("TERM") != "dumb")


def _answer(query: Query, tags: Sequence[str], scores: Sequence[float] | None) -> Answer:
    return Answer(query, tags, entities(query.words, tags, scores, query.text, query.offsets))


def _record_query(number: int, record: Any) -> Query:
    source = next((key for key in _SOURCES if key in record), None) if isinstance(record, dict) else None
    if source is None:
        return Query(number, error='not a JSON object with "words", "tokens" or "text"')
    others = {key: value for key, value in record.items() if key not in (source, *_OURS)}
    value = record[source]
    if source == "text" and isinstance(value, str):
        return _text_query(number, value, others)
    if source != "text" and isinstance(value, list) and all(isinstance(word, str) for word in value):
        return _checked(Query(number, value, others=others))
    expected = "a string" if source == "text" else "a list of strings"
    return Query(number, others=others, error=f'"{source}" is not {expected}')


def _text_query(number: int, text: str, others: Mapping[str, Any]) -> Query:
    offsets = word_offsets(text)
    return _checked(Query(number, [text[start:end] for start, end in offsets], text, offsets, others))


def _checked(query: Query) -> Query:
    """Return a query, or one with an error if it has too many words."""
    if len(query.words) <= MAX_WORDS:
        return query
    error = f"{len(query.words):,} words; the limit is {MAX_WORDS:,}; write a sentence in each line"
    return Query(query.line, others=query.others, error=error)


def _decode(line: bytes, limit: int | None = MAX_LINE) -> str:
    if limit and len(line) > limit:
        raise LineError(f"longer than {limit:,} bytes")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise LineError(f"byte {error.start + 1} is 0x{line[error.start]:02x}, which is not UTF-8 there") from None


def _parse_json(text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise LineError(f"not JSON that can be written again: {constant} is not a finite number")

    def finite(number: str) -> float:
        return value if math.isfinite(value := float(number)) else refuse(number)

    try:
        return json.loads(text, parse_constant=refuse, parse_float=finite)
    except LineError:
        raise
    except json.JSONDecodeError as error:
        raise LineError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise LineError("JSON that is nested too deeply") from None
    except ValueError as error:  # a number with thousands of digits
        raise LineError(f"not JSON that can be read: {error}") from None


def _read(source: int) -> bytes:
    try:
        return os.read(source, _CHUNK)
    except OSError as error:
        raise BertNerError(f"the input can't be read: {error.strerror}") from None


def _write(target: int, data: bytes) -> None:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(target, rest) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BertNerError(f"the output can't be written: {error.strerror}") from None


_RENAMED = {"words_of": "read_query", "tag_lines": "tag_queries", "tag_stream": "write_answers", "Record": "Answer"}
__getattr__ = moved(__name__, {old: f"{__name__}:{new}" for old, new in _RENAMED.items()})
