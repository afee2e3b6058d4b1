"""AdamW, and the best weights so far, which its state keeps."""

from typing import Any

import torch

from bert_ner.encoder.chain import LinearChainCRF

CRF_RATE = 100.0  # the CRF's learning rate as a multiple of the encoder's, because the CRF starts at zero (LOG.md)


def make_optimizer(vector: torch.Tensor, chain: LinearChainCRF | None, weight_decay: float) -> torch.optim.AdamW:
    """Make an AdamW. A group's learning rate is the recipe's times its `times`; the CRF's weights do not decay.

    Args:
        vector: the values of the model's parameters, end to end, with a gradient.
    """
    groups: list[dict[str, Any]] = [{"params": [vector], "times": 1.0}]
    if chain:
        groups.append({"params": list(chain.parameters()), "times": CRF_RATE, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, weight_decay=weight_decay, fused=True)


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
