"""The results that claims are judged on, and what rules share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

from harness.artifacts import read_json

import pandas as pd

from bert_ner.encoder.weights import ENCODERS
from claims.schema import Claim, Place, place

ALPHA = 0.05
# Results that claims may name. The last two grow run by run, so a row that is not there may still come.
FILES = (
    "audit.json", "comparisons.csv", "confusion.csv", "corpus.json", "error_kinds.csv", "history.csv", "intervals.csv",
    "intervals_by_group.csv", "recall.csv", "scores.csv", "scores_by_type.csv", "provenance.json", "studies.csv",
    "benchmarks.csv",
)  # fmt: skip
SHARED_FILES = ("provenance.json", "benchmarks.csv")  # of all corpora
GROWING_FILES = ("studies.csv", "benchmarks.csv")
_CELL = re.compile(r"(?P<column>\w+)(?: where (?P<where>.+))?")


class NotMeasuredError(Exception):
    """What a claim needs has not been measured yet; the message says what that is."""


class Finding(NamedTuple):
    """A rule's answer. Low and high: the ends of the measured value's interval over sentences, or over seeds."""

    verdict: str
    measured: Any
    evidence: str
    low: float | None = None
    high: float | None = None


class Ours(NamedTuple):
    """A system that stands for the paper's."""

    system: str
    encoder: str
    is_papers: bool


class Evidence:
    """The results that claims are judged on, read when they are asked for."""

    def __init__(self, results: Path, corpus: str, encoder: str, published: Sequence[Mapping[str, Any]]) -> None:
        """Take the folder of all results, the corpus and the encoder of the paper, and the published scores."""
        self.results, self.corpus, self.encoder, self.published = results, corpus, encoder, published
        self._read: dict[Path, Any] = {}
        self._ours: Ours | None = None

    def file(self, name: str, where: Place) -> Any:
        """A JSON object or a table.

        Raises:
            NotMeasuredError: it is not there.
            BertNerError: no such file is among the results, or it can't be read.
        """
        if name not in FILES:
            where.refuse(f"no result is named '{name}'; there are {', '.join(FILES)}")
        path = self.results / ("" if name in SHARED_FILES else self.corpus) / name
        if not path.is_file():
            raise NotMeasuredError(f"{name} has not been made yet")
        if path not in self._read:
            try:
                is_table = path.suffix == ".csv"
                self._read[path] = pd.read_csv(path, keep_default_na=False) if is_table else read_json(path)
            except ValueError as error:
                where.refuse(f"{path} can't be read ({error}); remove it, and run the stage that writes it")
        return self._read[path]

    def table(self, name: str, where: Place, **values: Any) -> pd.DataFrame:
        """The rows of a table that have these values; there is at least one.

        Raises:
            NotMeasuredError: the table is not there, or it is one that grows and has no such row yet.
            BertNerError: it lacks a column, or has no such row and should.
        """
        rows: pd.DataFrame = self.file(name, where)
        for column, value in values.items():
            rows = rows[self.column(rows, name, column, where).astype(str) == str(value)]
        if rows.empty:
            sought = ", ".join(f"{column}={value}" for column, value in values.items())
            if name in GROWING_FILES:
                raise NotMeasuredError(f"{name} has no row with {sought} yet")
            where.refuse(f"{name} has no row with {sought}; mend the entry, or run the stage that writes it anew")
        return rows

    def column(self, rows: pd.DataFrame, name: str, column: str, where: Place) -> pd.Series:
        """A column of a table."""
        if column not in rows.columns:
            where.refuse(f"{name} has no column '{column}'; it has {', '.join(map(str, rows.columns))}")
        return rows[column]

    def numbers(self, rows: pd.DataFrame, name: str, column: str, where: Place) -> pd.Series:
        """A column's numbers, without the rows that have none."""
        return pd.to_numeric(self.column(rows, name, column, where), errors="coerce").dropna()

    def value(self, path: Path, source: Any) -> Any:
        """What a source names: `{file.json: a.b}` the value there, `{file.csv: column where a=b, c=d}` the mean.

        Raises:
            NotMeasuredError: as `table`.
            BertNerError: the path is not in the file.
        """
        ((name, inside),) = source.items()
        where = place(path, source, name)
        if name.endswith(".json"):
            value = self.file(name, where)
            for part in inside.split("."):
                if not isinstance(value, dict) or part not in value:
                    have = ", ".join(value) if isinstance(value, dict) else f"the value {value!r}"
                    where.refuse(f"{name} has no '{inside}': where '{part}' should be there is {have}")
                value = value[part]
            return value
        cell = _CELL.fullmatch(inside.replace("{system}", self.ours(where).system))
        if not cell:
            where.refuse(f"'{inside}' names no cell of a table; write: column where column=value, column=value")
        conditions = [condition.partition("=") for condition in filter(None, (cell["where"] or "").split(", "))]
        rows = self.table(name, where, **{column.strip(): value for column, _, value in conditions})
        numbers = self.numbers(rows, name, cell["column"], where)
        if numbers.empty:
            where.refuse(f"{name}: no number in '{inside}'")
        return float(numbers.mean())

    def audited(self) -> str | None:
        """The encoder whose word pieces were counted, if they were."""
        path = self.results / self.corpus / "audit.json"
        name = read_json(path).get("encoder", {}).get("name") if path.is_file() else None
        return str(name) if name else None

    def ours(self, where: Place) -> Ours:
        """The system that is judged: the one chosen by `about`, or else the first candidate."""
        return self._ours or self.candidates(where)[0]

    def about(self, ours: Ours) -> Evidence:
        """The same results, judged on another system."""
        other = copy(self)
        other._ours = ours
        return other

    def on(self, corpus: str) -> Evidence:
        """The results of another corpus."""
        other = copy(self)
        other.corpus = corpus
        return other

    def candidates(self, where: Place) -> list[Ours]:
        """The systems that can stand for the paper's: those with its encoder, then those whose encoder is next in size.

        Raises:
            NotMeasuredError: no encoder has been scored.
        """
        scores = self.file("scores.csv", where)
        pairs = dict.fromkeys(zip(scores["system"].astype(str), scores["encoder"].astype(str), strict=True))
        systems = [Ours(system, encoder, self.is_papers(encoder)) for system, encoder in pairs if encoder]
        if not systems:
            raise NotMeasuredError("scores.csv has no system with an encoder")
        return sorted(systems, key=lambda ours: (not ours.is_papers, self._unlike_size(ours.encoder)))

    def _unlike_size(self, encoder: str) -> float:
        known = [ENCODERS[name].parameters for name in (encoder, self.encoder) if name in ENCODERS]
        return abs(known[0] - known[1]) if len(known) == 2 else math.inf

    def is_papers(self, encoder: str) -> bool:
        """Whether an encoder, a name or a folder, is the paper's: by its weights' sum where that is on record."""
        path = self.results / "provenance.json"
        of_runs = read_json(path).get(self.corpus, {}).get("runs", {}) if path.is_file() else {}
        sums = [run["weights"]["sha256"] for run in of_runs.values() if run["settings"].get("name") == encoder]
        if sums and self.encoder in ENCODERS:
            return all(found == ENCODERS[self.encoder].sha256 for found in sums)
        return Path(encoder).name == self.encoder


