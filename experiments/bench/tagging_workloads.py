"""Workloads that tag: the test set in one call, one sentence at a time, from a cold start, and a long stream."""

import math
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from harness.artifacts import model_folder, read_part
from harness.paths import DATA

from bench.measuring import (
    CRF,
    Figures,
    encoder_folder,
    fast_dtype,
    figures,
    fresh_model,
    measure_seconds,
    peak_memory,
)
from bench.products import forward_products, measure_products
from bert_ner.scoring import entity_f1
from claims.paper import PAPER_CORPUS

QUERY = "show me films with drew barrymore from the 1980s\n"
PERCENTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}
BATCH = 32  # sentences; the pipeline's default, one sentence, takes twice the time
BATCHES = (16, 32, 64, 128)  # among which the tuned pipeline chooses


def tag(tagger: str, times: int = 1) -> Figures:
    """Tag the test set, repeated `times` times, in one call, after a hundred sentences to warm up."""
    test = read_part(PAPER_CORPUS, "test") * times
    tags_of, sentences = _tagger(tagger), [words for words, _ in test]
    tags_of(sentences[:100])
    started = time.perf_counter()
    tagged = tags_of(sentences)
    found = figures(test, time.perf_counter() - started)
    if not tagger.startswith("pipeline"):  # it splits words in its own way
        found["entity_f1"] = entity_f1([tags for _, tags in test], tagged)
    return {"": found}


def products(dtype: str) -> Figures:
    """Measure the matrix products of such a call alone, in a number type; by default in the one that training uses."""
    from bert_ner.encoder.tagger import EncoderTagger

    test, tagger = read_part(PAPER_CORPUS, "test"), EncoderTagger.load(encoder_folder())
    batches = [batch.mask.sum(1).tolist() for batch in tagger.batches([words for words, _ in test])]
    needed = [product for lengths in batches for product in forward_products(tagger.model, lengths)]
    return {"": figures(test, **measure_products(needed, dtype or fast_dtype()))}


def latency(tagger: str) -> Figures:
    """Tag one sentence at a time: the median, the 95th and the 99th percentile of the seconds."""
    test = read_part(PAPER_CORPUS, "test")
    random.Random(0).shuffle(test)
    tags_of, sentences = _tagger(tagger), [words for words, _ in test[:1000]]
    tags_of(sentences[:100])
    seconds = sorted(measure_seconds(tags_of, [words]) for words in sentences)
    facts = {"sentences": 1, "tokens": round(sum(map(len, sentences)) / 1000)}
    return {name: {**facts, "seconds": seconds[int(share * len(seconds))]} for name, share in PERCENTILES.items()}


def _tagger(name: str) -> Callable[[Sequence[Sequence[str]]], Any]:
    """Return a function that tags sentences; those of a pipeline return its own entities."""
    from bert_ner import load_tagger

    if name in ("pipeline", "pipeline large"):
        run = _large_pipeline() if name == "pipeline large" else _pipeline("float32")
        return lambda sentences: run([" ".join(words) for words in sentences], batch_size=BATCH)
    if name == "pipeline tuned":
        return _tuned_pipeline()
    if name == "onnx float32":
        return load_tagger(exported()).tag
    return load_tagger(_folder(name), quantised=name != "minilm float").tag


def _pipeline(dtype: str) -> Any:
    from transformers import pipeline
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    return pipeline("token-classification", model=str(encoder_folder()), dtype=dtype)


def _large_pipeline() -> Any:
    """Return the pipeline with a model of the paper's size. Its weights are random; its speed is the same."""
    from transformers import TokenClassificationPipeline

    model, tokenizer = fresh_model(large=True)
    return TokenClassificationPipeline(model=model.eval(), tokenizer=tokenizer)  # type: ignore[no-untyped-call]


def _tuned_pipeline() -> Callable[[Sequence[Sequence[str]]], Any]:
    """Return transformers' pipeline at its best on a CPU: sorted sentences, a fast number type, no gradients.

    Its batch size is the fastest on the validation sentences.
    """
    import torch

    run = _pipeline(fast_dtype())

    def tag_texts(sentences: Sequence[Sequence[str]], size: int) -> Any:
        texts = sorted((" ".join(words) for words in sentences), key=len, reverse=True)
        with torch.inference_mode():
            return run(texts, batch_size=size)

    words = [words for words, _ in read_part(PAPER_CORPUS, "validation")]
    tag_texts(words[:100], BATCH)
    best = min(BATCHES, key=lambda size: measure_seconds(tag_texts, words, size))
    return partial(tag_texts, size=best)


def _folder(tagger: str) -> Path:
    return model_folder(PAPER_CORPUS, CRF) if tagger == "crf" else encoder_folder()


def exported() -> Path:
    """Return the folder of the encoder's export with float32 weights; write it if it is out of date."""
    from bert_ner.export import export as exporter
    from bert_ner.files import sha256_of

    code = Path(exporter.__file__)
    parts = (encoder_folder() / "model.safetensors", code, code.with_name("graph.py"))
    folder = DATA / "benchmark" / "-".join([*(sha256_of(path)[:8] for path in parts), "float32"])
    if not folder.is_dir():
        exporter.export(encoder_folder(), folder, "float32")
    return folder


def start(tagger: str) -> Figures:
    """Start `bert-ner tag` and answer one query."""
    answer = partial(subprocess.run, _command(tagger), input=QUERY.encode(), capture_output=True, check=True)
    found = {"sentences": 1, "tokens": len(QUERY.split()), "seconds": measure_seconds(answer)}
    return {"": found, "memory": math.nan}  # this process only waits


def stream(tagger: str, lines: int) -> Figures:
    """Pipe lines of two new words each through `bert-ner tag`, to measure its memory."""
    started = time.perf_counter()
    child = subprocess.Popen(_command(tagger), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert child.stdin
    for first in range(0, lines, 1000):
        child.stdin.write(b"".join(b"word%d other%d\n" % (i, i) for i in range(first, first + 1000)))
    memory = peak_memory(child.pid)  # all lines are read, except those still in the pipe
    child.stdin.close()
    assert child.wait() == 0
    seconds = time.perf_counter() - started
    return {"": {"sentences": lines, "tokens": 2 * lines, "seconds": seconds}, "memory": memory}


def _command(tagger: str) -> list[str]:
    program, options = Path(sys.executable).with_name("bert-ner"), ["--float"] if tagger == "minilm float" else []
    return [str(program), "tag", "--model", str(_folder(tagger)), *options]
