"""The optimiser steps all weights of the encoder at once, and remembers the best ones."""

from __future__ import annotations

import torch

from bert_ner.encoder.chain import LinearChainCRF
from bert_ner.encoder.optimizer import CRF_RATE, keep_best_weights, make_optimizer, use_best_weights


def with_gradient(*values: float) -> torch.Tensor:
    vector = torch.tensor(values)
    vector.grad = torch.ones_like(vector)
    return vector


def test_the_encoder_is_one_group_and_the_crf_another_that_does_not_decay() -> None:
    vector, chain = with_gradient(1.0, 2.0), LinearChainCRF(3)
    encoder, crf = make_optimizer(vector, chain, 0.1).param_groups
    [whole] = encoder["params"]
    assert whole is vector
    assert crf["params"] == list(chain.parameters())
    assert [(group["times"], group["weight_decay"]) for group in (encoder, crf)] == [(1.0, 0.1), (CRF_RATE, 0.0)]


def test_the_best_weights_come_back() -> None:
    vector = with_gradient(1.0, -2.0)
    optimizer = make_optimizer(vector, None, 0.0)
    optimizer.step()
    best = vector.clone()
    keep_best_weights(optimizer)
    optimizer.step()
    assert not torch.equal(vector, best)
    use_best_weights(optimizer)
    assert torch.equal(vector, best)
