"""The bootstrap and the randomisation test over sentences, of any statistic and of many systems at once.

A run is a table of shape (n, ...): whole numbers that add up over the n sentences. They are floats, which hold whole
numbers below 2**53 exactly, because those are what NumPy multiplies fast. A system is one run or several that differ in
their seed alone, and its numbers are the mean of its runs'.

All systems share the same draws. So a chunk of draws is made once, and a run's sums under it are taken once, however
many comparisons the run is part of. What is resampled, and to which end, `uncertainty` and `parts` say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bert_ner.scoring.scores import Floats

SEED = 12345
CELLS = 2**22  # numbers of 8 bytes, so 32 MB, that one chunk of draws takes; chunks of any size hold the same draws

Systems = Mapping[str, Sequence[Floats]]
Pair = tuple[str, str]
# From sums over sentences, of shape (k, ...), to m numbers for each, of shape (k, m).
Statistic = Callable[[Floats], Floats]


class Interval(NamedTuple):
    """A value and the two ends of its interval."""

    value: float
    low: float
    high: float


class Comparison(NamedTuple):
    """Two systems under one metric.

    Attributes:
        a, b: the mean of each system's scores over its runs.
        difference: a - b.
        low, high: its paired bootstrap interval over sentences.
        p_value: of the paired randomisation test over sentences.
        a_sd, b_sd: the sample standard deviation of each system's scores over its runs; nan if there is only one.
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    p_value: float
    a_sd: float
    b_sd: float


def intervals(
    systems: Systems, statistic: Statistic, samples: int, seed: int, level: float
) -> dict[str, list[Interval]]:
    """The percentile bootstrap intervals, defined by `bootstrap`, of each system's m numbers."""
    draws = resampled(systems, statistic, samples, seed)
    return {name: interval(of_runs(runs, statistic).mean(axis=0), draws[name], level) for name, runs in systems.items()}


def comparisons(
    systems: Systems, pairs: Sequence[Pair], statistic: Statistic, samples: int, seed: int, level: float
) -> dict[Pair, list[Comparison]]:
    """Each of the m numbers of two systems, for each pair (a, b) of systems, as `compare` defines it."""
    if not pairs:
        return {}
    systems = {name: systems[name] for pair in pairs for name in pair}
    values = {name: of_runs(runs, statistic) for name, runs in systems.items()}
    means = {name: of.mean(axis=0) for name, of in values.items()}
    sds = {
        name: of.std(axis=0, ddof=1) if len(of) > 1 else np.full(of.shape[1:], math.nan) for name, of in values.items()
    }
    draws = resampled(systems, statistic, samples, seed)
    p_values = randomised(systems, pairs, statistic, samples, seed)
    found = {}
    for a, b in pairs:
        gaps = interval(means[a] - means[b], draws[a] - draws[b], level)
        columns = (means[a], means[b], *zip(*gaps, strict=True), p_values[a, b], sds[a], sds[b])
        found[a, b] = [Comparison(*map(float, row)) for row in zip(*columns, strict=True)]
    return found


def of_runs(runs: Sequence[Floats], statistic: Statistic) -> Floats:
    """A statistic of each run as it is, of shape (runs, m)."""
    return np.concatenate([statistic(run.sum(axis=0)[None]) for run in runs])


def resampled(systems: Systems, statistic: Statistic, samples: int, seed: int) -> dict[str, Floats]:
    """Each system's numbers on the same resamples of the sentences, of shape (samples, m)."""
    sums = _summation(systems)
    chunks = [
        {name: _mean(map(statistic, of_system)) for name, of_system in sums(weights).items()}
        for weights in resamples(_sentences(systems), samples, seed)
    ]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in systems}


