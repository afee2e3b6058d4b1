"""Sentences -> batches of windows -> logits -> tags: the part that all runtimes of an encoder share."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.batches import attention_mask, pad_rows, sorted_batches


class Batch(NamedTuple):
    """Windows of similar length, for one pass through the encoder."""

    ids: NDArray[np.int64]  # of pieces, of shape (windows, pieces of the longest)
    mask: NDArray[np.int64]  # 1 for a piece, 0 for padding; of the same shape
    words: list[tuple[int, int]]  # the indices (sentence, word) of each word that the windows label
    first: tuple[list[int], list[int]]  # the rows and the columns of those words' first pieces


class PieceTagger(ABC):
    """Tags each word by the logits of its first piece."""

    # The most in a batch, padding included: enough for efficient matrix products, few enough for the processor's cache.
    batch_pieces = 2048
    labels: tuple[str, ...]  # in the order of the logits
    pieces: WordPieces

    @abstractmethod
    def logits(self, batch: Batch) -> NDArray[np.float32]:
        """Return the logits of a batch's words, of shape (words, labels)."""

    def each_logits(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        """Yield each batch with its logits, in order."""
        return ((batch, self.logits(batch)) for batch in batches)

    def best_labels(self, batch: Batch, logits: NDArray[np.float32]) -> NDArray[np.int64]:  # noqa: ARG002 - a CRF's
        """Return the index of the best label of each of a batch's words, of shape (words,)."""
        best: NDArray[np.int64] = logits.argmax(-1)
        return best

    def probabilities(self, batch: Batch, logits: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ARG002
        """Return the probability of each label of each of a batch's words, of shape (words, labels)."""
        probabilities: NDArray[np.float32] = np.exp(log_softmax(logits))
        return probabilities

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the best tag of each word; `O` for a word without a piece."""
        tags = [["O"] * len(words) for words in sentences]
        for batch, logits in self.each_logits(self.batches(sentences)):
            for (sentence, word), label in zip(batch.words, self.best_labels(batch, logits).tolist(), strict=True):
                tags[sentence][word] = self.labels[label]
        return tags

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        """Return the same tags, each with its probability; 1 for a word without a piece."""
        scored = [[("O", 1.0)] * len(words) for words in sentences]
        for batch, logits in self.each_logits(self.batches(sentences)):
            best = self.best_labels(batch, logits)
            scores = np.take_along_axis(self.probabilities(batch, logits), best[:, None], -1)[:, 0]
            for (sentence, word), label, score in zip(batch.words, best.tolist(), scores.tolist(), strict=True):
                scored[sentence][word] = (self.labels[label], score)
        return scored

    def batches(self, sentences: Sequence[Sequence[str]]) -> Iterator[Batch]:
        """Yield the windows of the sentences in batches of similar length."""
        windows = [(i, window) for i, windows in enumerate(self.pieces.encode(sentences)) for window in windows]
        for numbers in sorted_batches([len(window.ids) for _, window in windows], self.batch_pieces):
            chosen = [windows[number] for number in numbers]
            ids = [window.ids for _, window in chosen]
            rows = [row for row, (_, window) in enumerate(chosen) for _ in window.words]
            columns = [position for _, window in chosen for position in window.positions]
            words = [(sentence, word) for sentence, window in chosen for word in window.words]
            yield Batch(pad_rows(ids, self.pieces.special.pad), attention_mask(ids), words, (rows, columns))


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return log probabilities of the same shape; over the last axis the probabilities sum to 1."""
    shifted = logits - logits.max(-1, keepdims=True)
    result: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result
