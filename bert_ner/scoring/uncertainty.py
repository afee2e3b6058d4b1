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
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from scipy.special import stdtrit

from bert_ner.scoring.counts import Counts
from bert_ner.scoring.resampling import (
    SEED,
    Comparison,
    Interval,
    Pair,
    Statistic,
    check_level,
    comparisons,
    interval,
    intervals,
    of_runs,
    randomised,
    resampled,
)
from bert_ner.scoring.scores import METRICS, Floats

System = Counts | Sequence[Counts]


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
    return bootstrap_all({"": system}, samples, seed, level)[""]


def bootstrap_all(
    systems: Mapping[str, System], samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[str, dict[str, Interval]]:
    """`bootstrap` of several systems on the same sentences, by name, in less time than one by one.

    Args and raises as `bootstrap`; all runs of all systems have the same gold counts.
    """
    tables, metrics = _tables(systems)
    found = intervals(tables, metrics, samples, seed, level)
    return {name: dict(zip(METRICS, of_system, strict=True)) for name, of_system in found.items()}


def bootstrap_difference(
    a: System, b: System, samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[str, Interval]:
    """The paired percentile bootstrap interval over sentences of score(a) - score(b), for each metric, given the runs.

    Paired: each sample draws the same sentences for both systems and all their runs, so that what makes a sentence hard
    for both cancels out (Efron and Tibshirani, 1993, chapter 8; for NLP: Berg-Kirkpatrick et al., EMNLP 2012).
    The quantiles are those of the differences themselves, centred where they are: this is an interval, not a test.

    Args and raises as `bootstrap`.
    """
    tables, metrics = _tables({"a": a, "b": b})
    values = {name: of_runs(runs, metrics).mean(axis=0) for name, runs in tables.items()}
    draws = resampled(tables, metrics, samples, seed)
    return dict(zip(METRICS, interval(values["a"] - values["b"], draws["a"] - draws["b"], level), strict=True))


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
    tables, metrics = _tables({"a": a, "b": b})
    p_values = randomised(tables, [("a", "b")], metrics, swaps, seed)["a", "b"]
    return dict(zip(METRICS, map(float, p_values), strict=True))


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
    return compare_all({"a": a, "b": b}, [("a", "b")], samples, seed, level)["a", "b"]


def compare_all(
    systems: Mapping[str, System],
    pairs: Sequence[Pair],
    samples: int = 10_000,
    seed: int = SEED,
    level: float = 0.95,
) -> dict[Pair, dict[str, Comparison]]:
    """`compare` of several pairs of systems on the same sentences, in far less time than one by one.

    Args:
        systems: by name.
        pairs: the names of each two to compare.
        samples, seed, level: as `bootstrap`.

    Raises:
        KeyError: a pair has a name that no system has.
        ValueError: as `bootstrap`.
    """
    tables, metrics = _tables(systems)
    found = comparisons(tables, pairs, metrics, samples, seed, level)
    return {pair: dict(zip(METRICS, of_pair, strict=True)) for pair, of_pair in found.items()}


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
    check_level(level)
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


def holm_by_metric(compared: Mapping[Pair, Mapping[str, Comparison]]) -> dict[str, dict[Pair, float]]:
    """The p-values that `compare_all` found, each metric's corrected by `holm` for the pairs."""
    return {
        metric: dict(zip(compared, holm([of_pair[metric].p_value for of_pair in compared.values()]), strict=True))
        for metric in METRICS
    }


def _tables(systems: Mapping[str, System]) -> tuple[dict[str, list[Floats]], Statistic]:
    """Each system's runs, all with the same columns, if they have sentences and gold in common; and the metrics.

    A run's table holds all its counts, in shape (n, L + 2T + 2, 3).
    """
    listed = {name: [system] if isinstance(system, Counts) else list(system) for name, system in systems.items()}
    everyone = list(chain.from_iterable(listed.values()))
    if not everyone or not all(listed.values()):
        raise ValueError("there are no systems, or a system has no runs")
    if any(run.words.ndim != 3 for run in everyone):
        raise ValueError("these counts are sums; resampling takes counts by sentence")
    if not len(everyone[0].words):
        raise ValueError("there are no sentences to resample")
    labels = tuple(sorted(set(chain.from_iterable(run.labels for run in everyone))))
    types = tuple(sorted(set(chain.from_iterable(run.types for run in everyone))))
    tables = {name: [_joined(run.over(labels, types)) for run in runs] for name, runs in listed.items()}
    first, *others = chain.from_iterable(tables.values())
    for table in others:
        if len(table) != len(first):
            raise ValueError(f"the runs differ in their sentences: {len(first)} and {len(table)}")
        for i in np.flatnonzero((table[..., 0] != first[..., 0]).any(axis=1)):
            raise ValueError(f"the runs were scored against unlike gold tags, for the first time in sentence {i + 1}")

    def metrics(sums: Floats) -> Floats:
        counts = _parted(sums, labels, types)
        return np.stack([metric.compute(counts) for metric in METRICS.values()], axis=-1)

    return tables, metrics


def _joined(run: Counts) -> Floats:
    spans, overlaps = run.spans[:, None], run.overlaps[:, None]
    return np.concatenate([run.words, run.entities, run.strict_entities, spans, overlaps], axis=1, dtype=float)


def _parted(joined: Floats, labels: tuple[str, ...], types: tuple[str, ...]) -> Counts:
    ends = np.cumsum([len(labels), len(types), len(types), 1])
    words, entities, strict_entities, spans, overlaps = np.split(joined, ends, axis=1)
    return Counts(labels, types, words, entities, strict_entities, spans[:, 0], overlaps[:, 0])
