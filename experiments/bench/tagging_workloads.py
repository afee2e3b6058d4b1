"""Workloads that tag: the test set in one call, one sentence at a time, from a cold start, and a long stream."""

from __future__ import annotations

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

from bench.workload import CORPUS, CRF, Figures, Workload, encoder_folder, figures, measure_seconds, peak_memory
from bert_ner.scoring import entity_f1

QUERY = "show me films with drew barrymore from the 1980s\n"
PERCENTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


def _tag(how: str, times: int = 1) -> Callable[[], Figures]:
    """Tag the test set, repeated `times` times, in one call, after a hundred sentences to warm up."""

    def run() -> Figures:
        test = read_part(CORPUS, "test")
        tag, sentences = _tagger(how), [words for words, _ in test] * times
        tag(sentences[:100])
        started = time.perf_counter()
        tagged = tag(sentences)
        found = figures(test * times, time.perf_counter() - started)
        if how == "pipeline":
            return {"": found}  # it splits words in its own way
        return {"": {**found, "entity_f1": entity_f1([tags for _, tags in test * times], tagged)}}

    return run


def _latency(how: str) -> Callable[[], Figures]:
    """Tag one sentence at a time: the median, the 95th and the 99th percentile of the seconds."""

    def run() -> Figures:
        test = read_part(CORPUS, "test")
        random.Random(0).shuffle(test)
        tag = _tagger(how)
        tag([words for words, _ in test[:100]])
        seconds = sorted(measure_seconds(partial(tag, [words])) for words, _ in test[:1000])
        mean_words = round(sum(len(words) for words, _ in test[:1000]) / 1000)
        return {
            name: {"sentences": 1, "tokens": mean_words, "seconds": seconds[int(share * len(seconds))]}
            for name, share in PERCENTILES.items()
        }

    return run


def _tagger(how: str) -> Callable[[Sequence[Sequence[str]]], Any]:
    """Return a function that tags sentences; that of the pipeline returns its own entities."""
    from bert_ner import load_tagger

    if how == "pipeline":
        from transformers import pipeline
        from transformers.utils import logging

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        tag = pipeline("token-classification", model=str(encoder_folder()), batch_size=32)
        return lambda sentences: tag([" ".join(words) for words in sentences])
    if how == "crf":
        return load_tagger(model_folder(CORPUS, CRF)).tag
    if how == "onnx float32":
        return load_tagger(exported()).tag
    return load_tagger(encoder_folder(), quantised=how != "minilm float").tag


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


def _start(how: str) -> Callable[[], Figures]:
    """Start `bert-ner tag` and answer one query."""

    def run() -> Figures:
        command = _command(how)
        seconds = measure_seconds(
            lambda: subprocess.run(command, input=QUERY.encode(), capture_output=True, check=True)
        )
        found = {"sentences": 1, "tokens": len(QUERY.split()), "seconds": seconds}
        return {"": found, "memory": math.nan}  # this process only waits

    return run


def _stream(how: str, lines: int) -> Callable[[], Figures]:
    """Pipe lines of two new words each through `bert-ner tag`, to measure its memory."""

    def run() -> Figures:
        started = time.perf_counter()
        child = subprocess.Popen(_command(how), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert child.stdin
        for first in range(0, lines, 1000):
            child.stdin.write(b"".join(b"word%d other%d\n" % (i, i) for i in range(first, first + 1000)))
        memory = peak_memory(child.pid)  # all lines are read, except those still in the pipe
        child.stdin.close()
        assert child.wait() == 0
        seconds = time.perf_counter() - started
        return {"": {"sentences": lines, "tokens": 2 * lines, "seconds": seconds}, "memory": memory}

    return run


def _command(how: str) -> list[str]:
    folder = model_folder(CORPUS, CRF) if how == "crf" else encoder_folder()
    command = [str(Path(sys.executable).with_name("bert-ner")), "tag", "--model", str(folder)]
    return [*command, "--float"] if how == "minilm float" else command


_SETTINGS = tuple(PERCENTILES)
TAGGING = {
    "tag pipeline": Workload("tag", "minilm", "transformers' pipeline", _tag("pipeline")),
    "tag minilm": Workload("tag", "minilm", "load_tagger", _tag("minilm"), ("tag pipeline",)),
    "tag onnx float32": Workload("tag", "minilm", "ONNX float32", _tag("onnx float32"), ("tag pipeline",)),
    "tag minilm float": Workload("tag", "minilm", "load_tagger, float", _tag("minilm float"), ("tag pipeline",)),
    "tag crf": Workload("tag", "crf", "load_tagger", _tag("crf")),
    "tag crf x10": Workload("tag", "crf", "load_tagger, 10 times the test set", _tag("crf", 10), ("tag crf",)),
    "tag crf x100": Workload("tag", "crf", "load_tagger, 100 times the test set", _tag("crf", 100), ("tag crf",)),
    "tag minilm x10": Workload(
        "tag", "minilm", "load_tagger, 10 times the test set", _tag("minilm", 10), ("tag minilm",)
    ),
    "tag minilm x100": Workload(
        "tag", "minilm", "load_tagger, 100 times the test set", _tag("minilm", 100), ("tag minilm",), once=True
    ),
    "latency pipeline": Workload(
        "latency", "minilm", "transformers' pipeline", _latency("pipeline"), settings=_SETTINGS
    ),
    **{
        f"latency {how}": Workload("latency", system, name, _latency(how), ("latency pipeline",), _SETTINGS)
        for how, system, name in (
            ("minilm", "minilm", "load_tagger"),
            ("onnx float32", "minilm", "ONNX float32"),
            ("minilm float", "minilm", "load_tagger, float"),
            ("crf", "crf", "load_tagger"),
        )
    },
    **{
        f"start {how}": Workload("start", system, name, _start(how))
        for how, system, name in (
            ("minilm", "minilm", "bert-ner tag"),
            ("minilm float", "minilm", "bert-ner tag --float"),
            ("crf", "crf", "bert-ner tag"),
        )
    },
    "stream crf short": Workload("stream", "crf", "10,000 lines", _stream("crf", 10_000)),
    "stream crf long": Workload("stream", "crf", "1,000,000 lines", _stream("crf", 1_000_000), once=True),
    "stream minilm short": Workload("stream", "minilm", "10,000 lines", _stream("minilm", 10_000)),
    "stream minilm long": Workload("stream", "minilm", "1,000,000 lines", _stream("minilm", 1_000_000), once=True),
}
