"""Tag a stream of queries, one per line, as they arrive; memory use does not grow.

echo "movies starring mel gibson" | bert-ner tag --system crf
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bert_ner.corpus.columns import columns_text, word_problem
from bert_ner.corpus.entities import Entity, entities
from bert_ner.deprecated import moved
from bert_ner.errors import BertNerError, printable
from bert_ner.queries import Query
from bert_ner.tagger import Tagger, tags_and_scores

_BATCH = 256  # lines tagged at once

# Of the 256 colours of terminals: distinct, and each with a contrast of at least 3.6 on black and on white.
_COLOURS = (32, 166, 28, 162, 99, 100, 196, 30, 164, 130, 63, 64)


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


def as_json(answer: Answer) -> str:
    """Return an answer's record as a JSON object."""
    return json.dumps(as_record(answer))


def as_record(answer: Answer) -> dict[str, Any]:
    """Return an answer as a record, in types of JSON.

    It is {"line", "text", "words", "tags", "entities": [{"text", "type", "start", "end", "score"}, ...]}, with "text"
    only if the query was one, or {"line", "error"}. Other keys of the query come second. `start` and `end` cut an
    entity out of the text or, without one, of the words. Scores have four digits.
    """
    query = answer.query
    record = {"line": query.line, **query.others}
    if query.error is not None:
        return {**record, "error": query.error}
    if query.text is not None:
        record["text"] = query.text
    found = [
        {**entity._asdict(), "score": None if entity.score is None else round(entity.score, 4)}
        for entity in answer.entities
    ]
    return {**record, "words": query.words, "tags": answer.tags, "entities": found}


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


def _write(target: int, data: bytes) -> None:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(target, rest) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BertNerError(f"the output can't be written: {error.strerror}") from None


_HERE = {"tag_lines": "tag_queries", "tag_stream": "write_answers", "Record": "Answer"}
_MOVED = {"words_of": "bert_ner.queries:read_query"} | {old: f"{__name__}:{new}" for old, new in _HERE.items()}
__getattr__ = moved(__name__, _MOVED)
