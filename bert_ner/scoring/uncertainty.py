"""Measure the uncertainty of scores and of differences between systems.

from bert_ner.scoring import bootstrap, compare, count
bootstrap(predicted, gold=gold)["entity_f1"]                        # value, low, high
compare(a, b, gold=gold)["entity_f1"].p_value
compare([count(gold, a1), count(gold, a2)], count(gold, b)).to_frame()

`bootstrap` and `compare` cover other test sentences, for these runs. They resample sentences, because the words and
entities of a sentence are not independent. `seed_interval` covers other seeds, for these sentences. `bootstrap` with
`over_runs` and `compare_over_runs` cover both. A system is the counts of one run, or of several that differ only in
their seed; its score is their mean.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bert_ner.errors import InvalidValue, shorten
from bert_ner.scoring.counts import Counts, Tags, count, shared_axes
from bert_ner.scoring.resampling import (
    LEVEL,
    SAMPLES,
    SEED,
    ByMetric,
    Comparison,
    Interval,
    Pair,
    Statistic,
    Strata,
    check_level,
    comparisons,
    differences_over_runs,
    intervals,
)
from bert_ner.scoring.scores import METRICS, Floats
from bert_ner.scoring.student import t_quantile

System = Counts | Sequence[Counts]
Comparisons = dict[str, Comparison]  # by metric


def bootstrap(
    system: System | Tags,
    samples: int = SAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    *,
    gold: Tags | None = None,
    over_runs: bool = False,
) -> ByMetric[Interval]:
    """Return the percentile bootstrap interval over sentences of each metric, given the runs.

    Each sample draws n of the n sentences with replacement, the same for all runs, and scores them from their counts.
    The interval ends at the (1 - level) / 2 and the (1 + level) / 2 quantile of the samples' scores. Source: Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.

    token_macro_f1 and type_macro_f1 are means over the tags or types of the whole test set and its tagging, the same in
    every sample. One that a sample lacks has F1 0 there, so a rare one makes the interval longer at its lower end.

    With `over_runs`, each sample also draws runs: r - 1 of the r runs, with replacement, apart from the sentences. The
    interval then generalises to other seeds and other sentences together. It is the bootstrap of two crossed factors
    (Owen, The Pigeonhole Bootstrap, Annals of Applied Statistics 2007). Drawing r - 1 makes the variance over runs s^2
    / r, that of a mean (Rao and Wu, JASA 1988); r of r would make it (r - 1) / r times as large.

    Fewer than six sentences (`resampling.MIN_SENTENCES`) are too few for an interval or a test: its ends and the
    p-value of `compare` are then nan.

    Args:
        system: the counts by sentence of one run or of several; with `gold`, the predicted tags of one run.
        samples: the number of resamples.
        seed: the seed of PCG64. Sums of counts are exact whole numbers, so a seed gives the same interval everywhere.
        level: the nominal coverage, in (0, 1).
        gold: the gold tags, if tags are given in place of counts.
        over_runs: also draw runs, of which there are two or more.

    Raises:
        ValueError: there are no runs or no sentences, the counts are sums, the runs differ in their gold counts,
            `samples` or `level` is out of range, or there is only one run to draw.
    """
    return bootstrap_all({"": _counted(system, gold)}, samples, seed, level, over_runs=over_runs)[""]


def bootstrap_all(
    systems: Mapping[str, System],
    samples: int = SAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    strata: Strata = None,
    *,
    over_runs: bool = False,
) -> dict[str, ByMetric[Interval]]:
    """Apply `bootstrap` to several systems on the same sentences, by name; faster than one by one.

    With `strata`, a name for each sentence, each sample has as many sentences of each name as the test set: the
    interval is then over other sentences in the same mixture. Source: Efron and Tibshirani, 1993, section 8.4.
    """
    found = intervals(*_tables(systems), samples, seed, level, strata, over_runs=over_runs)
    return {name: ByMetric(zip(METRICS, values, strict=True)) for name, values in found.items()}


def compare(
    a: System | Tags,
    b: System | Tags,
    samples: int = SAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    *,
    gold: Tags | None = None,
) -> ByMetric[Comparison]:
    """Compare two systems on the same sentences by each metric: the difference, its interval and its p-value.

    The difference is that of the mean scores over runs. Its interval and its p-value take the runs as given, and
    generalise to other test sentences; for other seeds, see `seed_interval`. Correct several p-values with `holm`.

    The interval is the paired percentile bootstrap interval: each sample draws the same sentences for both systems and
    all runs. Its ends are quantiles of the differences, not shifted to a null hypothesis: it is an interval, not a
    test. Sources: Efron and Tibshirani, 1993, chapter 8; for NLP, Berg-Kirkpatrick et al., EMNLP 2012.

    The p-value is that of the two-sided paired approximate randomisation test of score(a) = score(b). Each of
    R = samples trials swaps the taggings of every sentence with probability 1/2 and scores the two hybrids, and

        p = (c + 1) / (R + 1),   c: the number of trials whose |difference| is at least the observed one

    (Noreen, Computer-Intensive Methods for Testing Hypotheses, 1989; for F1: Yeh, COLING 2000; for the + 1: Phipson
    and Smyth, 2010). With several runs, the k-th run of a is swapped with the k-th of b, the shorter list repeated
    until both end together. A trial swaps the same sentences in all pairs of runs; the difference is the mean over
    pairs. Args and errors are those of `bootstrap`; `samples` is also the number of trials.
    """
    systems = {"a": _counted(a, gold), "b": _counted(b, gold)}
    return compare_all(systems, [("a", "b")], samples, seed, level)["a", "b"]


def compare_all(
    systems: Mapping[str, System],
    pairs: Sequence[Pair],
    samples: int = SAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    strata: Strata = None,
    *,
    metrics: Collection[str] = tuple(METRICS),
) -> dict[Pair, ByMetric[Comparison]]:
    """Apply `compare` to pairs of systems, by name; much faster than one by one. A KeyError names an unknown system.

    `strata` are those of `bootstrap_all`; the test, which draws no sentences, is the same without them. Only the named
    `metrics` are compared, in that order.
    """
    tables, statistic = _tables(systems, metrics)
    found = comparisons(tables, pairs, statistic, samples, seed, level, strata)
    return {pair: ByMetric(zip(metrics, values, strict=True)) for pair, values in found.items()}


def compare_over_runs(
    systems: Mapping[str, System],
    pairs: Sequence[Pair],
    samples: int = SAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    strata: Strata = None,
    *,
    metrics: Collection[str] = tuple(METRICS),
) -> dict[Pair, ByMetric[Interval]]:
    """Return the difference of two systems by each metric, and its interval over sentences and runs, for each pair.

    Each sample draws the same sentences for both systems and, apart from them, r - 1 of each system's r runs, as
    `bootstrap` does with `over_runs`. If both have as many runs, it draws the same places in their lists, so the k-th
    runs are a pair. The only run of a system is in every sample, as is right for a training without random numbers. The
    interval is conservative: it counts the interaction of runs and sentences more than once (Owen 2007). Arguments and
    errors are those of `compare_all`.
    """
    tables, statistic = _tables(systems, metrics)
    found = differences_over_runs(tables, pairs, statistic, samples, seed, level, strata)
    return {pair: ByMetric(zip(metrics, values, strict=True)) for pair, values in found.items()}


def seed_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Return the mean of the scores of n runs that differ only in their seed, and its t-interval.

    The interval is mean -+ t s / sqrt(n), with the sample standard deviation s and the (1 + level) / 2 quantile t of
    Student's t with n - 1 degrees of freedom (Biometrika 1908). It generalises to other seeds on the same sentences,
    assumes that scores are about normal over seeds, and is not cut to [0, 1].

    Raises:
        ValueError: there are fewer than two values, or `level` is not in (0, 1).
    """
    if len(values) < 2:
        raise ValueError(f"an interval over seeds takes two runs or more, not {len(values)}")
    check_level(level)
    mean = float(np.mean(values))
    half = t_quantile((1 + level) / 2, len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for multiple tests, in the order given; raise ValueError if one is not in [0, 1].

    The i-th smallest of m, counted from 1, becomes the maximum over j <= i of min(1, (m - j + 1) p_j). Source: Holm,
    Scandinavian Journal of Statistics 1979. Rejecting those of at most alpha keeps the probability of any false
    rejection at alpha or less. Correct together the tests of one claim. If all are nan, as over too few sentences, they
    stay so.
    """
    p = np.asarray(p_values, float)
    if np.isnan(p).all():
        return list(p_values)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"p-values lie in [0, 1]; these do not: {list(p_values)}")
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(value) for value in corrected]


def holm_by_metric(compared: Mapping[Pair, Mapping[str, Comparison]]) -> dict[str, dict[Pair, float]]:
    """Return the p-values of `compare_all`, those of each metric corrected by `holm` for the number of pairs."""
    return {
        metric: dict(zip(compared, holm([by_metric[metric].p_value for by_metric in compared.values()]), strict=True))
        for metric in METRICS
    }


def _counted(system: System | Tags, gold: Tags | None) -> System:
    """Return the counts of a system; with gold tags, they are counted here."""
    runs = system if isinstance(system, Sequence) else [system]
    are_counts = all(isinstance(run, Counts) for run in runs)
    if gold is None and not are_counts:
        raise InvalidValue(f"expected counts, or tags together with gold=..., not {shorten(system)}")
    if gold is not None and are_counts and runs:
        raise InvalidValue("counts include the gold tags already: give either counts, or tags together with gold=...")
    return cast(System, system) if gold is None else count(gold, cast(Tags, system))


def _tables(
    systems: Mapping[str, System], metrics: Collection[str] = tuple(METRICS)
) -> tuple[dict[str, NDArray[np.int64]], Statistic]:
    """Return a table of each system's counts, of shape (runs, n, L + 2T + 3, 3), and the metrics of them."""
    listed = {name: [system] if isinstance(system, Counts) else list(system) for name, system in systems.items()}
    all_runs = [run for runs in listed.values() for run in runs]
    if not all_runs or not all(listed.values()):
        raise ValueError("there are no systems, or a system has no runs")
    if any(run.words.ndim != 3 for run in all_runs):
        raise ValueError("these counts are sums; resampling takes counts by sentence")
    sizes = list(dict.fromkeys(len(run.words) for run in all_runs))
    if sizes == [0]:
        raise ValueError("there are no sentences to resample")
    if len(sizes) > 1:
        raise ValueError(f"the runs differ in their sentences: {sizes[0]} and {sizes[1]}")
    labels, types = shared_axes(all_runs)
    kind = np.result_type(*(run.words for run in all_runs))

    def table_of(runs: Sequence[Counts]) -> NDArray[np.int64]:
        table = np.empty((len(runs), sizes[0], len(labels) + 2 * len(types) + 3, 3), kind)
        for rows, run in zip(table, (run.over(labels, types) for run in runs), strict=True):
            single = [table[:, None] for table in (run.spans, run.overlaps, run.typed_words)]
            parts = [run.words, run.entities, run.strict_entities, *single]
            np.concatenate(parts, axis=1, out=rows, casting="same_kind")
        return table

    tables = {name: table_of(runs) for name, runs in listed.items()}
    gold = next(iter(tables.values()))[0, ..., 0]
    for table in tables.values():
        for i in np.flatnonzero((table[..., 0] != gold).any(axis=(0, 2))):
            raise ValueError(f"the runs were scored against different gold tags, first in sentence {i + 1}")

    ends = np.cumsum([len(labels), len(types), len(types), 1, 1])

    def counts_of(sums: Floats) -> Counts:
        words, entities, strict_entities, *single = np.split(sums, ends, axis=-2)
        spans, overlaps, typed_words = (table[..., 0, :] for table in single)
        return Counts(labels, types, words, entities, strict_entities, spans, overlaps, typed_words)

    def statistic(sums: Floats, whole: Floats) -> Floats:
        counts = replace(counts_of(sums), whole=counts_of(whole))
        return np.stack([METRICS[name].compute(counts) for name in metrics], axis=-1)

    return tables, statistic
