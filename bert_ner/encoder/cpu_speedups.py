"""Make training steps on a CPU cheaper, with the same results. LOG.md has the figures.

A plain step of a small encoder spends more time on memory and random numbers than on matrix products.
"""

import ctypes
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Self, cast

import torch
from transformers import PreTrainedModel

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # glibc's mallopt(3)
_LEVELS = 2**16  # a dropout probability is a multiple of 1/65,536


def keep_freed_memory() -> None:
    """Let the process keep freed memory for the next step (glibc on Linux).

    Otherwise every page of the next step's gradients has to be faulted in and zeroed: a third of a step.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)  # otherwise the backward thread still returns its arena's memory
        libc.mallopt(_M_MMAP_THRESHOLD, 2**30)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


class MasterWeights:
    """A model's parameters as one float32 vector, because optimisers handle one long tensor faster than many.

    Within its context the model computes with views of the vector or, in bfloat16, with views of a copy that is cast
    once per step. Autocast would cast weights and activations at each use.

    Attributes:
        vector: all parameters, in the order of `model.parameters()`; of shape (parameters,).
    """

    def __init__(self, model: PreTrainedModel, dtype: torch.dtype) -> None:
        self._parameters = list(model.parameters())
        self.vector = torch.cat([parameter.detach().flatten() for parameter in self._parameters])
        self.vector.grad = torch.zeros_like(self.vector)
        self._copy = self.vector.to(dtype)  # the vector itself if that is its type

    def __enter__(self) -> Self:
        for parameter, view in self._views(self._copy):
            parameter.data = view
        return self

    def __exit__(self, *_: object) -> None:
        for parameter, view in self._views(self.vector):
            parameter.data, parameter.grad = view.clone(), None

    def collect_gradients(self) -> torch.Tensor:
        """Move the parameters' gradients into the vector's gradient, and return that."""
        gradient = cast(torch.Tensor, self.vector.grad)
        for parameter, view in self._views(gradient):
            if parameter.grad is None:
                view.zero_()
            else:
                view.copy_(parameter.grad)
                parameter.grad = None
        return gradient

    def update_model(self) -> None:
        """Make the model compute with the vector's current values."""
        if self._copy is not self.vector:
            self._copy.copy_(self.vector)

    def _views(self, vector: torch.Tensor) -> Iterator[tuple[torch.nn.Parameter, torch.Tensor]]:
        """Yield each parameter with its part of a vector, in the parameter's shape."""
        parts = torch.split(vector, [parameter.numel() for parameter in self._parameters])
        for part, parameter in zip(parts, self._parameters, strict=True):
            yield parameter, part.view(parameter.shape)


@contextmanager
def used_embeddings_only(model: PreTrainedModel, used: Collection[int]) -> Iterator[None]:
    """Train only the used rows of the vocabulary within the context.

    The others would only decay: a spare row of ones records by how much, and multiplies them at the end.
    """
    whole = cast(torch.nn.Embedding, model.get_input_embeddings())
    device, ids = whole.weight.device, torch.tensor(sorted(used), device=whole.weight.device)
    row_of = torch.full((whole.num_embeddings,), -1, device=device)  # a row that does not exist
    row_of[ids] = torch.arange(len(ids), device=device)
    rows = torch.cat([whole.weight[ids], torch.ones_like(whole.weight[:1])]).detach()
    padding = int(row_of[whole.padding_idx]) if whole.padding_idx in used else None
    trained = torch.nn.Embedding(len(rows), rows.shape[1], padding, _weight=rows)
    trained.register_forward_pre_hook(lambda _, inputs: (row_of[inputs[0]],))
    model.set_input_embeddings(trained)
    try:
        yield
    finally:
        with torch.no_grad():
            whole.weight.mul_(trained.weight[-1, 0])
            whole.weight[ids] = trained.weight[:-1]
        model.set_input_embeddings(whole)


@contextmanager
def cheap_dropout(model: torch.nn.Module) -> Iterator[None]:
    """Draw four decisions of dropout from each 64-bit random number within the context; PyTorch draws one for each."""
    layers = [module for module in model.modules() if type(module) is torch.nn.Dropout]
    for layer in layers:
        layer.forward = partial(_drop, layer)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _drop(layer: torch.nn.Dropout, x: torch.Tensor) -> torch.Tensor:
    dropped = round(layer.p * _LEVELS)
    if not layer.training or not dropped:
        return x
    numbers = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None)
    keep = numbers.view(torch.int16)[: x.numel()].view(x.shape) >= dropped - _LEVELS // 2
    return x * keep.to(x.dtype).mul_(_LEVELS / (_LEVELS - dropped))
