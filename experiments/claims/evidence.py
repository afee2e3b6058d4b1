"""The results that a claim is judged on."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from harness.artifacts import read_json
from harness.parts import WHOLE
from harness.tables import as_written_by, matching, producer_of, read_table

import pandas as pd

from bert_ner.encoder.weights import ENCODERS
from bert_ner.scoring import Interval
from claims.fields import PublishedScore, is_number, split_source
from comparisons.study_pairs import USUAL

ALPHA = 0.05


class NotMeasuredError(Exception):
    """A result that a claim needs has not been measured yet; the message names it."""


class EntryError(Exception):
    """A claim's entry does not fit the results: a complaint, and the key or source of the entry that it is about."""


class NotScoredError(EntryError):
    """The entry names a system that was not scored here. If it is named beside the evidence, that is left out."""


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
    return Finding(verdict, row[column], evidence, row["low"], row["high"])


class MeasuredSystem(NamedTuple):
    """A measured system that is judged in place of the paper's."""

    name: str
    encoder: str
    has_papers_encoder: bool


def measured_systems(results: Path, corpus: str, encoder: str) -> list[MeasuredSystem]:
    """Return the systems that can stand for the paper's: those with its encoder, then by closeness in size to it.

    Of each encoder, only the first system in params.yaml can: it has the paper's recipe, which the others change.
    """
    scores = read_table(results, corpus, "scores")
    if scores is None:
        raise NotMeasuredError(f"{corpus} has no scores.csv yet")
    path = results / "provenance.json"
    runs = read_json(path).get(corpus, {}).get("runs", {}) if path.is_file() else {}

    def is_papers(used: str) -> bool:
        """Compare an encoder, a name or a folder, by its checksum where that is on record."""
        weights = [run.get("weights") for run in runs.values() if run["settings"].get("name") == used]
        sums = {each["sha256"] for each in weights if each}
        return sums == {ENCODERS[encoder].sha256} if sums and encoder in ENCODERS else Path(used).name == encoder

    def distance(system: MeasuredSystem) -> tuple[bool, float]:
        sizes = [ENCODERS[name].parameters for name in (system.encoder, encoder) if name in ENCODERS]
        return not system.has_papers_encoder, abs(sizes[0] - sizes[1]) if len(sizes) == 2 else math.inf

    first = scores[scores["encoder"] != ""].drop_duplicates("encoder")[["system", "encoder"]]
    systems = [MeasuredSystem(name, used, is_papers(used)) for name, used in first.itertuples(index=False, name=None)]
    if not systems:
        raise NotMeasuredError("scores.csv has no system with an encoder")
    return sorted(systems, key=distance)


