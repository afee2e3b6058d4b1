"""AdamW with a rate for each layer, and a moving average of the weights that it makes."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any, cast

import torch
from transformers import PreTrainedModel

from bert_ner.encoder.chain import LinearChainCRF

CRF_RATE = 100.0  # the CRF's learning rate as a multiple of the encoder's, because the CRF starts at zero (LOG.md)

_LAYER = re.compile(r"\.layers?\.(\d+)\.")


def make_optimizer(
    model: PreTrainedModel,
    vector: torch.Tensor,
    chain: LinearChainCRF | None,
    weight_decay: float,
    layer_decay: float = 1.0,
    classifier_rate: float = 1.0,
) -> torch.optim.AdamW:
    """Make an AdamW. A group's learning rate is the recipe's times its `times`; the CRF's weights do not decay.

    Args:
        vector: the values of `model.parameters()`, end to end, with a gradient; the groups are parts of it.
        layer_decay: a layer's rate as a multiple of that of the layer above it.
        classifier_rate: the classifier's rate as a multiple of the last layer's.
    """
    gradient = cast(torch.Tensor, vector.grad)
    groups: list[dict[str, Any]] = []
    start = 0
    for times, run in groupby(_rates(model, layer_decay, classifier_rate), lambda pair: pair[1]):
        end = start + sum(parameter.numel() for parameter, _ in run)
        part = vector[start:end]
        part.grad = gradient[start:end]
        groups.append({"params": [part], "times": times})
        start = end
    if chain:
        groups.append({"params": list(chain.parameters()), "times": CRF_RATE, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, weight_decay=weight_decay, fused=True)


@torch.no_grad()
def update_average(optimizer: torch.optim.Optimizer, decay: float) -> None:
    """Move the average of each parameter towards its value after a step; call it after every step.

    The average of n steps weighs the last 1 / (1 - decay) of them. It weighs fewer while n is small, so that it forgets
    the first weights: the decay is (n + 1) / (n + 10) if that is less. The optimiser's state holds it, under `average`.
    """
    for parameter, state in optimizer.state.items():
        if "average" in state:
            steps = float(state["step"])
            state["average"].lerp_(parameter, 1 - min(decay, (steps + 1) / (steps + 10)))
        else:
            state["average"] = parameter.detach().clone()


@torch.no_grad()
def swap_average(optimizer: torch.optim.Optimizer) -> None:
    """Exchange the value and the average of each parameter that has one."""
    for parameter, state in optimizer.state.items():
        if "average" in state:
            value = parameter.detach().clone()
            parameter.copy_(state["average"])
            state["average"].copy_(value)


@torch.no_grad()
def keep_best_weights(optimizer: torch.optim.Optimizer) -> None:
    """Keep the value of each parameter in the optimiser's state, under `best`, in place of an older one."""
    for parameter, state in optimizer.state.items():
        state["best"] = parameter.detach().clone()


@torch.no_grad()
def use_best_weights(optimizer: torch.optim.Optimizer) -> None:
    """Give each parameter the value that `keep_best_weights` kept, if it did."""
    for parameter, state in optimizer.state.items():
        if "best" in state:
            parameter.copy_(state["best"])


def _rates(
    model: PreTrainedModel, layer_decay: float, classifier_rate: float
) -> Iterator[tuple[torch.nn.Parameter, float]]:
    """Yield each parameter with its rate as a multiple of the last layer's.

    Embeddings, and all else that is in no layer, count as the layer below the first.
    """
    layers = {name: int(found[1]) for name, _ in model.named_parameters() if (found := _LAYER.search(name))}
    last = max(layers.values(), default=-1)
    for name, parameter in model.named_parameters():
        in_encoder = name.startswith(f"{model.base_model_prefix}.")
        yield parameter, layer_decay ** (last - layers.get(name, -1)) if in_encoder else classifier_rate
