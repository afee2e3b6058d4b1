"""Where all strong systems agree with each other, and against gold."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.params import REFERENCE

import pandas as pd

from bert_ner.corpus.bio import Sentence
from bert_ner.scoring.errors import KINDS, entity_errors
from labels.proportions import proportion

Tagging = tuple[str, ...]
Runs = Mapping[str, Sequence[Sequence[Sequence[str]]]]  # the test tags of each run of each system


def mean_f1(scores: pd.DataFrame) -> dict[str, float]:
    """Return the mean entity F1 of each system over its runs."""
    return {str(name): float(f1) for name, f1 in scores.groupby("system", sort=False)["entity_f1"].mean().items()}


def strong_systems(scores: pd.DataFrame) -> list[str]:
    """Return the systems whose mean entity F1 is not below the CRF reference's; none if there is no reference."""
    f1 = mean_f1(scores)
    return [name for name, value in f1.items() if value >= f1.get(REFERENCE, float("inf"))]


def majority(runs: Sequence[Sequence[Sequence[str]]]) -> list[Tagging | None]:
    """Return the tags that more than half of the runs give to each sentence as a whole; None if there are none."""
    found: list[Tagging | None] = []
    for taggings in zip(*runs, strict=True):
        [(tags, votes)] = Counter(map(tuple, taggings)).most_common(1)
        found.append(tags if 2 * votes > len(runs) else None)
    return found


def consensus(systems: Runs, sentences: int) -> list[Tagging | None]:
    """Return the tags on which all systems agree, each by the majority of its runs; None where they do not.

    One system alone agrees with itself everywhere, which says nothing: then all are None.
    """
    if len(systems) < 2:
        return [None] * sentences
    answers = zip(*map(majority, systems.values()), strict=True)
    return [first if all(answer == first for answer in others) else None for first, *others in answers]


def against_gold(test: Sequence[Sentence], common: Sequence[Tagging | None]) -> list[int]:
    """Return the indices of the sentences whose common tags are not those of gold."""
    return [i for i, (sentence, tags) in enumerate(zip(test, common, strict=True)) if tags not in (None, sentence.tags)]


def describe(
    test: Sequence[Sentence],
    common: Sequence[Tagging | None],
    systems: Sequence[str],
    parts: Mapping[str, Sequence[int]],
) -> dict[str, Any]:
    """Return how often the strong systems agree, and by part, kind and type, in what they differ from gold.

    Args:
        test: with their gold tags.
        common: what `consensus` returns.
        systems: the names of the strong systems.
        parts: the indices of each part's sentences.
    """
    wrong = against_gold(test, common)
    errors = [error for i in wrong for error in entity_errors(test[i].tags, common[i] or ())]
    kinds, types = Counter(error.kind for error in errors), Counter(error.type for error in errors)
    return {
        "systems": list(systems),
        "agree": proportion(sum(tags is not None for tags in common), len(test)),
        "against_gold": proportion(len(wrong), len(test)),
        "against_gold_by_part": {
            part: proportion(len(set(wrong) & set(places)), len(places)) for part, places in parts.items()
        },
        "by_kind": {kind: kinds[kind] for kind in KINDS},
        "by_type": dict(types.most_common()),
    }
