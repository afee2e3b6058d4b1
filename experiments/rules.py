"""The rules that claims are judged by: measured values in, a verdict and its evidence out.

To add a rule: a function here, and its line in RULES with the keys that it takes in claims.yaml.
"""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from bert_ner.encoder.weights import ENCODERS
from bert_ner.scoring import METRICS, UnlikeScores, check_same_signature, holm, seed_interval
from claims import (
    ARGUMENTS,
    DIRECTION,
    METRIC,
    METRIC_LIST,
    NUMBER,
    SETTINGS,
    SHARE,
    SOURCE,
    SOURCES,
    TEXT,
    TEXTS,
    VERDICT,
    Claim,
    Key,
    Place,
    place,
)
from pipeline import read_json

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


# ---- counts and arithmetic -------------------------------------------------------------------------------------------


def equals(case: Case) -> Finding:
    """What was measured is what the paper says; of several, each."""
    judge, sources = case.judge, listed(case.judge["measured"])
    measured = [case.value(source) for source in sources]
    expected = listed(case.paper) if isinstance(judge["measured"], list) else [case.paper]
    if len(expected) != len(measured):
        case.claim.at("paper_value").refuse(f"{len(measured)} sources are measured; give as many values as that")

    def is_alike(value: Any, wanted: Any) -> bool:
        if not isinstance(wanted, (int, float)) or not isinstance(value, (int, float)):
            return bool(value == wanted)
        return bool(
            abs(value - wanted) <= max(judge.get("tolerance", 0), judge.get("relative", 0) * abs(wanted)) + 1e-12
        )

    wrong = [i for i, value in enumerate(measured) if not is_alike(value, expected[i])]
    shown = "; ".join(f"{name_of(s)} is {pretty(v)}" for s, v in zip(sources, measured, strict=True))
    verdict = "reproduced"
    if wrong:
        is_above = all(isinstance(measured[i], (int, float)) and measured[i] > expected[i] for i in wrong)
        verdict = judge.get("above", judge["otherwise"]) if is_above else judge["otherwise"]
    return Finding(verdict, measured[0] if len(measured) == 1 else measured, shown)


def bound(case: Case) -> Finding:
    """A number is at least, or at most, a value; the second value, `partly`, is less strict."""
    judge = case.judge
    measured = case.number(judge["measured"]) / case.number(judge.get("per", 1))

    def holds(limit: float) -> bool:
        return bool(measured >= limit if judge["direction"] == "at least" else measured <= limit)

    verdict = judge["otherwise"]
    if holds(judge["value"]):
        verdict = "reproduced"
    elif "partly" in judge and holds(judge["partly"]):
        verdict = "partly"
    per = judge.get("per", 1)
    per = f" / {name_of(per) if isinstance(per, Mapping) else pretty(per)}" if per != 1 else ""
    wanted = f"{judge['direction']} {pretty(judge['value'])}"
    return Finding(verdict, measured, f"{name_of(judge['measured'])}{per} is {pretty(measured)}; wanted: {wanted}")


def _bert_parameters(
    layers: float, width: float, vocabulary: float, positions: float, feed_forward: float, classes: float
) -> float:
    embeddings = (vocabulary + positions + 2 + 2) * width  # two segment vectors; scale and shift of the normalisation
    attention = 4 * (width * width + width)
    block = attention + 2 * width * feed_forward + feed_forward + width + 4 * width
    return embeddings + layers * block + (width + 1) * classes


FORMULAS: dict[str, Callable[..., float]] = {
    "sum": lambda a, b: a + b,
    "ratio": lambda a, b: a / b,
    "share": lambda part, rest: part / (part + rest),
    "reduction": lambda first, last: 1 - last / first,
    "harmonic mean": lambda a, b: 2 * a * b / (a + b),
    "classes of BIO": lambda types: 2 * types + 1,
    "megabytes of float32": lambda numbers: 4 * numbers / 1e6,
    "linear decay": lambda step, steps: max(0, (steps - step) / steps),
    "parameters of BERT": _bert_parameters,
}


