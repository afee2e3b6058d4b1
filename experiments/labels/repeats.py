"""Sentences that occur more than once with the same words, and how far their tags agree."""

from collections.abc import Mapping, Sequence
from itertools import permutations
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.scoring import entity_f1
from bert_ner.scoring.resampling import LEVEL, SAMPLES, SEED, intervals
from labels.proportions import proportion

Floats = NDArray[np.float64]


def repeated(sentences: Sequence[Sentence]) -> list[list[int]]:
    """Return the groups of sentences with the same words, each as the indices of its two or more copies."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, (words, _) in enumerate(sentences):
        groups.setdefault(words, []).append(i)
    return [copies for copies in groups.values() if len(copies) > 1]


def copy_counts(sentences: Sequence[Sentence], groups: Sequence[Sequence[int]], types: Sequence[str]) -> Floats:
    """Compare each copy with another copy of its group, chosen at random: expected counts, of shape (groups, types, 3).

    They are [entities, those that the other copy has too, those that only overlap an entity of it].
    """
    counts = np.zeros((len(groups), len(types), 3))
    for table, copies in zip(counts, groups, strict=True):
        for one, other in permutations(copies, 2):
            others = spans_of(sentences[other].tags)
            for span in spans_of(sentences[one].tags):
                is_same = span in others
                overlaps = any(span.start < each.end and each.start < span.end for each in others)
                outcome = np.array([1, is_same, overlaps and not is_same])
                table[types.index(span.type)] += outcome / (len(copies) - 1)
    return counts


def agreement(sentences: Sequence[Sentence], types: Sequence[str]) -> dict[str, Any]:
    """Return how often the tags of repeated sentences differ, and the entity F1 of one copy against another.

    Each copy serves once as gold, and another copy of its group, chosen at random, as the prediction. So F1, precision
    and recall are the same number. The bootstrap draws groups, because the copies in a group are not independent. An
    F1 of 0 or 1 has no interval: every resample gives the same, however few the groups are.
    """
    groups = repeated(sentences)
    facts = {
        "sentences": sum(map(len, groups)),
        "groups": len(groups),
        "differ": proportion(sum(len({sentences[i].tags for i in copies}) > 1 for copies in groups), len(groups)),
        "entity_f1": None,
    }
    counts = copy_counts(sentences, groups, types)
    if counts[..., 0].any():
        found = intervals({"": counts[None]}, _f1, SAMPLES, SEED, LEVEL)[""]
        whole, *by_type = [_with_ends(*map(rounded, each)) for each in found]
        support = counts[..., 0].sum(axis=0)
        entities = zip(types, by_type, support.tolist(), strict=True)
        known = {name: {"entities": round(n)} | each for name, each, n in entities if n}
        facts |= {"entity_f1": whole, "entity_f1_by_type": known}
    return facts


def repeated_rows(files: Mapping[str, Sequence[Sentence]]) -> list[dict[str, Any]]:
    """Return a row of label_audit.csv for each copy of a sentence whose copies differ, in either file.

    Its score is the mean entity F1 of the other copies' tags against its own.
    """
    places = [(file, i) for file, sentences in files.items() for i in range(len(sentences))]
    sentences = [files[file][i] for file, i in places]
    rows = []
    for copies in repeated(sentences):
        tags = [sentences[i].tags for i in copies]
        if len(set(tags)) > 1:
            for place, i in enumerate(copies):
                others = [entity_f1([tags[place]], [each]) for j, each in enumerate(tags) if j != place]
                file, number = places[i]
                rows.append({"file": file, "sentence": number + 1, "reason": "repeated", "score": fmean(others)})
    return rows


def rounded(value: float) -> float | None:
    """Return a number as the JSON files have it: six decimals; None if there is none."""
    return None if np.isnan(value) else round(float(value), 6)


def _with_ends(value: float | None, low: float | None, high: float | None) -> dict[str, float | None]:
    return {"value": value} | ({"low": None, "high": None} if value in (0, 1) else {"low": low, "high": high})


def _f1(sums: Floats, _: Floats) -> Floats:
    """Return entity F1 over all types and of each type: the share of entities that the other copy has."""
    both = np.concatenate([sums.sum(axis=-2, keepdims=True), sums], axis=-2)
    f1: Floats = both[..., 1] / np.maximum(both[..., 0], 1)
    return f1
