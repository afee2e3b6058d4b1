"""Sentences -> batches of windows -> logits -> tags: what the runtimes of an encoder share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.batches import filled, pad, sorted_batches


class Batch(NamedTuple):
    """Windows of like length, to be seen by the encoder at once.

    Attributes:
        ids: piece ids, of shape (windows, pieces of the longest).
        mask: 1 for a piece, 0 for padding; of the same shape.
        words: (sentence, word) of each word that the windows label.
        first: the rows and the columns of those words' first pieces.
    """

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    words: list[tuple[int, int]]
    first: tuple[list[int], list[int]]


class PieceTagger(ABC):
    """Tags each word by the logits of its first piece.

    Attributes:
        labels: the tags, in the order of the logits.
        pieces: how words are cut.
        batch_pieces: how many pieces are seen at once, padding included: enough for the matrix products to be
            efficient, few enough for the cache.
    """

    batch_pieces = 2048
    labels: tuple[str, ...]
    pieces: WordPieces

    @abstractmethod
    def logits(self, batch: Batch) -> NDArray[np.float32]:
        """The logits of a batch's words, of shape (words, labels)."""

    def each_logits(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        """Batches, each with its logits, in order."""
        return ((batch, self.logits(batch)) for batch in batches)

    def best(self, batch: Batch, logits: NDArray[np.float32]) -> NDArray[np.int64]:  # noqa: ARG002 - a chain needs it
        """The number of the label of each of a batch's words."""
        best: NDArray[np.int64] = logits.argmax(-1)
        return best

    def probabilities(self, batch: Batch, logits: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ARG002
        """How likely each label of each of a batch's words is, of shape (words, labels)."""
        likely: NDArray[np.float32] = np.exp(log_softmax(logits))
        return likely

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The likeliest tag of each word; `O` for a word that the tokenizer maps to nothing."""
        tags = [["O"] * len(words) for words in sentences]
        for batch, logits in self.each_logits(self.batches(sentences)):
            for (sentence, word), label in zip(batch.words, self.best(batch, logits).tolist(), strict=True):
                tags[sentence][word] = self.labels[label]
        return tags

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        """The same tags, each with its probability; 1 for a word that the tokenizer maps to nothing."""
        scored = [[("O", 1.0)] * len(words) for words in sentences]
        for batch, logits in self.each_logits(self.batches(sentences)):
            best = self.best(batch, logits)
            scores = np.take_along_axis(self.probabilities(batch, logits), best[:, None], -1)[:, 0]
            for (sentence, word), label, score in zip(batch.words, best.tolist(), scores.tolist(), strict=True):
                scored[sentence][word] = (self.labels[label], score)
        return scored

    def batches(self, sentences: Sequence[Sequence[str]]) -> Iterator[Batch]:
        """The sentences' windows in batches of like length."""
        windows = [(i, window) for i, windows in enumerate(self.pieces.encode(sentences)) for window in windows]
        for numbers in sorted_batches([len(window.ids) for _, window in windows], self.batch_pieces):
            chosen = [windows[number] for number in numbers]
            ids = [window.ids for _, window in chosen]
            rows = [row for row, (_, window) in enumerate(chosen) for _ in window.words]
            columns = [position for _, window in chosen for position in window.positions]
            words = [(sentence, word) for sentence, window in chosen for word in window.words]
            yield Batch(pad(ids, self.pieces.special.pad), filled(ids), words, (rows, columns))


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logarithms of probabilities, of the same shape; the last axis sums to 1."""
    shifted = logits - logits.max(-1, keepdims=True)
    result: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result
