"""Helpers for tests of faults: the files that stages write, mounts, and a corpus whose publisher is this machine."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from publisher import TEST, TRAIN, Server
from workplace import Workplace

# A system that is not exported, so that it saves at once.
TRAIN_ENCODER = "experiments/train.py --corpus sample --system minilm_crf --seed 13"
# These files hold times, in which two runs differ.
TIMED = {"run.json", "SHA256SUMS", "history.csv", "costs.csv", "provenance.json"}


def contents(place: Workplace, names: tuple[str, ...] = ("data", "models", "results")) -> dict[str, bytes]:
    """Return the files that stages write, by path, without the hidden parts that a killed process leaves."""
    paths = [path for name in names for path in sorted((place.folder / name).rglob("*")) if path.is_file()]
    named = {str(path.relative_to(place.folder)): path for path in paths}
    return {name: path.read_bytes() for name, path in named.items() if not any(p[0] == "." for p in Path(name).parts)}


def untimed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Keep only the files that are equal to the bit in every run."""
    return {name: data for name, data in files.items() if Path(name).name not in TIMED}


def put_back(place: Workplace, files: dict[str, bytes]) -> None:
    """Replace the data, models and results of a workplace by these files."""
    for name in ("data", "models", "results"):
        shutil.rmtree(place.folder / name, ignore_errors=True)
    for name, data in files.items():
        path = place.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def in_mounts(command: list[str], **mounts: str) -> list[str]:
    """Return a command that runs with folders mounted as a `small` or `tiny` disk, or read-only (`fixed`).

    Skips the test where the system does not allow private mounts.
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
        pytest.skip("private mounts are unavailable on this system (unshare --mount)")
    return [*unshare, "sh", "-c", " && ".join([*steps, 'exec "$@"']), "sh", *command]


def publish(place: Workplace, publisher: Server) -> None:
    """Add the publisher's corpus to a workplace, as `published`."""
    corpus: dict[str, object] = {"title": "Published"}
    for part, data in (("train", TRAIN), ("test", TEST)):
        digest = hashlib.sha256(data).hexdigest()
        corpus[part] = {"file": f"{part}.bio", "sha256": digest, "url": f"{publisher.url}/{part}.bio"}
    (place.folder / "corpora/published.yaml").write_text(json.dumps(corpus))  # JSON is YAML
