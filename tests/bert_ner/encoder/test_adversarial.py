"""Adversarial training takes the step that its source describes, and leaves the embeddings where they were."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from models import fresh
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from bert_ner.encoder.adversarial import moved_embeddings
from bert_ner.encoder.cpu_speedups import MasterWeights
from bert_ner.encoder.training import IGNORED, Example, Recipe, fine_tune

IDS, LABELS = [101, 2003, 2017, 2003, 102], [IGNORED, 0, 1, 2, IGNORED]


def loss_of(model: PreTrainedModel) -> torch.Tensor:
    logits = model(input_ids=torch.tensor([IDS])).logits
    return cross_entropy(logits[0].float(), torch.tensor(LABELS), ignore_index=IGNORED)


def median_norm(embeddings: torch.Tensor) -> torch.Tensor:
    return embeddings.detach().norm(dim=1).median()


@pytest.mark.parametrize("length", [0.1, 1.0, 3.0])
def test_the_step_is_along_the_gradient_and_of_the_given_length(encoder_folder: Path, length: float) -> None:
    model = fresh(encoder_folder).eval()
    embeddings = model.get_input_embeddings().weight
    before = embeddings.detach().clone()
    loss_of(model).backward()
    gradient = embeddings.grad.clone()
    with moved_embeddings(model, length):
        step = (embeddings - before).detach()
    torch.testing.assert_close(step.norm(), length * median_norm(before))
    torch.testing.assert_close(step / step.norm(), gradient / gradient.norm(), atol=1e-4, rtol=0)
    assert not step[[0, 5000]].any()  # pieces that the batch lacks


def test_a_small_step_raises_the_loss_by_the_gradient_s_norm(encoder_folder: Path) -> None:
    """To first order, the loss changes by the step times the gradient; no other step of this length raises it more."""
    model = fresh(encoder_folder).eval()
    embeddings = model.get_input_embeddings().weight
    loss = loss_of(model)
    loss.backward()
    gradient, norm = embeddings.grad.norm().item(), median_norm(embeddings).item()
    with moved_embeddings(model, 1e-2):
        rise = loss_of(model).item() - loss.item()
    assert rise == pytest.approx(1e-2 * norm * gradient, rel=0.05)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_embeddings_get_the_same_bits_back(encoder_folder: Path, dtype: torch.dtype) -> None:
    model = fresh(encoder_folder).eval()
    with MasterWeights(model, dtype):
        embeddings = model.get_input_embeddings().weight
        before = embeddings.detach().clone()
        loss_of(model).backward()
        with pytest.raises(KeyboardInterrupt), moved_embeddings(model, 1.0):
            assert not torch.equal(embeddings, before)
            raise KeyboardInterrupt
        assert torch.equal(embeddings, before)


def test_without_a_gradient_nothing_moves(encoder_folder: Path) -> None:
    model = fresh(encoder_folder).eval()
    embeddings = model.get_input_embeddings().weight
    before = embeddings.detach().clone()
    with moved_embeddings(model, 1.0):
        assert torch.equal(embeddings, before)
    embeddings.grad = torch.zeros_like(embeddings)
    with moved_embeddings(model, 1.0):
        assert torch.equal(embeddings, before)


def test_steps_are_those_of_a_plain_loop(recipe: Recipe) -> None:
    """Three steps on one example, without dropout, with the sum of both gradients."""
    ours, theirs = (fresh(Path(recipe.name)) for _ in range(2))
    for module in (*ours.modules(), *theirs.modules()):
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    settings = {"epochs": 3, "learning_rate": 1e-3, "schedule": "constant", "warmup": 0.0, "clip_norm": 1e9}
    adversarial = recipe.model_copy(update={**settings, "weight_decay": 0.0, "adversarial": 2.0})
    history = list(fine_tune(ours, [Example(IDS, LABELS)], adversarial, seed=1, pad_id=0))

    embeddings = theirs.get_input_embeddings().weight
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-3, weight_decay=0.0)
    used = sorted({0, *IDS})
    for row in history:
        loss = loss_of(theirs)
        assert row["train_loss"] == pytest.approx(loss.item(), rel=1e-4)
        loss.backward()
        rows = torch.cat([embeddings.detach()[used], torch.ones(1, embeddings.shape[1])])  # as fine_tune trains them
        step = 2.0 * median_norm(rows) * embeddings.grad / embeddings.grad.norm()
        embeddings.data += step
        loss_of(theirs).backward()
        embeddings.data -= step
        optimizer.step()
        optimizer.zero_grad()
    torch.testing.assert_close(ours.classifier.weight, theirs.classifier.weight, rtol=0, atol=1e-5)
