"""Measure the uncertainty of subgroups: F1 by type, recall by group of entities, and the ranks of confusions.

As in `uncertainty`, which explains `samples`, `seed`, `level` and `strata`, sentences are resampled, and the value of a
system is the mean of its runs. All systems share the draws, so they are passed together, by name. A resample without an
entity of a subgroup has 0 there, which makes the interval of a small subgroup wide, as it should be.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import permutations

import numpy as np

from bert_ner.corpus.bio import Sentence, Span, spans_of
from bert_ner.scoring.counts import Counts, Tags, shared_axes
from bert_ner.scoring.resampling import (
    LEVEL,
    SAMPLES,
    SEED,
    Comparison,
    Interval,
    Pair,
    Strata,
    comparisons,
    intervals,
)
from bert_ner.scoring.scores import Floats, conlleval_f1

LONG = 4  # words; entities of this length or more form one group

Entity = tuple[str, tuple[str, ...]]  # type and lower-cased words
Grouping = Callable[[int, Span], str]  # from a sentence's index and an entity in it to the name of the entity's group
Counted = Mapping[str, Sequence[Counts]]  # the counts by sentence of each run of each system
Tagged = Mapping[str, Sequence[Tags]]  # the predicted tags of each run of each system
ByType = dict[str, dict[str, Interval]]  # by system and type
Groups = dict[str, dict[tuple[str, str], Interval]]  # by system and pair


def entity_groupings(test: Sequence[Sentence], known: Collection[Entity]) -> dict[str, Grouping]:
    """Return the ways to group gold entities: by whether they are `known`, by length in words up to "4+", by type."""
    return {
        "seen": lambda i, span: "seen" if _entity(test[i].words, span) in known else "unseen",
        "length": lambda i, span: str(span.end - span.start) if span.end - span.start < LONG else f"{LONG}+",
        "type": lambda i, span: span.type,
    }


def known_entities(sentences: Sequence[Sentence]) -> set[Entity]:
    """Return every entity that occurs, as its type and lower-cased words."""
    return {entity for sentence in sentences for entity in entities_of(sentence)}


def entities_of(sentence: Sentence) -> list[Entity]:
    """Return the type and the lower-cased words of every entity of a sentence."""
    return [_entity(sentence.words, span) for span in spans_of(sentence.tags)]


def f1_by_type(
    systems: Counted, samples: int = SAMPLES, seed: int = SEED, level: float = LEVEL, strata: Strata = None
) -> ByType:
    """Return each system's entity F1 of each type in gold or its predictions, in alphabetical order."""
    types = {name: shared_axes(runs)[1] for name, runs in systems.items()}
    tables = {name: _entity_table(runs, types[name]) for name, runs in systems.items()}
    found = intervals(tables, _f1, samples, seed, level, strata)
    return {name: dict(zip(types[name], found[name], strict=True)) for name in systems}


def compare_types(
    systems: Counted,
    pairs: Sequence[Pair],
    samples: int = SAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    strata: Strata = None,
) -> dict[Pair, dict[str, Comparison]]:
    """Compare pairs of systems by the entity F1 of each type in gold or their predictions, as `compare_all` does."""
    _, types = shared_axes([run for runs in systems.values() for run in runs])
    tables = {name: _entity_table(runs, types) for name, runs in systems.items()}
    compared = {}
    for (a, b), found in comparisons(tables, pairs, _f1, samples, seed, level, strata).items():
        _, own = shared_axes([*systems[a], *systems[b]])
        compared[a, b] = {name: result for name, result in zip(types, found, strict=True) if name in own}
    return compared


