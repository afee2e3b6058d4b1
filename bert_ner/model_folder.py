"""The folder of a saved tagger: its manifest and the checksums of its files."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bert_ner.errors import BertNerError
from bert_ner.files import check_file, read_sums, sha256_of, write_whole

MANIFEST = "tagger.json"
WEIGHTS, QUANTISED = "model.safetensors", "int8"  # an encoder's weights, and the folder with their 8-bit copy
_INDEX = f"{WEIGHTS}.index.json"  # names the files of weights that are cut into several, called shards
RETRAIN = "train it again"

# Manifests written before they held kinds: they name the class, and the SHA-256 of a one-file tagger without the file.
_FORMER_KIND = re.compile(r"(?:baselines|bert_ner\.encoder)\.(\w+):\w+Tagger")
_FORMER_FILES = {"majority": "majority.json", "gazetteer": "gazetteer.json", "hmm": "hmm.json", "crf": "model.crfsuite"}


class TaggerUnavailable(BertNerError):
    """No tagger can be loaded from a folder; the message says why."""


def write_manifest(folder: Path, kind: str, files: tuple[str, ...] = (), **settings: Any) -> None:
    """Write the manifest of a kind of tagger (`bert_ner.loading.KINDS`): its files' SHA-256, and what `load` needs."""
    content = {"tagger": kind, "sha256": {name: sha256_of(folder / name) for name in files}, **settings}
    write_whole(folder / MANIFEST, json.dumps(content, indent=2) + "\n")


def write_model(folder: Path, kind: str, name: str, content: str | bytes) -> None:
    """Write a tagger that is a single file, and its manifest."""
    write_whole(folder / name, content)
    write_manifest(folder, kind, (name,))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the content of a folder's manifest; `tagger` is the kind, also if an older version wrote it.

    Raise TaggerUnavailable if it is missing or broken.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        kind = _FORMER_KIND.sub(r"\1", str(content["tagger"]))
        return {**content, "tagger": "encoder" if kind == "tagger" else kind}
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise TaggerUnavailable(f"{path}: not a JSON object with 'tagger' in it ({error}); {RETRAIN}") from None


def weight_files(folder: Path) -> list[str]:
    """Return the names of the safetensors files of an encoder's folder, more than one if it is sharded; none if none.

    Raise TaggerUnavailable if the index of the shards is broken, or names a file outside the folder.
    """
    if (folder / WEIGHTS).is_file():
        return [WEIGHTS]
    index = folder / _INDEX
    if not index.is_file():
        return []
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        if not names or any(Path(name).name != name for name in names):
            raise ValueError("its weight_map must name files of this folder")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise TaggerUnavailable(f"{index}: not an index of safetensors files ({error}); fetch it again") from None
    return names


def weights_sha256(folder: Path, known: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the SHA-256 of an encoder's weights; of several files, that of their sums.

    `known` has the sums of files that need not be hashed again. Raise OSError if a file can't be read.
    """
    sums = [known.get(name) or sha256_of(folder / name) for name in weight_files(folder)]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def verify(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file on record in a folder's SHA256SUMS or manifest; each is hashed once.

    Raise Damaged if a file is missing or has another SHA-256, and TaggerUnavailable if the manifest is broken.
    """
    listed, recorded = read_sums(folder), _manifest_sums(folder)
    expected = {name: [sums[name] for sums in (listed, recorded) if name in sums] for name in {**listed, **recorded}}
    return {name: check_file(folder / name, digests, RETRAIN) for name, digests in expected.items()}


def _manifest_sums(folder: Path) -> dict[str, str]:
    if not (folder / MANIFEST).is_file():
        return {}
    manifest = read_manifest(folder)
    sums, former_file = manifest.get("sha256"), _FORMER_FILES.get(manifest["tagger"])
    sums = sums if isinstance(sums, dict) else {former_file: sums} if former_file else {}
    return {str(name): str(digest) for name, digest in sums.items()}
