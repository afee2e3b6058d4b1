"""Learn from teachers: taggers whose probabilities of all labels are targets, as the labels of the corpus are.

Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015, section 2. A model whose dropout varies
also learns from itself (R-Drop).
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

UNLABELLED = -1  # the label of a word that only the teachers know

Targets = NDArray[np.float32]  # of shape (words, labels); each row sums to 1


def soft_targets(
    teachers: Iterable[ProbabilisticTagger],
    sentences: Sequence[Sequence[str]],
    labels: Sequence[str],
    temperature: float = 1.0,
) -> list[Targets]:
    """Return the teachers' mean probability of each label of each word, an array for each sentence.

    Args:
        teachers: one after the other, so a generator that loads them holds one at a time.
        temperature: the probabilities are raised to the power 1 / temperature, and sum to 1 again.

    Raises:
        BertNerError: there is no teacher, or one has other labels.
    """
    found = [np.concatenate(_probabilities(teacher, sentences, labels)) for teacher in teachers]
    if not found:
        raise BertNerError("the recipe names teachers, but `fit` was given none; give it the loaded taggers")
    powers = np.mean(found, axis=0) ** (1 / temperature)
    targets = (powers / powers.sum(-1, keepdims=True)).astype(np.float32)
    return np.split(targets, np.cumsum([len(words) for words in sentences])[:-1])


def taught_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    targets: torch.Tensor,
    weight: float,
    temperature: float,
    label_smoothing: float,
) -> torch.Tensor:
    """Return the mean loss over some words, in nats.

    A word's loss is (1 - weight) times its label's cross-entropy, plus weight times that of its targets with the logits
    divided by the temperature, times the square of the temperature. A word that is UNLABELLED has the second alone,
    with a weight of 1.

    Args:
        logits: float32, of shape (words, labels).
        labels: label ids or UNLABELLED, of shape (words,).
        targets: what `soft_targets` returns, of shape (words, labels).
    """
    hard = cross_entropy(logits, labels, ignore_index=UNLABELLED, label_smoothing=label_smoothing, reduction="none")
    soft = temperature**2 * cross_entropy(logits / temperature, targets, reduction="none")
    return torch.lerp(hard, soft, torch.where(labels == UNLABELLED, 1.0, weight)).mean()


def divergence(logits: torch.Tensor) -> torch.Tensor:
    """Return the mean over words of (KL(p, q) + KL(q, p)) / 4, in nats, of two passes with unlike dropout.

    Liang et al., R-Drop, NeurIPS 2021: half of its second term, because the loss here is a mean over the two passes.

    Args:
        logits: float32, of shape (2 * words, labels); the second pass follows the first.
    """
    p, q = logits.log_softmax(-1).chunk(2)
    return ((p.exp() - q.exp()) * (p - q)).sum(-1).mean() / 4


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