def arithmetic(case: Case) -> Finding:
    """The paper's figure follows from others of its own. `rounding`: how far each printed one may be off."""
    judge = case.judge
    formula = FORMULAS.get(judge["formula"])
    if formula is None:
        case.at("formula").refuse(f"no formula is named '{judge['formula']}'; there are {', '.join(FORMULAS)}")
    if (wanted := len(inspect.signature(formula).parameters)) != len(judge["arguments"]):
        case.at("arguments").refuse(f"'{judge['formula']}' takes {wanted} arguments, not {len(judge['arguments'])}")
    arguments = [case.number(argument) for argument in judge["arguments"]]
    slack = judge.get("rounding", 0)
    corners = [formula(*corner) for corner in itertools.product(*((x - slack, x + slack) for x in arguments))]
    result, low, high = formula(*arguments), min(corners), max(corners)
    expected = case.number(judge["value"]) if "value" in judge else case.paper_number()
    tolerance = max(judge.get("tolerance", 0), judge.get("relative", 0) * abs(expected)) + 1e-12
    verdict = "reproduced" if low - tolerance <= expected <= high + tolerance else "contradicted"
    shown = f"{judge['formula']} of {', '.join(map(pretty, arguments))} is {pretty(result)}"
    if not slack:
        return Finding(verdict, result, f"{shown}; the other figure is {pretty(expected)}")
    return Finding(verdict, result, f"{shown}, {pretty(low)} to {pretty(high)} before rounding", low, high)


def no_failures(case: Case) -> Finding:
    """Counts of failures are 0: on the corpus (`on`), and on other text (`beyond`)."""
    judge = case.judge
    counts = {key: {name_of(s): case.number(s) for s in listed(judge.get(key, []))} for key in ("on", "beyond")}
    failures = [sum(group.values()) for group in counts.values()]
    verdict = judge["otherwise"] if failures[0] else "partly" if failures[1] else "reproduced"
    shown = "; ".join(f"{name}: {pretty(n)}" for group in counts.values() for name, n in group.items())
    return Finding(verdict, sum(failures), shown)


def all_exist(case: Case) -> Finding:
    """Every name that the paper uses has a counterpart in the corpus."""
    found = case.value(case.judge["measured"])
    missing = [name for name, counterpart in found.items() if not counterpart]
    there = [name if name == match else f"{name} as {match}" for name, match in found.items() if match]
    shown = f"there: {', '.join(there) or 'none'}; not there: {', '.join(missing) or 'none'}"
    return Finding(case.judge["otherwise"] if missing else "reproduced", len(there), shown)


def is_true(case: Case) -> Finding:
    """A property holds; of several, each."""
    values = {name_of(source): case.value(source) for source in listed(case.judge["measured"])}
    holding = sum(value is True for value in values.values())
    verdict = "reproduced" if holding == len(values) else "partly" if holding else "not reproduced"
    return Finding(verdict, f"{holding} of {len(values)}", "; ".join(f"{k}: {pretty(v)}" for k, v in values.items()))


# ---- training --------------------------------------------------------------------------------------------------------


def recipe(case: Case) -> Finding:
    """Our runs were trained with these settings."""
    provenance = case.evidence.file("provenance.json", case.at())
    runs = provenance.get(case.evidence.corpus, {}).get("runs", {})
    settings = [run["settings"] for run in runs.values() if run["system"] == case.ours.system]
    if not settings:
        raise NotMeasuredError(f"provenance.json has no run of {case.ours.system}")
    for name in case.judge["settings"]:
        if name not in settings[0]:
            place(case.claim.path, case.judge["settings"], name).refuse(
                f"the runs have no setting '{name}'; they have {', '.join(settings[0])}"
            )
    same = [n for n, value in case.judge["settings"].items() if all(run[n] == value for run in settings)]
    other = {n: settings[0][n] for n in case.judge["settings"] if n not in same}
    verdict = "reproduced" if not other else "partly" if same else "not reproduced"
    unlike = f"; otherwise: {', '.join(f'{n} {pretty(v)}' for n, v in other.items())}" if other else ""
    evidence = f"{len(settings)} runs trained with the paper's {', '.join(same) or 'nothing'}{unlike}"
    return Finding(verdict, f"{len(same)} of {len(case.judge['settings'])}", evidence)


def _losses(case: Case) -> pd.DataFrame:
    """Training losses: a row per seed, a column per epoch."""
    rows = case.table("history.csv", system=case.ours.system)
    return rows.pivot_table(index="seed", columns="epoch", values="train_loss")


