"""Answers as tables of Arrow, for Parquet: fixed columns, and the other columns of the input.

The other columns of Parquet stay as they are. The other keys of JSON have no type before the whole file is read. Until
then they are JSON in one column, and the schema's metadata has the kind of each key's values.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from bert_ner.queries import OURS, SOURCES
from bert_ner.stream import Answer, as_record

_ENTITY = {"text": pa.string(), "type": pa.string(), "start": pa.int64(), "end": pa.int64(), "score": pa.float64()}
_FIXED = pa.schema(
    {
        "line": pa.int64(),
        "text": pa.string(),
        "words": pa.list_(pa.string()),
        "tags": pa.list_(pa.string()),
        "entities": pa.list_(pa.struct(list(_ENTITY.items()))),
        "error": pa.string(),
    }
)
_OTHERS, _KINDS = "others as JSON", b"kinds"  # the column until a file is complete, and the key of the metadata
_MIXED = "JSON"  # a list, an object, or values of several types: they stay JSON
_INT64 = range(-(2**63), 2**63)

Kinds = Mapping[str, str]  # of each key: an alias of Arrow's types, "null", or _MIXED


def other_columns(names: Sequence[str]) -> list[str]:
    """Return the columns of a Parquet file that are neither its queries nor written by us."""
    source = next((name for name in SOURCES if name in names), None)
    return [name for name in names if name not in (*OURS, source, "text")]


def answers_table(answers: Sequence[Answer]) -> Any:
    """Return the fixed columns of some answers. Text that UTF-8 can't hold gives an error instead."""
    return pa.Table.from_pylist([_fixed(answer) for answer in answers], _FIXED)


def _fixed(answer: Answer) -> dict[str, Any]:
    record = as_record(answer)
    text = record.get("text")
    if text is not None and not isinstance(text, str):  # another key of a query in words
        record["text"] = json.dumps(text)
    texts = [record.get("text") or "", *record.get("words", ())]
    if all(map(_is_utf8, texts)):
        return record
    return {"line": record["line"], "error": "a lone surrogate, which Parquet can't hold"}


def json_table(answers: Sequence[Answer]) -> Any:
    """Return a table whose only column has the other keys of some answers as JSON."""
    others = [{key: value for key, value in answer.query.others.items() if key != "text"} for answer in answers]
    kinds = common_kinds({key: _kind(value) for key, value in record.items()} for record in others)
    schema = pa.schema({_OTHERS: pa.string()}, metadata={_KINDS: json.dumps(kinds)})
    return pa.table([[json.dumps(record) for record in others]], schema)


def kinds_in(schema: Any) -> Kinds:
    """Return the kinds in a schema's metadata."""
    kinds: Kinds = json.loads((schema.metadata or {}).get(_KINDS, b"{}"))
    return kinds


def common_kinds(each: Iterable[Kinds]) -> dict[str, str]:
    """Return the kind of each key that holds all of its values."""
    common: dict[str, str] = {}
    for kinds in each:
        for key, kind in kinds.items():
            common[key] = _wider(common.get(key, "null"), kind)
    return common


def with_types(table: Any, kinds: Kinds) -> Any:
    """Return a table with a column for each key, in place of the column of JSON, if it has that."""
    if _OTHERS not in table.column_names:
        return table
    records = [json.loads(text) for text in table[_OTHERS].to_pylist()]
    table = table.drop_columns([_OTHERS]).replace_schema_metadata(None)
    for key, kind in kinds.items():
        values = [record.get(key) for record in records]
        if kind == _MIXED:
            values = [json.dumps(record[key]) if key in record else None for record in records]
        arrow_type = pa.string() if kind in (_MIXED, "null") else pa.type_for_alias(kind)
        table = table.append_column(_utf8(key), pa.array(values, arrow_type))
    return table


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int) and value in _INT64:
        return "int64"
    if isinstance(value, float):
        return "double"
    return "string" if isinstance(value, str) and _is_utf8(value) else _MIXED


def _wider(one: str, other: str) -> str:
    if other in (one, "null"):
        return one
    if one == "null":
        return other
    return "double" if {one, other} == {"int64", "double"} else _MIXED


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
