"""Measure the uncertainty of subgroups: F1 by type, recall by group of entities, and the ranks of confusions.

from bert_ner.scoring.subgroups import compare_types, f1_by_type
counts = {"a": [count(gold, a)], "b": [count(gold, b)]}
f1_by_type(counts)["a"]["ACTOR"]                                # value, low, high
compare_types(counts, [("a", "b")])["a", "b"]["ACTOR"].p_value

As in `uncertainty`, sentences are resampled, and a system is one run or several that differ only in their seed. Its
value is the mean of its runs. Intervals are percentile bootstrap intervals, given the runs. A resample without an
entity of a subgroup has 0 there, which makes the interval of a small subgroup wide, as it should be. All systems share
the draws, so they are passed together, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import permutations

import numpy as np

from bert_ner.corpus.bio import Sentence, Span, spans_of
from bert_ner.scoring.counts import Counts, Tags
from bert_ner.scoring.resampling import SEED, Comparison, Interval, Pair, comparisons, intervals
from bert_ner.scoring.scores import Floats, precision_recall_f1

LONG = 4  # words; entities of this length or more form one group

Entity = tuple[str, tuple[str, ...]]  # type and lower-cased words
Grouping = Callable[[int, Span], str]  # from a sentence's index and an entity in it to the name of the entity's group


def entity_groupings(test: Sequence[Sentence], known: Collection[Entity]) -> dict[str, Grouping]:
    """Return the ways to group the gold entities of the test sentences.

    Args:
        test: the test sentences.
        known: the entities of the training sentences, from `known_entities`.

    Returns:
        `seen`: whether training has the entity; `length`: its words, up to "4+"; `type`: its type.
    """
    return {
        "seen": lambda i, span: "seen" if _entity(test[i].words, span) in known else "unseen",
        "length": lambda i, span: str(span.end - span.start) if span.end - span.start < LONG else f"{LONG}+",
        "type": lambda i, span: span.type,
    }


def known_entities(sentences: Sequence[Sentence]) -> set[Entity]:
    """Return every entity that occurs, as its type and lower-cased words."""
    return {_entity(words, span) for words, tags in sentences for span in spans_of(tags)}


def f1_by_type(
    systems: Mapping[str, Sequence[Counts]], samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[str, dict[str, Interval]]:
    """Return each system's entity F1 of each type in gold or its predictions, in alphabetical order.

    Args:
        systems: the counts by sentence of each run of each system.
        samples, seed, level: as for `bootstrap`.
    """
    types = {name: _types(runs) for name, runs in systems.items()}
    tables = {name: _entity_tables(runs, types[name]) for name, runs in systems.items()}
    found = intervals(tables, _f1, samples, seed, level)
    return {name: dict(zip(types[name], found[name], strict=True)) for name in systems}


def compare_types(
    systems: Mapping[str, Sequence[Counts]],
    pairs: Sequence[Pair],
    samples: int = 10_000,
    seed: int = SEED,
    level: float = 0.95,
) -> dict[Pair, dict[str, Comparison]]:
    """Compare pairs of systems on the same sentences by the entity F1 of each type, as `compare_all` does by metric.

    The types of a pair are those in gold or the predictions of either, in alphabetical order. If there are several,
    correct the p-values with `holm`.

    Args:
        systems: the counts by sentence of each run of each system.
        pairs, samples, seed, level: as for `compare_all`.
    """
    types = _types([run for runs in systems.values() for run in runs])
    tables = {name: _entity_tables(runs, types) for name, runs in systems.items()}
    compared = {}
    for pair, found in comparisons(tables, pairs, _f1, samples, seed, level).items():
        own = _types([run for name in pair for run in systems[name]])
        compared[pair] = {name: result for name, result in zip(types, found, strict=True) if name in own}
    return compared


def recall_gaps(
    gold: Tags,
    systems: Mapping[str, Sequence[Tags]],
    group: Grouping,
    samples: int = 10_000,
    seed: int = SEED,
    level: float = 0.95,
) -> dict[str, dict[tuple[str, str], Interval]]:
    """Return each system's recall of each group of gold entities, and its differences between groups.

    Args:
        gold: as for `score`.
        systems: the predicted tags of each run of each system.
        group: as for `recall_by`.
        samples, seed, level: as for `bootstrap`.

    Returns:
        For each system: (group, "") -> its recall; (group, other) -> its recall minus that of the other group, on the
        same resamples.
    """
    entities = [(i, span) for i, tags in enumerate(gold) for span in spans_of(tags)]
    groups = [group(i, span) for i, span in entities]
    names = sorted(set(groups))
    cells = np.array([i * len(names) + names.index(name) for (i, _), name in zip(entities, groups, strict=True)], int)

    def table(predicted: Tags) -> Floats:
        """Count [gold, found] by sentence and group."""
        spans = [set(spans_of(tags)) for _, tags in zip(gold, predicted, strict=True)]
        found = [span in spans[i] for i, span in entities]
        counts = [np.bincount(cells, weights, len(gold) * len(names)) for weights in (None, found)]
        return np.stack(counts, axis=-1, dtype=float).reshape(len(gold), len(names), 2)

    pairs = list(permutations(range(len(names)), 2))

    def statistic(sums: Floats) -> Floats:
        recall = sums[..., 1] / np.maximum(sums[..., 0], 1)
        return np.concatenate([recall, *(recall[:, [i]] - recall[:, [k]] for i, k in pairs)], axis=1)

    keys = [*((name, "") for name in names), *((names[i], names[k]) for i, k in pairs)]
    tables = {name: [table(run) for run in runs] for name, runs in systems.items()}
    found = intervals(tables, statistic, samples, seed, level)
    return {name: dict(zip(keys, values, strict=True)) for name, values in found.items()}


def confusion_ranks(
    gold: Tags, systems: Mapping[str, Sequence[Tags]], samples: int = 10_000, seed: int = SEED, level: float = 0.95
) -> dict[str, dict[tuple[str, str], Interval]]:
    """Return the rank of each pair of types that a system confuses, by the number of words confused either way.

    The rank is 1 plus the number of pairs with more such words, over all runs. Pairs without such words have no rank.

    Args:
        gold: as for `score`.
        systems: the predicted tags of each run of each system.
        samples, seed, level: as for `bootstrap`.

    Returns:
        For each system: the pair, in alphabetical order -> its rank, and the interval of its ranks over resamples.
    """
    confused = {name: _confused_words(gold, runs) for name, runs in systems.items()}
    found = intervals({name: [words] for name, (_, words) in confused.items()}, _ranks, samples, seed, level)
    return {name: dict(zip(confused[name][0], ranks, strict=True)) for name, ranks in found.items()}


def _entity(words: Sequence[str], span: Span) -> Entity:
    return span.type, tuple(word.lower() for word in words[span.start : span.end])


def _confused_words(gold: Tags, runs: Sequence[Tags]) -> tuple[list[tuple[str, str]], Floats]:
    """Return the pairs of types that the runs confuse, and each sentence's words confused that way, of shape (n, m)."""
    found = [
        (i, min(a, b), max(a, b))
        for predicted in runs
        for i, (gold_tags, predicted_tags) in enumerate(zip(gold, predicted, strict=True))
        for a, b in ((x[2:], y[2:]) for x, y in zip(gold_tags, predicted_tags, strict=True))
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


def _entity_tables(runs: Sequence[Counts], types: tuple[str, ...]) -> list[Floats]:
    """Return each run's entities by sentence and type, of shape (n, T, 3)."""
    return [run.over(run.labels, types).entities.astype(float) for run in runs]


def _f1(sums: Floats) -> Floats:
    return precision_recall_f1(sums)[2]
