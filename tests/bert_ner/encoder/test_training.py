"""The recipe is the paper's, and the same seed gives the same bits."""

from __future__ import annotations

import hashlib
import math
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from models import fresh
from transformers import (
    get_constant_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

from bert_ner.encoder.batches import attention_mask, pad_rows
from bert_ner.encoder.training import (
    IGNORED,
    RANK_STRIDE,
    Example,
    Recipe,
    compute_type,
    computes_bfloat16,
    fine_tune,
    model_inputs,
    rate_factor,
)
from bert_ner.errors import BertNerError, InvalidValue
from bert_ner.settings import parse_settings

CPU = torch.device("cpu")
PAD = 0


def examples(n: int = 12) -> list[Example]:
    """Windows of unequal length in which each piece's label is the last digit of its id, or ignored."""
    draw = random.Random(0)
    rows = [[101, *(draw.randint(2000, 2040) for _ in range(draw.randint(1, 12))), 102] for _ in range(n)]
    return [Example(ids, [IGNORED, *(i % 3 if i % 5 else IGNORED for i in ids[1:-1]), IGNORED]) for ids in rows]


def train(recipe: Recipe, seed: int = 1, **changes: Any) -> tuple[str, list[dict[str, Any]]]:
    """Return the SHA-256 of the trained weights, and the history."""
    model = fresh(Path(recipe.name))
    changed = Recipe(**{**vars(recipe), **changes})
    torch.seed()  # what was drawn before must not matter
    history = list(fine_tune(model, examples(), changed, seed, PAD))
    digest = hashlib.sha256()
    for name, values in model.state_dict().items():
        digest.update(name.encode() + values.numpy().tobytes())
    return digest.hexdigest(), history


@pytest.mark.parametrize(("precision", "threads"), [("float32", 1), ("bfloat16", 1), ("float32", 2)])
def test_same_seed_same_bits(recipe: Recipe, precision: str, threads: int) -> None:
    try:
        torch.set_num_threads(threads)
        weights, history = train(recipe, precision=precision)
        again, history_again = train(recipe, precision=precision)
    finally:
        torch.set_num_threads(1)
    assert weights == again
    assert [row["train_loss"] for row in history] == [row["train_loss"] for row in history_again]


def test_other_seed_other_weights(recipe: Recipe) -> None:
    assert train(recipe, seed=1)[0] != train(recipe, seed=2)[0]


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 1e-4},
        {"weight_decay": 0.5},
        {"clip_norm": 1e-3},
        {"warmup": 0.5},
        {"batch_size": 3},
        {"schedule": "constant"},
        {"adversarial": 0.5},
    ],
)
def test_every_setting_matters(recipe: Recipe, change: dict[str, float]) -> None:
    assert train(recipe)[0] != train(recipe, **change)[0]


def test_an_infinite_norm_clips_nothing(recipe: Recipe) -> None:
    assert train(recipe, clip_norm=math.inf)[0] != train(recipe, clip_norm=1e-3)[0]
    assert train(recipe, clip_norm=math.inf)[0] == train(recipe, clip_norm=1e9)[0]


def test_what_is_not_given_is_the_paper_s(recipe: Recipe) -> None:
    assert (recipe.schedule, recipe.pretrained, recipe.crf) == ("linear", True, False)


def test_training_reduces_loss(recipe: Recipe) -> None:
    _, history = train(recipe, epochs=15)
    assert [row["epoch"] for row in history] == list(range(1, 16))
    assert history[-1]["train_loss"] < 0.5 * history[0]["train_loss"]