class Case(NamedTuple):
    """A claim before its judge."""

    claim: Claim
    evidence: Evidence

    @property
    def judge(self) -> Any:
        return self.claim.entry["judge"]

    @property
    def paper(self) -> Any:
        return self.claim.entry.get("paper_value")

    @property
    def ours(self) -> Ours:
        return self.evidence.ours(self.at())

    def at(self, key: str = "rule") -> Place:
        """Where a key of the judge stands."""
        return place(self.claim.path, self.judge, key)

    def value(self, source: Any) -> Any:
        return self.evidence.value(self.claim.path, source)

    def number(self, source: Any) -> float:
        """A measured number, or one that stands in the entry."""
        value = self.value(source) if isinstance(source, Mapping) else source
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            place(self.claim.path, source, next(iter(source))).refuse(f"{name_of(source)} is {value!r}, not a number")
        return value

    def paper_number(self) -> float:
        if isinstance(self.paper, bool) or not isinstance(self.paper, (int, float)):
            self.claim.at("paper_value").refuse(f"rule {self.judge['rule']} takes a number as paper_value")
        return self.paper

    def table(self, name: str, **values: Any) -> pd.DataFrame:
        return self.evidence.table(name, self.at(), **values)

    def numbers(self, rows: pd.DataFrame, name: str, column: str) -> pd.Series:
        return self.evidence.numbers(rows, name, column, self.at())

    def groups(self, by: str) -> pd.DataFrame:
        """The rows of intervals_by_group.csv of our system that are grouped in one way."""
        name = "intervals_by_group.csv"
        rows = self.table(name, system=self.ours.system)
        return rows[rows["by"] == by].assign(support=self.numbers(rows, name, "support"))

    def interval(self, metric: str, source: str = "sentences") -> pd.Series:
        return self.table("intervals.csv", system=self.ours.system, metric=metric, source=source).iloc[0]


def pretty(value: Any) -> str:
    """A value as evidence shows it."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "nothing"}[value]
    if isinstance(value, (list, tuple)):
        return ", ".join(map(pretty, value))
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)


def name_of(source: Mapping[str, str]) -> str:
    """A source as evidence shows it."""
    ((name, inside),) = source.items()
    return f"{name} {inside.replace('{system}', 'ours')}"


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
