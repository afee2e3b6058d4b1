"""Load a tagger from a folder: one that this package saved, or any Hugging Face folder that tags words.

from bert_ner import load_tagger
tagger = load_tagger("models/mit_movie_eng/minilm-13")
tagger.tag([["movies", "starring", "mel", "gibson"]])
tagger.tag_text("who directed titanic")
"""

import importlib
import importlib.metadata
import os
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from bert_ner.errors import BertNerError, library_errors
from bert_ner.model_folder import (
    MANIFEST,
    QUANTISED,
    RETRAIN,
    TaggerUnavailable,
    read_manifest,
    verify,
    weight_files,
    weights_sha256,
)
from bert_ner.tagger import BaseTagger

_DEVICES = Path("/dev")  # where NVIDIA's driver puts a file for each GPU

# The kinds of systems: the name in params.yaml and in manifests -> the class, imported only when it is needed.
KINDS = {
    "majority": "baselines.majority:MajorityTagger",
    "gazetteer": "baselines.gazetteer:GazetteerTagger",
    "hmm": "baselines.hmm:HMMTagger",
    "crf": "baselines.crf:CRFTagger",
    "bilstm_crf": "baselines.bilstm_crf:BiLSTMCRFTagger",
    "encoder": "bert_ner.encoder.tagger:EncoderTagger",
    "onnx": "bert_ner.export.tagger:OnnxTagger",
}

# The systems of params.yaml that tag if none is named: the first that is trained. All are small encoders, best first.
PREFERRED = ("minilm_best", "minilm_tuned", "minilm")


def kinds() -> dict[str, str]:
    """Return the class of every kind, as `module:Class`: ours, and those of installed packages.

    A package adds a kind by an entry point in the group `bert_ner.taggers`. It can't replace one of ours.
    """
    return {**_installed_kinds(), **KINDS}


@cache
def _installed_kinds() -> dict[str, str]:
    return {entry.name: entry.value for entry in entry_points(group="bert_ner.taggers")}


def tagger_class(kind: str) -> type[BaseTagger]:
    """Return the class of a kind of tagger; raise TaggerUnavailable if there is no such kind."""
    if kind not in kinds():
        valid = f"valid kinds: {', '.join(kinds())}, and those of packages once they are installed"
        raise TaggerUnavailable(f"no kind of tagger is named {kind!r}; {valid}")
    module, _, name = kinds()[kind].partition(":")
    try:
        return cast(type[BaseTagger], getattr(importlib.import_module(module), name))
    except AttributeError:
        raise TaggerUnavailable(f"{module} has no {name}, which the kind {kind!r} names") from None


def load_tagger(folder: str | os.PathLike[str], quantised: bool | None = None) -> BaseTagger:
    """Load a saved tagger, or any Hugging Face folder with a token-classification model.

    Each file with a recorded SHA-256 is verified, and read for that once.

    Args:
        folder: what `save` or `bert-ner export` wrote.
        quantised: use the 8-bit copy in an encoder's folder, if it was made from these very weights. It runs on the
            CPU, several times as fast as the weights as trained, and a few tags in a thousand differ. If False, use the
            weights as trained, on a GPU if there is one. By default, the copy is used where there is no GPU.

    Raises:
        BertNerError: the folder is missing, holds no tagger, or holds a broken one; or the weights as trained are
            asked for, and it holds an 8-bit copy only.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise TaggerUnavailable(f"{folder}: no such folder; train a system first, for example with 'make repro'")
    try:
        with library_errors(f"{folder}: a file in it is missing or broken; {RETRAIN}", TaggerUnavailable):
            if quantised is False and _is_quantised(folder):
                raise TaggerUnavailable(f"{folder} holds 8-bit weights only; load the folder that it was exported from")
            return _load(folder, has_gpu() if quantised is None else not quantised)
    except BertNerError:
        if folder.is_dir():
            raise
        raise TaggerUnavailable(f"{folder} was removed while it was being loaded") from None


def trained_folder(corpus: str, system: str | None = None) -> Path:
    """Return models/<corpus>/<system>-<seed> or models/more/<corpus>/<system>-<seed>, with the lowest seed.

    Without a system, it is the first of PREFERRED that is trained. Raise TaggerUnavailable if the current folder has
    none of these folders.
    """
    folders = [path for pattern in ("*/*-*", "more/*/*-*") for path in Path("models").glob(pattern)]
    trained = {path: path.name.rpartition("-")[::2] for path in folders if path.name.rpartition("-")[2].isdecimal()}
    wanted = PREFERRED if system is None else (system,)
    matching = [path for path, (name, _) in trained.items() if path.parent.name == corpus and name in wanted]
    if matching:
        return min(matching, key=lambda path: (wanted.index(trained[path][0]), int(trained[path][1])))
    system = wanted[-1]
    others = f"; trained here: {', '.join(sorted(map(str, trained)))}" if trained else ""
    raise TaggerUnavailable(
        f"no system {system!r} trained on {corpus}: {Path('models').absolute()} has neither {corpus}/{system}-<seed> "
        f"nor more/{corpus}/{system}-<seed>; run 'make repro' in the repository, and this command there too, or name "
        f"the folder of a saved tagger with --model{others}"
    )


def has_gpu() -> bool:
    """Return whether there is an NVIDIA GPU that the installed PyTorch can use; import nothing to find out."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return False
    try:
        is_cpu_only = "+cpu" in importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return False
    return not is_cpu_only and any(_DEVICES.glob("nvidia[0-9]*"))


def _load(folder: Path, as_trained: bool) -> BaseTagger:
    sums = verify(folder)
    if not as_trained and (copy := _quantised_copy(folder, sums)):
        return load_tagger(copy)
    tagger = _class_of(folder).load(folder)
    if isinstance(tagger, BaseTagger):  # that of an installed package may be another one
        tagger.source = str(folder)
    return tagger


def _is_quantised(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() and read_manifest(folder).get("weights") == "int8"


def _quantised_copy(folder: Path, sums: Mapping[str, str]) -> Path | None:
    """Return the 8-bit copy in a folder, unless there is none or it was made from other weights."""
    copy = folder / QUANTISED
    if not ((copy / MANIFEST).is_file() and weight_files(folder)):
        return None
    return copy if read_manifest(copy).get("source") == weights_sha256(folder, sums) else None


def _class_of(folder: Path) -> type[BaseTagger]:
    manifest = folder / MANIFEST
    if not manifest.is_file():
        if not (folder / "config.json").is_file():
            raise TaggerUnavailable(f"{folder}: holds no tagger, neither {MANIFEST} nor a Hugging Face config.json")
        tagger = tagger_class("encoder")
        from bert_ner.encoder.probe import probe_tokenizer  # noqa: PLC0415 - other kinds don't need it

        probe_tokenizer(folder)
        return tagger
    kind = read_manifest(folder)["tagger"]
    try:
        return tagger_class(kind)
    except TaggerUnavailable as error:
        raise TaggerUnavailable(f"{manifest}: {error}") from None
