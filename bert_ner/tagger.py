"""What every system implements, and how a saved one is loaded.

from bert_ner import load_tagger
load_tagger("models/mit_movie_eng/crf-0").tag([["movies", "starring", "mel", "gibson"]])
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self, cast, runtime_checkable

from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError, as_out_of_memory
from bert_ner.files import check_sums, sha256_of, write_whole

MANIFEST = "tagger.json"
WEIGHTS, QUANTISED = "model.safetensors", "int8"  # an encoder's weights, and in a folder beside them their 8-bit copy
_OUR_PACKAGES = ("baselines.", "bert_ner.")


class TaggerUnavailable(BertNerError):
    """A folder from which no tagger can be loaded; the message says why."""


class Tagger(Protocol):
    """A system that learns to tag words from sentences. `fit` or `load` comes before `tag` and `save`."""

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Train; every choice is made on the validation sentences.

        Returns:
            The training history, one row per epoch or per setting tried (empty if there is nothing to tell).
        """

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The tags of each sentence, as many as it has words."""

    def save(self, folder: Path) -> None:
        """Write all that `load` needs into an existing folder, without pickle."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The tagger that `save` wrote."""


@runtime_checkable
class ScoringTagger(Tagger, Protocol):
    """A tagger that can say how sure it is. Optional: what is made of a plain Tagger's tags has no scores."""

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        """The tags that `tag` gives, each with the probability that the system gives it, 0 to 1."""


@runtime_checkable
class SizedTagger(Tagger, Protocol):
    """A tagger that can say how large it is. Optional: the report leaves the place of others empty."""

    @property
    def parameters(self) -> int:
        """How many learnt numbers it holds."""


def write_manifest(folder: Path, tagger: Tagger, **settings: Any) -> None:
    """Write the file by which `load_tagger` knows whose folder it is, and what else `load` wants to remember."""
    kind = type(tagger)
    content = {"tagger": f"{kind.__module__}:{kind.__qualname__}", **settings}
    write_whole(folder / MANIFEST, json.dumps(content, indent=2) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """What `write_manifest` wrote.

    Raises:
        TaggerUnavailable: it is missing or broken.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {**content, "tagger": str(content["tagger"])}
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise TaggerUnavailable(f"{path}: not a JSON object with 'tagger' in it ({error}); train it again") from None


def write_model(folder: Path, tagger: Tagger, name: str, content: str | bytes) -> None:
    """Write a tagger that is one file, and the manifest with the file's SHA-256."""
    write_whole(folder / name, content)
    write_manifest(folder, tagger, sha256=sha256_of(folder / name))


def model_file(folder: Path, name: str) -> Path:
    """The file that `write_model` wrote.

    Raises:
        TaggerUnavailable: it is missing, or has another SHA-256 than it had then.
    """
    path = folder / name
    expected = read_manifest(folder).get("sha256")
    found = sha256_of(path) if path.is_file() else "none, as it is missing"
    if found != expected:
        raise TaggerUnavailable(f"{path}: its SHA-256 is {found}, expected {expected}; train it again")
    return path


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
    kind = _class_of(folder)
    try:
        return kind.load(folder)
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
        from bert_ner.encoder.tagger import EncoderTagger  # noqa: PLC0415 - torch takes seconds to import

        return EncoderTagger
    named = read_manifest(folder)["tagger"]
    module, _, name = named.partition(":")
    # Only classes of our own packages are looked up by name: a folder can't make us import anything else.
    if not module.startswith(_OUR_PACKAGES):
        raise TaggerUnavailable(
            f"{manifest}: 'tagger' must name a class in {' or '.join(_OUR_PACKAGES)}, not {named!r}"
        )
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise TaggerUnavailable(f"{manifest}: {named!r} can't be found in this version ({error})") from None
    if not (isinstance(kind, type) and hasattr(kind, "load")) or getattr(kind, "_is_protocol", False):
        raise TaggerUnavailable(f"{manifest}: {named!r} is not a tagger")
    return cast(type[Tagger], kind)
