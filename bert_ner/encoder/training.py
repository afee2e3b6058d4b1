"""Fine-tune an encoder by a recipe."""

import os
import sys
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal, NamedTuple, cast

# Read when CUDA starts; without it, cuBLAS is not deterministic.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from bert_ner.encoder.adversarial import moved_embeddings
from bert_ner.encoder.batches import attention_mask, pad_rows, shuffled_batches
from bert_ner.encoder.chain import LinearChainCRF, pad_sentences
from bert_ner.encoder.checkpoint import Checkpoint
from bert_ner.encoder.cpu_speedups import MasterWeights, cheap_dropout, keep_freed_memory, used_embeddings_only
from bert_ner.encoder.decoding import Decoding
from bert_ner.encoder.distillation import Targets, taught_loss
from bert_ner.encoder.optimizer import make_optimizer, use_best_weights
from bert_ner.encoder.ranks import ALONE, Ranks
from bert_ner.errors import BertNerError
from bert_ner.settings import CONFLICT, Settings

RANK_STRIDE = 1_000_000_007  # between the seeds of two ranks; a CPU's generator takes the low 32 bits of a seed
IGNORED = -100  # the label of pieces that are not a word's first; PyTorch's cross-entropy skips it

Precision = Literal["auto", "bfloat16", "float32"]
Schedule = Literal["linear", "constant"]
_Count = Annotated[int, Field(ge=1)]


