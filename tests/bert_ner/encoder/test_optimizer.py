"""The optimiser moves each layer at its own rate."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForTokenClassification,
    MPNetConfig,
    MPNetForTokenClassification,
    PreTrainedModel,
)

from bert_ner.encoder.chain import LinearChainCRF
from bert_ner.encoder.optimizer import CRF_RATE, make_optimizer, swap_average, update_average
from bert_ner.encoder.training import IGNORED, Example, Recipe, fine_tune

RATES = {"embeddings": 0.25, "layer.0": 0.5, "layer.1": 1.0, "classifier": 3.0}


def bert(folder: str | Path) -> PreTrainedModel:
    torch.manual_seed(0)
    model = AutoModelForTokenClassification.from_pretrained(folder, num_labels=3)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def flat(model: PreTrainedModel) -> torch.Tensor:
    vector = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    vector.grad = torch.zeros_like(vector)
    return vector


def test_steps_are_adamw_s_at_a_rate_for_each_layer(recipe: Recipe) -> None:
    """Three steps on one example, against a plain loop with a group for each parameter."""
    example = Example([101, 2001, 2002, 2003, 2004, 102], [IGNORED, 0, 2, IGNORED, 1, IGNORED])
    ours, theirs = bert(recipe.name), bert(recipe.name)
    settings = {"epochs": 3, "learning_rate": 1e-3, "schedule": "constant", "layer_decay": 0.5, "classifier_rate": 3.0}
    list(fine_tune(ours, [example], recipe.model_copy(update=settings), 1, 0))

    theirs.train()
    groups = []
    for name, parameter in theirs.named_parameters():
        [times] = [
            times for part, times in RATES.items() if part in name and ("layer." in part or "layer." not in name)
        ]
        groups.append({"params": [parameter], "lr": 1e-3 * times})
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    for _ in range(3):
        optimizer.zero_grad()
        theirs(input_ids=torch.tensor([example.ids]), labels=torch.tensor([example.labels])).loss.backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), recipe.clip_norm)
        optimizer.step()
    for (name, expected), found in zip(theirs.state_dict().items(), ours.state_dict().values(), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-5, msg=name)


def test_by_default_the_encoder_is_one_group(encoder_folder: Path) -> None:
    model = bert(encoder_folder)
    vector = flat(model)
    encoder, crf = make_optimizer(model, vector, LinearChainCRF(3), 0.1).param_groups
    [whole] = encoder["params"]
    assert (encoder["times"], crf["times"], crf["weight_decay"]) == (1.0, CRF_RATE, 0.0)
    assert (whole.data_ptr(), whole.grad.data_ptr(), len(whole)) == (
        vector.data_ptr(),
        vector.grad.data_ptr(),
        len(vector),
    )


def test_the_parts_cover_the_vector_and_what_layers_share_has_the_lowest_rate() -> None:
    config = MPNetConfig(
        vocab_size=60, hidden_size=8, num_hidden_layers=3, num_attention_heads=2, intermediate_size=8, num_labels=3
    )
    model = MPNetForTokenClassification(config)
    vector = flat(model)
    groups = make_optimizer(model, vector, None, 0.1, layer_decay=0.5, classifier_rate=2.0).param_groups
    assert [group["times"] for group in groups] == [0.125, 0.25, 0.5, 1.0, 0.125, 2.0]
    [*_, shared, classifier] = [group["params"][0] for group in groups]
    assert len(shared) == model.mpnet.encoder.relative_attention_bias.weight.numel()
    assert len(classifier) == 8 * 3 + 3
    for group in groups:
        group["params"][0].add_(1)
        group["params"][0].grad.add_(1)
    torch.testing.assert_close(vector, flat(model) + 1)
    assert torch.equal(vector.grad, torch.ones_like(vector))


def test_the_average_forgets_the_first_steps_and_weighs_the_last_ones() -> None:
    """The value is 1, 2, 4 and 8 after the steps; the decays are min(0.5, (n + 1) / (n + 10)) = 3/12, 4/13 and 5/14."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([parameter], fused=True)
    for value in (1.0, 2.0, 4.0, 8.0):
        parameter.grad = torch.ones(1)
        optimizer.step()
        parameter.data.fill_(value)
        update_average(optimizer, 0.5)
    second = 1 * 3 / 12 + 2 * 9 / 12
    third = second * 4 / 13 + 4 * 9 / 13
    expected = third * 5 / 14 + 8 * 9 / 14
    swap_average(optimizer)
    assert parameter.item() == pytest.approx(expected)
    swap_average(optimizer)
    assert parameter.item() == 8.0


def test_a_model_tags_between_epochs_with_the_average_and_trains_on_without_it(recipe: Recipe) -> None:
    example = Example([101, 2001, 2002, 102], [IGNORED, 0, 1, IGNORED])

    def weights(**changes: float) -> list[torch.Tensor]:
        model = bert(recipe.name)
        settings = recipe.model_copy(update={"epochs": 3, "learning_rate": 1e-2, "schedule": "constant", **changes})
        classifier = model.classifier.weight
        return [classifier.detach().float().clone() for _ in fine_tune(model, [example], settings, 1, 0)]

    plain, averaged = weights(), weights(average=0.2)
    second = plain[0] * 0.2 + plain[1] * 0.8
    torch.testing.assert_close(averaged[0], plain[0])
    torch.testing.assert_close(averaged[1], second)
    torch.testing.assert_close(averaged[2], second * 0.2 + plain[2] * 0.8)
