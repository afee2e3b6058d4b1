"""How sure a score, or the difference of two systems' scores, is.

from bert_ner.scoring import bootstrap, compare, count
bootstrap(count(gold, predicted))["entity_f1"]                      # value, low, high
compare([count(gold, a)], [count(gold, b)])["entity_f1"].p_value

There are two sources of doubt, and they are never merged:

- the test set: another sample of sentences would give other scores. `bootstrap`, `bootstrap_difference` and
  `randomisation_test` measure this, for the trained runs at hand. The unit is the sentence, for the words and entities
  of one sentence are not independent.
- the seed: another run of the same training would give other scores on the same sentences. `seed_interval` measures
  this, and `compare` sets each system's spread over its runs beside the result.

A system is the counts of one run, or of several runs that differ in their seed alone, on the same sentences. Its score
is the mean of its runs' scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from bert_ner.scoring.counts import Counts, Table
from bert_ner.scoring.scores import METRICS, Floats

SEED = 12345
CELLS = 2**22  # numbers of 8 bytes, so 32 MB, that one chunk of draws takes; chunks of any size give the same results

System = Counts | Sequence[Counts]


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


def bootstrap(system: System, samples: int = 10_000, seed: int = SEED, level: float = 0.95) -> dict[str, Interval]:
    """The percentile bootstrap interval over sentences of each metric, given the runs.

    Each of the samples draws n of the n sentences with replacement, the same ones for all runs, and scores them anew
    from their counts. The interval runs from the (1 - level) / 2 to the (1 + level) / 2 quantile of the samples' scores
    (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3).

    The interval need not be centred on the value, least of all a mean over tags or types of which some are rare
    (token_macro_f1, type_macro_f1): a resample may lack a rare tag altogether, and then the mean is over the others, on
    which systems tend to do better. A CRF with 0.738 had [0.720, 0.779]. Read such an interval as wide, not as a sign
    that the score is too low; the micro-averaged scores do not suffer from this.

    Args:
        system: the counts by sentence of one run or of several.
        samples: how many resamples.
        seed: of PCG64. Sums of counts are whole numbers and exact, so a seed gives the same interval everywhere.
        level: the coverage aimed at, in (0, 1).

    Raises:
        ValueError: there are no runs or no sentences, the counts are sums, or the runs' gold counts differ.
    """
    (runs,) = _aligned(system)
    (scores,) = _resampled([runs], samples, seed)
    return _intervals(_mean_scores(_totals(runs)), scores, level)


def bootstrap_difference(
    a: System, b: System, samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[str, Interval]:
    """The paired percentile bootstrap interval over sentences of score(a) - score(b), for each metric, given the runs.

    Paired: each sample draws the same sentences for both systems and all their runs, so that what makes a sentence hard
    for both cancels out (Efron and Tibshirani, 1993, chapter 8; for NLP: Berg-Kirkpatrick et al., EMNLP 2012).
    The quantiles are those of the differences themselves, centred where they are: this is an interval, not a test.

    Args and raises as `bootstrap`.
    """
    systems = _aligned(a, b)
    of_a, of_b = _resampled(systems, samples, seed)
    value_a, value_b = (_mean_scores(_totals(runs)) for runs in systems)
    return _intervals(value_a - value_b, of_a - of_b, level)


def randomisation_test(a: System, b: System, swaps: int = 10_000, seed: int = SEED) -> dict[str, float]:
    """The two-sided p-value of score(a) = score(b), for each metric, by paired approximate randomisation.

    If the systems are alike, it does not matter which of the two tagged a sentence in which way. So each of R = swaps
    trials swaps every sentence's two taggings with probability 1/2 and scores the two hybrids, and

        p = (c + 1) / (R + 1),   c: trials whose |difference| is at least the observed one

    (Noreen, Computer-Intensive Methods for Testing Hypotheses, 1989; for F1: Yeh, COLING 2000. The + 1 counts the
    observed arrangement, without which the test would reject too often: Phipson and Smyth, 2010.)

    Of several runs, the k-th of a is swapped with the k-th of b, the shorter list repeated from its start until both
    end together; a trial swaps the same sentences in all pairs. The difference is the mean over pairs, which without
    swaps is the difference of the systems' mean scores. So the p-value speaks of the runs at hand, on other sentences.

    Args:
        a, b: each the counts by sentence of one run or of several.
        swaps: R, how many trials; the least possible p-value is 1 / (R + 1).
        seed: of PCG64.

    Raises:
        ValueError: as `bootstrap`.
    """
    a_runs, b_runs = _aligned(a, b)
    both = [(a_runs[k % len(a_runs)], b_runs[k % len(b_runs)]) for k in range(math.lcm(len(a_runs), len(b_runs)))]
    pairs = [(x.total(), y.total(), y.map(np.subtract, x)) for x, y in both]

    def differences(swapped: Floats) -> Floats:
        """The mean difference over pairs, of shape (k, metrics), where the sentences marked 1 in (k, n) are swapped."""
        hybrids = []
        for x, y, gap in pairs:
            moved = _weighted(gap, swapped)
            hybrids.append(_scores(x.map(np.add, moved)) - _scores(y.map(np.subtract, moved)))
        return _mean(hybrids)

    n = len(a_runs[0].words)
    observed = np.abs(differences(np.zeros((1, n))))
    # Differences that are equal as fractions may differ in the last digit as floats: they are ties.
    as_large = sum(
        np.sum(np.abs(differences(swapped)) >= observed - 1e-12, axis=0)
        for swapped in swapped_sentences(n, swaps, seed)
    )
    return _by_metric((as_large + 1) / (swaps + 1))


def compare(
    a: System, b: System, samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[str, Comparison]:
    """Two systems on the same sentences, under each metric.

    How seeds and sentences enter: the difference is that of the mean scores over runs. Its interval and its p-value
    take these runs as given and ask what other test sentences would show; every resample, and every swap, is of whole
    sentences, the same for all runs (see `bootstrap_difference` and `randomisation_test`). What other seeds would show
    is told apart from that, by the standard deviation of each system's runs (and by `seed_interval`).

    Several comparisons want `holm`.

    Raises:
        ValueError: as `bootstrap`.
    """
    a, b = _aligned(a, b)
    differences = bootstrap_difference(a, b, samples, seed, level)
    p_values = randomisation_test(a, b, samples, seed)
    of_a, of_b = (np.stack([_scores(run) for run in _totals(runs)]) for runs in (a, b))
    mean_a, mean_b, sd_a, sd_b = map(_by_metric, (of_a.mean(axis=0), of_b.mean(axis=0), _sd(of_a), _sd(of_b)))
    return {
        name: Comparison(mean_a[name], mean_b[name], *differences[name], p_values[name], sd_a[name], sd_b[name])
        for name in METRICS
    }


def seed_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean of one score over n runs that differ in their seed, and its t-interval.

    mean -+ t s / sqrt(n), with s the sample standard deviation and t the (1 + level) / 2 quantile of Student's t with
    n - 1 degrees of freedom (Student, Biometrika 1908). It speaks of other seeds on the same test sentences, not of
    other sentences, and takes scores to be about normal over seeds; its ends are not cut to [0, 1].

    Args:
        values: the score of each run.
        level: the coverage aimed at, in (0, 1).

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"an interval over seeds takes two runs or more, not {len(values)}")
    _check_level(level)
    mean = float(np.mean(values))
    half = float(stdtrit(len(values) - 1, (1 + level) / 2) * np.std(values, ddof=1) / math.sqrt(len(values)))
    return Interval(mean, mean - half, mean + half)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for being several, in the order given.

    The i-th smallest of m, counted from 1, becomes the maximum over j <= i of min(1, (m - j + 1) p_j) (Holm,
    Scandinavian Journal of Statistics 1979). Rejecting what is then at most alpha keeps the probability of any false
    rejection at alpha or less, however the tests depend on each other. Correct together what is claimed together: for
    instance one metric's p-values of all systems that are compared with one.

    Raises:
        ValueError: one is not in [0, 1].
    """
    p = np.asarray(p_values, float)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"p-values lie in [0, 1]; these do not: {list(p_values)}")
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(value) for value in corrected]


