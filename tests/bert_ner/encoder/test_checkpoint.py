"""A training that is killed goes on and ends with the same bits."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForTokenClassification

from bert_ner.encoder.checkpoint import Checkpoint, fingerprint
from bert_ner.encoder.training import Example, Recipe, fine_tune

EXAMPLES = [Example([101, 2000 + i, 102], [-100, i % 3, -100]) for i in range(12)]


def train(
    recipe: Recipe, checkpoint: Path | None, validate: Callable[[], dict[str, float]] = dict
) -> tuple[str, list[int]]:
    torch.manual_seed(0)
    model = AutoModelForTokenClassification.from_pretrained(recipe.name, num_labels=3)
    state = Checkpoint(checkpoint, fingerprint(recipe), keeps_best=bool(recipe.patience))
    with closing(fine_tune(model, EXAMPLES, recipe, 1, 0, checkpoint=state)) as rows:
        for row in rows:
            state.save(row | validate())
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest(), [row["epoch"] for row in state.history]


@pytest.fixture
def three_epochs(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"epochs": 3})


@pytest.mark.parametrize("killed_in", [1, 2, 3])
def test_interrupted_in_an_epoch_it_goes_on_from_the_last_whole_one(
    three_epochs: Recipe, tmp_path: Path, killed_in: int
) -> None:
    expected = train(three_epochs, None)
    epochs: list[int] = []

    def interrupt() -> dict[str, float]:
        epochs.append(len(epochs) + 1)
        if epochs[-1] == killed_in:
            raise KeyboardInterrupt
        return {}

    with pytest.raises(KeyboardInterrupt):
        train(three_epochs, tmp_path / "state", interrupt)
    epochs.clear()
    assert train(three_epochs, tmp_path / "state", lambda: epochs.append(1) or {}) == expected
    assert len(epochs) == 4 - killed_in


def test_killed_outright(three_epochs: Recipe, tmp_path: Path) -> None:
    script = f"""
import os, signal, sys, torch
sys.path.insert(0, {str(Path(__file__).parent)!r})
torch.set_num_threads(1)
from pathlib import Path
from bert_ner.encoder.training import Recipe
import test_checkpoint as t
calls = []
def die():
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return {{}}
t.train(Recipe(**{three_epochs.model_dump()!r}), Path({str(tmp_path / "state")!r}), die)
"""
    child = subprocess.run([sys.executable, "-c", script], check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert child.returncode == -signal.SIGKILL
    assert (tmp_path / "state").is_file()
    assert train(three_epochs, tmp_path / "state") == train(three_epochs, None)


def validating(scores: list[float], killed_in: int = 0) -> Callable[[], dict[str, float]]:
    """Return a validation that gives these scores, one after the other, and is killed in an epoch."""
    left = iter(scores)

    def validate() -> dict[str, float]:
        score = next(left)
        if killed_in and scores.index(score) + 1 == killed_in:
            raise KeyboardInterrupt
        return {"validation_entity_f1": score}

    return validate


@pytest.fixture
def patient(recipe: Recipe) -> Recipe:
    """Return a recipe whose rate does not depend on the number of epochs."""
    return recipe.model_copy(update={"epochs": 6, "patience": 2, "schedule": "constant"})


@pytest.mark.parametrize(
    ("scores", "epochs", "best"),
    [
        ([0.1, 0.5, 0.4, 0.3], 4, 2),
        ([0.5, 0.5, 0.5], 3, 1),  # as good is no better
        ([0.1, 0.5, 0.4, 0.6, 0.3, 0.2], 6, 4),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 6, 6),  # the most epochs
    ],
)
def test_patience_ends_a_training_with_the_weights_of_the_best_epoch(
    patient: Recipe, scores: list[float], epochs: int, best: int
) -> None:
    weights, history = train(patient, None, validating(scores))
    assert history == list(range(1, epochs + 1))
    assert weights == train(patient.model_copy(update={"epochs": best, "patience": 0}), None)[0]


@pytest.mark.parametrize("killed_in", [1, 2, 3, 4])
def test_a_patient_training_goes_on_with_the_best_weights_so_far(
    patient: Recipe, tmp_path: Path, killed_in: int
) -> None:
    scores = [0.1, 0.5, 0.4, 0.3]
    expected = train(patient, None, validating(scores))
    with pytest.raises(KeyboardInterrupt):
        train(patient, tmp_path / "state", validating(scores, killed_in))
    assert train(patient, tmp_path / "state", validating(scores[killed_in - 1 :])) == expected
    assert train(patient, tmp_path / "state", validating([])) == expected  # it has ended, but was not saved yet


@pytest.mark.parametrize("damage", ["another training's", "cut", "garbage"])
def test_a_checkpoint_that_does_not_fit_is_not_used(three_epochs: Recipe, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "state"
    train(three_epochs.model_copy(update={"learning_rate": 1e-3}), path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    if damage == "garbage":
        path.write_bytes(b"\x00" * 100)
    assert train(three_epochs, path) == train(three_epochs, None)


def test_the_fingerprint_knows_what_is_given_and_the_threads() -> None:
    assert fingerprint(1, "a") == fingerprint(1, "a") != fingerprint(1, "b")
    before = torch.get_num_threads()
    one = fingerprint(1)
    torch.set_num_threads(before + 1)
    try:
        assert fingerprint(1) != one
    finally:
        torch.set_num_threads(before)
