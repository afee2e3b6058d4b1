"""Cheaper steps compute what plain ones compute."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from models import fresh
from transformers import PreTrainedModel

from bert_ner.encoder.cpu_speedups import MasterWeights, cheap_dropout, used_embeddings_only

IDS = torch.tensor([[101, 2003, 2017, 102], [101, 3000, 102, 0]])


def three_steps(model: PreTrainedModel) -> None:
    model.eval()  # without dropout, so that the two ways can be compared
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(3):
        model(input_ids=IDS, attention_mask=IDS.ne(0)).logits.square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()


def test_used_rows_train_as_in_the_whole_table_and_the_others_decay(encoder_folder: Path) -> None:
    plain, economical = fresh(encoder_folder), fresh(encoder_folder)
    three_steps(plain)
    with used_embeddings_only(economical, set(IDS.flatten().tolist())):
        assert economical.get_input_embeddings().weight.shape[0] == 7  # six used ones and the spare
        three_steps(economical)
    for (name, expected), found in zip(plain.state_dict().items(), economical.state_dict().values(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7, msg=name)
    unused = fresh(encoder_folder).get_input_embeddings().weight[5000]
    assert not torch.equal(economical.get_input_embeddings().weight[5000], unused)


def test_an_id_that_was_not_announced_is_an_error_not_another_row(encoder_folder: Path) -> None:
    model = fresh(encoder_folder)
    with used_embeddings_only(model, {0, 101, 102}), pytest.raises(IndexError):
        model(input_ids=IDS)


def test_the_table_is_put_back_after_an_error(encoder_folder: Path) -> None:
    model = fresh(encoder_folder)
    before = model.get_input_embeddings()
    with pytest.raises(KeyboardInterrupt), used_embeddings_only(model, {0}):
        raise KeyboardInterrupt
    assert model.get_input_embeddings() is before


def flat_steps(model: PreTrainedModel, dtype: torch.dtype, rate: float, clip_norm: float) -> None:
    model.eval()
    with MasterWeights(model, dtype) as weights:
        optimizer = torch.optim.AdamW([weights.vector], lr=rate, weight_decay=0.1, fused=True)
        for _ in range(3):
            logits = model(input_ids=IDS, attention_mask=IDS.ne(0)).logits
            assert logits.dtype == dtype
            logits.float().square().sum().backward()
            optimizer.grad_scale = (torch.linalg.vector_norm(weights.collect_gradients()) / clip_norm).clamp(min=1)
            optimizer.step()
            weights.update_model()


@pytest.mark.parametrize("clip_norm", [0.01, float("inf")])
def test_one_long_vector_trains_as_many_parameters_do(encoder_folder: Path, clip_norm: float) -> None:
    plain, flat = fresh(encoder_folder), fresh(encoder_folder)
    plain.eval()
    optimizer = torch.optim.AdamW(plain.parameters(), lr=1e-3, weight_decay=0.1)
    for _ in range(3):
        plain(input_ids=IDS, attention_mask=IDS.ne(0)).logits.square().sum().backward()
        torch.nn.utils.clip_grad_norm_(plain.parameters(), clip_norm)
        optimizer.step()
        optimizer.zero_grad()
    flat_steps(flat, torch.float32, 1e-3, clip_norm)
    for (name, expected), found in zip(plain.state_dict().items(), flat.state_dict().values(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6, msg=name)


def test_steps_too_small_for_bfloat16_are_not_lost(encoder_folder: Path) -> None:
    before, after = fresh(encoder_folder), fresh(encoder_folder)
    flat_steps(after, torch.bfloat16, 1e-7, float("inf"))
    for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        assert new.dtype == torch.float32
        assert new.grad is None
        if name.endswith("dense.weight"):
            assert 0 < (new - old).abs().max() < 1e-6, name


@pytest.mark.parametrize("shape", [(7,), (1000, 333)])
def test_dropout_keeps_the_share_and_the_mean_and_passes_the_same_gradient(shape: tuple[int, ...]) -> None:
    layer = torch.nn.Sequential(torch.nn.Dropout(0.1))
    torch.manual_seed(3)
    with cheap_dropout(layer):  # type: ignore[arg-type]
        x = torch.ones(shape, requires_grad=True)
        y = layer(x)
        y.sum().backward()
        assert torch.equal(x.grad, y)
        assert y[y != 0].tolist() == pytest.approx([1 / 0.9] * int((y != 0).sum()), rel=1e-4)
        if len(shape) > 1:
            n = y.numel()
            assert (y == 0).sum().item() == pytest.approx(0.1 * n, abs=5 * (0.09 * n) ** 0.5)
            # Neighbours are decided apart, although four share a random number.
            dropped = (y == 0).flatten()
            both = (dropped[:-1] & dropped[1:]).sum().item()
            assert both == pytest.approx(0.01 * n, abs=5 * (0.01 * n) ** 0.5)
    assert type(layer[0]) is torch.nn.Dropout


def test_dropout_does_nothing_outside_of_training_or_without_a_probability() -> None:
    x = torch.randn(10, 10)
    for layer in (torch.nn.Sequential(torch.nn.Dropout(0.5)).eval(), torch.nn.Sequential(torch.nn.Dropout(0.0))):
        with cheap_dropout(layer):  # type: ignore[arg-type]
            assert torch.equal(layer(x), x)


def test_dropout_follows_the_seed() -> None:
    layer, x = torch.nn.Sequential(torch.nn.Dropout(0.5)), torch.ones(1000)
    with cheap_dropout(layer):  # type: ignore[arg-type]
        results = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            results.append(layer(x))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
