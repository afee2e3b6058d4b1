"""Where things are: the checkout, its data, models and results."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA, MODELS, RESULTS = ROOT / "data", ROOT / "models", ROOT / "results"
DOMAINS = "domains"  # the folder in results/ of what compares corpora
RUN_FILE = "run.json"  # beside each model


def prepared_file(corpus: str, name: str) -> Path:
    return DATA / "prepared" / corpus / name
