"""How sure the scores of parts of a test set are: F1 of each type, recall of groups of entities, ranks of confusions.

from bert_ner.scoring.parts import f1_by_type, compare_types
f1_by_type([count(gold, predicted)])["ACTOR"]                           # value, low, high
compare_types([count(gold, a)], [count(gold, b)])["ACTOR"].p_value

As in `uncertainty`, sentences are resampled, a system is one run or several that differ in their seed alone, and its
number is the mean of its runs'. Intervals are percentile bootstrap intervals, given the runs. A resample without any
entity of a part has 0 there, which for parts of few sentences makes an interval wide, as it should be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import permutations

import numpy as np

from bert_ner.corpus.bio import Span, spans_of
from bert_ner.scoring.counts import Counts, Table, Tags
from bert_ner.scoring.scores import Floats, precision_recall_f1
from bert_ner.scoring.uncertainty import SEED, Comparison, Interval, resamples, swapped_sentences

# From sums over sentences, of shape (k, ...), to m numbers for each, of shape (k, m).
Statistic = Callable[[Floats], Floats]


def f1_by_type(
    runs: Sequence[Counts], samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[str, Interval]:
    """Entity F1 of each type that occurs in gold or a prediction, in alphabetical order.

    Args:
        runs: the counts by sentence of each run.
        samples, seed, level: as `bootstrap`.
    """
    types = _types(runs)
    return dict(zip(types, _intervals(_entities(runs, types), _f1, samples, seed, level), strict=True))


def compare_types(
    a: Sequence[Counts], b: Sequence[Counts], samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[str, Comparison]:
    """Two systems on the same sentences by each type's entity F1, as `compare` has them by each metric.

    Several types want `holm`.

    Args:
        a, b: the counts by sentence of each run.
        samples, seed, level: as `compare`.
    """
    types = _types([*a, *b])
    tables = [_entities(runs, types) for runs in (a, b)]
    scores = [np.stack([_f1(table.sum(axis=0)[None])[0] for table in runs]) for runs in tables]
    means = [of.mean(axis=0) for of in scores]
    sds = [of.std(axis=0, ddof=1) if len(of) > 1 else np.full(len(types), math.nan) for of in scores]
    # The same draws for both, so that what makes a sentence hard for both cancels out.
    of_a, of_b = (_resampled(runs, _f1, samples, seed) for runs in tables)
    low, high = _ends(of_a - of_b, level)
    p_values = _randomised(tables[0], tables[1], _f1, samples, seed)
    columns = (*means, means[0] - means[1], low, high, p_values, *sds)
    return {name: Comparison(*(float(column[i]) for column in columns)) for i, name in enumerate(types)}


def recall_gaps(
    gold: Tags,
    runs: Sequence[Tags],
    group: Callable[[int, Span], str],
    samples: int = 10_000,
    seed: int = SEED,
    level: float = 0.95,
) -> dict[tuple[str, str], Interval]:
    """Recall of each group of gold entities, and how far it is above each other group's.

    Args:
        gold: as `score`.
        runs: each run's predicted tags.
        group: as `recall_by`.
        samples, seed, level: as `bootstrap`.

    Returns:
        (group, "") -> its recall; (group, other) -> the difference of the two, on the same resamples.
    """
    spans = [spans_of(tags) for tags in gold]
    names = sorted({group(i, span) for i, of_sentence in enumerate(spans) for span in of_sentence})
    tables = []
    for predicted in runs:
        table = np.zeros((len(gold), len(names), 2))
        for i, (of_sentence, tags) in enumerate(zip(spans, predicted, strict=True)):
            found = set(spans_of(tags))
            for span in of_sentence:
                table[i, names.index(group(i, span))] += [1, span in found]
        tables.append(table)
    pairs = list(permutations(range(len(names)), 2))

    def statistic(sums: Floats) -> Floats:
        recall = sums[..., 1] / np.maximum(sums[..., 0], 1)
        return np.concatenate([recall, *(recall[:, [i]] - recall[:, [k]] for i, k in pairs)], axis=1)

    keys = [*((name, "") for name in names), *((names[i], names[k]) for i, k in pairs)]
    return dict(zip(keys, _intervals(tables, statistic, samples, seed, level), strict=True))


def confusion_ranks(
    gold: Tags, runs: Sequence[Tags], samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[tuple[str, str], Interval]:
    """The rank of each pair of types among the confused ones, by words of either that are tagged as the other.

    1 plus the number of pairs with more such words, all runs together; pairs that are never confused are left out.

    Args:
        gold: as `score`.
        runs: each run's predicted tags.
        samples, seed, level: as `bootstrap`.

    Returns:
        The pair, in alphabetical order -> its rank, and the ends of its ranks over resamples.
    """
    found = [
        (i, min(a, b), max(a, b))
        for predicted in runs
        for i, (ours, theirs) in enumerate(zip(gold, predicted, strict=True))
        for a, b in ((x[2:], y[2:]) for x, y in zip(ours, theirs, strict=True))
        if a and b and a != b
    ]
    pairs = sorted({(a, b) for _, a, b in found})
    if not pairs:
        return {}
    words = np.zeros((len(gold), len(pairs)))
    for i, a, b in found:
        words[i, pairs.index((a, b))] += 1

    def ranks(sums: Floats) -> Floats:
        return np.stack([1.0 + (sums > sums[:, [i]]).sum(axis=1) for i in range(len(pairs))], axis=1)

    return dict(zip(pairs, _intervals([words], ranks, samples, seed, level), strict=True))


def _types(runs: Sequence[Counts]) -> tuple[str, ...]:
    return tuple(sorted({name for run in runs for name in run.types}))


def _entities(runs: Sequence[Counts], types: tuple[str, ...]) -> list[Table]:
    """Each run's entities by sentence and type, as floats, which NumPy multiplies fast."""
    return [run.over(run.labels, types).entities.astype(float) for run in runs]


