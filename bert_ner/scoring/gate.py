"""Whether new runs of a system are as good as the reference's: a t-test on raw runs, no tolerance picked by hand.

The mean of m new runs has to reach a lower bound that the n reference runs and m alone fix, as a prediction interval:

    mean - t(1 - ALPHA / number of METRICS, n - 1) * sd * sqrt(1 / n + 1 / m)

(Hahn and Meeker, Statistical Intervals, 1991, chapter 4). A two-sample test would take the new runs' spread in, too, so
that what makes a system worse and erratic would widen its own bound. A mean above the mirrored bound is an improvement.

ALPHA is for a system, so Bonferroni shares it among the metrics that decide: an unchanged system fails in at most 5 %
of the checks, however its metrics depend on each other. It is not shared among systems: of k seeded ones that are
retrained with new randomness, one or more fail by chance with a probability of up to 1 - 0.95^k. On the same machine
and versions a seed gives the same result, so that there nothing fails by chance. What got worse fails again with other
seeds.

With the standard deviation over seeds of 0.2 points that the encoders show, five reference runs and three new ones, a
loss of 1 point entity F1 fails with a probability of 0.998, of half a point with 0.73; with a deviation of 0.25, of 1
point with 0.978 (noncentral t; the tests simulate it).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache
from statistics import fmean, stdev
from typing import Any, NamedTuple

from scipy.stats import t

METRICS = ("entity_f1", "token_micro_f1")
ALPHA = 0.05
MIN_RUNS = 5  # of a reference; with fewer, a standard deviation says little
EQUAL = 5e-7  # six decimals are what the results keep


class Outcome(StrEnum):
    """What a check comes to. The first three don't hold a change up."""

    PASS = "pass"
    IMPROVED = "improved"
    NO_REFERENCE = "no reference"
    BYPASSED = "bypassed"
    FAIL = "fail"
    NOT_COMPARABLE = "not comparable"


BAD = {Outcome.FAIL, Outcome.NOT_COMPARABLE}


class Runs(NamedTuple):
    """Raw runs of one system on one corpus, all made in the same way.

    Attributes:
        made_by: what runs must share to be compared: `signature`, `settings`, `data` and `weights`.
        runs: for each, its `seed`, `scores` by metric, and `environment` (versions, machine, time).
    """

    corpus: str
    system: str
    made_by: dict[str, Any]
    runs: list[dict[str, Any]]

    @property
    def is_deterministic(self) -> bool:
        """Systems that draw no random numbers have one run, with seed 0."""
        return [run["seed"] for run in self.runs] == [0]

    @property
    def suffices(self) -> bool:
        """Whether it can be a reference."""
        return self.is_deterministic or len(self.runs) >= MIN_RUNS


class Verdict(NamedTuple):
    """The outcome for one metric. Fractions: the mean of the reference, the least that passes, the mean of the new."""

    corpus: str
    system: str
    metric: str
    outcome: Outcome
    reference: float | None = None
    bound: float | None = None
    new: float | None = None
    note: str = ""


def verdicts(reference: Runs | None, new: Runs | None) -> Iterator[Verdict]:
    """The verdict of each metric that decides, on a system of which there is a reference, or new runs, or both."""
    known = reference or new
    assert known is not None
    for metric in METRICS:
        about = Verdict(known.corpus, known.system, metric, Outcome.NO_REFERENCE)
        if reference:
            about = about._replace(reference=mean_of(reference, metric))
        if new:
            about = about._replace(new=mean_of(new, metric))
        if not new:
            yield about._replace(outcome=Outcome.FAIL, note="the reference has it, the results don't")
        elif not reference:
            yield about
        elif differing := differences(reference.made_by, new.made_by):
            yield about._replace(outcome=Outcome.NOT_COMPARABLE, note="; ".join(differing))
        elif reference.is_deterministic:
            yield equality(about, reference, new)
        else:
            yield prediction(about, values_of(reference, metric), len(new.runs))


def equality(about: Verdict, reference: Runs, new: Runs) -> Verdict:
    """A deterministic system's: the same to six digits, where the versions are the same."""
    assert about.reference is not None and about.new is not None
    difference = about.new - about.reference
    about = about._replace(bound=about.reference)
    if abs(difference) <= EQUAL:
        return about._replace(outcome=Outcome.PASS, note="equal to six digits")
    versions = [
        difference
        for run in new.runs
        for difference in differences(of_machine(reference.runs[0]), of_machine(run), skip=("torch", "dvc"))
    ]
    if versions:
        return about._replace(outcome=Outcome.NOT_COMPARABLE, note="; ".join(versions))
    return about._replace(
        outcome=Outcome.IMPROVED if difference > 0 else Outcome.FAIL, note="deterministic, but not equal to six digits"
    )


def prediction(about: Verdict, reference: Sequence[float], m: int) -> Verdict:
    """A seeded system's: within the prediction interval, below it, or above."""
    assert about.new is not None
    low, high = bounds(reference, m)
    outcome = Outcome.PASS
    if about.new < low - EQUAL:
        outcome = Outcome.FAIL
    elif about.new > high + EQUAL:
        outcome = Outcome.IMPROVED
    return about._replace(outcome=outcome, bound=low, note=f"{m} runs, {len(reference)} in the reference")


def bounds(reference: Sequence[float], m: int) -> tuple[float, float]:
    """What the mean of `m` runs that are like the reference's stays within, each side with 1 - ALPHA / metrics."""
    n = len(reference)
    margin = _quantile(n - 1) * stdev(reference) * math.sqrt(1 / n + 1 / m)
    return fmean(reference) - margin, fmean(reference) + margin


@cache
def _quantile(freedom: int) -> float:
    return float(t.ppf(1 - ALPHA / len(METRICS), freedom))


def differences(a: dict[str, Any], b: dict[str, Any], skip: Sequence[str] = ()) -> list[str]:
    """What differs between two records, as `name: was a, is b`; of what is nested, the entries that differ."""
    found = []
    for name in [*a, *(name for name in b if name not in a)]:
        one, other = a.get(name), b.get(name)
        if one == other or name in skip:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            found += [f"{name}.{difference}" for difference in differences(one, other, skip)]
        else:
            found.append(f"{name}: was {_short(one)}, is {_short(other)}")
    return found


def of_machine(run: dict[str, Any]) -> dict[str, Any]:
    """What a deterministic system's result may hang on."""
    return {name: run["environment"].get(name) for name in ("python", "packages", "processor")}


def mean_of(runs: Runs, metric: str) -> float:
    return fmean(values_of(runs, metric))


def values_of(runs: Runs, metric: str) -> list[float]:
    return [run["scores"][metric] for run in runs.runs]


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text[:12] if len(text) == 64 and text.isalnum() else text