class Recipe(Settings):
    """How to fine-tune. The paper's values (section 3.4) are in params.yaml."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        description="The encoder: a key of ENCODERS, or a folder."
    )
    learning_rate: float = Field(gt=0, allow_inf_nan=False, description="The peak.")
    batch_size: _Count = Field(description="Sentences per step.")
    weight_decay: float = Field(ge=0, allow_inf_nan=False, description="AdamW's, of the encoder; 0 makes it Adam.")
    clip_norm: float = Field(gt=0, description="The largest norm of the gradient; infinity clips nothing.")
    epochs: _Count = Field(description="Passes over the training sentences.")
    min_steps: int = Field(default=0, ge=0, description="The least number of steps; a small corpus takes more passes.")
    patience: int = Field(
        default=0,
        ge=0,
        description="Stop after so many epochs without a better validation F1, and keep the best; 0: off.",
    )
    warmup: float = Field(ge=0, lt=1, allow_inf_nan=False, description="The share of steps in which the rate rises.")
    precision: Precision = Field(description="Of matrix products; auto: bfloat16 where the hardware has it.")
    schedule: Schedule = Field(default="linear", description="Of the rate after the warm-up; linear falls to 0.")
    pretrained: bool = Field(default=True, description="Start from the encoder's weights, not from random ones.")
    crf: bool = Field(default=False, description="Learn a CRF on top, which scores the tags that follow each other.")
    decoding: Decoding = Field(
        default="greedy", description="Of the tags, after training; legal: the best path without an illegal I-X."
    )
    train_on: Literal["train", "all"] = Field(
        default="train", description="all: the validation sentences train as well, so the history has no score of them."
    )
    soup: _Count = Field(
        default=1,
        description="The number of trainings whose weights are averaged. They start alike, and have the sentences in "
        "another order. The history has the scores of each, and none of the mean. Source: Wortsman et al., ICML 2022.",
    )
    adversarial: float = Field(
        default=0,
        ge=0,
        allow_inf_nan=False,
        description="Train on each batch a second time, with the embeddings of pieces moved along their gradient by so "
        "many norms of an embedding; 0: off. Source: Miyato et al., ICLR 2017.",
    )
    teachers: list[str] = Field(
        default=[], description="Names of the trained taggers to learn from, which `fit` is given."
    )
    teacher_weight: float = Field(
        default=0.5, gt=0, le=1, description="The share of the loss that the teachers' probabilities have."
    )

    @field_validator("train_on")
    @classmethod
    def _without_patience(cls, value: str, others: ValidationInfo) -> str:
        if value == "all" and others.data.get("patience"):
            remedy = "set train_on: train or patience: 0"
            text = f"train_on: all leaves no sentences to validate on, which patience needs; {remedy}"
            raise PydanticCustomError(CONFLICT, text)
        return value

    @field_validator("soup")
    @classmethod
    def _without_patience_either(cls, value: int, others: ValidationInfo) -> int:
        if value > 1 and others.data.get("patience"):
            text = "patience keeps the best epoch of a training, and a soup is none; set soup: 1 or patience: 0"
            raise PydanticCustomError(CONFLICT, text)
        return value

    @field_validator("teachers")
    @classmethod
    def _taught_without_crf(cls, value: list[str], others: ValidationInfo) -> list[str]:
        if value and others.data.get("crf"):
            raise PydanticCustomError(CONFLICT, "teachers can't be used with crf: true; leave one out")
        return value


class Example(NamedTuple):
    """One window to train on: piece ids, and a label id or IGNORED for each.

    All examples of a training have targets, or none.
    """

    ids: list[int]
    labels: list[int]
    targets: Targets | None = None  # of the pieces that are not IGNORED


def fine_tune(
    model: PreTrainedModel,
    examples: Sequence[Example],
    recipe: Recipe,
    seed: int,
    pad_id: int,
    *,
    also_used: Collection[int] = (),
    chain: LinearChainCRF | None = None,
    checkpoint: Checkpoint | None = None,
    ranks: Ranks = ALONE,
    on_step: Callable[..., None] = lambda **_: None,
) -> Generator[dict[str, Any], None, None]:
    """Fine-tune a token-classification model in place. Deterministic for a seed, a machine, threads and ranks.

    Between two epochs the model can tag.

    Args:
        seed: of the order of sentences and of dropout.
        also_used: the piece ids, besides those of the examples, that the model is given between two epochs.
        chain: a CRF on the model's device, trained with it on each window's first pieces.
        checkpoint: the state to resume from; the caller saves it after each epoch. Patience needs one.
        ranks: the processes that share each batch; all of them call this with the same arguments.
        on_step: called after each step with `epoch` and `train_loss`, the mean so far.

    Yields:
        A row per epoch: epoch, train_loss (the mean over its batches, in nats) and seconds.
    """
    if not examples:
        raise BertNerError("nothing to learn from: the training sentences have no word that the tokenizer knows")
    dtype = compute_type(recipe.precision, model.device)
    if dtype == torch.float32 and recipe.precision == "auto":
        print(f"no bfloat16 in this {model.device.type}: training in float32", file=sys.stderr)
    used = {pad_id, *also_used}.union(*(example.ids for example in examples))
    lengths = [len(example.ids) for example in examples]

    keep_freed_memory()
    with (
        _deterministic(),
        used_embeddings_only(model, used),
        cheap_dropout(model),
        MasterWeights(model, dtype) as weights,
    ):
        optimizer = make_optimizer(weights.vector, chain, recipe.weight_decay)
        if checkpoint:
            checkpoint.attach(optimizer)
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        for parameter in parameters:
            ranks.copy_from_first(parameter.detach())
        weights.update_model()

        def add_gradients(batch: Sequence[Example]) -> torch.Tensor:
            if not (rows := ranks.part_of(batch)):
                return torch.zeros((), device=model.device)
            labels = torch.from_numpy(pad_rows([row.labels for row in rows], IGNORED)).to(model.device)
            ids = [row.ids for row in rows]
            logits = model(**model_inputs(pad_rows(ids, pad_id), attention_mask(ids), model.device)).logits
            loss = _loss(logits.float(), labels, chain, _targets_of(rows), recipe.teacher_weight)
            loss = loss * (_labelled(rows) / _labelled(batch))
            loss.backward()  # type: ignore[no-untyped-call]
            return loss.detach()

        def train_batch(batch: Sequence[Example], rate: float) -> float:
            loss = add_gradients(batch)
            if recipe.adversarial:
                with moved_embeddings(model, recipe.adversarial, ranks):
                    add_gradients(batch)
            gradient = weights.collect_gradients()
            for parameter in parameters:
                ranks.add_up(_gradient(parameter))
            norm = torch.linalg.vector_norm(gradient)
            # The fused step divides the gradients by this as it goes, so clipping needs no pass of its own.
            optimizer.grad_scale = (norm / recipe.clip_norm).clamp(min=1)  # type: ignore[attr-defined]
            for group in optimizer.param_groups:
                group["lr"] = rate * group["times"]
            optimizer.step()
            weights.update_model()
            if chain:
                chain.zero_grad()
            ranks.add_up(loss)
            return loss.item()

        for epoch in _epochs_left(recipe, checkpoint):
            started = time.perf_counter()
            # Its own, so that a checkpoint needs no generator's state, and each rank's, so that their dropout differs.
            torch.manual_seed(seed * 1000 + epoch + ranks.rank * RANK_STRIDE)
            model.train()
            losses: list[float] = []
            batches = shuffled_batches(lengths, recipe.batch_size, f"{seed}-{epoch}")
            for step, batch in enumerate(batches, (epoch - 1) * len(batches)):
                share = rate_factor(step, recipe.epochs * len(batches), recipe.warmup, recipe.schedule)
                losses.append(train_batch([examples[i] for i in batch], recipe.learning_rate * share))
                loss = sum(losses) / len(losses)
                on_step(epoch=epoch, train_loss=loss)
            yield {"epoch": epoch, "train_loss": loss, "seconds": time.perf_counter() - started}
        use_best_weights(optimizer)


def _epochs_left(recipe: Recipe, checkpoint: Checkpoint | None) -> Iterator[int]:
    """Yield the numbers of the epochs to train, until validation has not improved for as long as the recipe waits."""
    for epoch in range(1 + (len(checkpoint.history) if checkpoint else 0), recipe.epochs + 1):
        if checkpoint and recipe.patience and checkpoint.epochs_since_best >= recipe.patience:
            return
        yield epoch


def _loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    chain: LinearChainCRF | None,
    targets: torch.Tensor | None,
    teacher_weight: float,
) -> torch.Tensor:
    """Return the mean loss over the labelled pieces of a batch, in nats; `targets` has a row for each of them."""
    first = labels != IGNORED
    if chain:
        lengths = first.sum(1)
        losses = chain(pad_sentences(logits[first], lengths), lengths, pad_sentences(labels[first], lengths))
        return torch.as_tensor(losses.sum() / lengths.sum())
    if targets is not None:
        return taught_loss(logits[first], labels[first], targets.to(logits.device), teacher_weight)
    return cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)


def _targets_of(rows: Sequence[Example]) -> torch.Tensor | None:
    """Return the targets of all labelled pieces of a batch, of shape (pieces, labels), if the examples have some."""
    targets = [row.targets for row in rows if row.targets is not None]
    return torch.from_numpy(np.concatenate(targets)) if targets else None


def _labelled(rows: Sequence[Example]) -> int:
    return sum(label != IGNORED for row in rows for label in row.labels)


def _gradient(parameter: torch.nn.Parameter) -> torch.Tensor:
    """Return a parameter's gradient; zeros, which it keeps, if it has none."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