@pytest.mark.parametrize("warmup", [0.0, 0.4])
def test_steps_are_adamw_s_on_the_schedule(recipe: Recipe, warmup: float) -> None:
    """Five steps on one example, against a plain loop of torch and transformers, without dropout."""
    ours, theirs = (fresh(Path(recipe.name)) for _ in range(2))
    for module in (*ours.modules(), *theirs.modules()):
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    [example] = examples(1)
    five = Recipe(**{**vars(recipe), "epochs": 5, "learning_rate": 1e-3, "warmup": warmup})
    history = list(fine_tune(ours, [example], five, seed=1, pad_id=PAD))

    theirs.train()
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-3, weight_decay=recipe.weight_decay)
    schedule = get_linear_schedule_with_warmup(optimizer, round(5 * warmup), 5)
    for row in history:
        loss = theirs(input_ids=torch.tensor([example.ids]), labels=torch.tensor([example.labels])).loss
        assert row["train_loss"] == pytest.approx(loss.item(), rel=1e-4)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), recipe.clip_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    torch.testing.assert_close(ours.classifier.weight, theirs.classifier.weight, rtol=0, atol=1e-5)


def test_each_epoch_is_yielded_and_between_two_the_model_can_tag(recipe: Recipe) -> None:
    model, calls = fresh(Path(recipe.name)), []
    model.register_forward_hook(lambda module, *_: calls.append("dropout on" if module.training else "dropout off"))
    steps: list[dict[str, float]] = []
    rows = []
    for row in fine_tune(model, examples(), recipe, 1, PAD, on_step=lambda **step: steps.append(step)):
        model.eval()(input_ids=torch.tensor([[101, 102]]))
        rows.append(row)
    assert calls == ["dropout on", "dropout on", "dropout on", "dropout off"] * recipe.epochs
    assert [list(row) for row in rows] == [["epoch", "train_loss", "seconds"]] * recipe.epochs
    assert all(row["seconds"] > 0 for row in rows)
    assert [step["epoch"] for step in steps] == [1, 1, 1, 2, 2, 2]
    assert [step["train_loss"] for step in steps[2::3]] == [row["train_loss"] for row in rows]


@pytest.mark.parametrize("before", [(False, False), (True, True), (True, False)])
def test_process_wide_settings_are_put_back(recipe: Recipe, before: tuple[bool, bool]) -> None:
    enabled, warn_only = before
    try:
        torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
        with closing(fine_tune(fresh(Path(recipe.name)), examples(), recipe, 1, PAD)) as rows:
            next(rows)
            assert torch.are_deterministic_algorithms_enabled()
        now = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
        assert now == before
    finally:
        torch.use_deterministic_algorithms(False)


def test_nothing_to_learn_from(recipe: Recipe) -> None:
    with pytest.raises(BertNerError, match="nothing to learn from"):
        next(fine_tune(fresh(Path(recipe.name)), [], recipe, 1, PAD))


def test_rate_without_warmup_is_the_paper_s() -> None:
    steps = 4 * 275  # 8,797 sentences in batches of 32, four epochs
    for step in range(steps + 1):
        assert rate_factor(step, steps, 0.0) == max(0, (steps - step) / steps)


