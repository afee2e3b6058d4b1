"""The registry of the tables in results/: each CSV's columns, types, key and producer, and its writer and reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import pandas as pd

from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.scoring import METRICS

TYPES: dict[str, Any] = {"text": "str", "int": "Int64", "float": "float64"}


class Table(NamedTuple):
    """A CSV of results/.

    Attributes:
        columns: each column's type, in order: `text`, `int` or `float`. Numbers may be absent (an empty cell).
        key: the columns that tell rows apart.
        producer: the command that writes it.
        is_shared: it stands in results/ itself, not in the folder of a corpus.
        may_lack: columns that older files do not have.
        digits: significant digits of a float, or None for six decimals.
    """

    columns: dict[str, str]
    key: tuple[str, ...]
    producer: str
    is_shared: bool = False
    may_lack: tuple[str, ...] = ()
    digits: int | None = None

    @classmethod
    def of(cls, columns: str, key: str, producer: str, **more: Any) -> Self:
        """A table from `name:type ...`, where a name without a type is text."""
        pairs = (column.partition(":") for column in columns.split())
        return cls({name: kind or "text" for name, _, kind in pairs}, tuple(key.split()), producer, **more)


_EVALUATE, _COMPARE, _JUDGE = (
    f"python experiments/{stage}.py --corpus {{corpus}}" for stage in ("evaluate", "compare", "judge")
)
_METRICS = " ".join(f"{metric}:float" for metric in METRICS)
_INTERVAL = "value:float low:float high:float"
_DIFFERENCE = "a:float b:float difference:float low:float high:float p_value:float"

TABLES = {
    "scores": Table.of(
        f"corpus system encoder seed:int split n_sentences:int {_METRICS} signature", "system seed", _EVALUATE
    ),
    "scores_by_type": Table.of(
        "system seed:int type support:int precision:float recall:float f1:float", "system seed type", _EVALUATE
    ),
    "confusion": Table.of("system seed:int gold predicted words:int", "system seed gold predicted", _EVALUATE),
    "costs": Table.of(
        "system encoder seed:int parameters:float train_seconds:float words_per_second:float model_bytes:float machine",
        "system seed",
        _EVALUATE,
    ),
    "not_run": Table.of("system encoder seed:int reason", "system seed", _EVALUATE),
    "error_kinds": Table.of("system seed:int kind type count:int", "system seed kind type", _EVALUATE),
    "recall": Table.of(
        "system seed:int by group support:int found:int recall:float", "system seed by group", _EVALUATE
    ),
    "history": Table.of(
        "system encoder seed:int epoch:int train_loss:float validation_loss:float validation_entity_f1:float "
        "seconds:float",
        "system seed epoch",
        _EVALUATE,
    ),
    "intervals": Table.of(
        f"system metric source {_INTERVAL} sd:float n:int level:float method signature",
        "system metric source",
        _COMPARE,
    ),
    "comparisons": Table.of(
        f"system_a system_b metric {_DIFFERENCE} test n:int p_holm:float a_sd:float b_sd:float signature",
        "system_a system_b metric",
        _COMPARE,
    ),
    # `than`: the group that the value is above, where it is a difference; support: gold entities of the group.
    "intervals_by_group": Table.of(
        f"system by group than metric support:int {_INTERVAL} n:int level:float",
        "system by group than metric",
        _COMPARE,
    ),
    "comparisons_by_type": Table.of(
        f"system_a system_b type {_DIFFERENCE} p_holm:float a_sd:float b_sd:float n:int",
        "system_a system_b type",
        _COMPARE,
    ),
    "claims": Table.of("id section claim kind paper_value measured low high verdict system evidence", "id", _JUDGE),
    "studies": Table.of(
        "study variant system encoder seed:int fraction:float per_type:int sentences:int epoch:int train_loss:float "
        "validation_loss:float validation_entity_f1:float test_token_micro_f1:float test_entity_f1:float "
        "seconds:float signature",
        "study variant system seed epoch",
        "make repro-all",
        may_lack=("per_type",),
    ),
    "benchmarks": Table.of(
        "task system setting sentences:int tokens:int seconds:float tokens_per_second:float peak_memory_mb:float "
        "ratio_to ratio:float machine seconds_low:float seconds_high:float rounds:int tflop:float limit_share:float "
        "entity_f1:float",
        "task system setting ratio_to machine",
        "make bench",
        is_shared=True,
        digits=6,
    ),
}


def table_path(results: Path, corpus: str, name: str) -> Path:
    """Where a table stands below results/."""
    return results / ("" if TABLES[name].is_shared else corpus) / f"{name}.csv"


def producer_of(name: str, corpus: str) -> str:
    """The command that writes a table."""
    return TABLES[name].producer.format(corpus=corpus)


def as_csv(name: str, rows: Sequence[Mapping[str, Any]] | pd.DataFrame) -> str:
    """The text of a table with these rows; cells that a row lacks are empty.

    Raises:
        KeyError: a row has a column that the table does not have.
    """
    table = TABLES[name]
    frame = pd.DataFrame(rows)
    if unknown := set(frame.columns) - set(table.columns):
        raise KeyError(f"{name}.csv has no column {', '.join(sorted(map(str, unknown)))}")
    frame = frame.reindex(columns=list(table.columns))
    for column, kind in table.columns.items():
        frame[column] = frame[column].astype("object" if kind == "text" else TYPES[kind])
    return frame.to_csv(index=False, float_format=f"%.{table.digits}g" if table.digits else "%.6f")


def write_table(results: Path, corpus: str, name: str, rows: Sequence[Mapping[str, Any]] | pd.DataFrame) -> None:
    """Write a table, whole or not at all."""
    write_whole(table_path(results, corpus, name), as_csv(name, rows))


def read_table(results: Path, corpus: str, name: str) -> pd.DataFrame | None:
    """A table with text as text and numbers as numbers (an absent one is NaN or NA); None if there is no file.

    The frame is shared by all who read the same file: copy it before changing it.

    Raises:
        BertNerError: it can't be read, lacks a column, or has words where a number belongs.
    """
    path = table_path(results, corpus, name)
    if not path.is_file():
        return None
    facts = path.stat()
    return _read(path, name, f"remove it and run {producer_of(name, corpus)}", facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=128)
def _read(path: Path, name: str, remedy: str, *_version: int) -> pd.DataFrame:
    known = TABLES[name]
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
    except (OSError, ValueError) as error:  # pandas's own errors are ValueErrors
        raise BertNerError(f"{path} can't be read ({error}); {remedy}") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first columns for names of the rows
        raise BertNerError(f"{path}: its rows have more columns than its first line names; {remedy}")
    missing = [column for column in known.columns if column not in table]
    if lacking := [column for column in missing if column not in known.may_lack]:
        raise BertNerError(f"{path}: no column {', '.join(lacking)}; {remedy}")
    for column, kind in known.columns.items():
        if column in missing:
            table[column] = pd.Series(pd.NA, table.index).astype(TYPES[kind])
        elif kind != "text":
            table[column] = _numbers(path, table[column], kind, remedy)
    return table[list(known.columns)]


def _numbers(path: Path, cells: pd.Series, kind: str, remedy: str) -> pd.Series:
    values: pd.Series = pd.to_numeric(cells.replace("", "nan"), errors="coerce")
    is_absent = cells.str.lower().isin([] if cells.name == "seed" else ["", "nan"])
    is_right = is_absent | (values.notna() & ((kind != "int") | (values % 1 == 0)))
    if not is_right.all():
        row = int(is_right.to_numpy().argmin())
        wanted = "a whole number" if kind == "int" else "a number"
        raise BertNerError(f"{path}:{row + 2}: {cells.name} is {cells[row]!r}, not {wanted}; {remedy}")
    exact: pd.Series = values.astype("int64" if kind == "int" and values.notna().all() else TYPES[kind])
    return exact


@contextmanager
def as_written_by(command: str, path: Path) -> Iterator[None]:
    """While a JSON file is taken apart: what it lacks is an error that says what writes it.

    Raises:
        BertNerError: it is not as that command writes it.
    """
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        kind = type(error).__name__
        raise BertNerError(f"{path}: not as it was written ({kind}: {error}); remove it and run {command}") from None
