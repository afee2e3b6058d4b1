"""What tests of faults share: the files that stages make, mounts, and a corpus with its publisher on this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from publisher import TEST, TRAIN, Server

Workplace = Any  # the one in tests/conftest.py
# It exports nothing, so that it saves in no time.
TRAIN_ENCODER = "experiments/train.py --corpus sample --system minilm_crf --seed 13"
# What holds times: equal in two runs but for those.
TIMED = {"run.json", "SHA256SUMS", "history.csv", "costs.csv", "provenance.json"}


def contents(place: Workplace, names: tuple[str, ...] = ("data", "models", "results")) -> dict[str, bytes]:
    """The files that stages make, by path, without hidden ones: parts that a killed process left."""
    paths = [path for name in names for path in sorted((place.folder / name).rglob("*")) if path.is_file()]
    named = {str(path.relative_to(place.folder)): path for path in paths}
    return {name: path.read_bytes() for name, path in named.items() if not any(p[0] == "." for p in Path(name).parts)}


def untimed(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files that are equal from run to run, to the bit."""
    return {name: data for name, data in files.items() if Path(name).name not in TIMED}


def put_back(place: Workplace, files: dict[str, bytes]) -> None:
    """Make the data, models and results of a place these."""
    for name in ("data", "models", "results"):
        shutil.rmtree(place.folder / name, ignore_errors=True)
    for name, data in files.items():
        path = place.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def in_mounts(command: list[str], **mounts: str) -> list[str]:
    """A command with mounts of its own, on folders: a `small` or `tiny` disk, or the same folder, read-only (`fixed`).

    Skips the test where the system gives no namespace for them.
    """
    kinds = {
        "small": 'mount -t tmpfs -o size=64k none "{0}"',
        "tiny": 'mount -t tmpfs -o size=8k none "{0}"',
        "fixed": 'mount --bind "{0}" "{0}" && mount -o remount,ro,bind "{0}"',
    }
    steps = [kinds[kind].format(path) for kind, path in mounts.items()]
    unshare = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--mount"]
    try:
        able = subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        able = False
    if not able:
        pytest.skip("no namespace of mounts can be had here (unshare --mount)")
    return [*unshare, "sh", "-c", " && ".join([*steps, 'exec "$@"']), "sh", *command]


def publish(place: Workplace, publisher: Server) -> None:
    """Put the corpus that this publisher has into a place's catalog, under the name of 'published'."""
    files = ", ".join(
        f'{part}=CorpusFile("{part}.bio", "{hashlib.sha256(data).hexdigest()}", "{publisher.url}/{part}.bio")'
        for part, data in (("train", TRAIN), ("test", TEST))
    )
    catalog = place.folder / "bert_ner/corpus/catalog.py"
    entry = f'CORPORA["published"] = Corpus(name="published", title="Published", {files}, types=_MOVIE_TYPES)'
    catalog.write_text(f"{catalog.read_text()}\n\n{entry}\n")
