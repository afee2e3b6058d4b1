"""Words -> word pieces, with the position of each word's first piece.

Labels sit on first pieces by word index, so a word of many pieces, or of none, never shifts the labels after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from tokenizers import Tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# An endless stream must not fill the memory. This is about 10 MB, whether words are many, long or punctuation only.
_CACHE_LIMIT = 2**18  # characters, plus 8 for each word


class Window(NamedTuple):
    """The input of one pass through the encoder: a sentence, or a part of one that is too long."""

    ids: list[int]  # of pieces, special tokens included
    words: list[int]  # the indices of the sentence's words that this window labels; never a word without a piece
    positions: list[int]  # the index in `ids` of each of those words' first piece


class Special(NamedTuple):
    """The ids of the pieces that start and end a sentence, and of padding."""

    cls: int
    sep: int
    pad: int


class WordPieces:
    """A tokenizer that splits word by word, without padding or truncation, and caches the pieces of each word.

    `limit` is the most pieces, special tokens included, that the encoder takes.
    """

    def __init__(self, tokenizer: Tokenizer, special: Special, limit: int) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.special, self.limit = special, limit
        self.tokenizer = tokenizer
        self._room = limit - 2
        self._pieces: dict[str, list[int]] = {}
        self._cached = 0

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase, limit: int) -> Self:
        """Make one from a fast tokenizer of transformers; raise a ValueError if it is not a BERT-like encoder's."""
        ids = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
        if None in ids:
            raise ValueError("it has no CLS, SEP or PAD token, so it is not an encoder's")
        return cls(tokenizer.backend_tokenizer, Special(*ids), limit)

    def encode(self, sentences: Sequence[Sequence[str]]) -> list[list[Window]]:
        """Return each sentence's windows: mostly one; overlapping ones if it is too long; none if it has no piece."""
        pieces = self._pieces_of(sentences)
        return [self._windows([pieces[word] for word in words]) for words in sentences]

    def _pieces_of(self, sentences: Sequence[Sequence[str]]) -> Mapping[str, list[int]]:
        """Return the pieces of each word, from the cache.

        Threads share it. So a full one is replaced, not emptied, and each thread goes on with the one it has.
        """
        if self._cached > _CACHE_LIMIT:
            self._pieces, self._cached = {}, 0
        known = self._pieces
        unseen = sorted({word for words in sentences for word in words if word not in known})
        # Lists of one word, so that the tokenizer treats each as in a sentence (RoBERTa adds a leading space). It
        # refuses lone surrogates.
        words = [[word.encode(errors="ignore").decode()] for word in unseen]
        encoded = self.tokenizer.encode_batch(words, is_pretokenized=True, add_special_tokens=False)
        known.update((word, pieces.ids[: self._room]) for word, pieces in zip(unseen, encoded, strict=True))
        self._cached += sum(len(word) + 8 for word in unseen)
        return known

    def _windows(self, pieces: list[list[int]]) -> list[Window]:
        if sum(map(len, pieces)) > self._room:
            # Only the first piece has a label, so half a window of a very long word is enough context.
            pieces = [word[: self._room // 2] for word in pieces]
        bounds = _window_bounds([len(word) for word in pieces], self._room)
        windows = []
        for i, (start, end) in enumerate(bounds):
            # Each of two windows labels the half of their overlap for which it has more context.
            labelled_from = (bounds[i - 1][1] + start + 1) // 2 if i else 0
            labelled_to = (end + bounds[i + 1][0] + 1) // 2 if i + 1 < len(bounds) else len(pieces)
            ids, words, positions = [self.special.cls], [], []
            for word in range(start, end):
                if labelled_from <= word < labelled_to and pieces[word]:
                    words.append(word)
                    positions.append(len(ids))
                ids += pieces[word]
            if words:
                windows.append(Window([*ids, self.special.sep], words, positions))
        return windows


def _window_bounds(lengths: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Return word ranges of at most `room` pieces that cover all words; neighbours overlap by about a quarter."""
    bounds = []
    start = 0
    while True:
        end, used = start, 0
        while end < len(lengths) and used + lengths[end] <= room:
            used += lengths[end]
            end += 1
        bounds.append((start, end))
        if end == len(lengths):
            return bounds
        back, shared = end, 0
        while back > start + 1 and shared + lengths[back - 1] <= room // 4:
            back -= 1
            shared += lengths[back]
        start = back
