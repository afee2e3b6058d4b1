"""Runs an exported encoder, with onnxruntime and without PyTorch.

bert-ner export models/mit_movie_eng/minilm-13 models/fast --weights int8

The exported folder is a tagger like any other for `load_tagger` and `bert-ner tag --model`. It starts in a second and
tags several times as fast; LOG.md and results/benchmarks.md have the figures. A trained encoder's folder carries such a
copy of itself, int8/, which `load_tagger` takes unless it is told not to.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions
from tokenizers import Tokenizer

from bert_ner.corpus.bio import TAG, Sentence
from bert_ner.encoder.alignment import Special, WordPieces
from bert_ner.encoder.decoding import Batch, PieceTagger
from bert_ner.errors import BertNerError, brief
from bert_ner.files import sha256_of
from bert_ner.model_folder import MANIFEST, TaggerUnavailable, read_manifest

if TYPE_CHECKING:
    pass

_MODEL, _TOKENIZER = "model.onnx", "tokenizer.json"

WeightType = Literal["int8", "float32"]


class OnnxTagger(PieceTagger):
    """Runs what `export` wrote."""

    batch_pieces = 256
    folder: Path
    session: InferenceSession
    pool: ThreadPoolExecutor

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> NoReturn:  # noqa: ARG002
        """An exported model only tags.

        Raises:
            BertNerError: always.
        """
        raise BertNerError("an exported model can't be trained: train the encoder, then export it again")

    def logits(self, batch: Batch) -> NDArray[np.float32]:
        """The logits of a batch's words, of shape (words, labels)."""
        [logits] = self.session.run(None, {"input_ids": batch.ids, "attention_mask": batch.mask})
        of_words: NDArray[np.float32] = logits[batch.first]
        return of_words

    def each_logits(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        """Batches, each with its logits, in order: a core for each batch is better use than all cores for one."""
        batches = iter(batches)
        some = list(islice(batches, 2))
        apply = self.pool.map if len(some) > 1 else map  # a query alone is sooner answered without another thread
        return apply(lambda batch: (batch, self.logits(batch)), chain(some, batches))

    def save(self, folder: Path) -> None:
        """Write what `load` needs."""
        for name in (_MODEL, _TOKENIZER, MANIFEST):
            shutil.copy(self.folder / name, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `export` or `save` wrote.

        Raises:
            TaggerUnavailable: a file of it is missing, or not the one that was written.
        """
        manifest = read_manifest(folder)
        _check(folder / MANIFEST, manifest)
        for name in (_MODEL, _TOKENIZER):
            expected, path = manifest["sha256"][name], folder / name
            found = sha256_of(path) if path.is_file() else "none, as it is missing"
            if found != expected:
                raise TaggerUnavailable(f"{path}: its SHA-256 is {found}, expected {expected}; export it again")
        tagger = cls()
        tagger.folder, tagger.labels = folder, tuple(manifest["labels"])
        tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
        special = Special(**manifest["special"])
        if (known := tokenizer.get_vocab_size()) <= max(special):
            raise TaggerUnavailable(
                f"{folder / MANIFEST}: special has the piece {max(special)}, but the tokenizer knows {known}; "
                "export it again"
            )
        tagger.pieces = WordPieces(tokenizer, special, manifest["limit"])
        tagger.pool = ThreadPoolExecutor(_cores())
        options = SessionOptions()
        options.intra_op_num_threads = 1  # a thread of the pool does all of a batch by itself
        tagger.session = InferenceSession(
            folder / _MODEL,
            options,
            providers=["CPUExecutionProvider"],
            # LayerNormalization and an Add take an eighth of the time of the two in one.
            disabled_optimizers=["SkipLayerNormFusion"],
        )
        if (known := tagger.session.get_outputs()[0].shape[-1]) != len(tagger.labels):
            raise TaggerUnavailable(
                f"{folder / MANIFEST}: {len(tagger.labels)} labels, but the model tells {known} apart; export it again"
            )
        return tagger


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(path: Path, manifest: dict[str, Any]) -> None:
    """Refuse a manifest that `export` does not write."""
    sums, labels, special, limit = (manifest.get(name) for name in ("sha256", "labels", "special", "limit"))
    for name, value, is_valid, wanted in (
        ("sha256", sums, isinstance(sums, dict) and sums.keys() == {_MODEL, _TOKENIZER}, "the files' sums"),
        ("labels", labels, isinstance(labels, list) and all(map(_is_tag, labels)), "a list of BIO tags"),
        ("special", special, isinstance(special, dict) and _are_ids(special), "the ids of cls, sep and pad"),
        ("limit", limit, type(limit) is int and 2 < limit < 2**31, "a whole number of at least 3"),
    ):
        if not is_valid:
            raise TaggerUnavailable(f"{path}: {name} must be {wanted}, not {brief(value)}; export it again")


def _is_tag(value: object) -> bool:
    return isinstance(value, str) and TAG.fullmatch(value) is not None


def _are_ids(special: dict[str, Any]) -> bool:
    return special.keys() == set(Special._fields) and all(map(_is_id, special.values()))


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**31