def randomised(
    systems: Systems, pairs: Sequence[Pair], statistic: Statistic, swaps: int, seed: int
) -> dict[Pair, Floats]:
    """The p-values, defined by `randomisation_test`, of each pair of systems and each of their m numbers."""
    n, sums = _sentences(systems), _summation(systems)
    totals = sums(np.ones((1, n)))

    def differences(swapped: Floats) -> dict[Pair, Floats]:
        """Each pair's difference, of shape (k, m), where the sentences marked 1 in (k, n) are swapped."""
        # A hybrid has what one run keeps and what the other gives: sums of each run alone, the same in all its pairs.
        given = sums(swapped)
        kept = {name: [x - y for x, y in zip(totals[name], given[name], strict=True)] for name in systems}
        return {
            (a, b): _mean(
                statistic(kept[a][i] + given[b][k]) - statistic(kept[b][k] + given[a][i])
                for i, k in _matched(len(systems[a]), len(systems[b]))
            )
            for a, b in pairs
        }

    observed = {pair: np.abs(of_pair[0]) for pair, of_pair in differences(np.zeros((1, n))).items()}
    as_large = {pair: np.zeros(len(of_pair)) for pair, of_pair in observed.items()}
    for swapped in swapped_sentences(n, swaps, seed):
        for pair, of_pair in differences(swapped).items():
            # Differences that are equal as fractions may differ in the last digit as floats: they are ties.
            as_large[pair] += np.sum(np.abs(of_pair) >= observed[pair] - 1e-12, axis=0)
    return {pair: (count + 1) / (swaps + 1) for pair, count in as_large.items()}


def interval(values: Floats, draws: Floats, level: float) -> list[Interval]:
    """Values of shape (m,) with the quantiles of draws of them, of shape (samples, m).

    Raises:
        ValueError: level is not in (0, 1).
    """
    check_level(level)
    ends = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [Interval(*map(float, row)) for row in zip(values, *ends, strict=True)]


def check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level is a probability between 0 and 1, not {level}")


def resamples(n: int, samples: int, seed: int) -> Iterator[Floats]:
    """How often each of n sentences is in each resample, in chunks of shape (k, n).

    A resample's sums are these times the sentences' counts.
    """
    return _draws(lambda rng: np.bincount(rng.integers(n, size=n), minlength=n), n, samples, seed)


def swapped_sentences(n: int, swaps: int, seed: int) -> Iterator[Floats]:
    """1 for each of n sentences that a trial of the randomisation test swaps, else 0; in chunks of shape (k, n)."""
    return _draws(lambda rng: rng.integers(2, size=n), n, swaps, seed)


def _draws(
    draw: Callable[[np.random.Generator], NDArray[np.int64]], n: int, samples: int, seed: int
) -> Iterator[Floats]:
    """The samples' draws of n numbers each, in chunks of shape (k, n)."""
    if samples < 1:
        raise ValueError(f"resampling takes at least one sample, not {samples}")
    rng = np.random.Generator(np.random.PCG64(seed))
    step = min(1000, max(1, CELLS // n))
    for start in range(0, samples, step):
        chunk = np.empty((min(step, samples - start), n))
        for row in chunk:
            row[:] = draw(rng)
        yield chunk


def _summation(systems: Systems) -> Callable[[Floats], dict[str, list[Floats]]]:
    """What makes of weights of shape (k, n) each run's sums over the sentences, of shape (k, ...).

    Most columns occur in several runs, gold's in all: each is multiplied once. In memory k comes last, which halves the
    time that statistics of the sums take.
    """
    numbers: dict[bytes, int] = {}
    places = {
        name: [
            [numbers.setdefault(column.tobytes(), len(numbers)) for column in run.reshape(len(run), -1).T]
            for run in runs
        ]
        for name, runs in systems.items()
    }
    columns = np.frombuffer(b"".join(numbers)).reshape(-1, _sentences(systems))

    def sums(weights: Floats) -> dict[str, list[Floats]]:
        of_columns = columns @ weights.T
        return {
            name: [
                of_columns[at].T.reshape(len(weights), *run.shape[1:])
                for run, at in zip(runs, places[name], strict=True)
            ]
            for name, runs in systems.items()
        }

    return sums


def _sentences(systems: Systems) -> int:
    return len(next(iter(systems.values()))[0])


def _matched(a: int, b: int) -> list[tuple[int, int]]:
    """Which of a runs goes with which of b; the shorter list is repeated until both end together."""
    return [(k % a, k % b) for k in range(math.lcm(a, b))]


def _mean(arrays: Iterable[Floats]) -> Floats:
    mean: Floats = np.mean(list(arrays), axis=0)
    return mean
