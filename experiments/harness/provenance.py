"""Where a result comes from: code, packages, machine. Kept apart from the metrics, which are equal when results are."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.artifacts import read_json
from harness.paths import RESULTS, ROOT

import torch

from bert_ner.files import write_whole

PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "sklearn-crfsuite",
    "python-crfsuite",
    "scikit-learn",
    "numpy",
    "dvc",
)


def environment() -> dict[str, Any]:
    """Code revision, package versions and machine, as of now."""
    changes = _git("status", "--porcelain", "--", ":!results", ":!dvc.lock")
    return {
        "revision": _git("rev-parse", "HEAD"),
        "uncommitted_changes": changes if changes is None else changes.splitlines(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def record(corpus: str, facts: dict[str, Any]) -> None:
    """Put a corpus's facts into results/provenance.json, beside those of the others."""
    path = RESULTS / "provenance.json"
    known = read_json(path) if path.is_file() else {}
    write_whole(path, json.dumps({**known, corpus: facts}, indent=2) + "\n")


def recorded(corpus: str) -> dict[str, Any]:
    """What is on record of a corpus; nothing if there is no record yet."""
    path = RESULTS / "provenance.json"
    facts = read_json(path).get(corpus, {}) if path.is_file() else {}
    return facts if isinstance(facts, dict) else {}


def _git(*arguments: str) -> str | None:
    """What git says; None without git or a repository."""
    try:
        answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def processor() -> str:
    """The processor's name, as the operating system gives it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
