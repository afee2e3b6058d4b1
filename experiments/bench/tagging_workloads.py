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

from bench.measuring import CORPUS, CRF, Figures, encoder_folder, figures, measure_seconds, peak_memory
from bert_ner.scoring import entity_f1

QUERY = "show me films with drew barrymore from the 1980s\n"
PERCENTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


def tag(tagger: str, times: int = 1) -> Figures:
    """Tag the test set, repeated `times` times, in one call, after a hundred sentences to warm up."""
    test = read_part(CORPUS, "test") * times
    tags_of, sentences = _tagger(tagger), [words for words, _ in test]
    tags_of(sentences[:100])
    started = time.perf_counter()
    tagged = tags_of(sentences)
    found = figures(test, time.perf_counter() - started)
    if tagger != "pipeline":  # it splits words in its own way
        found["entity_f1"] = entity_f1([tags for _, tags in test], tagged)
    return {"": found}


def latency(tagger: str) -> Figures:
    """Tag one sentence at a time: the median, the 95th and the 99th percentile of the seconds."""
    test = read_part(CORPUS, "test")
    random.Random(0).shuffle(test)
    tags_of, sentences = _tagger(tagger), [words for words, _ in test[:1000]]
    tags_of(sentences[:100])
    seconds = sorted(measure_seconds(tags_of, [words]) for words in sentences)
    facts = {"sentences": 1, "tokens": round(sum(map(len, sentences)) / 1000)}
    return {name: {**facts, "seconds": seconds[int(share * len(seconds))]} for name, share in PERCENTILES.items()}


def _tagger(name: str) -> Callable[[Sequence[Sequence[str]]], Any]:
    """Return a function that tags sentences; that of the pipeline returns its own entities."""
    from bert_ner import load_tagger

    if name == "pipeline":
        from transformers import pipeline
        from transformers.utils import logging

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        run = pipeline("token-classification", model=str(encoder_folder()), batch_size=32)
        return lambda sentences: run([" ".join(words) for words in sentences])
    if name == "onnx float32":
        return load_tagger(exported()).tag
    return load_tagger(_folder(name), quantised=name != "minilm float").tag


def _folder(tagger: str) -> Path:
    return model_folder(CORPUS, CRF) if tagger == "crf" else encoder_folder()


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
