"""Folders of models, as tests start from them and spoil them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTokenClassification, PreTrainedModel


def fresh(folder: Path) -> PreTrainedModel:
    """Return the encoder in a folder with a new classifier of three labels, the same each time."""
    torch.manual_seed(0)
    return AutoModelForTokenClassification.from_pretrained(folder, num_labels=3)


def change_config(folder: Path, **changes: Any) -> None:
    """Change the config.json in a folder."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")
