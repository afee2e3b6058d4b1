"""The results that a claim is judged on."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from harness.artifacts import read_json
from harness.tables import TABLES, producer_of, read_table
from harness.yaml_files import line_of, load_yaml

import pandas as pd

from bert_ner.encoder.weights import ENCODERS
from bert_ner.errors import BertNerError
from bert_ner.settings import Location
from claims.fields import PublishedScore, Source

ALPHA = 0.05
FILES = ("audit.json", "corpus.json", "provenance.json", *(f"{name}.csv" for name in TABLES if name != "claims"))
GROWING = ("studies", "benchmarks")  # tables that grow run by run, so a missing row may still come
_CELL = re.compile(r"(?P<column>\w+)(?: where (?P<where>.+))?")


class NotMeasuredError(Exception):
    """What a claim needs has not been measured yet; the message names it."""


class Finding(NamedTuple):
    """A rule's answer. Low and high: the ends of the measured value's interval over sentences, or over seeds."""

    verdict: str
    measured: Any
    evidence: str
    low: float | None = None
    high: float | None = None


def graded(conditions: Iterable[Any]) -> str:
    """Return the verdict: reproduced if all conditions hold, partly if some do."""
    held = [bool(condition) for condition in conditions]
    return "reproduced" if all(held) else "partly" if any(held) else "not reproduced"


def with_interval(verdict: str, row: pd.Series, evidence: str, column: str = "value") -> Finding:
    """Return a finding with the value and the interval in a row of a table."""
    return Finding(verdict, float(row[column]), evidence, float(row["low"]), float(row["high"]))


class Place(NamedTuple):
    """A place in a YAML file."""

    path: Path
    keys: Location

    def at(self, *keys: str | int) -> Place:
        return Place(self.path, (*self.keys, *keys))

    def source(self, source: Source) -> Place:
        """Return where the section at this place names a source."""
        node = load_yaml(self.path)
        for key in self.keys:
            node = node[key]
        return self.at(*(_find(node, {source.file: source.path}) or ()))

    def error(self, complaint: str) -> BertNerError:
        return BertNerError(f"{self.path}, line {line_of(self.path, self.keys)}: {complaint}")


def _find(content: Any, wanted: Any) -> Location | None:
    """Return the keys that lead to a value, None if it is not there."""
    if content == wanted:
        return tuple(wanted)
    items = content.items() if isinstance(content, dict) else enumerate(content if isinstance(content, list) else [])
    return next(((key, *rest) for key, value in items if (rest := _find(value, wanted)) is not None), None)


class MeasuredSystem(NamedTuple):
    """A measured system that is judged in place of the paper's."""

    name: str
    encoder: str
    has_papers_encoder: bool