@dataclass(frozen=True)
class Evidence:
    """The results, as one claim reads them. A result that is not measured yet raises NotMeasuredError.

    `results` is the folder of all results; corpus, encoder and paper_value are those of the paper. `chosen` is the
    system that is judged, by default the first that can stand for the paper's.
    """

    results: Path
    corpus: str
    encoder: str
    published: Sequence[PublishedScore]
    paper_value: Any = None
    chosen: MeasuredSystem | None = None

    @property
    def system(self) -> MeasuredSystem:
        return self.chosen or measured_systems(self.results, self.corpus, self.encoder)[0]

    def paper_number(self) -> float:
        if not is_number(self.paper_value):
            raise EntryError("this rule needs a number as paper_value", "paper_value")
        return self.paper_value

    def facts(self, name: str) -> dict[str, Any]:
        path = self.results / ("" if name == "provenance.json" else self.corpus) / name
        if not path.is_file():
            raise NotMeasuredError(f"{self.corpus} has no {name} yet")
        return read_json(path)

    def counted_encoder(self) -> str:
        """Return the encoder whose word pieces corpus.json and audit.json count."""
        facts, path = self.facts("audit.json"), self.results / self.corpus / "audit.json"
        with as_written_by(f"python experiments/audit.py --corpus {self.corpus}", path):
            return str(facts["encoder"]["name"])

    def table(self, name: str, /, **values: Any) -> pd.DataFrame:
        """Return the rows of a table that have these values: at least one, unless the table grows run by run."""
        rows = read_table(self.results, self.corpus, name)
        if rows is None:
            raise NotMeasuredError(f"{self.corpus} has no {name}.csv yet")
        texts = {column: str(value) for column, value in values.items()}
        for column, text in texts.items():
            rows = rows[_has_value(rows[column], text)]
        if rows.empty:
            wanted, producer = ", ".join(map("=".join, texts.items())), producer_of(name, self.corpus)
            if producer.startswith("make "):  # its table grows run by run
                raise NotMeasuredError(f"{name}.csv has no row with {wanted} yet")
            ways = ["correct the entry", f"run {producer}"]
            named = {text for column, text in texts.items() if column in {"system", "system_a", "system_b"}}
            if named:  # mostly a system of scores.csv that an old table lacks
                ways.reverse()
            kind = EntryError if named <= self._scored() else NotScoredError
            raise kind(f"{name}.csv has no row with {wanted}; {', or '.join(ways)}", "rule")
        return rows

    def _scored(self) -> set[str]:
        scores = read_table(self.results, self.corpus, "scores")
        return set() if scores is None else set(scores["system"])

    def interval(self, metric: str) -> pd.Series:
        """Return a score of the system with its interval over sentences."""
        return self.table("intervals", system=self.system.name, metric=metric, source="sentences").iloc[0]

    def by_part(self, metric: str, least: float | None = None) -> str:
        """Return a score in each part of the corpus, for the end of the evidence; nothing if there are no parts.

        With `least`, name the parts where the whole interval is at least so high, and the others.
        """
        rows = self._parts("intervals_by_part", system=self.system.name, metric=metric, source="sentences")
        return _listed_parts(f"{metric} by part of the corpus", rows, "value", "", least)

    def gaps_by_part(self, metric: str) -> str:
        """Return the differences from each baseline that were compared by part."""
        rows = self._parts("comparisons_by_part", system_a=self.system.name, metric=metric)
        scores = self.table("scores")
        baselines = set(scores[scores["encoder"] == ""]["system"])
        names = dict.fromkeys(name for name in rows["system_b"] if name in baselines) if len(rows) else {}
        return "".join(
            _listed_parts(f"{metric} minus {name}'s by part", rows[rows["system_b"] == name], "difference", "+", 0)
            for name in names
        )

    def effect(self, study: str, **size: float) -> str:
        """Return what a study changes in the test's entity F1, on the whole and in each part, over sentences."""
        values = {"study": study, "against": USUAL, "system_a": self.system.name, "metric": "entity_f1", **size}
        rows = self._parts("study_comparisons", whole=True, **values)
        return _listed_parts(f"{study} minus the usual settings, entity F1 of the test", rows, "difference", "+", None)

    def _parts(self, name: str, *, whole: bool = False, **values: Any) -> pd.DataFrame:
        """Return the rows of a table by part; none where the corpus has no parts, or they are not compared yet.

        With `whole`, those of the whole corpus come first.
        """
        rows = read_table(self.results, self.corpus, name)
        if rows is None:
            return pd.DataFrame()
        rows = matching(rows, **values).sort_values("part", key=lambda part: part != WHOLE, kind="stable")
        return rows if whole else rows[rows["part"] != WHOLE]

    def groups(self, by: str) -> pd.DataFrame:
        """Return the rows of intervals_by_group.csv of the system that are grouped in one way."""
        rows = self.table("intervals_by_group", system=self.system.name)
        return rows[rows["by"] == by]

    def groups_by_part(self, by: str) -> dict[str, pd.DataFrame]:
        """Return such rows of each part of the corpus, by its name; none if the corpus has no parts."""
        rows = self.table("intervals_by_group", system=self.system.name)
        in_part = rows["by"].str.startswith(f"{by} in part ")
        return {str(name).removeprefix(f"{by} in "): found for name, found in rows[in_part].groupby("by")}

    def value(self, source: str) -> Any:
        """Return the value that a source names; of a table, the mean of a column over some rows."""
        file, place, where = split_source(self.name(source))
        if file.endswith(".csv"):
            numbers = pd.to_numeric(self.table(file.removesuffix(".csv"), **where)[place], errors="coerce").dropna()
            if numbers.empty:
                raise EntryError(f"there is no number in {self.name(source)}", source)
            return float(numbers.mean())
        value: Any = self.facts(file)
        for key in place.split("."):
            if isinstance(value, dict) and "not_tested" in value:  # as audit.py says of an alignment without ##
                raise NotMeasuredError(f"{file}: {value['not_tested']}")
            if not isinstance(value, dict) or key not in value:
                found = f"the keys {', '.join(value)}" if isinstance(value, dict) else f"the value {value!r}"
                raise EntryError(f"{file} has no '{place}': instead of '{key}' it has {found}", source)
            value = value[key]
        return value

    def number(self, operand: float | str) -> float:
        """Return a measured number, or a number that is given in the entry."""
        value: Any = self.value(operand) if isinstance(operand, str) else operand
        if not is_number(value):
            raise EntryError(f"{operand} is {value!r}, not a number", operand)
        return value

    def name(self, operand: float | str) -> str:
        """Return a source, or a number in its place, as the evidence shows it."""
        if isinstance(operand, str):
            return operand.replace("{system}", self.system.name) if "{system}" in operand else operand
        return show(operand)

    def shown(self, source: str) -> str:
        """Return a source with its value."""
        return f"{self.name(source)} is {show(self.value(source))}"


