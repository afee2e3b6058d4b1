"""Folds of the training file for the label audit; those of the search, in harness/trials.py, may part copies."""

import random
from collections.abc import Sequence

from bert_ner.corpus.bio import Sentence


def folds_keeping_copies(sentences: Sequence[Sentence], number: int, seed: int) -> list[list[int]]:
    """Return the indices of the sentences in each fold, drawn by a seed, of about equal size.

    Copies with the same words share a fold. Otherwise a model could have learnt the very tags that it is to question.
    """
    copies: dict[tuple[str, ...], list[int]] = {}
    for i, (words, _) in enumerate(sentences):
        copies.setdefault(words, []).append(i)
    groups = list(copies.values())
    random.Random(seed).shuffle(groups)
    return [sorted(i for group in groups[fold::number] for i in group) for fold in range(number)]