@dataclass(frozen=True)
class Evidence:
    """The results, as one claim reads them. What was not measured yet is a NotMeasuredError.

    `results` is the folder of all results, `place` the claim's entry in claims.yaml; corpus, encoder and paper_value
    are those of the paper; `chosen` is the system that is judged, by default the first that can stand for the paper's.
    """

    results: Path
    corpus: str
    encoder: str
    published: Sequence[PublishedScore]
    place: Place
    paper_value: Any = None
    chosen: MeasuredSystem | None = None

    @property
    def system(self) -> MeasuredSystem:
        return self.chosen or measured_systems(self.results, self.corpus, self.encoder)[0]

    def key(self, name: str) -> Place:
        """Return where a key of the claim's rule is."""
        return self.place.at("judge", name)

    def paper_number(self) -> float:
        if isinstance(self.paper_value, bool) or not isinstance(self.paper_value, int | float):
            raise self.place.at("paper_value").error("this rule needs a number as paper_value")
        return self.paper_value

    def facts(self, name: str) -> dict[str, Any]:
        path = self.results / ("" if name == "provenance.json" else self.corpus) / name
        if not path.is_file():
            raise NotMeasuredError(f"{self.corpus} has no {name} yet")
        return read_json(path)

    def rows(self, name: str) -> pd.DataFrame:
        rows = read_table(self.results, self.corpus, name)
        if rows is None:
            raise NotMeasuredError(f"{self.corpus} has no {name}.csv yet")
        return rows

    def table(self, name: str, /, **values: Any) -> pd.DataFrame:
        """Return the rows of a table that have these values: at least one, unless the table grows run by run."""
        rows = self.rows(name)
        for column, value in values.items():
            rows = rows[_has_value(self._column(rows, name, column), str(value))]
        if rows.empty:
            wanted = ", ".join(f"{column}={value}" for column, value in values.items())
            if name in GROWING:
                raise NotMeasuredError(f"{name}.csv has no row with {wanted} yet")
            command = producer_of(name, self.corpus)
            raise self.key("rule").error(f"{name}.csv has no row with {wanted}; correct the entry, or run {command}")
        return rows

    def _column(self, rows: pd.DataFrame, name: str, column: str) -> pd.Series:
        if column not in rows:
            raise self.key("rule").error(f"{name}.csv has no column '{column}'; it has {', '.join(rows.columns)}")
        return rows[column]

    def value(self, source: Source) -> Any:
        """Return the value that a source names; of a table, the mean of a column over some rows."""
        if source.file not in FILES:
            raise self._wrong(source, f"no result is named '{source.file}'; the known ones are {', '.join(FILES)}")
        return self._fact(source) if source.file.endswith(".json") else self._mean(source)

    def _fact(self, source: Source) -> Any:
        value: Any = self.facts(source.file)
        for part in source.path.split("."):
            if not isinstance(value, dict) or part not in value:
                found = f"the keys {', '.join(value)}" if isinstance(value, dict) else f"the value {value!r}"
                raise self._wrong(source, f"{source.file} has no '{source.path}': instead of '{part}' it has {found}")
            value = value[part]
        return value

    def _mean(self, source: Source) -> float:
        cell = _CELL.fullmatch(self._path(source))
        if not cell:
            raise self._wrong(source, f"'{source.path}' is not of the form: column where column=value, column=value")
        pairs = [condition.partition("=") for condition in filter(None, (cell["where"] or "").split(", "))]
        name = source.file.removesuffix(".csv")
        rows = self.table(name, **{column.strip(): value for column, _, value in pairs})
        numbers = pd.to_numeric(self._column(rows, name, cell["column"]), errors="coerce").dropna()
        if numbers.empty:
            raise self._wrong(source, f"{source.file}: no number in '{source.path}'")
        return float(numbers.mean())

    def number(self, operand: float | Source) -> float:
        """Return a measured number, or a number that is given in the entry."""
        value = self.value(operand) if isinstance(operand, Source) else operand
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(operand, f"{self.name(operand)} is {value!r}, not a number")
        return value

    def name(self, operand: float | Source) -> str:
        """Return a source, or a number in its place, as the evidence shows it."""
        return f"{operand.file} {self._path(operand)}" if isinstance(operand, Source) else show(operand)

    def shown(self, source: Source) -> str:
        """Return a source with its value."""
        return f"{self.name(source)} is {show(self.value(source))}"

    def _path(self, source: Source) -> str:
        return source.path.replace("{system}", self.system.name) if "{system}" in source.path else source.path

    def _wrong(self, source: Any, complaint: str) -> BertNerError:
        return self.place.source(source).error(complaint)

    def groups(self, by: str) -> pd.DataFrame:
        """Return the rows of intervals_by_group.csv of the system that are grouped in one way."""
        rows = self.table("intervals_by_group", system=self.system.name)
        return rows[rows["by"] == by]

    def interval(self, metric: str) -> pd.Series:
        """Return a score of the system with its interval over sentences."""
        return self.table("intervals", system=self.system.name, metric=metric, source="sentences").iloc[0]


def _has_value(column: pd.Series, value: str) -> pd.Series:
    """Compare numbers as numbers, so that 1, 1.0 and 1.00 are the same; an empty value is an absent number."""
    if not pd.api.types.is_numeric_dtype(column):
        return column == value
    return column.isna() if not value else (column == pd.to_numeric(value, errors="coerce")).fillna(False)


def measured_systems(results: Path, corpus: str, encoder: str) -> list[MeasuredSystem]:
    """Return the systems that can stand for the paper's: those with its encoder, then by closeness in size to it."""
    scores = read_table(results, corpus, "scores")
    if scores is None:
        raise NotMeasuredError(f"{corpus} has no scores.csv yet")
    path = results / "provenance.json"
    runs = read_json(path).get(corpus, {}).get("runs", {}) if path.is_file() else {}
    pairs = dict.fromkeys(zip(scores["system"], scores["encoder"], strict=True))
    systems = [MeasuredSystem(name, used, _is_same(used, encoder, runs)) for name, used in pairs if used]
    if not systems:
        raise NotMeasuredError("scores.csv has no system with an encoder")
    return sorted(
        systems, key=lambda system: (not system.has_papers_encoder, _size_difference(system.encoder, encoder))
    )


def _is_same(used: str, encoder: str, runs: dict[str, Any]) -> bool:
    """Whether the encoder of a run, a name or a folder, is the one named: by its checksum where that is on record."""
    sums = [run["weights"]["sha256"] for run in runs.values() if run["settings"].get("name") == used]
    if sums and encoder in ENCODERS:
        return all(found == ENCODERS[encoder].sha256 for found in sums)
    return Path(used).name == encoder


def _size_difference(*encoders: str) -> float:
    sizes = [ENCODERS[name].parameters for name in encoders if name in ENCODERS]
    return abs(sizes[0] - sizes[1]) if len(sizes) == 2 else math.inf


def show(value: Any) -> str:
    """Return a value as the evidence shows it."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, list | tuple):
        return ", ".join(map(show, value))
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)
