"""Bootstrap and randomisation test over sentences, for any statistic and for many systems at once.

A system is a table of shape (runs, n, ...) of whole numbers that add up over the n sentences, as floats: exact below
2**53 and fast in NumPy. Its runs differ only in their seed, and its values are the means over them. All systems share
the draws, so a run's sums for each draw are computed once for all its comparisons.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from bert_ner.scoring.scores import Floats

if TYPE_CHECKING:
    import pandas as pd

LEVEL, SAMPLES, SEED = 0.95, 10_000, 12345
# With fewer, no randomisation test can find p < 0.05: of 2**5 swaps, two are as large as the largest, p = 0.0625. An
# interval is as empty: its ends are the scores of single sentences. Both are then nan.
MIN_SENTENCES = 6
CELLS = 2**19  # numbers in a chunk of draws, 4 MB; the size of the chunks does not change the draws

Systems = Mapping[str, NDArray[Any]]
Pair = tuple[str, str]
Intervals = dict[str, list["Interval"]]  # of each system's m values
Strata = Sequence[str] | None  # a name for each sentence; as many of each name are then drawn as there are
# From sums over sentences, of shape (runs, k, ...), and those over all sentences, of shape (runs, 1, ...), to m values
# for each, of shape (runs, k, m).
Statistic = Callable[[Floats, Floats], Floats]


class Interval(NamedTuple):
    """A value and its interval from low to high, which are nan if there are fewer than MIN_SENTENCES sentences."""

    value: float
    low: float
    high: float


class Comparison(NamedTuple):
    """The comparison of two systems by one metric."""

    a: float  # the mean of the system's scores over its runs
    b: float
    difference: float  # a - b
    low: float  # the paired bootstrap interval of the difference over sentences
    high: float
    p_value: float  # of the paired randomisation test over sentences
    a_sd: float  # the sample standard deviation of the system's scores over its runs; nan if there is only one run
    b_sd: float


Row = TypeVar("Row", Interval, Comparison)


def paired_text(samples: int, within: str = "") -> str:
    """Name the test and the interval of a comparison; `within`, such as ` within parts`, names the strata."""
    drawn = f"interval: paired percentile bootstrap{within}"
    return f"paired approximate randomisation over sentences, {samples}; {drawn}, {samples}"


def p_text(p_value: float, samples: int, corrected: float | None = None) -> str:
    """Write a p-value, or what a correction makes of it, with four decimals.

    At the floor 1 / (samples + 1) no trial had so large a difference, so the true value may be much lower: it is
    written as a bound, `< 0.0001`, and one corrected for 19 tests as `< 0.0019`.
    """
    shown = p_value if corrected is None else corrected
    return f"{'< ' if p_value < 1.5 / (samples + 1) else ''}{shown:.4f}"


class ByMetric(dict[str, Row]):
    """A result for each metric, by the metric's name."""

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas table with a row per metric, which is its index, and the result's fields as columns."""
        import pandas as pd  # noqa: PLC0415 - slow to import

        rows = {metric: result._asdict() for metric, result in self.items()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("metric")


def intervals(
    systems: Systems,
    statistic: Statistic,
    samples: int,
    seed: int,
    level: float,
    strata: Strata = None,
    *,
    over_runs: bool = False,
) -> Intervals:
    """Return the percentile bootstrap interval of each of a system's m values, as `bootstrap` defines it."""
    draws, by_run = _resample(systems, statistic, samples, seed, strata, over_runs), _by_run(systems, statistic)
    return {name: _intervals(values.mean(axis=0), draws[name], level) for name, values in by_run.items()}


def comparisons(
    systems: Systems,
    pairs: Sequence[Pair],
    statistic: Statistic,
    samples: int,
    seed: int,
    level: float,
    strata: Strata = None,
) -> dict[Pair, list[Comparison]]:
    """Compare each of the m values of two systems, for each pair (a, b) of systems, as `compare` defines it."""
    if not pairs:
        return {}
    systems = {name: systems[name] for pair in pairs for name in pair}
    by_run = _by_run(systems, statistic)
    means = {name: values.mean(axis=0) for name, values in by_run.items()}
    sds = {name: v.std(axis=0, ddof=1) if len(v) > 1 else v[0] * math.nan for name, v in by_run.items()}
    draws = _resample(systems, statistic, samples, seed, strata)
    p_values = _randomisation_p_values(systems, pairs, statistic, samples, seed)
    found = {}
    for a, b in pairs:
        differences = _intervals(means[a] - means[b], draws[a] - draws[b], level)
        columns = (means[a], means[b], *zip(*differences, strict=True), p_values[a, b], sds[a], sds[b])
        found[a, b] = [Comparison(*map(float, row)) for row in zip(*columns, strict=True)]
    return found


def differences_over_runs(
    systems: Systems,
    pairs: Sequence[Pair],
    statistic: Statistic,
    samples: int,
    seed: int,
    level: float,
    strata: Strata = None,
) -> dict[Pair, list[Interval]]:
    """Return the interval of each difference over sentences and runs, as `compare_over_runs` defines it."""
    systems = {name: systems[name] for pair in pairs for name in pair}
    means = {name: values.mean(axis=0) for name, values in _by_run(systems, statistic).items()}
    draws: dict[str, Floats] = {}
    for over_runs in (False, True):
        if chosen := {name: table for name, table in systems.items() if (len(table) > 1) == over_runs}:
            draws |= _resample(chosen, statistic, samples, seed, strata, over_runs)
    return {(a, b): _intervals(means[a] - means[b], draws[a] - draws[b], level) for a, b in pairs}


def check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level is a probability between 0 and 1, not {level}")


def _by_run(systems: Systems, statistic: Statistic) -> dict[str, Floats]:
    """Return the values of each system's runs, of shape (runs, m)."""
    sums = {name: _whole(table) for name, table in systems.items()}
    return {name: statistic(whole, whole)[:, 0] for name, whole in sums.items()}


def _whole(table: NDArray[Any]) -> Floats:
    """Return the sums of each run over all sentences, of shape (runs, 1, ...)."""
    sums: Floats = table.sum(axis=1, keepdims=True, dtype=float)
    return sums


def _intervals(values: Floats, draws: Floats, level: float) -> list[Interval]:
    """Return values of shape (m,) with the quantiles of their draws, of shape (samples, m)."""
    check_level(level)
    ends = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [Interval(*map(float, row)) for row in zip(values, *ends, strict=True)]


def _resample(
    systems: Systems, statistic: Statistic, samples: int, seed: int, strata: Strata = None, over_runs: bool = False
) -> dict[str, Floats]:
    """Return each system's values on the same resamples of the sentences, of shape (samples, m)."""
    if over_runs and (single := [name for name, table in systems.items() if len(table) < 2]):
        raise ValueError(f"runs are drawn from two or more, but there is one of {', '.join(single)}")
    row_of, width, sums = _summation(systems)
    n = len(row_of)
    if n < MIN_SENTENCES:
        return {name: values * math.nan for name, values in _by_run(systems, statistic).items()}
    n_rows = row_of.max() + 1
    names = np.array([""] * n if strata is None else strata)
    groups = [row_of[names == name] for name in np.unique(names)]  # the rows of the sentences of each stratum

    def draw(rng: Generator) -> NDArray[np.int64]:
        drawn = [rows[rng.integers(len(rows), size=len(rows))] for rows in groups]
        return np.bincount(np.concatenate(drawn), minlength=n_rows)

    # How often each row is in a resample; the sums of a resample are these times the rows.
    weights = _draws(draw, width, samples, seed)
    wholes = {name: _whole(table) for name, table in systems.items()}
    chunks = [{name: statistic(table, wholes[name]) for name, table in sums(chunk).items()} for chunk in weights]
    by_run = {name: np.concatenate([chunk[name] for chunk in chunks], axis=1) for name in systems}
    if not over_runs:
        return {name: values.mean(axis=0) for name, values in by_run.items()}
    return {name: _mean_of_drawn_runs(values, seed) for name, values in by_run.items()}


def _mean_of_drawn_runs(values: Floats, seed: int) -> Floats:
    """Draw r - 1 of the r runs for each sample, and return their mean: (r, samples, m) -> (samples, m)."""
    runs, samples, _ = values.shape
    rng = Generator(PCG64([seed, runs]))  # not the numbers that draw sentences
    drawn = rng.integers(runs, size=(runs - 1, samples))
    means: Floats = values[drawn, np.arange(samples)].mean(axis=0)
    return means


def _randomisation_p_values(
    systems: Systems, pairs: Sequence[Pair], statistic: Statistic, swaps: int, seed: int
) -> dict[Pair, Floats]:
    """Return the p-value of each of the m values of each pair of systems, as `compare` defines it."""
    row_of, width, sums = _summation(systems)
    n = len(row_of)
    sizes = np.bincount(row_of).astype(float)
    totals = sums(sizes[None])

    def differences(swapped: Floats) -> dict[Pair, Floats]:
        """Return each pair's differences, of shape (k, m), if so many sentences of each row are swapped."""
        given = sums(swapped)  # a hybrid adds these to the other run's shared ones
        shared = {name: totals[name] - given[name] for name in systems}
        found = {}
        for a, b in pairs:
            both = np.arange(math.lcm(len(systems[a]), len(systems[b])))
            i, k = both % len(systems[a]), both % len(systems[b])
            one, other = shared[a][i] + given[b][k], shared[b][k] + given[a][i]
            gaps = statistic(one, one) - statistic(other, other)  # each is a tagging of all sentences
            found[a, b] = gaps.mean(axis=0)
        return found

    unswapped = differences(np.zeros((1, len(sizes))))
    if n < MIN_SENTENCES:
        return {pair: values[0] * math.nan for pair, values in unswapped.items()}
    observed = {pair: np.abs(values[0]) for pair, values in unswapped.items()}
    as_large = {pair: np.zeros(len(values)) for pair, values in observed.items()}
    for swapped in _draws(lambda rng: np.bincount(row_of, rng.integers(2, size=n)), width, swaps, seed):
        for pair, values in differences(swapped).items():
            # Differences that are equal as fractions are ties, although they may differ in the last digit as floats.
            as_large[pair] += np.sum(np.abs(values) >= observed[pair] - 1e-12, axis=0)
    return {pair: (count + 1) / (swaps + 1) for pair, count in as_large.items()}


def _draws(
    draw: Callable[[Generator], NDArray[np.int64 | np.float64]], width: int, samples: int, seed: int
) -> Iterator[Floats]:
    """Yield the samples' draws, in chunks of k draws with k * width at most CELLS."""
    if samples < 1:
        raise ValueError(f"resampling takes at least one sample, not {samples}")
    rng = Generator(PCG64(seed))
    step = min(1000, max(1, CELLS // width))
    for start in range(0, samples, step):
        yield np.array([draw(rng) for _ in range(min(step, samples - start))], float)


def _summation(systems: Systems) -> tuple[NDArray[np.int64], int, Callable[[Floats], dict[str, Floats]]]:
    """Return each sentence's row, the width of a draw, and a function from weights of rows to weighted sums.

    Sentences that have the same counts in all runs share a row. The function takes weights of shape (k, rows) and
    returns each system's sums, of shape (runs, k, ...). Most columns occur in several runs, those of gold in all: each
    is multiplied once. In memory k is the last axis, which halves the time of statistics of the sums.
    """
    tables = list(systems.values())
    kind, n = tables[0].dtype, tables[0].shape[1]
    keys, row_of = _distinct(b"".join(table[:, i].tobytes() for table in tables) for i in range(n))
    rows = np.frombuffer(b"".join(keys), kind).reshape(len(keys), -1)
    columns, column_of = _distinct(column.tobytes() for column in rows.T)
    different = np.frombuffer(b"".join(columns), kind).reshape(-1, len(rows)).astype(float)
    ends = np.cumsum([table[:, 0].size for table in tables])
    places = dict(zip(systems, np.split(column_of, ends[:-1]), strict=True))

    def sums(weights: Floats) -> dict[str, Floats]:
        products = different @ weights.T
        shapes = {name: (len(table), *table.shape[2:], len(weights)) for name, table in systems.items()}
        return {name: np.moveaxis(products[places[name]].reshape(shape), -1, 1) for name, shape in shapes.items()}

    return row_of, max(rows.shape), sums


def _distinct(keys: Iterable[bytes]) -> tuple[list[bytes], NDArray[np.int64]]:
    """Return the different keys, and the place among them of each key."""
    places: dict[bytes, int] = {}
    place_of = np.array([places.setdefault(key, len(places)) for key in keys], np.int64)
    return list(places), place_of