def resamples(n: int, samples: int, seed: int) -> Iterator[Floats]:
    """How often each of n sentences is in each resample, in chunks of shape (k, n).

    A resample's sums are these times the sentences' counts.
    """
    return _draws(lambda rng: np.bincount(rng.integers(n, size=n), minlength=n), n, samples, seed)


def swapped_sentences(n: int, swaps: int, seed: int) -> Iterator[Floats]:
    """1 for each of n sentences that a trial of the randomisation test swaps, else 0; in chunks of shape (k, n)."""
    return _draws(lambda rng: rng.integers(2, size=n), n, swaps, seed)


def _aligned(*systems: System) -> list[list[Counts]]:
    """Each system's runs, all with the same labels and types, if they have sentences and gold in common."""
    listed = [[system] if isinstance(system, Counts) else list(system) for system in systems]
    everyone = list(chain.from_iterable(listed))
    if not all(listed):
        raise ValueError("a system has no runs")
    if any(run.words.ndim != 3 for run in everyone):
        raise ValueError("these counts are sums; resampling takes counts by sentence")
    if not len(everyone[0].words):
        raise ValueError("there are no sentences to resample")
    labels = tuple(sorted(set(chain.from_iterable(run.labels for run in everyone))))
    types = tuple(sorted(set(chain.from_iterable(run.types for run in everyone))))
    # As floats, which hold whole numbers below 2**53 exactly, because those are what NumPy multiplies fast.
    aligned = [[run.over(labels, types).map(lambda table: table.astype(float)) for run in runs] for runs in listed]
    first = aligned[0][0]
    for run in chain.from_iterable(aligned):
        if len(run.words) != len(first.words):
            raise ValueError(f"the runs differ in their sentences: {len(first.words)} and {len(run.words)}")
        for i in np.flatnonzero((_gold(run) != _gold(first)).any(axis=1)):
            raise ValueError(f"the runs were scored against unlike gold tags, for the first time in sentence {i + 1}")
    return aligned


