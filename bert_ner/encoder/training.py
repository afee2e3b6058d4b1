"""A recipe -> fine-tuned weights and their history."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

# Read when CUDA starts; without it, cuBLAS can't be made to give the same bits twice.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from tqdm import tqdm
from transformers import PreTrainedModel

from bert_ner.encoder.batches import filled, pad, shuffled_batches
from bert_ner.encoder.chain import Chain, by_row
from bert_ner.encoder.checkpoint import fingerprint, load_checkpoint, save_checkpoint
from bert_ner.encoder.cpu_speedups import MasterWeights, cheap_dropout, keep_freed_memory, used_embeddings_only
from bert_ner.errors import BertNerError, InvalidValue

IGNORED = -100  # the label of pieces that are not a word's first; PyTorch's cross-entropy skips it
CHAIN_RATE = 100.0  # the chain's learning rate in the encoder's: it starts from nothing (LOG.md)

Precision = Literal["auto", "bfloat16", "float32"]
Schedule = Literal["linear", "constant"]


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune. The values of the paper (section 3.4) are in params.yaml.

    Attributes:
        name: the encoder, as `find_weights` takes it.
        learning_rate: the peak.
        batch_size: sentences per step.
        weight_decay: AdamW's, on every parameter; 0 makes it Adam.
        clip_norm: the gradient's largest norm; infinity clips nothing.
        epochs: passes over the training sentences.
        warmup: the share of all steps, in [0, 1), over which the learning rate rises from 0.
        precision: of matrix products; `auto` is bfloat16 where the processor computes in it, else float32.
        schedule: what the learning rate does after the warm-up: `linear` lets it fall to 0 at the last step.
        pretrained: whether to start from the encoder's weights; else from random ones of the same shape.
        crf: whether a chain scores which tags follow each other, learnt with the encoder; else each word is on its own.

    Raises:
        InvalidValue: one has the wrong type or is out of range.
    """

    name: str
    learning_rate: float
    batch_size: int
    weight_decay: float
    clip_norm: float
    epochs: int
    warmup: float
    precision: Precision
    schedule: Schedule = "linear"
    pretrained: bool = True
    crf: bool = False

    def __post_init__(self) -> None:
        for name, valid, wanted in (
            ("name", isinstance(self.name, str) and self.name.strip(), "the name of an encoder, or a folder"),
            ("learning_rate", _is_number(self.learning_rate) and self.learning_rate > 0, "a number above 0"),
            ("batch_size", _is_count(self.batch_size), "a whole number of at least 1"),
            ("weight_decay", _is_number(self.weight_decay) and self.weight_decay >= 0, "a number of at least 0"),
            (
                "clip_norm",
                self.clip_norm == math.inf or (_is_number(self.clip_norm) and self.clip_norm > 0),
                "a number above 0",
            ),
            ("epochs", _is_count(self.epochs), "a whole number of at least 1"),
            ("warmup", _is_number(self.warmup) and 0 <= self.warmup < 1, "a number from 0 up to, not including, 1"),
            ("precision", self.precision in get_args(Precision), f"one of {', '.join(get_args(Precision))}"),
            ("schedule", self.schedule in get_args(Schedule), f"one of {', '.join(get_args(Schedule))}"),
            ("pretrained", isinstance(self.pretrained, bool), "true or false"),
            ("crf", isinstance(self.crf, bool), "true or false"),
        ):
            if not valid:
                raise InvalidValue(f"{name} must be {wanted}, not {getattr(self, name)!r}")


class Example(NamedTuple):
    """One window to learn from: piece ids and, for each, a label id or IGNORED."""

    ids: list[int]
    labels: list[int]


