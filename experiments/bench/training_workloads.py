"""Workloads that train: an epoch of the paper's recipe, of transformers' Trainer and of ours, and a checkpoint."""

import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.artifacts import read_labels, read_part
from harness.params import read_params, settings_of
from harness.paths import DATA

from bench.measuring import CORPUS, Figures, figures, measure_seconds
from bert_ner.corpus.bio import Sentence

PADDED = 55  # pieces, from the paper's section 3.3.1


def train(recipe: str, share: int, large: bool = False) -> Figures:
    """Measure an epoch on one of `share` training sentences: tokenisation, batches, optimiser and logging."""
    sentences = read_part(CORPUS, "train")[::share]
    model, tokenizer = _fresh(large)
    epoch = {"paper": _paper_epoch, "Trainer": _trainer_epoch, "ours": _our_epoch}[recipe]
    seconds = measure_seconds(epoch, model, tokenizer, sentences)
    return {"": figures(sentences, seconds, tflop=3 * _forward_tflop(model, tokenizer, sentences))}


def checkpoint(large: bool = False) -> Figures:
    """Measure the median time that a training waits for a checkpoint; there is one in each epoch."""
    from bert_ner.encoder.checkpoint import Checkpoint

    model, tokenizer = _fresh(large)
    sentences = read_part(CORPUS, "train")
    # The folder is on the disk that a training writes to.
    with TemporaryDirectory(dir=DATA) as folder:
        saved = Checkpoint(Path(folder, "checkpoint.safetensors"), "")
        epochs = _our_epochs(model, tokenizer, sentences[:32], epochs=5, checkpoint=saved)
        seconds = [measure_seconds(saved.save, row) for row in epochs]
    return {"": figures(sentences, statistics.median(seconds))}


def _fresh(large: bool) -> tuple[Any, Any]:
    """Return a model with the default encoder's weights, or of the paper's size with random ones, and a tokenizer."""
    import torch
    from transformers import AutoModelForTokenClassification, BertConfig

    from bert_ner.encoder.weights import find_weights, load_tokenizer

    folder = find_weights("all-MiniLM-L6-v2").folder
    options: dict[str, Any] = {"num_labels": len(read_labels(CORPUS)), "dtype": torch.float32}
    torch.manual_seed(0)
    if large:
        model = AutoModelForTokenClassification.from_config(BertConfig(**options))  # type: ignore[no-untyped-call]
    else:
        model = AutoModelForTokenClassification.from_pretrained(folder, trust_remote_code=False, **options)
    return model, load_tokenizer(folder)


def _examples(tokenizer: Any, sentences: Sequence[Sentence]) -> list[Any]:
    from bert_ner.encoder.alignment import WordPieces
    from bert_ner.encoder.tagger import examples_of

    label_id = {label: i for i, label in enumerate(read_labels(CORPUS))}
    return examples_of(sentences, WordPieces.of(tokenizer, 512), label_id)


def _rows(tokenizer: Any, sentences: Sequence[Sentence]) -> list[dict[str, list[int]]]:
    """Return examples in the form that transformers takes."""
    return [{"input_ids": row.ids, "labels": row.labels} for row in _examples(tokenizer, sentences)]


def _our_epoch(model: Any, tokenizer: Any, sentences: Sequence[Sentence]) -> None:
    list(_our_epochs(model, tokenizer, sentences, 1))


def _our_epochs(
    model: Any, tokenizer: Any, sentences: Sequence[Sentence], epochs: int, **options: Any
) -> Iterator[dict[str, Any]]:
    from bert_ner.encoder.training import Recipe, fine_tune

    recipe = Recipe(**{**settings_of(read_params()["minilm"]), "epochs": epochs, "precision": "auto"})
    return fine_tune(model, _examples(tokenizer, sentences), recipe, 0, tokenizer.pad_token_id, **options)


def _paper_epoch(model: Any, tokenizer: Any, train: Sequence[Sentence]) -> None:
    """Train as sections 3.3 and 3.4 say: each sentence padded to 55 pieces, float32, AdamW, clipping, linear decay."""
    import torch
    from transformers import DataCollatorForTokenClassification

    collate = DataCollatorForTokenClassification(tokenizer, padding="max_length", max_length=PADDED)
    batch = collate([{name: ids[:PADDED] for name, ids in row.items()} for row in _rows(tokenizer, train)])
    data = torch.utils.data.TensorDataset(batch["input_ids"], batch["attention_mask"], batch["labels"])
    loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / len(loader)))
    model.train()
    for ids, mask, labels in loader:
        model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def _trainer_epoch(model: Any, tokenizer: Any, train: Sequence[Sentence]) -> None:
    """Train with the Trainer of transformers: the paper's batch size, its own defaults otherwise, no fixed padding."""
    from transformers import DataCollatorForTokenClassification, Trainer, TrainingArguments

    with TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        settings = TrainingArguments(
            folder, num_train_epochs=1, per_device_train_batch_size=32, save_strategy="no", disable_tqdm=True
        )
        Trainer(model, settings, DataCollatorForTokenClassification(tokenizer), _rows(tokenizer, train)).train()


def _forward_tflop(model: Any, tokenizer: Any, sentences: Sequence[Sentence]) -> float:
    """Count the operations of a forward pass without padding, in TFLOP; a backward pass needs twice as many."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    lengths = Counter(len(row.ids) for row in _examples(tokenizer, sentences))
    operations = 0
    model = model.eval()
    for length, times in lengths.items():
        ids = torch.zeros(1, length, dtype=torch.int64)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(input_ids=ids, attention_mask=torch.ones_like(ids))
        operations += times * counter.get_total_flops()
    return operations / 1e12