def recall_gaps(
    gold: Tags,
    systems: Tagged,
    group: Grouping,
    samples: int = SAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    strata: Strata = None,
) -> Groups:
    """Return for each system: (group, "") -> its recall of a group of gold entities; (a, b) -> that of a minus b's."""
    entities = [(i, group(i, span), span) for i, tags in enumerate(gold) for span in spans_of(tags)]
    names = sorted({name for _, name, _ in entities})

    def table(predicted: Tags) -> Floats:
        """Count [gold, found] by sentence and group."""
        spans = [set(spans_of(tags)) for _, tags in zip(gold, predicted, strict=True)]
        counts = np.zeros((len(gold), len(names), 2))
        for i, name, span in entities:
            counts[i, names.index(name)] += 1, span in spans[i]
        return counts

    def statistic(sums: Floats, _: Floats) -> Floats:
        recall = sums[..., 1] / np.maximum(sums[..., 0], 1)
        gaps = [recall[..., [i]] - recall[..., [k]] for i, k in permutations(range(len(names)), 2)]
        return np.concatenate([recall, *gaps], axis=-1)

    keys = [*((name, "") for name in names), *permutations(names, 2)]
    tables = {name: np.stack([table(run) for run in runs]) for name, runs in systems.items()}
    found = intervals(tables, statistic, samples, seed, level, strata)
    return {name: dict(zip(keys, values, strict=True)) for name, values in found.items()}


def gaps_within(
    gold: Tags,
    systems: Tagged,
    group: Grouping,
    easy: str,
    hard: str,
    stratum: Grouping,
    samples: int = SAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    strata: Strata = None,
) -> dict[str, dict[str, Interval]]:
    """Return each system's recall of one group of gold entities minus another's: within each stratum, and "" for all.

    Groups may differ in their types, or in the part of the corpus that they come from, which may be what makes one of
    them harder. So the gap of all is the mean over strata, weighted by e h / (e + h), where e and h are the numbers of
    entities of the stratum in the two groups. Source: the risk difference of Greenland and Robins, Biometrics 1985.
    Strata that lack either group have no gap and weight 0.
    """
    entities = [(i, group(i, span), stratum(i, span), span) for i, tags in enumerate(gold) for span in spans_of(tags)]
    strata_of = {name: {within for _, found, within, _ in entities if found == name} for name in (easy, hard)}
    shared = sorted(strata_of[easy] & strata_of[hard])

    def table(predicted: Tags) -> Floats:
        """Count [gold, found] by sentence, stratum and group."""
        spans = [set(spans_of(tags)) for tags in predicted]
        counts = np.zeros((len(gold), len(shared), 2, 2))
        for i, name, within, span in entities:
            if name in strata_of and within in shared:
                counts[i, shared.index(within), (easy, hard).index(name)] += 1, span in spans[i]
        return counts

    def statistic(sums: Floats, _: Floats) -> Floats:
        n, found = sums[..., 0], sums[..., 1]
        recall = found / np.maximum(n, 1)
        gaps = recall[..., 0] - recall[..., 1]
        weights = n.prod(axis=-1) / np.maximum(n.sum(axis=-1), 1)
        pooled = (weights * gaps).sum(axis=-1) / np.maximum(weights.sum(axis=-1), 1e-9)
        return np.concatenate([pooled[..., None], gaps], axis=-1)

    if not shared:
        return {}
    tables = {name: np.stack([table(run) for run in runs]) for name, runs in systems.items()}
    found = intervals(tables, statistic, samples, seed, level, strata)
    return {name: dict(zip(["", *shared], values, strict=True)) for name, values in found.items()}


def confusion_ranks(
    gold: Tags, systems: Tagged, samples: int = SAMPLES, seed: int = SEED, level: float = LEVEL, strata: Strata = None
) -> Groups:
    """Return for each system: a pair of types -> its rank by the number of words confused either way, over all runs.

    The rank is 1 plus the number of pairs with more such words. Pairs without any have none.
    """
    confused = {name: _confused_words(gold, runs) for name, runs in systems.items()}

    def statistic(sums: Floats, _: Floats) -> Floats:
        return np.asarray(1 + (sums[..., None, :] > sums[..., None]).sum(axis=-1, dtype=float))

    tables = {name: words[None] for name, (_, words) in confused.items()}
    found = intervals(tables, statistic, samples, seed, level, strata)
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


def _f1(sums: Floats, _: Floats) -> Floats:
    return conlleval_f1(sums)


def _entity_table(runs: Sequence[Counts], types: tuple[str, ...]) -> Floats:
    """Return the runs' entities by sentence and type, of shape (runs, n, T, 3)."""
    return np.stack([run.over(run.labels, types).entities for run in runs]).astype(float)
