"""The folder of a saved tagger: its manifest, and its files with their sums."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole

MANIFEST = "tagger.json"
WEIGHTS, QUANTISED = "model.safetensors", "int8"  # an encoder's weights, and in a folder beside them their 8-bit copy


class TaggerUnavailable(BertNerError):
    """A folder from which no tagger can be loaded; the message says why."""


def write_manifest(folder: Path, kind: str, **settings: Any) -> None:
    """Write the file by which `load_tagger` knows whose folder it is, and what else `load` wants to remember."""
    content = {"tagger": kind, **settings}
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


def write_model(folder: Path, kind: str, name: str, content: str | bytes) -> None:
    """Write a tagger that is one file, and the manifest with the file's SHA-256."""
    write_whole(folder / name, content)
    write_manifest(folder, kind, sha256=sha256_of(folder / name))


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