def losses(case: Case) -> Finding:
    """The mean training loss of each epoch."""
    ours, paper = _losses(case), listed(case.paper)
    if len(ours.columns) < len(paper):
        raise NotMeasuredError(f"history.csv has {len(ours.columns)} epochs; the claim is about {len(paper)}")
    means = [float(ours[epoch].mean()) for epoch in list(ours.columns)[: len(paper)]]
    close = sum(abs(a - b) <= case.judge["tolerance"] for a, b in zip(means, paper, strict=True))
    verdict = "reproduced" if close == len(paper) else "partly" if close else "not reproduced"
    spread = ", ".join(f"{ours[e].min():.3f} to {ours[e].max():.3f}" for e in list(ours.columns)[: len(paper)])
    evidence = (
        f"{close} of {len(paper)} epochs within {pretty(case.judge['tolerance'])}; over {len(ours)} seeds {spread}"
    )
    return Finding(verdict, means, evidence)


def reduction(case: Case) -> Finding:
    """By which share the training loss falls from the first epoch to the last, per seed."""
    ours = _losses(case)
    shares = 1 - ours[ours.columns[-1]] / ours[ours.columns[0]]
    mean, low, high = float(shares.mean()), float(shares.min()), float(shares.max())
    is_close = abs(mean - case.paper_number()) <= case.judge["tolerance"]
    evidence = f"loss falls by {pretty(mean)} over {len(ours.columns)} epochs; low and high are the least and the most "
    return Finding("reproduced" if is_close else "not reproduced", mean, f"{evidence}of {len(shares)} seeds", low, high)


_CURVES = ("validation_loss", "validation_entity_f1")


def _study(case: Case, study: str) -> pd.DataFrame:
    """The rows of one study with our system."""
    return case.table("studies.csv", study=study, system=case.ours.system)


def converged(case: Case) -> Finding:
    """Trained longer, as a study did, our system has hardly a better validation loss or F1 at its end."""
    judge = case.judge
    ours, longer = (
        _last_epochs(case, name, rows)
        for name, rows in (
            ("history.csv", case.table("history.csv", system=case.ours.system)),
            ("studies.csv", _study(case, judge["study"])),
        )
    )
    seeds = ours.index.intersection(longer.index)
    if seeds.empty:
        raise NotMeasuredError(f"study {judge['study']} shares no seed with history.csv")
    gains = longer.loc[seeds, "validation_entity_f1"] - ours.loc[seeds, "validation_entity_f1"]
    falls = ours.loc[seeds, "validation_loss"] - longer.loc[seeds, "validation_loss"]
    gain, fall = float(gains.mean()), float(falls.mean())
    good = (gain <= judge["margin"]) + (fall <= judge["loss_margin"])
    verdict = ("not reproduced", "partly", "reproduced")[good]
    lengths = f"with {longer['epoch'].max():.0f} epochs and not {ours['epoch'].max():.0f}"
    evidence = f"{lengths}, validation entity F1 gains {pretty(gain)} and validation loss falls by {pretty(fall)}"
    return Finding(verdict, gain, f"{evidence} (less than 0: it rises); mean of {len(seeds)} seed(s)")


