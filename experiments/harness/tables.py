"""Write and read the tables of results/, as tables.yaml registers them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from harness.paths import DOMAINS
from harness.remedies import stage_remedy
from harness.sums import note_sum

import pandas as pd

from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.scoring import METRICS
from bert_ner.yaml_files import load_yaml

TYPES: dict[str, Any] = {"text": "str", "int": "Int64", "float": "float64"}

NEVER_ABSENT = ("seed", "trial", "fold", "n_sentences")  # numbers that every row of a table with such a column has
NO_STAGES = ("ablation", "read_labels")  # commands that write tables

Rows = Sequence[Mapping[str, Any]] | pd.DataFrame


class Table(NamedTuple):
    """A CSV of results/."""

    columns: dict[str, str]  # the type of each, in order: text, int or float; a number may be absent, an empty cell
    key: tuple[str, ...]  # the columns that identify a row
    producer: str
    is_shared: bool = False
    digits: int | None = None

    @property
    def is_summed(self) -> bool:
        """Whether no stage has it as an output, so that results/SHA256SUMS has its SHA-256."""
        return self.producer in NO_STAGES or self.producer.startswith("make ")


def _table(columns: str, producer: str, **options: Any) -> Table:
    pairs = [column.partition(":") for column in columns.replace("METRICS", ":float ".join([*METRICS, ""])).split()]
    key = tuple(name[1:] for name, _, _ in pairs if name.startswith("*"))
    return Table({name.lstrip("*"): kind or "text" for name, _, kind in pairs}, key, producer, **options)


TABLES = {name: _table(**entry) for name, entry in load_yaml(Path(__file__).with_name("tables.yaml")).items()}


def table_path(results: Path, corpus: str, name: str) -> Path:
    """Return the path of a table below results/; `corpus` may also be `domains`."""
    return results / ("" if TABLES[name].is_shared else corpus) / f"{name}.csv"


def producer_of(name: str, corpus: str) -> str:
    """Return the command that writes a table."""
    producer = TABLES[name].producer
    option = "--domains" if corpus == DOMAINS else f"--corpus {corpus}"
    return producer if producer.startswith("make ") else f"python experiments/{producer}.py {option}"


def table_remedy(name: str, corpus: str) -> str:
    """Return the commands that write a table: also DVC's, if a stage of the pipeline writes it."""
    if TABLES[name].is_summed:
        return f"run {producer_of(name, corpus)}"
    if corpus == DOMAINS:
        return f"run {producer_of(name, corpus)}, or dvc repro"
    return stage_remedy(TABLES[name].producer, corpus)


def stage_tables(stage: str) -> list[str]:
    """Return the names of the tables that a stage writes."""
    return [name for name, table in TABLES.items() if table.producer == stage]


def as_csv(name: str, rows: Rows) -> str:
    """Return the text of a table with these rows. It has the table's columns: other keys are left out."""
    table = TABLES[name]
    types = {column: "object" if kind == "text" else TYPES[kind] for column, kind in table.columns.items()}
    frame = pd.DataFrame(rows).reindex(columns=list(types)).astype(types)
    return frame.to_csv(index=False, float_format=f"%.{table.digits}g" if table.digits else "%.6f")


def tables_of_corpora(results: Path, name: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each corpus that has a table of this name, with the table."""
    for path in sorted(results.glob(f"*/{name}.csv")):
        if (table := read_table(results, path.parent.name, name)) is not None:
            yield path.parent.name, table


def write_table(results: Path, corpus: str, name: str, rows: Rows) -> None:
    """Write a table, whole or not at all, and note its sum if it is no output of a stage."""
    path = table_path(results, corpus, name)
    write_whole(path, as_csv(name, rows))
    if TABLES[name].is_summed:
        note_sum(results, path)


def read_table(results: Path, corpus: str, name: str) -> pd.DataFrame | None:
    """Return a table, with NaN or NA for absent numbers; None if there is no file. Copy it before you change it."""
    path = table_path(results, corpus, name)
    if not path.is_file():
        return None
    remedy, facts = f"remove it and run {producer_of(name, corpus)}", path.stat()
    return _read(path, name, remedy, facts.st_mtime_ns, facts.st_size, facts.st_ino)


def require_table(results: Path, corpus: str, name: str) -> pd.DataFrame:
    """Read a table that must have rows."""
    table = read_table(results, corpus, name)
    if table is None or table.empty:
        path = table_path(results, corpus, name)
        raise BertNerError(f"{path} is missing or has no rows; {table_remedy(name, corpus)}")
    return table


def matching(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Return the rows that have these values in the columns of these names."""
    return table[(table[list(values)] == pd.Series(values)).all(axis=1)]


@lru_cache(maxsize=128)
def _read(path: Path, name: str, remedy: str, *_version: int) -> pd.DataFrame:
    known = TABLES[name]
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
    except (OSError, ValueError) as error:  # pandas raises ValueErrors of its own
        raise BertNerError(f"{path} can't be read ({error}); {remedy}") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first columns for the names of the rows
        raise BertNerError(f"{path}: its rows have more columns than its first line names; {remedy}")
    if lacking := [column for column in known.columns if column not in table]:
        raise BertNerError(f"{path}: no column {', '.join(lacking)}; {remedy}")
    table = table[list(known.columns)].copy()
    for column, kind in known.columns.items():
        if kind != "text":
            table[column] = _numbers(path, table[column], kind, remedy)
    return table


def _numbers(path: Path, cells: pd.Series, kind: str, remedy: str) -> pd.Series:
    values: pd.Series = pd.to_numeric(cells.replace("", "nan"), errors="coerce")
    is_absent = cells.str.lower().isin([] if cells.name in NEVER_ABSENT else ["", "nan"])
    is_right = is_absent | (values.notna() & ((kind != "int") | (values % 1 == 0)))
    if not is_right.all():
        row = int(is_right.to_numpy().argmin())
        wanted = "a whole number" if kind == "int" else "a number"
        raise BertNerError(f"{path}:{row + 2}: {cells.name} is {cells[row]!r}, not {wanted}; {remedy}")
    exact: pd.Series = values.astype("int64" if kind == "int" and values.notna().all() else TYPES[kind])
    return exact


@contextmanager
def as_written_by(command: str, path: Path) -> Iterator[None]:
    """Turn an error about the content of a JSON file into one that names the command that writes the file."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        kind = type(error).__name__
        raise BertNerError(f"{path}: not as it was written ({kind}: {error}); remove it and run {command}") from None