def _gold(run: Counts) -> Table:
    return np.hstack([table[..., 0] for table in (run.words, run.entities, run.strict_entities)])


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


def _resampled(systems: Sequence[Sequence[Counts]], samples: int, seed: int) -> list[Floats]:
    """Each system's mean scores on the same resamples of the sentences, of shape (samples, metrics)."""
    n = len(systems[0][0].words)
    chunks = [
        [_mean_scores([_weighted(run, weights) for run in runs]) for runs in systems]
        for weights in resamples(n, samples, seed)
    ]
    return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]


def _weighted(run: Counts, weights: Floats) -> Counts:
    return run.map(lambda table: np.tensordot(weights, table, axes=1))


def _totals(runs: Sequence[Counts]) -> list[Counts]:
    return [run.total() for run in runs]


def _scores(sums: Counts) -> Floats:
    """Every metric of sums of shape (..., L, 3), on a new last axis."""
    return np.stack([metric.compute(sums) for metric in METRICS.values()], axis=-1)


def _mean_scores(runs: Sequence[Counts]) -> Floats:
    return _mean([_scores(sums) for sums in runs])


def _mean(arrays: Sequence[Floats]) -> Floats:
    mean: Floats = np.stack(arrays).mean(axis=0)
    return mean


def _sd(scores: Floats) -> Floats:
    """The sample standard deviation over the first axis."""
    sd: Floats = scores.std(axis=0, ddof=1) if len(scores) > 1 else np.full(scores.shape[1:], np.nan)
    return sd


def _intervals(values: Floats, scores: Floats, level: float) -> dict[str, Interval]:
    _check_level(level)
    ends = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return {name: Interval(*map(float, row)) for name, row in zip(METRICS, np.vstack([values, ends]).T, strict=True)}


def _by_metric(values: Floats) -> dict[str, float]:
    return {name: float(value) for name, value in zip(METRICS, values, strict=True)}


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level is a probability between 0 and 1, not {level}")
