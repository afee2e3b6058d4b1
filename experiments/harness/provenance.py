"""Where a result comes from: code, packages and machine. Kept apart from the metrics, so that those can be equal."""

import importlib.metadata
import json
import os
import platform
import re
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.artifacts import read_json
from harness.locks import sole_writer
from harness.paths import RESULTS, ROOT
from harness.sums import note_sum

from bert_ner.files import write_whole

MATRIX_UNITS = "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"  # in the names of Linux
PACKAGES = "torch", "transformers", "tokenizers", "sklearn-crfsuite", "python-crfsuite", "scikit-learn", "numpy", "dvc"


def environment() -> dict[str, Any]:
    """Return the code's revision, package versions and machine, as of now."""
    import torch  # slow to import, and most users of this module only read records

    changes = _git("status", "--porcelain", "--", ":!results", ":!dvc.lock", ":!pipeline/dvc.lock")
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
    """Put facts of a corpus into results/provenance.json, and keep its other ones and those of other corpora."""
    with sole_writer("provenance"):
        _write(corpus, facts)


def record_study(corpus: str, study: str, sums: dict[str, str]) -> None:
    """Put the SHA-256 of a study's predictions, by their names, into results/provenance.json."""
    with sole_writer("provenance"):
        _write(corpus, {"studies": recorded(corpus).get("studies", {}) | {study: sums}})


def _write(corpus: str, facts: dict[str, Any]) -> None:
    path = RESULTS / "provenance.json"
    write_whole(path, json.dumps({**_records(), corpus: recorded(corpus) | facts}, indent=2) + "\n")
    note_sum(RESULTS, path)


def recorded(corpus: str) -> dict[str, Any]:
    """Return the recorded facts of a corpus; empty if there are none yet."""
    facts = _records().get(corpus)
    return facts if isinstance(facts, dict) else {}


def _records() -> dict[str, Any]:
    path = RESULTS / "provenance.json"
    return read_json(path) if path.is_file() else {}


def _git(*arguments: str) -> str | None:
    """Return the output of git; None without git or a repository."""
    with suppress(FileNotFoundError, subprocess.CalledProcessError):
        return subprocess.check_output(["git", *arguments], cwd=ROOT, stderr=subprocess.DEVNULL, text=True).strip()
    return None


def processor() -> str:
    """Return the processor's name, and what it has for matrix products: the last bits of a result depend on both."""
    units = [name for name in MATRIX_UNITS if name in _cpuinfo().split()]
    return f"{processor_name()} with {' '.join(units) or 'unknown matrix units'}"


def processor_name() -> str:
    """Return the processor's name, as the operating system gives it. Processors of two kinds can have the same."""
    model = re.search(r"^model name\s*:(.*)", _cpuinfo(), re.MULTILINE)
    return model[1].strip() if model else platform.processor() or platform.machine()


def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8") if path.is_file() else ""