@contextmanager
def _deterministic() -> Iterator[None]:
    """Make PyTorch deterministic within the context; the settings are those of the whole process."""
    enabled, memory = torch.are_deterministic_algorithms_enabled(), cast(Any, torch.utils.deterministic)
    warn_only, fill = torch.is_deterministic_algorithms_warn_only_enabled(), memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False  # filling costs time, and only guards against reads of unset memory
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
        memory.fill_uninitialized_memory = fill


def rate_factor(step: int, steps: int, warmup: float, schedule: Schedule = "linear") -> float:
    """Return the learning rate before step `step` of `steps` as a share of its peak, from 0 to 1.

    Without warm-up, `linear` is the formula of the paper's section 3.4.3, (steps - step) / steps.
    """
    rise = round(warmup * steps)
    if step < rise:
        return step / rise
    return 1.0 if schedule == "constant" else max(0.0, (steps - step) / (steps - rise))


def model_inputs(ids: NDArray[np.int64], mask: NDArray[np.int64], device: torch.device) -> dict[str, torch.Tensor]:
    """Return padded piece ids and their attention mask as a model's keyword arguments."""
    arrays = {"input_ids": ids, "attention_mask": mask}
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}


def compute_type(precision: Precision, device: torch.device) -> torch.dtype:
    """Return the data type that a recipe's precision stands for on a device."""
    in_bfloat16 = precision == "bfloat16" or (precision == "auto" and computes_bfloat16(device))
    return torch.bfloat16 if in_bfloat16 else torch.float32


def computes_bfloat16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 matrices in hardware; emulation is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
