"""Export an encoder to ONNX, for a tagger that needs no PyTorch.

bert-ner export models/mit_movie_eng/minilm-13 models/fast --weights int8

Training puts such a copy into each encoder's folder, int8/, which `load_tagger` uses by default.
"""

import logging
import warnings
from pathlib import Path
from typing import Literal

import onnx

from bert_ner.encoder.probe import probe_tokenizer
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.errors import BertNerError
from bert_ner.export.graph import write_graph
from bert_ner.export.quantise import find_ranges, quantise, random_batches
from bert_ner.export.tagger import MODEL_FILE, TOKENIZER_FILE
from bert_ner.files import write_sums
from bert_ner.model_folder import MANIFEST, TaggerUnavailable, verify, weights_sha256, write_manifest
from bert_ner.unfinished import unfinished_folder

WeightType = Literal["int8", "float32"]


def export(source: Path, target: Path, weights: WeightType) -> None:
    """Write the encoder of a folder into a new folder, for `OnnxTagger`.

    Args:
        source: a trained encoder's folder, or any Hugging Face folder that tags words.
        target: a folder that does not exist yet.
        weights: int8 quantises matrices and activations by fixed scales; float32 keeps full precision.

    Raises:
        NotExportable: PyTorch can't export this kind of encoder, or its numbers do not fit into 8 bits.
        BertNerError: the source holds no encoder, or one with a CRF; the target exists or can't be written.
    """
    exists_already = BertNerError(f"{target} exists already; name a new folder")
    if target.exists():
        raise exists_already
    if not source.is_dir():
        raise TaggerUnavailable(f"{source}: no such folder; train an encoder first, for example with 'make repro'")
    sums = verify(source)
    if (source / MANIFEST).is_file() or not (source / "config.json").is_file():
        raise BertNerError(f"{source} holds no encoder, so there is nothing to export")
    probe_tokenizer(source)
    tagger = EncoderTagger.load(source)
    if tagger.chain:
        remedy = "export an encoder that was trained with crf: false"
        raise BertNerError(f"{source} has a CRF on top of its encoder, which an exported model can't hold; {remedy}")
    try:
        with unfinished_folder(target.parent) as scratch:
            folder = scratch / target.name
            folder.mkdir()
            _write_model(tagger, folder / MODEL_FILE, weights)
            (folder / TOKENIZER_FILE).write_text(tagger.tokenizer.backend_tokenizer.to_str(), encoding="utf-8")
            facts = {"weights": weights, "source": weights_sha256(source, sums), "decoding": tagger.decoding}
            pieces = {"special": tagger.pieces.special._asdict(), "limit": tagger.pieces.limit}
            write_manifest(folder, "onnx", (MODEL_FILE, TOKENIZER_FILE), **facts, labels=tagger.labels, **pieces)
            write_sums(folder)
            folder.rename(target)
    except OSError as error:
        if target.exists():  # another process was first
            raise exists_already from None
        raise BertNerError(f"{target} can't be written: {error.strerror}") from None


def _write_model(tagger: EncoderTagger, path: Path, weights: WeightType) -> None:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # the exporter warns of optional packages and unused names
    try:
        with warnings.catch_warnings(action="ignore"):
            write_graph(tagger.model, path, tagger.pieces.limit)
    finally:
        logging.disable(before)
    if weights == "int8":
        model = onnx.load(path)
        quantise(model, find_ranges(model, random_batches(tagger.pieces)))
        onnx.save(model, path)
