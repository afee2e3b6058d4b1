"""Workloads that train: the paper's recipe, transformers' Trainer and ours, their products alone, and a checkpoint."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.artifacts import read_labels, read_part
from harness.params import read_params, settings_of
from harness.paths import DATA

from bench.measuring import Figures, fast_dtype, figures, fresh_model, measure_seconds
from bench.products import measure_products, step_products
from bert_ner.corpus.bio import Sentence
from claims.paper import PAPER_CORPUS, PAPER_LENGTH

BATCH = 32  # sentences
EPOCHS = 2  # the first warms up, the second is measured


def train(recipe: str, sentences: int, large: bool = False) -> Figures:
    """Measure the steps of an epoch, with its batches, optimiser and logging; another epoch before it warms up."""
    part = _sample(sentences)
    epochs_of: dict[str, Callable[..., list[float]]] = {
        "paper": _paper_epochs,
        "Trainer": partial(_trainer_epochs, settings={}),
        "Trainer tuned": partial(_trainer_epochs, settings=_tuned_settings()),
        "ours": _our_epochs,
    }
    return {"": figures(part, epochs_of[recipe](*fresh_model(large), part)[-1])}


def products(sentences: int, large: bool = False) -> Figures:
    """Measure the matrix products of such an epoch alone, in the fastest number type that trains."""
    part = _sample(sentences)
    model, tokenizer = fresh_model(large)
    lengths = sorted(len(row.ids) for row in _examples(tokenizer, part))
    batches = [lengths[start : start + BATCH] for start in range(0, len(lengths), BATCH)]
    alone = measure_products([product for batch in batches for product in step_products(model, batch)], fast_dtype())
    return {"": figures(part, **alone)}


def checkpoint(large: bool = False) -> Figures:
    """Measure the median time that a training waits for a checkpoint; there is one in each epoch."""
    from bert_ner.encoder.checkpoint import Checkpoint

    model, tokenizer = fresh_model(large)
    sentences = read_part(PAPER_CORPUS, "train")
    # The folder is on the disk that a training writes to.
    with TemporaryDirectory(dir=DATA) as folder:
        saved = Checkpoint(Path(folder, "checkpoint.safetensors"), "")
        rows = _our_rows(model, tokenizer, sentences[:BATCH], epochs=5, checkpoint=saved)
        seconds = [measure_seconds(saved.save, row) for row in rows]
    return {"": figures(sentences, statistics.median(seconds))}


def _sample(size: int) -> list[Sentence]:
    """Return training sentences from all over the corpus, the same for every program."""
    sentences = read_part(PAPER_CORPUS, "train")
    return sentences[:: len(sentences) // size][:size]


def _examples(tokenizer: Any, sentences: Sequence[Sentence]) -> list[Any]:
    from bert_ner.encoder.alignment import WordPieces
    from bert_ner.encoder.tagger import examples_of

    label_id = {label: i for i, label in enumerate(read_labels(PAPER_CORPUS))}
    return examples_of(sentences, WordPieces.of(tokenizer, 512), label_id)


def _rows(tokenizer: Any, sentences: Sequence[Sentence]) -> list[dict[str, list[int]]]:
    """Return examples in the form that transformers takes."""
    return [{"input_ids": row.ids, "labels": row.labels} for row in _examples(tokenizer, sentences)]


def _our_epochs(model: Any, tokenizer: Any, sentences: Sequence[Sentence]) -> list[float]:
    """Train with the recipe of minilm; return the seconds of each epoch."""
    return [row["seconds"] for row in _our_rows(model, tokenizer, sentences, EPOCHS)]


def _our_rows(
    model: Any, tokenizer: Any, sentences: Sequence[Sentence], epochs: int, **options: Any
) -> Iterator[dict[str, Any]]:
    from bert_ner.encoder.ranks import join_ranks
    from bert_ner.encoder.training import Recipe, fine_tune

    recipe = Recipe(**{**settings_of(read_params()["minilm"]), "epochs": epochs, "precision": "auto"})
    examples, ranks = _examples(tokenizer, sentences), join_ranks()  # those of torchrun, if it started this process
    return fine_tune(model, examples, recipe, 0, tokenizer.pad_token_id, ranks=ranks, **options)


def _paper_epochs(model: Any, tokenizer: Any, train: Sequence[Sentence]) -> list[float]:
    """Train as sections 3.3 and 3.4 say; return the seconds of each epoch.

    Each sentence is padded to PAPER_LENGTH pieces. Numbers are float32; AdamW, with clipping and a linear decay.
    """
    import torch
    from transformers import DataCollatorForTokenClassification

    collate = DataCollatorForTokenClassification(tokenizer, padding="max_length", max_length=PAPER_LENGTH)
    batch = collate([{name: ids[:PAPER_LENGTH] for name, ids in row.items()} for row in _rows(tokenizer, train)])
    data = torch.utils.data.TensorDataset(batch["input_ids"], batch["attention_mask"], batch["labels"])
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01)
    steps = EPOCHS * len(loader)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))
    model.train()

    def train_epoch() -> None:
        for ids, mask, labels in loader:
            model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()

    return [measure_seconds(train_epoch) for _ in range(EPOCHS)]


def _tuned_settings() -> dict[str, Any]:
    """Return the documented settings that make transformers' Trainer faster on a CPU; LOG.md has what each gives."""
    return {
        "bf16": fast_dtype() == "bfloat16",
        "use_cpu": True,
        "train_sampling_strategy": "group_by_length",
        "logging_nan_inf_filter": False,
        "dataloader_pin_memory": False,
    }


def _trainer_epochs(model: Any, tokenizer: Any, train: Sequence[Sentence], settings: Mapping[str, Any]) -> list[float]:
    """Train with the Trainer of transformers; return the seconds of each epoch.

    The batch size is the paper's, a batch is padded to its longest sentence, and all other settings are the defaults.
    """
    from transformers import DataCollatorForTokenClassification, Trainer, TrainerCallback, TrainingArguments

    moments = []

    class Clock(TrainerCallback):
        def on_epoch_begin(self, *_: Any, **__: Any) -> None:
            moments.append(time.perf_counter())

        def on_epoch_end(self, *_: Any, **__: Any) -> None:
            moments.append(time.perf_counter())

    with TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        arguments = TrainingArguments(
            folder, num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH, save_strategy="no", disable_tqdm=True,
            **settings,
        )  # fmt: skip
        collate = DataCollatorForTokenClassification(tokenizer)
        Trainer(model, arguments, collate, _rows(tokenizer, train), callbacks=[Clock()]).train()
    return [ended - began for began, ended in zip(moments[::2], moments[1::2], strict=True)]