def _listed_parts(title: str, rows: pd.DataFrame, column: str, sign: str, least: float | None) -> str:
    parts = [
        f"{'the whole' if row['part'] == WHOLE else 'part ' + row['part']} {with_ends(row, column, sign)}"
        for _, row in rows.iterrows()
    ]
    if not parts:
        return ""
    shown = f". {title}: {', '.join(parts)}"
    if least is None:
        return shown
    outcomes = {
        "shown": rows["low"] >= least,
        "not shown": (rows["low"] < least) & (rows["high"] >= least),
        "the opposite shown": rows["high"] < least,
    }
    stated = [
        f"{outcome} in part{'s' if held.sum() > 1 else ''} {' and '.join(rows.loc[held, 'part'])}"
        for outcome, held in outcomes.items()
        if held.any()
    ]
    return f"{shown}: {', '.join(stated)}"


def further_runs(intervals: pd.DataFrame, system: str) -> dict[str, Interval]:
    """Return the mean of a system's n runs and the range of one further run, by metric; none if n is 1.

    The range is mean ± t s sqrt(1 + 1 / n): as wide as the interval of the mean in intervals.csv, times sqrt(n + 1).
    """
    rows = intervals[(intervals["system"] == system) & (intervals["source"] == "seeds")].set_index("metric")
    half = (rows["high"] - rows["low"]) / 2 * (rows["n"].astype(float) + 1) ** 0.5
    ends = zip(rows["value"], rows["value"] - half, rows["value"] + half, strict=True)
    return dict(zip(map(str, rows.index), map(Interval._make, ends), strict=True))


def _has_value(column: pd.Series, value: str) -> pd.Series:
    """Compare with a value, or those between `|`. As numbers, 1 and 1.00 are the same; empty is an absent one."""
    if not pd.api.types.is_numeric_dtype(column):
        return column.isin(value.split("|"))
    if not value:
        return column.isna()
    return column.isin([pd.to_numeric(one, errors="coerce") for one in value.split("|")])


def with_ends(row: pd.Series, column: str = "value", sign: str = "", more: str = "") -> str:
    """Return a number of a table with the ends of its interval, and more between the brackets."""
    return f"{row[column]:{sign}.4f} ({row['low']:{sign}.4f} to {row['high']:{sign}.4f}{more})"


def show(value: Any) -> str:
    """Return a value as the evidence shows it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(show, value))
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:,.4f}".rstrip("0").rstrip(".") if isinstance(value, int | float) else str(value)
