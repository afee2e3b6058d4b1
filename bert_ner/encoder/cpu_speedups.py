"""Make training steps on a CPU cheaper, with the same results. LOG.md has the figures.

A plain step of a small encoder spends more time on memory and random numbers than on matrix products.
"""

import ctypes
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Self, cast

import torch
from torch.nn.functional import embedding
from transformers import PreTrainedModel

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # glibc's mallopt(3)
_LEVELS = 2**16  # a dropout probability is a multiple of 1/65,536


def keep_freed_memory() -> None:
    """Let the process keep freed memory for the next step; only with glibc on Linux.

    Otherwise glibc returns each step's gradients to the system, and every page of the next step's gradients has to be
    faulted in and zeroed: a third of a step.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)  # otherwise the backward thread still returns its arena's memory
        libc.mallopt(_M_MMAP_THRESHOLD, 2**30)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


class MasterWeights:
    """A model's parameters as one float32 vector, because optimisers handle one long tensor faster than many.

    Within its context the model computes with views of the vector or, in bfloat16, with views of a copy that is cast
    once per step; autocast would cast weights and activations at each use.

    Attributes:
        vector: all parameters, in the order of `model.parameters()`; of shape (parameters,).
    """

    def __init__(self, model: PreTrainedModel, dtype: torch.dtype) -> None:
        self._parameters = list(model.parameters())
        self.vector = torch.cat([parameter.detach().flatten() for parameter in self._parameters])
        self.vector.grad = torch.zeros_like(self.vector)
        self._copy = self.vector.to(dtype)  # the vector itself if that is its type

    def __enter__(self) -> Self:
        for parameter, view in zip(self._parameters, self._views(self._copy), strict=True):
            parameter.data = view
        return self

    def __exit__(self, *_: object) -> None:
        for parameter, view in zip(self._parameters, self._views(self.vector), strict=True):
            parameter.data, parameter.grad = view.clone(), None

    def collect_gradients(self) -> torch.Tensor:
        """Move the parameters' gradients into the vector's gradient, and return their norm."""
        gradient = cast(torch.Tensor, self.vector.grad)
        for parameter, view in zip(self._parameters, self._views(gradient), strict=True):
            if parameter.grad is None:
                view.zero_()
            else:
                view.copy_(parameter.grad)
                parameter.grad = None
        norm: torch.Tensor = torch.linalg.vector_norm(gradient)
        return norm

    def update_model(self) -> None:
        """Make the model compute with the vector's current values."""
        if self._copy is not self.vector:
            self._copy.copy_(self.vector)

    def _views(self, vector: torch.Tensor) -> list[torch.Tensor]:
        parts = torch.split(vector, [parameter.numel() for parameter in self._parameters])
        return [part.view(parameter.shape) for part, parameter in zip(parts, self._parameters, strict=True)]


@contextmanager
def used_embeddings_only(model: PreTrainedModel, used: Collection[int]) -> Iterator[None]:
    """Train only the used rows of the vocabulary within the context.

    The other rows have no gradient, so the optimiser only lets them decay. A spare row of ones, also unused, records by
    how much, and the other rows are multiplied by it at the end.
    """
    whole = cast(torch.nn.Embedding, model.get_input_embeddings())
    rows = _UsedRows(whole, sorted(used))
    model.set_input_embeddings(rows)
    try:
        yield
    finally:
        with torch.no_grad():
            whole.weight.mul_(rows.weight[-1, 0])
            whole.weight[rows.used] = rows.weight[:-1]
        model.set_input_embeddings(whole)


class _UsedRows(torch.nn.Module):
    """Some rows of an embedding, looked up by their ids in the whole embedding."""

    def __init__(self, whole: torch.nn.Embedding, used: list[int]) -> None:
        super().__init__()
        self.used = torch.tensor(used, device=whole.weight.device)
        self.row_of = torch.full((whole.num_embeddings,), -1, device=whole.weight.device)
        self.row_of[self.used] = torch.arange(len(used), device=whole.weight.device)
        spare = torch.ones_like(whole.weight[:1])
        self.weight = torch.nn.Parameter(torch.cat([whole.weight[self.used], spare]).detach())
        self.padding = int(self.row_of[whole.padding_idx]) if whole.padding_idx in used else None

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return embedding(self.row_of[ids], self.weight, self.padding)


@contextmanager
def cheap_dropout(model: PreTrainedModel) -> Iterator[None]:
    """Draw four decisions of dropout from each 64-bit random number within the context.

    PyTorch draws a number for each element.
    """
    layers = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if type(child) is torch.nn.Dropout
    ]
    for parent, name, child in layers:
        setattr(parent, name, _CheapDropout(child.p).train(child.training))
    try:
        yield
    finally:
        for parent, name, child in layers:
            setattr(parent, name, child.train(parent.training))


class _CheapDropout(torch.nn.Dropout):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        dropped = round(self.p * _LEVELS)
        if not self.training or not dropped:
            return x
        numbers = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None)
        keep = numbers.view(torch.int16)[: x.numel()].view(x.shape) >= dropped - _LEVELS // 2
        return x * keep.to(x.dtype).mul_(_LEVELS / (_LEVELS - dropped))
