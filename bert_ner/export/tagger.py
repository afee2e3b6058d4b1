"""Run an exported encoder, with onnxruntime and without PyTorch."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Literal, NoReturn, Self

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions
from pydantic import AfterValidator, ConfigDict, Field
from tokenizers import Tokenizer

from bert_ner.cores import usable_cores
from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.schemes import SCHEME_TAG
from bert_ner.encoder.alignment import Special, WordPieces
from bert_ner.encoder.decoding import Batch, Decoding, PieceTagger
from bert_ner.errors import BertNerError, InvalidValue
from bert_ner.files import write_whole
from bert_ner.model_folder import MANIFEST, TaggerUnavailable, read_manifest
from bert_ner.settings import Settings, parse_settings

MODEL_FILE, TOKENIZER_FILE = "model.onnx", "tokenizer.json"

_Id = Annotated[int, Field(ge=0, lt=2**31)]


def _bio_tag(text: str) -> str:
    if not SCHEME_TAG.fullmatch(text):
        raise ValueError("must be a BIO tag, or one of BIOES or BILOU")
    return text


class SpecialIds(Settings):
    cls: _Id = Field(description="The piece that starts a sentence.")
    sep: _Id = Field(description="The piece that ends it.")
    pad: _Id = Field(description="Padding.")


class Manifest(Settings):
    """The manifest of an exported folder."""

    model_config = ConfigDict(extra="ignore")

    sha256: dict[Literal["model.onnx", "tokenizer.json"], str] = Field(min_length=2, description="The checksums.")
    labels: list[Annotated[str, AfterValidator(_bio_tag)]] = Field(description="Tags, in the order of the logits.")
    special: SpecialIds = Field(description="The ids of the special pieces.")
    limit: int = Field(gt=2, lt=2**31, description="The most pieces, special ones included, in a window.")
    decoding: Decoding = Field(default="greedy", description="How the tags follow from the logits.")


class OnnxTagger(PieceTagger):
    """Runs an encoder that `export` wrote."""

    batch_pieces = 256
    session: InferenceSession
    read: Callable[[str], bytes]  # the content of a file that `save` writes, by its name

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> NoReturn:  # noqa: ARG002
        """Raise a BertNerError: an exported model can only tag."""
        raise BertNerError("an exported model can't be trained: train the encoder, then export it again")

    def logits(self, batch: Batch) -> NDArray[np.float32]:
        """Return the logits of a batch's words, of shape (words, labels)."""
        [logits] = self.session.run(None, {"input_ids": batch.ids, "attention_mask": batch.mask})
        word_logits: NDArray[np.float32] = logits[batch.first]
        return word_logits

    def each_logits(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        """Yield each batch with its logits, in order. One core per batch is faster than all cores for each batch."""
        batches = iter(batches)
        first_two = list(islice(batches, 2))
        apply = _pool(os.getpid()).map if len(first_two) > 1 else map  # a single batch is faster without another thread
        return apply(lambda batch: (batch, self.logits(batch)), chain(first_two, batches))

    def save(self, folder: Path) -> None:
        """Write the files that `load` needs."""
        for name in (MODEL_FILE, TOKENIZER_FILE):
            write_whole(folder / name, self.read(name))
        manifest = {**json.loads(self.read(MANIFEST)), "decoding": self.decoding}
        write_whole(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")

    def __setstate__(self, files: Mapping[str, bytes]) -> None:
        """Keep the files, which are nowhere else, so that `save` can write them again."""
        super().__setstate__(files)
        self.read = files.__getitem__

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `export` or `save` wrote; raise TaggerUnavailable if the manifest is invalid or does not fit."""
        path = folder / MANIFEST
        try:
            manifest = parse_settings(Manifest, read_manifest(folder))
        except InvalidValue as error:
            raise TaggerUnavailable(f"{path}: {error}; export it again") from None
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        special = Special(**manifest.special.model_dump())
        if (known := tokenizer.get_vocab_size()) <= (last := max(special)):
            raise TaggerUnavailable(
                f"{path}: special has the piece {last}, but the tokenizer knows {known}; export it again"
            )
        tagger = cls()
        place = folder.absolute()
        tagger.read = lambda name: (place / name).read_bytes()
        tagger.labels, tagger.decoding = tuple(manifest.labels), manifest.decoding
        tagger.pieces = WordPieces(tokenizer, special, manifest.limit)
        options = SessionOptions()
        options.intra_op_num_threads = 1  # each thread of the pool computes a whole batch
        options.log_severity_level = 4  # print nothing: a node's name may hold commands for a terminal
        tagger.session = InferenceSession(
            folder / MODEL_FILE,
            options,
            providers=["CPUExecutionProvider"],
            # A separate LayerNormalization and Add take an eighth of the time of the fused node.
            disabled_optimizers=["SkipLayerNormFusion"],
        )
        if (known := tagger.session.get_outputs()[0].shape[-1]) != len(tagger.labels):
            raise TaggerUnavailable(f"{path}: {len(tagger.labels)} labels, but the model has {known}; export it again")
        return tagger


@cache
def _pool(process: int) -> ThreadPoolExecutor:  # noqa: ARG001 - a forked process needs its own
    """Return the pool of a process, which all its taggers share."""
    return ThreadPoolExecutor(usable_cores())
