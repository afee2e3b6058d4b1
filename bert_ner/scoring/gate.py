"""Decide whether new runs of a system are as good as reference runs: a t-test on raw runs, without a chosen tolerance.

The mean of m new runs must reach the lower bound of a prediction interval, which the n reference runs and m determine:

    mean - t(1 - ALPHA / number of metrics, n - 1) * sd * sqrt(1 / n + 1 / m)

(Hahn and Meeker, Statistical Intervals, 1991, chapter 4). A mean above the upper bound is an improvement. A two-sample
test would also use the spread of the new runs: a change that makes a system worse and erratic would widen its bound.

ALPHA holds for one system, on average over references. Bonferroni divides it among the deciding metrics: an unchanged
system fails in at most 5 % of all pairs of a reference and a check, however its metrics depend on each other. One
reference serves many checks, and by chance its own bound is too high or too low. With five reference runs and three new
ones, half of the references fail an unchanged system in less than 1 % of the checks. One in eight (metrics that depend
on each other wholly) to one in four (not at all) fail it in more than 5 %; one in ten fail it in more than 7 to 15 %.
With 20 reference runs, that last figure is 6 to 11 % (the tests simulate it).

ALPHA is not divided among systems: if k seeded systems are trained with new random numbers, one or more fail by chance
with a probability of up to 1 - 0.95^k. On the same machine with the same versions a seed gives the same result, so
nothing fails by chance there.

Encoders have a standard deviation over seeds of 0.2 points here. With five reference runs and three new ones, a loss of
1 point of entity F1 then fails with a probability of 0.998, a loss of half a point with 0.73. With a deviation of 0.25,
a loss of 1 point fails with 0.978 (noncentral t; the tests simulate it).
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from statistics import fmean, stdev
from typing import Any, NamedTuple

from bert_ner.scoring.student import t_quantile
from bert_ner.wording import counted

METRICS = ("entity_f1", "token_micro_f1")
ALPHA = 0.05
MIN_RUNS = 5  # of a reference; the standard deviation of fewer runs is too uncertain
EQUAL = 5e-7  # results have six decimals
# For a deterministic system on another processor, or with other packages: rounding may change its last bits, and then
# which of two nearly equal candidates it selects. One standard deviation over the seeds of an encoder.
TOLERANCE = 0.002


class Outcome(StrEnum):
    """The result of a comparison, worst first."""

    FAIL = "fail"
    INVALID = "invalid"
    INCOMPLETE = "incomplete"
    MISSING_REFERENCE = "missing reference"
    NOT_COMPARABLE = "not comparable"
    BYPASSED = "bypassed"
    IMPROVED = "improved"
    NO_REFERENCE = "no reference"
    PASS = "pass"


BAD = frozenset(list(Outcome)[: list(Outcome).index(Outcome.BYPASSED)])  # these fail the check


class Runs(NamedTuple):
    """Raw runs of one system on one corpus, all made in the same way.

    Attributes:
        made_by: `signature`, `settings`, `data` and `weights`; only runs with equal values are compared.
        runs: for each run its `seed`, `scores` by metric, and `environment` (versions, machine, time).
    """

    corpus: str
    system: str
    made_by: dict[str, Any]
    runs: list[dict[str, Any]]

    @property
    def seeds(self) -> list[int]:
        """The seed of each run."""
        return [run["seed"] for run in self.runs]

    @property
    def is_deterministic(self) -> bool:
        """Whether the system uses no random numbers: it has one run, with seed 0."""
        return self.seeds == [0]

    @property
    def is_enough(self) -> bool:
        """Whether the runs can be a reference."""
        return self.is_deterministic or len(self.runs) >= MIN_RUNS

    @property
    def problem(self) -> str:
        """Say why these are no runs that can be compared: a seed occurs twice, or a score is no fraction."""
        seeds = self.seeds
        repeated = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        scores = {
            f"{name} {value}" for run in self.runs for name, value in run["scores"].items() if not 0 <= value <= 1
        }
        found = [f"repeated seeds: {_listed(repeated)}"] if repeated else []
        found += [f"a score is a fraction from 0 to 1, not {_listed(sorted(scores))}"] if scores else []
        return "; ".join(found)

    @property
    def environment(self) -> dict[str, Any]:
        """The versions and the processor of the first run: the results of a deterministic system depend on them."""
        first = self.runs[0]["environment"]
        packages = {name: version for name, version in first["packages"].items() if name not in ("torch", "dvc")}
        return {"python": first["python"], "processor": first["processor"], "packages": packages}

    def values(self, metric: str) -> list[float]:
        """Return the metric's value of each run."""
        return [run["scores"][metric] for run in self.runs]

    def mean(self, metric: str) -> float:
        """Return the mean of the metric over the runs."""
        return fmean(self.values(metric))


