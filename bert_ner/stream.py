"""Tag a stream of queries, one per line, as they arrive; memory use does not grow.

echo "movies starring mel gibson" | bert-ner tag --system crf
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NoReturn

from bert_ner.corpus.bio import spans_of
from bert_ner.errors import BertNerError, printable
from bert_ner.tagger import ScoringTagger, Tagger

MAX_LINE = 2**20  # bytes; the rest of a longer line is never kept
_CHUNK = 2**16  # bytes: the size of a pipe
_BATCH = 256  # lines tagged at once
_UTF8_MARK = b"\xef\xbb\xbf"

# Of the 256 colours of terminals: distinct, and each with a contrast of at least 3.6 on black and on white.
_COLOURS = (32, 166, 28, 162, 99, 100, 196, 30, 164, 130, 63, 64)

Format = Literal["text", "jsonl"]
Record = dict[str, Any]


class LineError(BertNerError, ValueError):
    """A line that can't be read; the message says why."""


def tag_stream(
    tagger: Tagger, source: int, target: int, form: Format, render: Callable[[Record], str]
) -> tuple[int, int]:
    """Tag each line from one file descriptor, and write its record, as `render` shows it, to another.

    Return the number of lines, and of those that could not be read. Raise a BertNerError if a descriptor fails, and a
    BrokenPipeError if the reader of the target closed it.
    """
    lines = errors = 0
    for records in tag_lines(tagger, read_lines(source), form):
        _write(target, "".join(f"{render(record)}\n" for record in records).encode())
        lines += len(records)
        errors += sum("error" in record for record in records)
    return lines, errors


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


def tag_lines(tagger: Tagger, groups: Iterable[Sequence[bytes]], form: Format) -> Iterator[list[Record]]:
    """Yield the records of the lines of each group, at most 256 at a time.

    A record is {"line": from 1 on, "words": [...], "tags": [...], "entities": [{"text", "type", "start", "end",
    "score"}, ...]}. An entity is the words `start` up to, not including, `end`; its score is the mean probability of
    its tags, 0 to 1, or None if the tagger has none. A line that can't be read gives {"line", "error"}.
    """
    number = 0
    for lines in groups:
        for start in range(0, len(lines), _BATCH):
            batch = lines[start : start + _BATCH]
            records = [_read_record(i, line, form) for i, line in enumerate(batch, number + 1)]
            readable = [record for record in records if "words" in record]
            tagged = _tag_scored(tagger, [record["words"] for record in readable])
            for record, scored in zip(readable, tagged, strict=True):
                record["tags"] = [tag for tag, _ in scored]
                record["entities"] = _entities(record["words"], scored)
            yield records
            number += len(batch)


def words_of(line: bytes, form: Format) -> list[str]:
    r"""Return the words of a line: split at white space, or from a JSON object with "words" or with "text" to split.

    An empty line has none. Raise a LineError if it is too long, not UTF-8, not JSON, or JSON of another shape.
    """
    if len(line) > MAX_LINE:
        raise LineError(f"longer than {MAX_LINE:,} bytes")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise LineError(f"byte {error.start + 1} is 0x{line[error.start]:02x}, which is not UTF-8 there") from None
    if form == "text" or not text.strip():
        return text.split()
    content = _parse_json(text)
    if not isinstance(content, dict) or content.keys().isdisjoint(("words", "text")):
        raise LineError('not a JSON object with "words" or "text"')
    if "words" not in content:
        if not isinstance(content["text"], str):
            raise LineError('"text" is not a string')
        return content["text"].split()
    words = content["words"]
    if not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
        raise LineError('"words" is not a list of strings')
    return words


def text_renderer(coloured: bool) -> Callable[[Record], str]:
    """Return a function that turns a record into text, each entity as [words TYPE] in the colour of its type.

    A type keeps its colour; there are twelve. A character that doesn't print is shown as its escape sequence, so that
    no input reaches the terminal as a command.
    """
    colours: dict[str, int] = {}

    def paint(text: str, kind: str) -> str:
        colour = colours.setdefault(kind, _COLOURS[len(colours) % len(_COLOURS)])
        return f"\x1b[38;5;{colour}m{text}\x1b[0m" if coloured else text

    def render(record: Record) -> str:
        if "error" in record:
            return printable(f"line {record['line']} can't be read: {record['error']}")
        words = [printable(word) for word in record["words"]]
        parts, done = [], 0
        for entity in record["entities"]:
            start, end, kind = entity["start"], entity["end"], entity["type"]
            parts += [*words[done:start], paint(printable(f"[{' '.join(words[start:end])} {kind}]"), kind)]
            done = end
        return " ".join([*parts, *words[done:]])

    return render


def wants_colour(terminal: bool, environment: Mapping[str, str]) -> bool:
    """Return whether to use colours: on a terminal that has them, or with FORCE_COLOR; never with NO_COLOR."""
    if environment.get("NO_COLOR"):
        return False
    return bool(environment.get("FORCE_COLOR")) or (terminal and environment.get("TERM") != "dumb")


def _read_record(number: int, line: bytes, form: Format) -> Record:
    try:
        return {"line": number, "words": words_of(line.removeprefix(_UTF8_MARK) if number == 1 else line, form)}
    except LineError as error:
        return {"line": number, "error": str(error)}


def _tag_scored(tagger: Tagger, sentences: list[list[str]]) -> Sequence[Sequence[tuple[str, float | None]]]:
    if isinstance(tagger, ScoringTagger):
        return tagger.tag_scored(sentences)
    return [[(tag, None) for tag in tags] for tags in tagger.tag(sentences)]


def _entities(words: Sequence[str], scored: Sequence[tuple[str, float | None]]) -> list[dict[str, Any]]:
    entities = []
    for kind, start, end in spans_of([tag for tag, _ in scored]):
        scores = [score for _, score in scored[start:end] if score is not None]
        score = round(sum(scores) / len(scores), 4) if scores else None
        text = " ".join(words[start:end])
        entities.append({"text": text, "type": kind, "start": start, "end": end, "score": score})
    return entities


def _parse_json(text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise LineError(f"not JSON: {constant} is not a JSON number")

    try:
        return json.loads(text, parse_constant=refuse)
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
