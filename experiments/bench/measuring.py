"""Helpers of all workloads, which import packages in their functions, so that none uses memory for another's."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.artifacts import model_folder, read_labels
from harness.params import Run, read_params

from bert_ner.corpus.bio import Sentence
from claims.paper import PAPER_CORPUS

CRF = Run("crf", 0)

# By setting ("" if there is one), the sentences, tokens (words), seconds and, of matrix products, their TFLOP.
Figures = dict[str, Any]


def encoder_folder() -> Path:
    """Return the folder of the encoder's run that is measured: the first seed of params.yaml."""
    return model_folder(PAPER_CORPUS, Run("minilm", read_params().seeds[0]))


def fresh_model(large: bool) -> tuple[Any, Any]:
    """Return a model with the default encoder's weights, or of the paper's size with random ones, and a tokenizer."""
    import torch
    from transformers import AutoModelForTokenClassification, BertConfig

    from bert_ner.encoder.weights import find_weights, load_tokenizer

    folder = find_weights("all-MiniLM-L6-v2").folder
    options: dict[str, Any] = {"num_labels": len(read_labels(PAPER_CORPUS)), "dtype": torch.float32}
    torch.manual_seed(0)
    if large:
        model = AutoModelForTokenClassification.from_config(BertConfig(**options))  # type: ignore[no-untyped-call]
    else:
        model = AutoModelForTokenClassification.from_pretrained(folder, trust_remote_code=False, **options)
    return model, load_tokenizer(folder)


def figures(sentences: Sequence[Sentence], seconds: float, **others: float) -> Figures:
    tokens = sum(len(words) for words, _ in sentences)
    return {"sentences": len(sentences), "tokens": tokens, "seconds": seconds, **others}


def fast_dtype() -> str:
    """Return the fastest number type that this processor trains in."""
    import torch

    from bert_ner.encoder.training import computes_bfloat16

    return "bfloat16" if computes_bfloat16(torch.device("cpu")) else "float32"


def measure_seconds(work: Callable[..., Any], *arguments: Any) -> float:
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def peak_memory(process: int | str = "self") -> float:
    """Return the largest resident memory of a process so far in MB; nan where the operating system does not record it.

    The figure of wait4 is no substitute: a child's is at least that of its parent when it forked.
    """
    status = Path("/proc", str(process), "status")
    lines = status.read_text(encoding="ascii").splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:")), math.nan)
