"""Sentences -> batches of windows -> logits -> tags: the part that all runtimes of an encoder share."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bert_ner.corpus.bio import illegal_transitions
from bert_ner.corpus.schemes import are_iob2, to_iob2
from bert_ner.corpus.sequences import check_sequences
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.batches import attention_mask, pad_rows, sorted_batches
from bert_ner.errors import library_errors
from bert_ner.tagger import BaseTagger

Decoding = Literal["greedy", "legal"]
Floats = NDArray[Any]  # of 32 or 64 bits
ScoredTag = tuple[str, float]
Row = list[ScoredTag | None]  # of a sentence's words; None for a word without a piece


class Batch(NamedTuple):
    """Windows of similar length, for one pass through the encoder."""

    ids: NDArray[np.int64]  # of pieces, of shape (windows, pieces of the longest)
    mask: NDArray[np.int64]  # 1 for a piece, 0 for padding; of the same shape
    words: list[tuple[int, int]]  # the indices (sentence, word) of each word that the windows label
    first: tuple[list[int], list[int]]  # the rows and the columns of those words' first pieces


class PathScores(NamedTuple):
    """The part of the score of a path of labels that does not depend on its words."""

    start: Floats  # of each label of the first word
    transitions: Floats  # of each label, in the rows, before each label
    end: Floats  # of each label of the last word


class PieceTagger(BaseTagger, ABC):
    """Tags each word by the logits of its first piece.

    The tags are IOB2, also if the labels are of another scheme. `decoding` says what to do where the best label of each
    word gives an `I-X` that continues no entity: `greedy` leaves it; `legal` tags that sentence by the best path of
    labels without such an `I-X`.
    """

    # The most in a batch, padding included: enough for efficient matrix products, few enough for the processor's cache.
    batch_pieces = 2048
    labels: tuple[str, ...]  # in the order of the logits
    pieces: WordPieces
    decoding: Decoding = "greedy"

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

    def path_scores(self) -> PathScores:
        """Return the scores of labels that follow each other: zeros, unless a CRF has learnt them."""
        zeros = np.zeros(len(self.labels))
        return PathScores(zeros, np.zeros((len(zeros), len(zeros))), zeros)

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the tag of each word. One without a piece is inside an entity if both its neighbours are, else `O`."""
        return [[tag for tag, _ in scored] for scored in self._tag(sentences, with_scores=False)]

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[ScoredTag]]:
        """Return the same tags, each with its probability; of a word without a piece, that of the next tag, or 1."""
        return self._tag(sentences, with_scores=True)

    def tag_probabilities(self, sentences: Sequence[Sequence[str]], labels: Sequence[str]) -> list[Floats]:
        """Return the probability of each label of each word, of shape (words, labels) for each sentence.

        The labels are those of the model, of its own scheme. A word without a piece is `O` for sure.
        """
        check_sequences(sentences, "word")
        known = [label for label in labels if label in self.labels]
        columns = [labels.index(label) for label in known]
        own_columns = [self.labels.index(label) for label in known]
        found = [np.tile([float(label == "O") for label in labels], (len(words), 1)) for words in sentences]
        for batch, logits in self.each_logits(self.batches(sentences)):
            for (sentence, word), row in zip(batch.words, self.probabilities(batch, logits), strict=True):
                found[sentence][word, columns] = row[own_columns]
        return found

    def _tag(self, sentences: Sequence[Sequence[str]], with_scores: bool) -> list[list[ScoredTag]]:
        check_sequences(sentences, "word")
        with library_errors(f"{self.source} can't tag; do its tokenizer and its model belong together?"):
            return self._checked_tags(sentences, with_scores)

    def _checked_tags(self, sentences: Sequence[Sequence[str]], with_scores: bool) -> list[list[ScoredTag]]:
        found: list[Row] = [[None] * len(words) for words in sentences]
        for batch, logits in self.each_logits(self.batches(sentences)):
            best = self.best_labels(batch, logits)
            scores: Floats = np.ones(len(best))
            if with_scores:
                scores = np.take_along_axis(self.probabilities(batch, logits), best[:, None], -1)[:, 0]
            for (sentence, word), label, score in zip(batch.words, best.tolist(), scores.tolist(), strict=True):
                found[sentence][word] = (self.labels[label], score)
        is_iob2 = are_iob2(self.labels)
        if self.decoding == "legal" and is_iob2:
            wrong = [i for i, row in enumerate(found) if illegal_transitions([pair[0] for pair in row if pair])]
            for i, row in zip(wrong, self._legal_rows([sentences[i] for i in wrong]), strict=True):
                found[i] = row
        return [_completed(row if is_iob2 else _as_iob2(row)) for row in found]

    def _legal_rows(self, sentences: Sequence[Sequence[str]]) -> list[Row]:
        """Tag sentences by their best legal paths. Where the best path of all is legal, it is this one."""
        numbers: list[dict[int, tuple[Floats, Floats]]] = [{} for _ in sentences]
        for batch, logits in self.each_logits(self.batches(sentences)):
            probabilities = self.probabilities(batch, logits)
            for (sentence, word), row_logits, row in zip(batch.words, logits, probabilities, strict=True):
                numbers[sentence][word] = row_logits, row
        scores = legal_only(self.path_scores(), self.labels)
        rows: list[Row] = [[None] * len(words) for words in sentences]
        for row, by_word in zip(rows, numbers, strict=True):
            words = sorted(by_word)
            path = best_path(np.stack([by_word[word][0] for word in words]), scores)
            for word, label in zip(words, path, strict=True):
                row[word] = (self.labels[label], float(by_word[word][1][label]))
        return rows

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