def _f1(sums: Floats) -> Floats:
    return precision_recall_f1(sums)[2]


def _resampled(tables: Sequence[Table], statistic: Statistic, samples: int, seed: int) -> Floats:
    """The mean over runs of a statistic on each resample, of shape (samples, m)."""
    return np.concatenate(
        [
            np.mean([statistic(np.tensordot(weights, table, axes=1)) for table in tables], axis=0)
            for weights in resamples(len(tables[0]), samples, seed)
        ]
    )


def _intervals(tables: Sequence[Table], statistic: Statistic, samples: int, seed: int, level: float) -> list[Interval]:
    values = np.mean([statistic(table.sum(axis=0)[None])[0] for table in tables], axis=0)
    ends = _ends(_resampled(tables, statistic, samples, seed), level)
    return [Interval(*map(float, row)) for row in zip(values, *ends, strict=True)]


def _ends(draws: Floats, level: float) -> Floats:
    ends: Floats = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return ends


def _randomised(a: Sequence[Table], b: Sequence[Table], statistic: Statistic, swaps: int, seed: int) -> Floats:
    """The p-values that `randomisation_test` defines, of a statistic."""
    both = [(a[k % len(a)], b[k % len(b)]) for k in range(math.lcm(len(a), len(b)))]
    pairs = [(x.sum(axis=0), y.sum(axis=0), y - x) for x, y in both]

    def differences(swapped: Floats) -> Floats:
        moved = [np.tensordot(swapped, gap, axes=1) for _, _, gap in pairs]
        gaps = [statistic(x + m) - statistic(y - m) for (x, y, _), m in zip(pairs, moved, strict=True)]
        return np.asarray(np.mean(gaps, axis=0))

    n = len(a[0])
    observed = np.abs(differences(np.zeros((1, n)))[0])
    as_large: Floats = np.zeros(len(observed))
    for swapped in swapped_sentences(n, swaps, seed):
        as_large += np.sum(np.abs(differences(swapped)) >= observed - 1e-12, axis=0)
    return (as_large + 1) / (swaps + 1)