@pytest.mark.parametrize("warmup", [0.0, 0.06, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("steps", [1, 2, 10, 333])
def test_rate_with_warmup_is_transformers(steps: int, warmup: float) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    [factor] = get_linear_schedule_with_warmup(optimizer, round(warmup * steps), steps).lr_lambdas
    for step in range(steps):
        assert rate_factor(step, steps, warmup) == pytest.approx(factor(step))
    assert rate_factor(steps, steps, 0.1) == 0


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_constant_rate_is_transformers(warmup: float) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    [factor] = get_constant_schedule_with_warmup(optimizer, round(warmup * 20)).lr_lambdas
    for step in range(21):
        assert rate_factor(step, 20, warmup, "constant") == pytest.approx(factor(step))


def test_mask_hides_the_padding() -> None:
    rows = [[101, 7, 102], [101, 102]]
    inputs = model_inputs(pad_rows(rows, PAD), attention_mask(rows), CPU)
    assert inputs["input_ids"].tolist() == [[101, 7, 102], [101, 102, PAD]]
    assert inputs["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({}, torch.float32),
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_auto_precision_follows_the_processor(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: torch.dtype
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: capabilities)
    assert compute_type("auto", CPU) == expected
    assert computes_bfloat16(CPU) == (expected == torch.bfloat16)
    assert compute_type("bfloat16", CPU) == torch.bfloat16
    assert compute_type("float32", CPU) == torch.float32


def test_auto_precision_on_a_gpu_asks_for_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: including_emulation)
    assert compute_type("auto", torch.device("cuda")) == torch.float32


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_weights_stay_float32(recipe: Recipe, precision: str) -> None:
    model, seen = fresh(Path(recipe.name)), set()
    model.classifier.register_forward_hook(lambda _, __, output: seen.add(output.dtype))
    list(fine_tune(model, examples(), Recipe(**{**vars(recipe), "precision": precision}), 1, PAD))
    assert seen == {getattr(torch, precision)}
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_no_two_ranks_draw_the_same_numbers() -> None:
    draws = []
    for rank in range(8):
        torch.manual_seed(13_001 + rank * RANK_STRIDE)
        draws.append(tuple(torch.rand(4).tolist()))
    assert len(set(draws)) == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ({"epochs": 1.5}, "epochs must be a whole number of at least 1, not 1.5"),
        ({"epochs": True}, "epochs must be a whole number of at least 1, not True"),
        ({"batch_size": -32}, "batch_size must be a whole number of at least 1, not -32"),
        ({"batch_size": "32"}, "batch_size must be a whole number of at least 1, not '32'"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0, not 0"),
        ({"learning_rate": "5e-5"}, "learning_rate must be a number above 0, not '5e-5'"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0, not nan"),
        ({"learning_rate": float("inf")}, "learning_rate must be a number above 0, not inf"),
        ({"weight_decay": -0.1}, "weight_decay must be a number of at least 0, not -0.1"),
        ({"weight_decay": None}, "weight_decay must be a number of at least 0, not None"),
        ({"clip_norm": 0.0}, "clip_norm must be a number above 0, not 0.0"),
        ({"clip_norm": False}, "clip_norm must be a number above 0, not False"),
        ({"clip_norm": float("nan")}, "clip_norm must be a number above 0, not nan"),
        ({"clip_norm": -math.inf}, "clip_norm must be a number above 0, not -inf"),
        ({"schedule": "cosine"}, "schedule must be 'linear' or 'constant', not 'cosine'"),
        ({"pretrained": 0}, "pretrained must be a valid boolean, not 0"),
        ({"warmup": 1}, "warmup must be a number of at least 0 and below 1, not 1"),
        ({"warmup": -0.1}, "warmup must be a number of at least 0 and below 1, not -0.1"),
        ({"precision": "fp16"}, "precision must be 'auto', 'bfloat16' or 'float32', not 'fp16'"),
        ({"precision": ["auto"]}, "precision must be 'auto', 'bfloat16' or 'float32', not ['auto']"),
        ({"name": ""}, "name must have at least 1 character, not ''"),
        ({"name": 7}, "name must be a valid string, not 7"),
        ({"train_on": "test"}, "train_on must be 'train' or 'all', not 'test'"),
        (
            {"soup": 2, "patience": 2},
            "patience keeps the best epoch of a training, and a soup is none; set soup: 1 or patience: 0",
        ),
        (
            {"train_on": "all", "patience": 2},
            "train_on: all leaves no sentences to validate on, which patience needs; set train_on: train or "
            "patience: 0",
        ),
        ({"teacher_weight": 1.1}, "teacher_weight must be a number above 0 and of at most 1, not 1.1"),
        ({"adversarial": -1}, "adversarial must be a number of at least 0, not -1"),
        ({"adversarial": math.inf}, "adversarial must be a number of at least 0, not inf"),
        ({"crf": 1}, "crf must be a valid boolean, not 1"),
    ],
)
def test_a_wrong_setting_is_named_with_its_range(recipe: Recipe, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_settings(Recipe, {**vars(recipe), **change})
    assert str(caught.value) == message
    assert isinstance(caught.value, BertNerError)


def test_recipe_at_the_edges(recipe: Recipe) -> None:
    Recipe(**{**vars(recipe), "epochs": 1, "batch_size": 1, "weight_decay": 0, "warmup": 0, "clip_norm": 1})
    Recipe(**{**vars(recipe), "warmup": 0.999, "learning_rate": 1e-12, "precision": "auto", "clip_norm": math.inf})
