"""Decide whether new runs of a system are as good as reference runs: a t-test on raw runs, without a chosen tolerance.

The mean of m new runs must reach the lower bound of a prediction interval, which the n reference runs and m determine:

    mean - t(1 - ALPHA / number of METRICS, n - 1) * sd * sqrt(1 / n + 1 / m)

(Hahn and Meeker, Statistical Intervals, 1991, chapter 4). A mean above the upper bound is an improvement. A two-sample
test would also use the spread of the new runs: a change that makes a system worse and erratic would widen its bound.

ALPHA holds for one system. Bonferroni divides it among the deciding metrics, so an unchanged system fails in at most
5 % of the checks, however its metrics depend on each other. It is not divided among systems: if k seeded systems are
trained with new random numbers, one or more fail by chance with a probability of up to 1 - 0.95^k. On the same machine
with the same versions a seed gives the same result, so nothing fails by chance there.

Encoders have a standard deviation over seeds of 0.2 points here. With five reference runs and three new ones, a loss of
1 point of entity F1 then fails with a probability of 0.998, a loss of half a point with 0.73. With a deviation of 0.25,
a loss of 1 point fails with 0.978 (noncentral t; the tests simulate it).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from statistics import fmean, stdev
from typing import Any, NamedTuple

from scipy.special import stdtrit

METRICS = ("entity_f1", "token_micro_f1")
ALPHA = 0.05
MIN_RUNS = 5  # of a reference; the standard deviation of fewer runs is too uncertain
EQUAL = 5e-7  # results have six decimals
# For a deterministic system on another processor, or with other packages: rounding may change its last bits, and then
# which of two nearly equal candidates it selects. One standard deviation over the seeds of an encoder.
TOLERANCE = 0.002


class Outcome(StrEnum):
    """The result of a comparison, worst first. The first two mean that the check fails."""

    FAIL = "fail"
    NOT_COMPARABLE = "not comparable"
    BYPASSED = "bypassed"
    IMPROVED = "improved"
    NO_REFERENCE = "no reference"
    PASS = "pass"


BAD = {Outcome.FAIL, Outcome.NOT_COMPARABLE}


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
    def is_deterministic(self) -> bool:
        """Whether the system uses no random numbers: it has one run, with seed 0."""
        return [run["seed"] for run in self.runs] == [0]

    @property
    def is_enough(self) -> bool:
        """Whether the runs can be a reference."""
        return self.is_deterministic or len(self.runs) >= MIN_RUNS

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


def verdicts(reference: Runs | None, new: Runs | None) -> Iterator[Verdict]:
    """Yield the verdict of each deciding metric of a system that has a reference, or new runs, or both."""
    known = reference or new
    assert known is not None
    for metric in METRICS:
        before, now = reference and reference.mean(metric), new and new.mean(metric)
        outcome, bound, note = _compare(metric, reference, new)
        yield Verdict(known.corpus, known.system, metric, outcome, before, bound, now, note)


def _compare(metric: str, reference: Runs | None, new: Runs | None) -> tuple[Outcome, float | None, str]:
    """Return the outcome, the lowest passing mean, and a note."""
    if not new:
        return Outcome.FAIL, None, "the system has a reference, but no results"
    if not reference:
        return Outcome.NO_REFERENCE, None, ""
    if changes := differences(reference.made_by, new.made_by):
        return Outcome.NOT_COMPARABLE, None, "; ".join(changes)
    before, now = reference.mean(metric), new.mean(metric)
    low = high = before
    if not reference.is_deterministic:
        low, high = bounds(reference.values(metric), len(new.runs))
        note = f"{len(new.runs)} runs, {len(reference.runs)} in the reference"
    elif abs(now - before) <= EQUAL:
        note = "equal to six digits"
    elif changes := differences(reference.environment, new.environment):
        low, high = before - TOLERANCE, before + TOLERANCE
        note = f"not in the same environment, so {TOLERANCE} is allowed ({'; '.join(changes)})"
    else:
        note = "deterministic, but not equal to six digits in the same environment"
    if now < low - EQUAL:
        return Outcome.FAIL, low, note
    return Outcome.IMPROVED if now > high + EQUAL else Outcome.PASS, low, note


def bounds(reference: Sequence[float], m: int) -> tuple[float, float]:
    """Return the prediction interval for the mean of `m` runs; each side holds with 1 - ALPHA / number of METRICS."""
    n = len(reference)
    margin = float(stdtrit(n - 1, 1 - ALPHA / len(METRICS))) * stdev(reference) * math.sqrt(1 / n + 1 / m)
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
