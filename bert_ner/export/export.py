"""An encoder without PyTorch: exported to ONNX, run by onnxruntime.

bert-ner export models/mit_movie_eng/minilm-13 models/fast --weights int8

The exported folder is a tagger like any other for `load_tagger` and `bert-ner tag --model`. It starts in a second and
tags several times as fast; LOG.md and results/benchmarks.md have the figures. A trained encoder's folder carries such a
copy of itself, int8/, which `load_tagger` takes unless it is told not to.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_sums
from bert_ner.loading import load_tagger
from bert_ner.model_folder import WEIGHTS, write_manifest

if TYPE_CHECKING:
    from bert_ner.encoder.tagger import EncoderTagger

_MODEL, _TOKENIZER = "model.onnx", "tokenizer.json"

WeightType = Literal["int8", "float32"]


def export(source: Path, target: Path, weights: WeightType) -> None:
    """Write the encoder of a folder into a new folder, for `OnnxTagger`.

    Args:
        source: a trained encoder's folder, ours or any Hugging Face folder that tags words.
        target: a folder that does not exist yet.
        weights: int8 quantises the encoder's matrices and what they are multiplied with, by fixed scales, so that tags
            do not depend on what a sentence is tagged with. float32 keeps everything.

    Raises:
        BertNerError: the source holds no encoder, or one with a CRF or of a kind that can't be exported, or the target
            exists or can't be written.
    """
    from bert_ner.encoder.tagger import EncoderTagger  # noqa: PLC0415 - torch takes seconds, and tagging needs none

    if target.exists():
        raise BertNerError(f"{target} exists already; name a new folder")
    tagger = load_tagger(source, quantised=False)
    if not isinstance(tagger, EncoderTagger):
        raise BertNerError(f"{source} holds no encoder, so there is nothing to export")
    if tagger.chain:
        raise BertNerError(
            f"{source} has a CRF above its encoder, which an exported model has no place for; "
            f"export an encoder that was trained with crf: false"
        )
    export_tagger(tagger, source, target, weights)


def export_tagger(tagger: EncoderTagger, source: Path, target: Path, weights: WeightType) -> None:
    """The same for an encoder without a CRF that was loaded from its folder or saved there."""
    from bert_ner.export.graph import write_graph  # noqa: PLC0415 - only an export needs it, and torch
    from bert_ner.export.quantise import quantise_file, random_batches  # noqa: PLC0415 - as above

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=".unfinished-") as scratch:
            whole = Path(scratch, target.name)
            whole.mkdir()
            with _silence():
                write_graph(tagger.model, whole / _MODEL, tagger.pieces.limit)
            if weights == "int8":
                quantise_file(whole / _MODEL, random_batches(tagger.pieces))
            (whole / _TOKENIZER).write_text(tagger.tokenizer.backend_tokenizer.to_str(), encoding="utf-8")
            write_manifest(
                whole,
                "onnx",
                weights=weights,
                source=sha256_of(source / WEIGHTS),
                sha256={name: sha256_of(whole / name) for name in (_MODEL, _TOKENIZER)},
                labels=tagger.labels,
                special=tagger.pieces.special._asdict(),
                limit=tagger.pieces.limit,
            )
            write_sums(whole)
            whole.rename(target)
    except OSError as error:
        raise BertNerError(f"{target} can't be written: {error.strerror}") from None


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's warnings, of packages it does without and names it does not use, off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
