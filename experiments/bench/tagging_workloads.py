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

from bench.workload import CORPUS, CRF, Figures, Workload, encoder_folder, figures, measure_seconds, peak_memory
from bert_ner.scoring import entity_f1

QUERY = "show me films with drew barrymore from the 1980s\n"
PERCENTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


def _tag(how: str, times: int = 1) -> Figures:
    """Tag the test set, repeated `times` times, in one call, after a hundred sentences to warm up."""
    test = read_part(CORPUS, "test")
    tag, sentences = _tagger(how), [words for words, _ in test] * times
    tag(sentences[:100])
    started = time.perf_counter()
    tagged = tag(sentences)
    found = figures(test * times, time.perf_counter() - started)
    if how != "pipeline":  # it splits words in its own way
        found["entity_f1"] = entity_f1([tags for _, tags in test * times], tagged)
    return {"": found}


def _latency(how: str) -> Figures:
    """Tag one sentence at a time: the median, the 95th and the 99th percentile of the seconds."""
    test = read_part(CORPUS, "test")
    random.Random(0).shuffle(test)
    tag, sentences = _tagger(how), [words for words, _ in test[:1000]]
    tag(sentences[:100])
    seconds = sorted(measure_seconds(tag, [words]) for words in sentences)
    facts = {"sentences": 1, "tokens": round(sum(map(len, sentences)) / 1000)}
    return {name: {**facts, "seconds": seconds[int(share * len(seconds))]} for name, share in PERCENTILES.items()}


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


def _start(how: str) -> Figures:
    """Start `bert-ner tag` and answer one query."""
    answer = partial(subprocess.run, _command(how), input=QUERY.encode(), capture_output=True, check=True)
    found = {"sentences": 1, "tokens": len(QUERY.split()), "seconds": measure_seconds(answer)}
    return {"": found, "memory": math.nan}  # this process only waits


def _stream(how: str, lines: int) -> Figures:
    """Pipe lines of two new words each through `bert-ner tag`, to measure its memory."""
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


def _command(how: str) -> list[str]:
    folder = model_folder(CORPUS, CRF) if how == "crf" else encoder_folder()
    options = ["--float"] if how == "minilm float" else []
    return [str(Path(sys.executable).with_name("bert-ner")), "tag", "--model", str(folder), *options]


# A tagger, its system, its name in the table, and the workload with which `tag` compares it.
_TAGGERS = (
    ("pipeline", "minilm", "transformers' pipeline", ()),
    ("minilm", "minilm", "load_tagger", ("tag pipeline",)),
    ("onnx float32", "minilm", "ONNX float32", ("tag pipeline",)),
    ("minilm float", "minilm", "load_tagger, float", ("tag pipeline",)),
    ("crf", "crf", "load_tagger", ()),
)
TAGGING = {
    **{f"tag {how}": Workload("tag", system, name, partial(_tag, how), other) for how, system, name, other in _TAGGERS},
    **{
        f"tag {system} x{times}": Workload(
            "tag",
            system,
            f"load_tagger, {times} times the test set",
            partial(_tag, system, times),
            (f"tag {system}",),
            once=times == 100 and system == "minilm",
        )
        for system in ("crf", "minilm")
        for times in (10, 100)
    },
    **{
        f"latency {how}": Workload(
            "latency",
            system,
            name,
            partial(_latency, how),
            ratio_to=() if how == "pipeline" else ("latency pipeline",),
            settings=tuple(PERCENTILES),
        )
        for how, system, name, _ in _TAGGERS
    },
    "start minilm": Workload("start", "minilm", "bert-ner tag", partial(_start, "minilm")),
    "start minilm float": Workload("start", "minilm", "bert-ner tag --float", partial(_start, "minilm float")),
    "start crf": Workload("start", "crf", "bert-ner tag", partial(_start, "crf")),
    **{
        f"stream {system} {length}": Workload(
            "stream", system, f"{lines:,} lines", partial(_stream, system, lines), once=length == "long"
        )
        for system in ("crf", "minilm")
        for length, lines in (("short", 10_000), ("long", 1_000_000))
    },
}  # fmt: skip