def _last_epochs(case: Case, name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The last epoch of each seed. Beside rows of systems without epochs, columns of numbers are read as text."""
    numbers = {column: case.numbers(rows, name, column) for column in ("epoch", *_CURVES)}
    return rows.assign(**numbers).sort_values("epoch").groupby("seed").last()


def _scored(case: Case, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of studies that have a test entity F1, as `f1`.

    Raises:
        NotMeasuredError: there is none, or it is another kind of score than that of scores.csv.
    """
    scored = rows.assign(f1=case.numbers(rows, "studies.csv", "test_entity_f1")).dropna(subset="f1")
    if scored.empty:
        raise NotMeasuredError("studies.csv has no test scores of this study yet")
    ours = case.table("scores.csv")["signature"].iloc[0]
    for signature in scored["signature"].unique():
        try:
            check_same_signature(ours, signature)
        except UnlikeScores as error:
            raise NotMeasuredError(f"studies.csv has other scores than scores.csv: {error}") from None
    return scored


def ablation(case: Case) -> Finding:
    """Leaving out each thing costs entity F1, against the full recipe with the same seeds."""
    full = case.table("scores.csv", system=case.ours.system).set_index("seed")["entity_f1"].astype(float)
    costs, notes = [], []
    for study in case.judge["studies"]:
        without = _scored(case, _study(case, study)).groupby("seed")["f1"].mean()
        common = [seed for seed in without.index if seed in full.index]
        if not common:
            raise NotMeasuredError(f"study {study} shares no seed with scores.csv")
        cost = full.loc[common] - without.loc[common]
        costs.append(float(cost.mean()))
        notes.append(f"{study}: {pretty(costs[-1])} (seeds: {', '.join(pretty(float(c)) for c in cost)})")
    hurt = sum(cost >= case.judge["margin"] for cost in costs)
    verdict = "reproduced" if hurt == len(costs) else "partly" if hurt else "not reproduced"
    wanted = f"wanted: {pretty(case.judge['margin'])} or more"
    return Finding(verdict, costs, f"entity F1 lost without it, {wanted}. {'; '.join(notes)}")


def saturates(case: Case) -> Finding:
    """The last step of the learning curve brings next to nothing; partly if it does but the CRF is beaten."""
    full = {
        str(system): float(rows["entity_f1"].astype(float).mean())
        for system, rows in case.table("scores.csv").groupby("system")
    }
    rows = case.table("studies.csv", study=case.judge["study"])
    curves = {}
    for name, system in ((case.ours.system, case.ours.system), ("crf", "crf")):
        of_system = rows[(rows["system"] == system) & rows["encoder"].isin(["", case.ours.encoder])]
        curves[name] = dict(_scored(case, of_system).groupby("fraction")["f1"].mean())
    ours = curves[case.ours.system]
    if case.judge["fraction"] not in ours:
        raise NotMeasuredError(f"studies.csv has no run on a fraction of {case.judge['fraction']} yet")
    gain = full[case.ours.system] - ours[case.judge["fraction"]]
    is_ahead = full[case.ours.system] > full.get("crf", math.inf)
    verdict = "reproduced" if gain <= case.judge["margin"] else "partly" if is_ahead else "not reproduced"
    shown = "; ".join(
        f"{name}: {', '.join(f'{fraction:g} {pretty(f1)}' for fraction, f1 in curve.items())}, 1 {pretty(full[name])}"
        for name, curve in curves.items()
        if name in full
    )
    step = f"from {case.judge['fraction']:g} to all of the sentences entity F1 gains {pretty(gain)}"
    return Finding(verdict, gain, f"{step}; entity F1 by fraction, {shown}")


def few_shot(case: Case) -> Finding:
    """With few sentences of each type, our system has a share of the entity F1 that all sentences give it.

    Reproduced if the whole interval of the mean over draws is at or above the share, partly if its upper end is.
    """
    judge, full = case.judge, {}
    for system, rows in case.table("scores.csv").groupby("system"):
        full[str(system)] = float(rows["entity_f1"].astype(float).mean())
    rows = _scored(case, case.table("studies.csv", study=judge["study"]))
    sizes = case.numbers(rows, "studies.csv", "per_type")
    mine = rows[(rows["system"] == case.ours.system) & (sizes == judge["per_type"])]
    if len(mine) < 2:
        raise NotMeasuredError(
            f"studies.csv has {len(mine)} draws of {judge['per_type']} sentences a type for {case.ours.system}; an "
            "interval takes two"
        )
    value, low, high = (end / full[case.ours.system] for end in seed_interval(mine["f1"].tolist()))
    verdict = "reproduced" if low >= judge["share"] else "partly" if high >= judge["share"] else "not reproduced"
    curves = "; ".join(
        f"{system}: "
        + ", ".join(f"{size:g} {pretty(float(f1))}" for size, f1 in of["f1"].groupby(sizes).mean().items())
        + (f", all {pretty(full[str(system)])}" if system in full else "")
        for system, of in rows.groupby("system", sort=False)
    )
    evidence = (
        f"{pretty(value)} of the entity F1 that all sentences give, with {judge['per_type']} of each type, over "
        f"{len(mine)} draws; wanted: {pretty(judge['share'])}. Entity F1 by sentences of each type, {curves}"
    )
    return Finding(verdict, value, evidence, low, high)


# ---- scores ----------------------------------------------------------------------------------------------------------


def _one_more_run(seeds: pd.Series) -> tuple[float, float]:
    """Where one further run would land with the interval's level, given the interval of the mean of n runs."""
    half = (seeds["high"] - seeds["low"]) / 2 * math.sqrt(seeds["n"] + 1)
    return seeds["value"] - half, seeds["value"] + half


def which_metric(case: Case) -> Finding:
    """Under which metric our system has the paper's score: the one that is meant, another one, or none.

    It has the score if that lies in the interval over sentences or in the range of one further run.
    """
    paper, meant = case.paper_number(), case.judge["meant"]
    table = case.table("intervals.csv", system=case.ours.system)
    covering, rows, notes = {}, {}, {}
    for metric in METRICS:
        rows[metric] = case.interval(metric)
        ranges = {"sentences": (rows[metric]["low"], rows[metric]["high"])}
        seeds = table[(table["metric"] == metric) & (table["source"] == "seeds")]
        if len(seeds):
            ranges["one further run"] = _one_more_run(seeds.iloc[0])
        covering[metric] = [name for name, (low, high) in ranges.items() if low <= paper <= high]
        shown = ", ".join(f"{name} {low:.4f} to {high:.4f}" for name, (low, high) in ranges.items())
        inside = f"inside ({' and '.join(covering[metric])})" if covering[metric] else "outside"
        notes[metric] = f"{metric} {rows[metric]['value']:.4f} ({shown}): {inside}"
    closest = min(METRICS, key=lambda metric: abs(rows[metric]["value"] - paper))
    verdict = "reproduced" if covering[meant] else "partly" if any(covering.values()) else "not reproduced"
    evidence = f"{pretty(paper)} is closest to {closest}. {'; '.join(notes.values())}"
    row = rows[meant]
    return Finding(verdict, float(row["value"]), evidence, float(row["low"]), float(row["high"]))


def score_at_least(case: Case) -> Finding:
    """A score of our system: reproduced if its whole interval is above a value, partly if only its upper end is."""
    row, value = case.interval(case.judge["metric"]), case.judge["value"]
    verdict = "reproduced" if row["low"] >= value else "partly" if row["high"] >= value else "not reproduced"
    evidence = f"{case.judge['metric']} of {case.ours.system}; wanted: at least {pretty(value)}"
    return Finding(verdict, float(row["value"]), evidence, float(row["low"]), float(row["high"]))


def outperforms(case: Case) -> Finding:
    """Our system is better than every baseline under each metric.

    Over sentences, after Holm's correction over all of these comparisons at the level 0.05; and over seeds, whose
    interval has to be above the baseline's score. Partly, if only some are, or only over sentences.
    """
    scores = case.table("scores.csv")
    baselines = list(dict.fromkeys(scores.loc[scores["encoder"] == "", "system"]))
    if not baselines:
        raise NotMeasuredError("scores.csv has no baseline")
    rows = [
        case.table("comparisons.csv", system_a=case.ours.system, system_b=baseline, metric=metric).iloc[0]
        for baseline, metric in itertools.product(baselines, case.judge["metrics"])
    ]
    intervals = case.table("intervals.csv", system=case.ours.system)
    seeds = intervals[intervals["source"] == "seeds"].set_index("metric")
    over_sentences, over_seeds, notes = [], [], []
    for row, p_value in zip(rows, holm([float(row["p_value"]) for row in rows]), strict=True):
        over_sentences.append(row["difference"] > 0 and p_value <= ALPHA)
        note = f"{row['difference']:+.4f}, {row['low']:+.4f} to {row['high']:+.4f} over sentences, Holm p {p_value:.4f}"
        if row["metric"] in seeds.index:
            low, high = (float(seeds.loc[row["metric"], end]) - row["b"] for end in ("low", "high"))
            over_seeds.append(low > 0)
            note += f", {low:+.4f} to {high:+.4f} over seeds"
        is_better = over_sentences[-1] and (row["metric"] not in seeds.index or over_seeds[-1])
        notes.append(
            f"{row['system_b']}, {row['metric']}: {note} ({'better' if is_better else 'not shown to be better'})"
        )
    verdict = "not reproduced"
    if any(over_sentences):
        verdict = "reproduced" if all(over_sentences) and all(over_seeds) else "partly"
    least = min(rows, key=lambda row: row["difference"])
    return Finding(verdict, float(least["difference"]), "; ".join(notes), float(least["low"]), float(least["high"]))


def best_published(case: Case) -> Finding:
    """Our score against the published ones that are comparable: none higher, none above the interval, or some."""
    metric = case.judge["metric"]
    on_corpus = [entry for entry in case.evidence.published if entry["test_set"] == case.evidence.corpus]
    rivals = [entry for entry in on_corpus if entry["comparable"] and entry["metric"] == metric]
    if not rivals:
        raise NotMeasuredError(f"published.yaml has no comparable {metric} on {case.evidence.corpus}")
    row, best = case.interval(metric), max(rivals, key=lambda entry: entry["score"])
    higher = sum(entry["score"] > row["value"] for entry in rivals)
    verdict = "reproduced" if not higher else "partly" if row["high"] >= best["score"] else "not reproduced"
    evidence = (
        f"{higher} of {len(rivals)} comparable published systems have a higher {metric}; the best is {best['system']} "
        f"with {pretty(best['score'])} ({best['source']})"
    )
    return Finding(verdict, float(row["value"]), evidence, float(row["low"]), float(row["high"]))


def few_published(case: Case) -> Finding:
    """How many sources report a score on the paper's test set; several sizes of one system are one."""
    of_test = [entry for entry in case.evidence.published if entry["test_set"] == case.evidence.corpus]
    sources = list(dict.fromkeys(entry["source"] for entry in of_test))
    verdict = "reproduced" if len(sources) <= case.judge["at_most"] else "not reproduced"
    evidence = f"published.yaml has {len(sources)} sources with scores on this test set: {'; '.join(sources)}"
    return Finding(verdict, len(sources), f"{evidence}; wanted: at most {pretty(case.judge['at_most'])}")


def every_type(case: Case) -> Finding:
    """Every type's F1 is strong by its whole interval over sentences; partly if none is surely weak."""
    judge = case.judge
    rows = case.groups("type").sort_values("value")
    strong, weak = rows[rows["low"] >= judge["strong"]], rows[rows["high"] < judge["weak"]]
    below = rows[rows["high"] < judge["strong"]]
    verdict = "reproduced" if len(strong) == len(rows) else "not reproduced" if len(weak) else "partly"
    shown = ", ".join(
        f"{row['group']} {row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f}, {row['support']:.0f} entities)"
        for _, row in rows[rows["low"] < judge["strong"]].iterrows()
    )
    evidence = (
        f"of {len(rows)} types, F1 is surely {pretty(judge['strong'])} or more for {len(strong)}, surely less for "
        f"{len(below)}, of which {len(weak)} surely below {pretty(judge['weak'])}, and open for "
        f"{len(rows) - len(strong) - len(below)}; surely: by the whole interval over sentences"
    )
    least = rows.iloc[0]
    return Finding(
        verdict, float(least["value"]), f"{evidence}{'; not surely so: ' if shown else ''}{shown}",
        float(least["low"]), float(least["high"]),
    )  # fmt: skip


def transfers(case: Case) -> Finding:
    """On other corpora our system has a higher score than the CRF has, by the whole paired interval over sentences."""
    metric, ahead, gains, notes = case.judge["metric"], [], [], []
    for corpus in case.judge["corpora"]:
        try:
            rows = case.evidence.on(corpus).file("comparisons.csv", case.at())
        except NotMeasuredError as reason:
            raise NotMeasuredError(f"{corpus}: {reason}") from None
        rows = rows[(rows["system_a"] == case.ours.system) & (rows["system_b"] == "crf") & (rows["metric"] == metric)]
        if rows.empty:
            raise NotMeasuredError(f"{corpus}: comparisons.csv does not set {case.ours.system} beside the CRF")
        row = rows.iloc[0]
        gains.append(float(row["difference"]))
        ahead.append(row["low"] > 0)
        judged = "above" if row["low"] > 0 else "below" if row["high"] < 0 else "not shown to differ"
        notes.append(
            f"{corpus}: {row['a']:.4f}, crf {row['b']:.4f}, {row['difference']:+.4f} ({row['low']:+.4f} to "
            f"{row['high']:+.4f} over sentences): {judged}"
        )
    verdict = "reproduced" if all(ahead) else "partly" if any(ahead) else "not reproduced"
    return Finding(verdict, gains, f"{metric}; {'; '.join(notes)}")


# ---- errors and examples ---------------------------------------------------------------------------------------------


def confused(case: Case) -> Finding:
    """A pair of types is among those that are confused most, by its ranks over resamples; partly if it may be."""
    pair, top = " / ".join(sorted(case.judge["types"])), case.judge["top"]
    rows = case.groups("confusion").sort_values("value")
    first = "; ".join(f"{row['group']} {row['low']:.0f} to {row['high']:.0f}" for _, row in rows.head(top).iterrows())
    ours = rows[rows["group"] == pair]
    if ours.empty:
        return Finding("not reproduced", None, f"{pair} is never confused; ranks of those that most are: {first}")
    rank, low, high = (float(ours[column].iloc[0]) for column in ("value", "low", "high"))
    verdict = "reproduced" if high <= top else "partly" if low <= top else "not reproduced"
    evidence = (
        f"{pair} is number {rank:.0f} of {len(rows)} confused pairs, {low:.0f} to {high:.0f} over resampled sentences; "
        f"wanted: {pretty(top)} or better. The first {top}: {first}"
    )
    return Finding(verdict, rank, evidence, low, high)


def lower_recall(case: Case) -> Finding:
    """One group of entities is found less often than another.

    Reproduced if the whole interval of the difference over sentences is at or above a margin, partly if it is above 0.
    """
    judge, rows = case.judge, case.groups(case.judge["by"])
    gap = rows[(rows["group"] == judge["easy"]) & (rows["than"] == judge["hard"])]
    if gap.empty:
        case.at("hard").refuse(f"intervals_by_group.csv does not set {judge['easy']} beside {judge['hard']}")
    value, low, high = (float(gap[column].iloc[0]) for column in ("value", "low", "high"))
    verdict = "reproduced" if low >= judge["margin"] else "partly" if low > 0 else "not reproduced"
    shown = "; ".join(
        f"{name}: {row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f}) of {row['support']:.0f}"
        for name in (judge["hard"], judge["easy"])
        for _, row in rows[(rows["group"] == name) & (rows["than"] == "")].iterrows()
    )
    evidence = f"recall by {judge['by']}, {shown}; measured: the difference, wanted: {pretty(judge['margin'])} or more"
    return Finding(verdict, value, evidence, low, high)


def queries(case: Case) -> Finding:
    """The paper's example queries: their types are in the corpus, and our system finds the same in them."""
    entries = case.value(case.judge["measured"])
    unknown = sorted({name for entry in entries for name, is_there in entry["types_exist"].items() if not is_there})
    same, notes = 0, []
    for entry in entries:
        if case.ours.system not in entry["predicted"]:
            raise NotMeasuredError(f"{case.ours.system} has not tagged '{entry['query']}'")
        predicted = entry["predicted"][case.ours.system]
        same += predicted == entry["paper"]
        gold = f"gold {_entities(entry['gold'])}" if entry["gold"] is not None else "no gold"
        places = [name for name in ("in_test", "in_train") if entry[name]]
        where = " and ".join(places).replace("in_", "in ") or "in neither part"
        notes.append(
            f"'{entry['query']}' ({where}; {gold}): paper {_entities(entry['paper'])}, ours {_entities(predicted)}"
        )
    verdict = "reproduced" if same == len(entries) else "partly" if same else "not reproduced"
    missing = f"not types of the corpus: {', '.join(unknown)}. " if unknown else ""
    measured = f"{same} of {len(entries)}"
    return Finding("contradicted" if unknown else verdict, measured, f"{missing}{'; '.join(notes)}")


def _entities(entities: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"{name} '{text}'" for name, text in entities) or "nothing"


# ---- cost ------------------------------------------------------------------------------------------------------------


def within_factor(case: Case) -> Finding:
    """A number is the paper's up to a factor: for what depends on a machine that the paper does not name."""
    judge, paper, factor = case.judge, case.paper_number(), case.judge["factor"]
    measured = case.number(judge["measured"]) * judge.get("times", 1)
    if "per" in judge:
        measured /= case.number(judge["per"])
    ratio = measured / paper
    verdict = "reproduced" if 1 / factor <= ratio <= factor else "not reproduced"
    scaled = f" / {name_of(judge['per'])}" if "per" in judge else ""
    scaled += f" * {pretty(judge['times'])}" if "times" in judge else ""
    evidence = f"{name_of(judge['measured'])}{scaled} is {pretty(float(measured))}, {pretty(ratio)} times the paper's"
    return Finding(verdict, measured, f"{evidence}; wanted: within a factor of {pretty(factor)}")


def bounds(case: Case) -> Finding:
    """Several numbers are each at most a value."""
    judge = case.judge
    if len(judge["measured"]) != len(judge["at_most"]):
        case.at("at_most").refuse(f"{len(judge['measured'])} sources are measured; give as many limits as that")
    measured = [case.number(source) for source in judge["measured"]]
    held = sum(value <= limit for value, limit in zip(measured, judge["at_most"], strict=True))
    verdict = "reproduced" if held == len(measured) else "partly" if held else "not reproduced"
    pieces = zip(judge["measured"], measured, judge["at_most"], strict=True)
    shown = "; ".join(f"{name_of(s)} is {pretty(float(v))}, wanted: at most {pretty(limit)}" for s, v, limit in pieces)
    return Finding(verdict, measured, shown)


def stated(case: Case) -> Finding:
    """A typed verdict, for claims of plain existence alone."""
    return Finding(case.judge["verdict"], None, f"read in the paper, not measured: {case.judge['reason']}")


class Rule(NamedTuple):
    """A rule, and the keys that it takes beside `rule`."""

    judge: Callable[[Case], Finding]
    keys: dict[str, Key]


def _optional(kind: Any) -> Key:
    return Key(kind, is_optional=True)


_TOLERANCES = {"tolerance": _optional(NUMBER), "relative": _optional(SHARE)}
_OTHERWISE = {"otherwise": Key(VERDICT)}
LIMITS = SOURCES._replace(wanted="a list of sources", is_valid=lambda v: isinstance(v, list) and SOURCES.is_valid(v))
NUMBERS = ARGUMENTS._replace(
    wanted="a list of numbers", is_valid=lambda v: isinstance(v, list) and all(map(NUMBER.is_valid, v))
)

NUMBER_OR_SOURCE = SOURCE._replace(
    wanted=f"a number, or {SOURCE.wanted}", is_valid=lambda v: NUMBER.is_valid(v) or SOURCE.is_valid(v)
)

RULES = {
    "equals": Rule(equals, {"measured": Key(SOURCES), **_TOLERANCES, **_OTHERWISE, "above": _optional(VERDICT)}),
    "bound": Rule(
        bound,
        {"measured": Key(SOURCE), "direction": Key(DIRECTION), "value": Key(NUMBER), "per": _optional(NUMBER_OR_SOURCE)}
        | {"partly": _optional(NUMBER), **_OTHERWISE},
    ),
    "arithmetic": Rule(
        arithmetic,
        {"formula": Key(TEXT), "arguments": Key(ARGUMENTS), "rounding": _optional(NUMBER), **_TOLERANCES}
        | {"value": _optional(SOURCE)},
    ),
    "no_failures": Rule(no_failures, {"on": Key(SOURCES), "beyond": _optional(SOURCES), **_OTHERWISE}),
    "all_exist": Rule(all_exist, {"measured": Key(SOURCE), **_OTHERWISE}),
    "is_true": Rule(is_true, {"measured": Key(SOURCES)}),
    "recipe": Rule(recipe, {"settings": Key(SETTINGS)}),
    "losses": Rule(losses, {"tolerance": Key(NUMBER)}),
    "reduction": Rule(reduction, {"tolerance": Key(NUMBER)}),
    "converged": Rule(converged, {"study": Key(TEXT), "margin": Key(NUMBER), "loss_margin": Key(NUMBER)}),
    "ablation": Rule(ablation, {"studies": Key(TEXTS), "margin": Key(NUMBER)}),
    "saturates": Rule(saturates, {"study": Key(TEXT), "fraction": Key(SHARE), "margin": Key(NUMBER)}),
    "few_shot": Rule(few_shot, {"study": Key(TEXT), "per_type": Key(NUMBER), "share": Key(SHARE)}),
    "which_metric": Rule(which_metric, {"meant": Key(METRIC)}),
    "score_at_least": Rule(score_at_least, {"metric": Key(METRIC), "value": Key(SHARE)}),
    "outperforms": Rule(outperforms, {"metrics": Key(METRIC_LIST)}),
    "best_published": Rule(best_published, {"metric": Key(METRIC)}),
    "few_published": Rule(few_published, {"at_most": Key(NUMBER)}),
    "every_type": Rule(every_type, {"strong": Key(SHARE), "weak": Key(SHARE)}),
    "transfers": Rule(transfers, {"corpora": Key(TEXTS), "metric": Key(METRIC)}),
    "confused": Rule(confused, {"types": Key(TEXTS), "top": Key(NUMBER)}),
    "lower_recall": Rule(lower_recall, {"by": Key(TEXT), "hard": Key(TEXT), "easy": Key(TEXT), "margin": Key(SHARE)}),
    "queries": Rule(queries, {"measured": Key(SOURCE)}),
    "within_factor": Rule(
        within_factor,
        {"measured": Key(SOURCE), "factor": Key(NUMBER), "per": _optional(SOURCE), "times": _optional(NUMBER)},
    ),
    "bounds": Rule(bounds, {"measured": Key(LIMITS), "at_most": Key(NUMBERS)}),
    "stated": Rule(stated, {"verdict": Key(VERDICT), "reason": Key(TEXT)}),
}
KEYS = {name: rule.keys for name, rule in RULES.items()}