def fine_tune(
    model: PreTrainedModel,
    examples: Sequence[Example],
    recipe: Recipe,
    seed: int,
    pad_id: int,
    validate: Callable[[], dict[str, float]],
    also_used: Collection[int] = (),
    checkpoint: Path | None = None,
    chain: Chain | None = None,
) -> list[dict[str, Any]]:
    """Fine-tune a model in place. The same seed gives the same bits on the same machine with as many threads.

    Args:
        model: a token-classification model, on the device to train on.
        examples: what to learn from.
        seed: of the order of sentences and of dropout.
        validate: called after each epoch; what it returns goes into the history.
        also_used: the piece ids that `validate` needs beside those of the examples.
        checkpoint: a file for the state after each epoch; a training that finds its own there goes on from it.
        chain: on the model's device; trained with it, above each window's first pieces.

    Returns:
        A row per epoch: epoch, train_loss (the mean over its batches), what `validate` returned, and seconds
        (validation not included).

    Raises:
        BertNerError: there is no example.
    """
    if not examples:
        raise BertNerError("nothing to learn from: the training sentences have no word that the tokenizer knows")
    dtype = compute_type(recipe.precision, model.device)
    if dtype == torch.float32 and recipe.precision == "auto":
        print(f"no bfloat16 in this {model.device.type}: training in float32", file=sys.stderr)
    batches_per_epoch = -(-len(examples) // recipe.batch_size)
    steps = recipe.epochs * batches_per_epoch
    lengths = [len(example.ids) for example in examples]
    used = {pad_id, *also_used}.union(*(example.ids for example in examples))

    keep_freed_memory()
    with (
        _deterministic(),
        used_embeddings_only(model, used),
        cheap_dropout(model),
        MasterWeights(model, dtype) as weights,
    ):
        optimizer = _optimizer(weights.vector, chain, recipe.weight_decay)
        learnt = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        history: list[dict[str, Any]] = []
        key = fingerprint(recipe, seed, examples)
        if checkpoint and checkpoint.exists():
            history = load_checkpoint(checkpoint, key, learnt, optimizer)
            weights.give_weights()
            state = (
                f"going on after epoch {len(history)}" if history else "broken or of another training: starting anew"
            )
            print(f"{checkpoint}: {state}", file=sys.stderr)
        step = len(history) * batches_per_epoch
        with tqdm(total=steps, initial=step, desc=f"{recipe.name} seed {seed}", unit="step", disable=None) as bar:
            for epoch in range(len(history) + 1, recipe.epochs + 1):
                started = time.perf_counter()
                torch.manual_seed(seed * 1000 + epoch)  # of its own, so that a checkpoint needs no generator's state
                model.train()
                losses = []
                for batch in shuffled_batches(lengths, recipe.batch_size, f"{seed}-{epoch}"):
                    rows = [examples[i] for i in batch]
                    labels = torch.from_numpy(pad([row.labels for row in rows], IGNORED)).to(model.device)
                    ids = [row.ids for row in rows]
                    logits = model(**model_inputs(pad(ids, pad_id), filled(ids), model.device)).logits
                    loss = _loss(logits.float(), labels, chain)
                    loss.backward()  # type: ignore[no-untyped-call]
                    norm = weights.take_gradients()
                    # The fused step divides gradients by it as it goes: clipping without a pass of its own.
                    optimizer.grad_scale = (norm / recipe.clip_norm).clamp(min=1)  # type: ignore[attr-defined]
                    rate = recipe.learning_rate * rate_factor(step, steps, recipe.warmup, recipe.schedule)
                    for group in optimizer.param_groups:
                        group["lr"] = rate * group["times"]
                    optimizer.step()
                    weights.give_weights()
                    if chain:
                        chain.zero_grad()
                    losses.append(loss.item())
                    step += 1
                    bar.update()
                seconds = time.perf_counter() - started
                row = {"epoch": epoch, "train_loss": sum(losses) / len(losses), **validate(), "seconds": seconds}
                bar.set_postfix({key: f"{value:.3f}" for key, value in row.items() if key.endswith(("loss", "f1"))})
                history.append(row)
                if checkpoint:
                    save_checkpoint(checkpoint, key, learnt, optimizer, history)
    return history


def _optimizer(weights: torch.Tensor, chain: Chain | None, decay: float) -> torch.optim.AdamW:
    """AdamW; each group's `times` is its learning rate in the recipe's. The chain's weights do not decay."""
    groups: list[dict[str, Any]] = [{"params": [weights], "times": 1.0}]
    if chain:
        groups.append({"params": list(chain.parameters()), "times": CHAIN_RATE, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, weight_decay=decay, fused=True)


def _loss(logits: torch.Tensor, labels: torch.Tensor, chain: Chain | None) -> torch.Tensor:
    """The mean over the labelled pieces of a batch, in nats."""
    if not chain:
        return cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
    first = labels != IGNORED
    lengths = first.sum(1)
    losses: torch.Tensor = chain(by_row(logits[first], lengths), lengths, by_row(labels[first], lengths))
    return losses.sum() / lengths.sum()


@contextmanager
def _deterministic() -> Iterator[None]:
    """The same sums in the same order, for a while; the settings belong to the whole process."""
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic
    fill = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False  # filling guards against reads of unset memory, at a price
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)
        memory.fill_uninitialized_memory = fill


def rate_factor(step: int, steps: int, warmup: float, schedule: Schedule = "linear") -> float:
    """The learning rate's share of its peak before step `step` of `steps`: a rise over the warm-up, then the schedule.

    Without warm-up, `linear` is the formula of the paper's section 3.4.3, (steps - step) / steps.
    """
    rise = round(warmup * steps)
    if step < rise:
        return step / rise
    if schedule == "constant":
        return 1.0
    return max(0.0, (steps - step) / (steps - rise))


def model_inputs(ids: NDArray[np.int64], mask: NDArray[np.int64], device: torch.device) -> dict[str, torch.Tensor]:
    """Padded piece ids and the mask that hides the padding, under the names that models take them by."""
    arrays = {"input_ids": ids, "attention_mask": mask}
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}


def compute_type(precision: Precision, device: torch.device) -> torch.dtype:
    """The type that a recipe's precision means on a device."""
    if precision == "auto":
        return torch.bfloat16 if computes_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware; emulated, they are slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
