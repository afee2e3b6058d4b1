"""A training shared by two processes equals that of one, but for rounding."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.ranks import Ranks, join_ranks, launched_ranks
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.errors import BertNerError
from bert_ner.files import write_sums

TAUGHT = {"teachers": ["stub-1"]}
JOBS = {
    "plain": {"crf": False},
    "crf": {"crf": True},
    "taught": TAUGHT,
    "adversarial": {"adversarial": 1.0},
    "undisturbed": {"epochs": 3, **TAUGHT},
    "stopped": {"epochs": 3, **TAUGHT},
    "resumed": {"epochs": 3, **TAUGHT},
}
Weights = dict[str, torch.Tensor]


class Teacher:
    """Finds the labels of a word more likely, the nearer their number is to the word's place."""

    def tag_probabilities(self, sentences: Sequence[Sequence[str]], labels: Sequence[str]) -> list[NDArray[Any]]:
        numbers = np.arange(len(labels))
        return [np.exp(-abs(numbers - np.arange(len(words))[:, None] % len(labels))) for words in sentences]


def learn(recipe: Recipe, sentences: Sequence[Sentence], job: str, folder: Path) -> Weights | None:
    """Train on seven sentences; return the weights and the mean loss of each epoch, or None if it was stopped.

    Batches are of three, so the last one is of one sentence, of which a second process has no part.
    """

    def scoring(*_: object) -> float:
        epochs.append(1)
        if job == "stopped" and len(epochs) == 2:
            raise KeyboardInterrupt
        return 0.0

    epochs: list[int] = []
    state = folder / f"{job.replace('resumed', 'stopped')}.state"
    settings = recipe.model_copy(update={"batch_size": 3, "learning_rate": 1e-3, **JOBS[job]})
    labels = sorted({tag for _, tags in sentences for tag in tags})
    tagger = EncoderTagger(settings, scoring=scoring, labels=labels, seed=1, checkpoint=state)
    try:
        history = tagger.fit(sentences[:7], sentences, teachers=[Teacher()] if settings.teachers else [])
    except KeyboardInterrupt:
        return None
    losses = torch.tensor([row["train_loss"] for row in history])
    return {**tagger.model.state_dict(), **(tagger.chain.state_dict() if tagger.chain else {}), "losses": losses}


def main(folder: Path) -> None:
    """Do all jobs as one of the processes that torchrun starts."""
    torch.set_num_threads(1)
    given = json.loads((folder / "given.json").read_text())
    recipe, sentences = Recipe(**given["recipe"]), [Sentence(words, tags) for words, tags in given["sentences"]]
    for job in JOBS:
        if found := learn(recipe, sentences, job, folder):
            save_file(found, folder / f"{job}-{launched_ranks().rank}.safetensors")


@pytest.fixture(scope="module")
def without_dropout(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    encoder = shutil.copytree(recipe.name, tmp_path_factory.mktemp("encoder"), dirs_exist_ok=True)
    config = json.loads((encoder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (encoder / "config.json").write_text(json.dumps(config))
    write_sums(encoder)
    return recipe.model_copy(update={"name": str(encoder)})


@pytest.fixture(scope="module")
def folder(without_dropout: Recipe, sentences: list[Sentence], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which two processes, started by torchrun, have done all jobs."""
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "given.json").write_text(json.dumps({"recipe": vars(without_dropout), "sentences": sentences}))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    subprocess.run([*launch, __file__, str(folder)], check=True, timeout=120)
    return folder


@pytest.mark.parametrize("job", ["plain", "crf", "taught", "adversarial"])
def test_two_processes_learn_what_one_does(
    folder: Path, without_dropout: Recipe, sentences: list[Sentence], tmp_path: Path, job: str
) -> None:
    first, second = (load_file(folder / f"{job}-{rank}.safetensors") for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    alone = learn(without_dropout, sentences, job, tmp_path)
    assert alone and first.keys() == alone.keys()
    for name, values in alone.items():
        torch.testing.assert_close(first[name], values, atol=2e-4, rtol=1e-3, msg=name)


@pytest.mark.parametrize("rank", [0, 1])
def test_stopped_after_an_epoch_both_go_on_to_the_same_weights(folder: Path, rank: int) -> None:
    undisturbed, resumed = (load_file(folder / f"{job}-{rank}.safetensors") for job in ("undisturbed", "resumed"))
    assert not (folder / f"stopped-{rank}.safetensors").exists()
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)


def test_each_item_of_a_batch_is_one_ranks() -> None:
    assert [Ranks(rank, 3).part_of("abcde") for rank in range(3)] == ["ad", "be", "c"]
    assert Ranks(2, 3).part_of("ab") == ""


def test_ranks_without_a_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert launched_ranks() == (0, 1)
    ranks = join_ranks()
    assert ranks.is_first
    assert ranks.agree_on(5)
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize(("rank", "size"), [("2", "2"), ("x", "2"), ("0", ""), ("-1", "2"), ("0", "0")])
def test_a_garbled_environment_is_an_error(monkeypatch: pytest.MonkeyPatch, rank: str, size: str) -> None:
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    with pytest.raises(BertNerError, match="unset both"):
        launched_ranks()


def test_without_an_address_the_others_cannot_be_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MASTER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(BertNerError, match="start them with torchrun, or unset WORLD_SIZE"):
        join_ranks()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
