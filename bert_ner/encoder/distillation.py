"""Learn from teachers: taggers whose probabilities of all labels are targets, as the labels of the corpus are.

Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015, section 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from bert_ner.errors import BertNerError

if TYPE_CHECKING:
    from bert_ner.tagger import ProbabilisticTagger

Targets = NDArray[np.float32]  # of shape (words, labels); each row sums to 1


def soft_targets(
    teachers: Iterable[ProbabilisticTagger],
    sentences: Sequence[Sequence[str]],
    labels: Sequence[str],
) -> list[Targets]:
    """Return the teachers' mean probability of each label of each word, an array for each sentence.

    Args:
        teachers: one after the other, so a generator that loads them holds one at a time.

    Raises:
        BertNerError: there is no teacher, or one has other labels.
    """
    found = [np.concatenate(_probabilities(teacher, sentences, labels)) for teacher in teachers]
    if not found:
        raise BertNerError("the recipe names teachers, but `fit` was given none; give it the loaded taggers")
    mean = np.mean(found, axis=0)
    targets = (mean / mean.sum(-1, keepdims=True)).astype(np.float32)
    return np.split(targets, np.cumsum([len(words) for words in sentences])[:-1])


def taught_loss(
    logits: torch.Tensor, labels: torch.Tensor, targets: torch.Tensor, teacher_weight: float
) -> torch.Tensor:
    """Return the mean loss over some words, in nats.

    A word's loss is the cross-entropy of its label, times 1 - teacher_weight, plus that of its targets, times
    teacher_weight.

    Args:
        logits: float32, of shape (words, labels).
        labels: label ids, of shape (words,).
        targets: what `soft_targets` returns, of shape (words, labels).
    """
    hard = cross_entropy(logits, labels, reduction="none")
    return torch.lerp(hard, cross_entropy(logits, targets, reduction="none"), teacher_weight).mean()


def digest_of(targets: Iterable[Targets]) -> str:
    """Return the SHA-256 of some targets."""
    digest = hashlib.sha256()
    for rows in targets:
        digest.update(rows.tobytes())
    return digest.hexdigest()


def _probabilities(
    teacher: ProbabilisticTagger, sentences: Sequence[Sequence[str]], labels: Sequence[str]
) -> list[NDArray[Any]]:
    known, source = getattr(teacher, "labels", labels), getattr(teacher, "source", "a teacher")
    if differing := sorted(set(known).symmetric_difference(labels)):
        problem = f"{source} can't teach: only it or only the student has the labels {', '.join(differing)}"
        raise BertNerError(f"{problem}; name a teacher that was trained on the same corpus")
    return teacher.tag_probabilities(sentences, labels)
