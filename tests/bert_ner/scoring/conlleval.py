"""Evaluate as in the CoNLL-2000 shared task, for tests only: slow, plain, and independent of bert_ner.scoring.

It follows the definition of conlleval's startOfChunk and endOfChunk for tags B, I and O. Source: Tjong Kim Sang and
Buchholz, Introduction to the CoNLL-2000 Shared Task: Chunking, 2000. Like that script, it passes over the words once
and stores no list of chunks, only whether a chunk that began equal on both sides is still equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class Evaluation(NamedTuple):
    """Chunks by type, and words with the right tag."""

    gold: Counter[str]
    predicted: Counter[str]
    correct: Counter[str]
    right_words: int

    def precision_recall_f1(self) -> tuple[float, float, float]:
        gold, predicted, correct = (sum(counter.values()) for counter in self[:3])
        precision = correct / predicted if predicted else 0.0
        recall = correct / gold if gold else 0.0
        return precision, recall, 2 * precision * recall / (precision + recall) if correct else 0.0


def evaluate(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Evaluation:
    """Count chunks in two taggings of the same words."""
    result = Evaluation(Counter(), Counter(), Counter(), 0)
    right_words = 0
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        alike = ""  # the type of the open chunk that has been the same on both sides since it began
        before = before_predicted = ("O", "")
        # A sentence is followed by a word outside of any chunk, so that every chunk ends in it.
        for tag, predicted_tag in zip((*gold_tags, "O"), (*predicted_tags, "O"), strict=True):
            now, now_predicted = split(tag), split(predicted_tag)
            ends = end_of_chunk(before, now), end_of_chunk(before_predicted, now_predicted)
            starts = start_of_chunk(before, now), start_of_chunk(before_predicted, now_predicted)
            if alike and all(ends):
                result.correct[alike] += 1
            if any(ends):
                alike = ""
            if starts[0]:
                result.gold[now[1]] += 1
            if starts[1]:
                result.predicted[now_predicted[1]] += 1
            if all(starts) and now[1] == now_predicted[1]:
                alike = now[1]
            before, before_predicted = now, now_predicted
        right_words += sum(a == b for a, b in zip(gold_tags, predicted_tags, strict=True))
    return result._replace(right_words=right_words)


def split(tag: str) -> tuple[str, str]:
    """Split `B-X` into B and X, and `O` into O and the empty string."""
    prefix, _, chunk_type = tag.partition("-")
    return prefix, chunk_type


def end_of_chunk(before: tuple[str, str], now: tuple[str, str]) -> bool:
    """Return whether a chunk ended between the previous word and this one."""
    if before[0] == "O":
        return False
    return now[0] in ("B", "O") or before[1] != now[1]


def start_of_chunk(before: tuple[str, str], now: tuple[str, str]) -> bool:
    """Return whether a chunk starts with this word."""
    if now[0] == "O":
        return False
    return now[0] == "B" or before[0] == "O" or before[1] != now[1]