class Verdict(NamedTuple):
    """The outcome for one metric, with fractions: the reference's mean, the lowest passing mean, the new runs' mean."""

    corpus: str
    system: str
    metric: str
    outcome: Outcome
    reference: float | None = None
    bound: float | None = None
    new: float | None = None
    note: str = ""


def verdicts(reference: Runs | None, new: Runs | None, seeds: Collection[int] | None = None) -> Iterator[Verdict]:
    """Yield the verdict of each deciding metric of a system that has a reference, or new runs, or both.

    `seeds` are those that the new runs must have; by default any.
    """
    known = reference or new
    assert known is not None
    fault = _fault(reference, new, seeds)
    for metric in METRICS:
        if fault:
            outcome, note = fault
            yield Verdict(known.corpus, known.system, metric, outcome, note=note)
            continue
        before, now = reference and reference.mean(metric), new and new.mean(metric)
        outcome, bound, note = _compare(metric, reference, new)
        yield Verdict(known.corpus, known.system, metric, outcome, before, bound, now, note)


def _fault(reference: Runs | None, new: Runs | None, seeds: Collection[int] | None) -> tuple[Outcome, str] | None:
    """Return why the runs can't be judged, whatever their scores are."""
    for runs, whose in ((new, ""), (reference, "the reference: ")):
        if runs and runs.problem:
            return Outcome.INVALID, f"{whose}{runs.problem}"
    if new and seeds is not None:
        if unknown := {*new.seeds} - {*seeds}:
            return Outcome.INVALID, f"seeds that are not configured: {_listed(sorted(unknown))}"
        if lacking := {*seeds} - {*new.seeds}:
            return Outcome.INCOMPLETE, f"no results of seed {_listed(sorted(lacking))}"
    return None


def _compare(metric: str, reference: Runs | None, new: Runs | None) -> tuple[Outcome, float | None, str]:
    """Return the outcome, the lowest passing mean, and a note."""
    if not new:
        return Outcome.FAIL, None, "the system has a reference, but no results"
    if not reference:
        return Outcome.MISSING_REFERENCE if new.is_enough else Outcome.NO_REFERENCE, None, ""
    if changes := differences(reference.made_by, new.made_by):
        return Outcome.NOT_COMPARABLE, None, "; ".join(changes)
    before, now = reference.mean(metric), new.mean(metric)
    low = high = before
    if not reference.is_deterministic:
        low, high = bounds(reference.values(metric), len(new.runs))
        note = sizes(len(reference.runs), len(new.runs))
    elif abs(now - before) <= EQUAL:
        note = "equal to six digits"
    elif changes := differences(reference.environment, new.environment):
        low, high = before - TOLERANCE, before + TOLERANCE
        note = f"not in the same environment, so {TOLERANCE} is allowed ({'; '.join(changes)})"
    else:
        note = "deterministic, but not equal to six digits in the same environment"
    return within(now, low, high), low, note


def sizes(reference: int, new: int) -> str:
    """Return how many runs there are on each side."""
    return f"{counted(new, 'run')}, {reference} in the reference"


def within(value: float, low: float, high: float) -> Outcome:
    """Return the outcome of a mean: below the interval, above or inside."""
    if value < low - EQUAL:
        return Outcome.FAIL
    return Outcome.IMPROVED if value > high + EQUAL else Outcome.PASS


def bounds(reference: Sequence[float], m: int, metrics: int = len(METRICS)) -> tuple[float, float]:
    """Return the prediction interval for the mean of `m` runs; each side holds with 1 - ALPHA / metrics."""
    n = len(reference)
    margin = t_quantile(1 - ALPHA / metrics, n - 1) * stdev(reference) * math.sqrt(1 / n + 1 / m)
    return fmean(reference) - margin, fmean(reference) + margin


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """Return the entries that differ between two records, as `name: was x, is y`; nested names are joined with dots."""
    found = []
    for name in [*a, *(name for name in b if name not in a)]:
        one, other = a.get(name), b.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found += [f"{name}.{difference}" for difference in differences(one, other)]
        elif one != other:
            found.append(f"{name}: was {_short(one)}, is {_short(other)}")
    return found


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text[:12] if len(text) == 64 and text.isalnum() else text


def _listed(items: Sequence[Any]) -> str:
    return ", ".join(map(str, items))
