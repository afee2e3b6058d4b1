"""A saved folder -> a tagger: one of ours, or any Hugging Face folder that tags words.

from bert_ner import load_tagger
load_tagger("models/mit_movie_eng/crf-0").tag([["movies", "starring", "mel", "gibson"]])
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import cast

from bert_ner.errors import BertNerError, as_out_of_memory
from bert_ner.files import check_sums, sha256_of
from bert_ner.model_folder import MANIFEST, QUANTISED, WEIGHTS, TaggerUnavailable, read_manifest
from bert_ner.tagger import Tagger

# The kinds of systems: the name that params.yaml and manifests use -> the class, imported when it is needed.
KINDS = {
    "majority": "baselines.majority:MajorityTagger",
    "gazetteer": "baselines.gazetteer:GazetteerTagger",
    "hmm": "baselines.hmm:HMMTagger",
    "crf": "baselines.crf:CRFTagger",
    "bilstm_crf": "baselines.bilstm_crf:BiLSTMCRFTagger",
    "encoder": "bert_ner.encoder.tagger:EncoderTagger",
    "onnx": "bert_ner.export.tagger:OnnxTagger",
}
# What manifests held before they held kinds.
_FORMER = {path: kind for kind, path in KINDS.items()} | {"bert_ner.encoder.onnx:OnnxTagger": "onnx"}


def tagger_class(kind: str) -> type[Tagger]:
    """The class of a kind.

    Raises:
        TaggerUnavailable: there is no such kind.
    """
    if kind not in KINDS:
        raise TaggerUnavailable(f"no kind of tagger is named {kind!r}; there are {', '.join(KINDS)}")
    module, _, name = KINDS[kind].partition(":")
    return cast(type[Tagger], getattr(importlib.import_module(module), name))


def load_tagger(folder: str | os.PathLike[str], quantised: bool = True) -> Tagger:
    """Load a saved tagger: one of ours, or any Hugging Face folder with a token-classification model.

    Args:
        folder: what `save` wrote, or `bert-ner export`.
        quantised: take the 8-bit copy that an encoder's folder carries, if it is one of these very weights. It tags
            several times as fast on a CPU, and a few tags in a thousand differ. If False, the weights as they were
            trained, on a GPU if there is one.

    Raises:
        BertNerError: the folder is missing, holds no tagger, or holds one that is broken.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise TaggerUnavailable(f"{folder}: no such folder; train a system first, for example with 'make repro'")
    check_sums(folder, "train it again")
    if quantised and (copy := _quantised(folder)):
        return load_tagger(copy)
    tagger = _class_of(folder)
    try:
        return tagger.load(folder)
    except BertNerError:
        raise
    except Exception as error:
        if shortage := as_out_of_memory(error):
            raise shortage from error
        raise TaggerUnavailable(
            f"{folder}: can't be loaded, so a file in it is missing or broken ({type(error).__name__}: {error}); "
            f"train it again"
        ) from error


def trained_folder(corpus: str, system: str) -> Path:
    """Where training left a system: models/<corpus>/<system>-<seed> in the current folder, or models/more/<corpus>/...;
    of several the lowest seed.

    Raises:
        TaggerUnavailable: it isn't trained, or not in this folder.
    """
    folders = [path for pattern in ("*/*-*", "more/*/*-*") for path in Path("models").glob(pattern)]
    trained = [path for path in folders if path.name.rpartition("-")[2].isdecimal()]
    ours = [path for path in trained if path.parent.name == corpus and path.name.rpartition("-")[0] == system]
    if ours:
        return min(ours, key=lambda path: int(path.name.rpartition("-")[2]))
    there = f"; trained here: {', '.join(sorted(map(str, trained)))}" if trained else ""
    raise TaggerUnavailable(
        f"no system {system!r} trained on {corpus} in {Path('models').absolute()}; run 'make repro' in the repository, "
        f"and this command there too, or name a saved system's folder{there}"
    )


def _quantised(folder: Path) -> Path | None:
    """The 8-bit copy that a folder carries; None if there is none, or if it is one of other weights."""
    copy, weights = folder / QUANTISED, folder / WEIGHTS
    if not ((copy / MANIFEST).is_file() and weights.is_file()):
        return None
    return copy if read_manifest(copy).get("source") == sha256_of(weights) else None


def _class_of(folder: Path) -> type[Tagger]:
    manifest = folder / MANIFEST
    if not manifest.is_file():
        if not (folder / "config.json").is_file():
            raise TaggerUnavailable(f"{folder}: holds no tagger, neither {MANIFEST} nor a Hugging Face config.json")
        return tagger_class("encoder")
    named = read_manifest(folder)["tagger"]
    try:
        return tagger_class(_FORMER.get(named, named))
    except TaggerUnavailable as error:
        raise TaggerUnavailable(f"{manifest}: {error}") from None
