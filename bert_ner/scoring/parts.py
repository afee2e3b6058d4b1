"""How sure the scores of parts of a test set are: F1 of each type, recall of groups of entities, ranks of confusions.

from bert_ner.scoring.parts import f1_by_type, compare_types
counts = {"a": [count(gold, a)], "b": [count(gold, b)]}
f1_by_type(counts)["a"]["ACTOR"]                                # value, low, high
compare_types(counts, [("a", "b")])["a", "b"]["ACTOR"].p_value

As in `uncertainty`, sentences are resampled, a system is one run or several that differ in their seed alone, and its
number is the mean of its runs'. Intervals are percentile bootstrap intervals, given the runs. A resample without any
entity of a part has 0 there, which for parts of few sentences makes an interval wide, as it should be. All systems, by
name, come at once, for they share the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations

import numpy as np

from bert_ner.corpus.bio import Span, spans_of
from bert_ner.scoring.counts import Counts, Tags
from bert_ner.scoring.resampling import SEED, Comparison, Interval, Pair, comparisons, intervals
from bert_ner.scoring.scores import Floats, precision_recall_f1


def f1_by_type(
    systems: Mapping[str, Sequence[Counts]], samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[str, dict[str, Interval]]:
    """Each system's entity F1 of each type that occurs in gold or its predictions, in alphabetical order.

    Args:
        systems: the counts by sentence of each run of each system.
        samples, seed, level: as `bootstrap`.
    """
    types = {name: _types(runs) for name, runs in systems.items()}
    tables = {name: _entities(runs, types[name]) for name, runs in systems.items()}
    found = intervals(tables, _f1, samples, seed, level)
    return {name: dict(zip(types[name], found[name], strict=True)) for name in systems}


def compare_types(
    systems: Mapping[str, Sequence[Counts]],
    pairs: Sequence[Pair],
    samples: int = 10_000,
    seed: int = SEED,
    level: float = 0.95,
) -> dict[Pair, dict[str, Comparison]]:
    """Pairs of systems on the same sentences by each type's entity F1, as `compare_all` has them by each metric.

    A pair's types are those that occur in gold or either's predictions, in alphabetical order. Several want `holm`.

    Args:
        systems: the counts by sentence of each run of each system.
        pairs, samples, seed, level: as `compare_all`.
    """
    types = _types([run for runs in systems.values() for run in runs])
    tables = {name: _entities(runs, types) for name, runs in systems.items()}
    found = comparisons(tables, pairs, _f1, samples, seed, level)
    of_pairs = {(a, b): _types([*systems[a], *systems[b]]) for a, b in pairs}
    return {
        pair: {name: of for name, of in zip(types, found[pair], strict=True) if name in own}
        for pair, own in of_pairs.items()
    }


def recall_gaps(
    gold: Tags,
    systems: Mapping[str, Sequence[Tags]],
    group: Callable[[int, Span], str],
    samples: int = 10_000,
    seed: int = SEED,
    level: float = 0.95,
) -> dict[str, dict[tuple[str, str], Interval]]:
    """Each system's recall of each group of gold entities, and how far it is above that of each other group.

    Args:
        gold: as `score`.
        systems: the predicted tags of each run of each system.
        group: as `recall_by`.
        samples, seed, level: as `bootstrap`.

    Returns:
        For each system: (group, "") -> its recall; (group, other) -> the difference of the two, on the same resamples.
    """
    entities = [(i, span) for i, tags in enumerate(gold) for span in spans_of(tags)]
    groups = [group(i, span) for i, span in entities]
    names = sorted(set(groups))
    cells = np.array([i * len(names) + names.index(name) for (i, _), name in zip(entities, groups, strict=True)], int)

    def table(predicted: Tags) -> Floats:
        """[gold, found] by sentence and group."""
        theirs = [set(spans_of(tags)) for _, tags in zip(gold, predicted, strict=True)]
        found = [span in theirs[i] for i, span in entities]
        counts = [np.bincount(cells, weights, len(gold) * len(names)) for weights in (None, found)]
        return np.stack(counts, axis=-1, dtype=float).reshape(len(gold), len(names), 2)

    pairs = list(permutations(range(len(names)), 2))

    def statistic(sums: Floats) -> Floats:
        recall = sums[..., 1] / np.maximum(sums[..., 0], 1)
        return np.concatenate([recall, *(recall[:, [i]] - recall[:, [k]] for i, k in pairs)], axis=1)

    keys = [*((name, "") for name in names), *((names[i], names[k]) for i, k in pairs)]
    tables = {name: [table(run) for run in runs] for name, runs in systems.items()}
    found = intervals(tables, statistic, samples, seed, level)
    return {name: dict(zip(keys, of_system, strict=True)) for name, of_system in found.items()}


def confusion_ranks(
    gold: Tags, systems: Mapping[str, Sequence[Tags]], samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[str, dict[tuple[str, str], Interval]]:
    """The rank of each pair of types among those a system confuses, by words of either that are tagged as the other.

    1 plus the number of pairs with more such words, all runs together; pairs that are never confused are left out.

    Args:
        gold: as `score`.
        systems: the predicted tags of each run of each system.
        samples, seed, level: as `bootstrap`.

    Returns:
        For each system: the pair, in alphabetical order -> its rank, and the ends of its ranks over resamples.
    """
    confused = {name: _confused_words(gold, runs) for name, runs in systems.items()}
    found = intervals({name: [words] for name, (_, words) in confused.items()}, _ranks, samples, seed, level)
    return {name: dict(zip(confused[name][0], of_system, strict=True)) for name, of_system in found.items()}


def _confused_words(gold: Tags, runs: Sequence[Tags]) -> tuple[list[tuple[str, str]], Floats]:
    """The pairs of types that the runs confuse, and how many words of each sentence they confuse that way."""
    found = [
        (i, min(a, b), max(a, b))
        for predicted in runs
        for i, (ours, theirs) in enumerate(zip(gold, predicted, strict=True))
        for a, b in ((x[2:], y[2:]) for x, y in zip(ours, theirs, strict=True))
        if a and b and a != b
    ]
    pairs = sorted({(a, b) for _, a, b in found})
    words = np.zeros((len(gold), len(pairs)))
    for i, a, b in found:
        words[i, pairs.index((a, b))] += 1
    return pairs, words


def _ranks(sums: Floats) -> Floats:
    ranks = np.ones_like(sums)
    for other in sums.T:
        ranks += other[:, None] > sums
    return ranks


def _types(runs: Sequence[Counts]) -> tuple[str, ...]:
    return tuple(sorted({name for run in runs for name in run.types}))


def _entities(runs: Sequence[Counts], types: tuple[str, ...]) -> list[Floats]:
    """Each run's entities by sentence and type."""
    return [run.over(run.labels, types).entities.astype(float) for run in runs]


def _f1(sums: Floats) -> Floats:
    return precision_recall_f1(sums)[2]