def legal_only(scores: PathScores, labels: Sequence[str]) -> PathScores:
    """Return the scores with -inf for what IOB2 forbids: an `I-X` after neither `B-X` nor `I-X`."""
    may_start = [not illegal_transitions([label]) for label in labels]
    may_follow = [[1 not in illegal_transitions([before, label]) for label in labels] for before in labels]
    return PathScores(
        np.where(may_start, scores.start, -np.inf), np.where(may_follow, scores.transitions, -np.inf), scores.end
    )


def best_path(logits: Floats, scores: PathScores) -> list[int]:
    """Return the labels of the path with the highest sum of scores through logits of shape (words, labels) (Viterbi).

    Logits serve as well as log probabilities, which differ by a constant for each word.
    """
    total = scores.start + logits[0].astype(np.float64)
    pointers = []
    for word in logits[1:]:
        steps = total[:, None] + scores.transitions
        pointers.append(steps.argmax(0))
        total = steps.max(0) + word
    path = [int((total + scores.end).argmax())]
    for pointer in reversed(pointers):
        path.append(int(pointer[path[-1]]))
    return path[::-1]


def _as_iob2(row: Row) -> Row:
    tags = iter(to_iob2([pair[0] for pair in row if pair]))
    return [pair and (next(tags), pair[1]) for pair in row]


def _completed(row: Row) -> list[ScoredTag]:
    """Give the words without a piece their tags: inside an entity, as the next word with a piece; `O` elsewhere."""
    found = [pair for pair in row if pair]
    if len(found) == len(row):
        return found
    upcoming = iter([*found, ("O", 1.0)])
    previous, following = "O", next(upcoming)
    completed = []
    for pair in row:
        if pair:
            previous, following = pair[0], next(upcoming)
        is_inside = following[0].startswith("I-") and previous != "O" and previous[2:] == following[0][2:]
        completed.append(pair or (following if is_inside else ("O", 1.0)))
    return completed


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return log probabilities of the same shape; over the last axis the probabilities sum to 1."""
    shifted = logits - logits.max(-1, keepdims=True)
    result: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result
