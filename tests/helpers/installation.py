"""Copies of the sources from which the package is installed: a build leaves files beside them."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def copy_sources(folder: Path) -> Path:
    """Copy what an installation needs, and return the copy."""
    for name in ("bert_ner", "baselines", "corpora"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder
