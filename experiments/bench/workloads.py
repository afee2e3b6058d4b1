"""What `make bench` measures: each workload a function that a fresh process runs and that tells what it took.

Imports are where they are needed, so that no workload pays memory for the packages of another.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import math
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

from harness.artifacts import model_folder, read_labels, read_part
from harness.params import Run, read_params
from harness.paths import DATA

from bert_ner.corpus.bio import Sentence
from bert_ner.scoring import entity_f1

CORPUS = "mit_movie_eng"
SIZES = {"22.7 M": "all-MiniLM-L6-v2", "109 M": "BERT-base with random weights"}
PADDED = 55  # pieces, of the paper's section 3.3.1
QUERY = "show me films with drew barrymore from the 1980s\n"

Figures = dict[str, Any]


class Workload(NamedTuple):
    """One thing to measure.

    Attributes:
        task, system, how: what the table calls it.
        run: returns, for each setting, sentences, tokens (words), seconds and, where it is known, tflop: the
            floating-point operations that the sentences need, padding not counted.
        ratio_to: the workloads it is compared with.
        settings: what it reports on.
        once: whether one round is all that it gets, for it takes minutes.
    """

    task: str
    system: str
    how: str
    run: Callable[[], Figures]
    ratio_to: tuple[str, ...] = ()
    settings: tuple[str, ...] = ("",)
    once: bool = False


def _limit() -> Figures:
    """TFLOP/s of matrix products: what no program on this machine can exceed."""
    import torch

    from bert_ner.encoder.training import computes_bfloat16

    types = {"float32": torch.float32}
    if computes_bfloat16(torch.device("cpu")):
        types["bfloat16"] = torch.bfloat16
    rates = {}
    for name, kind in types.items():
        a, b = torch.randn(1536, 1536).to(kind), torch.randn(1536, 1536).to(kind)
        a @ b
        best = min(_seconds(partial(_products, a, b, 5)) for _ in range(10))
        rates[name] = 5 * 2 * 1536**3 / best / 1e12
    return rates


def _products(a: Any, b: Any, times: int) -> None:
    for _ in range(times):
        a @ b


def _train(how: str, size: str) -> Callable[[], Figures]:
    """One epoch on a share of the training sentences, tokenisation, batches, optimiser and logging included."""

    def run() -> Figures:
        train = read_part(CORPUS, "train")[:: {"22.7 M": 10, "109 M": 40}[size]]
        model, tokenizer = _fresh(size)
        started = time.perf_counter()
        {"paper": _paper_epoch, "Trainer": _trainer_epoch, "ours": _our_epoch}[how](model, tokenizer, train)
        seconds = time.perf_counter() - started
        return {"": _figures(train, seconds, tflop=3 * _forward_tflop(model, tokenizer, train))}

    return run


def _fresh(size: str) -> tuple[Any, Any]:
    """A model to train, with the default encoder's weights or, of the paper's size, random ones, and a tokenizer."""
    import torch
    from transformers import AutoModelForTokenClassification, BertConfig

    from bert_ner.encoder.weights import find_weights, load_tokenizer

    folder = find_weights("all-MiniLM-L6-v2").folder
    labels = read_labels(CORPUS)
    torch.manual_seed(0)
    if size == "109 M":
        model = AutoModelForTokenClassification.from_config(BertConfig(num_labels=len(labels)))  # type: ignore[no-untyped-call,call-arg]
    else:
        model = AutoModelForTokenClassification.from_pretrained(
            folder, num_labels=len(labels), dtype=torch.float32, trust_remote_code=False
        )
    return model, load_tokenizer(folder)


def _examples(tokenizer: Any, sentences: Sequence[Sentence]) -> list[Any]:
    from bert_ner.encoder.alignment import WordPieces
    from bert_ner.encoder.tagger import examples_of

    label_id = {label: i for i, label in enumerate(read_labels(CORPUS))}
    return examples_of(sentences, WordPieces.of(tokenizer, 512), label_id)


def _our_epoch(model: Any, tokenizer: Any, train: Sequence[Sentence]) -> None:
    from bert_ner.encoder.training import Recipe, fine_tune

    recipe = Recipe(**{**read_params()["minilm"], "epochs": 1, "precision": "auto"})
    fine_tune(model, _examples(tokenizer, train), recipe, 0, tokenizer.pad_token_id, dict)


def _checkpoint(size: str) -> Callable[[], Figures]:
    """The median of what a training waits for its checkpoints, one to an epoch; none of its seconds else."""

    def run() -> Figures:
        from bert_ner.encoder import training
        from bert_ner.encoder.checkpoint import save_checkpoint

        model, tokenizer = _fresh(size)
        train = read_part(CORPUS, "train")
        recipe = training.Recipe(**{**read_params()["minilm"], "epochs": 5, "precision": "auto"})
        examples, seconds = _examples(tokenizer, train[:32]), []

        def timed(*state: Any) -> None:
            seconds.append(_seconds(partial(save_checkpoint, *state)))

        # On the disk that a training writes to.
        with TemporaryDirectory(dir=DATA) as folder, patch.object(training, "save_checkpoint", timed):
            path = Path(folder, "checkpoint.safetensors")
            training.fine_tune(model, examples, recipe, 0, tokenizer.pad_token_id, dict, checkpoint=path)
        return {"": _figures(train, statistics.median(seconds))}

    return run


def _paper_epoch(model: Any, tokenizer: Any, train: Sequence[Sentence]) -> None:
    """Section 3.3 and 3.4 as they stand: every sentence padded to 55 pieces, float32, AdamW, clipping, linear decay."""
    import torch

    from bert_ner.encoder.training import IGNORED

    rows = _examples(tokenizer, train)
    ids, labels, mask = (torch.full((len(rows), PADDED), fill) for fill in (tokenizer.pad_token_id, IGNORED, 0))
    for i, row in enumerate(rows):
        n = min(len(row.ids), PADDED)
        ids[i, :n], labels[i, :n], mask[i, :n] = torch.tensor(row.ids[:n]), torch.tensor(row.labels[:n]), 1
    data = torch.utils.data.TensorDataset(ids, labels, mask)
    loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / len(loader)))
    model.train()
    for ids_, labels_, mask_ in loader:
        loss = model(input_ids=ids_, attention_mask=mask_, labels=labels_).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def _trainer_epoch(model: Any, tokenizer: Any, train: Sequence[Sentence]) -> None:
    """The Trainer of transformers with its own defaults but for the batch size, the paper's; padded as needed."""
    from transformers import DataCollatorForTokenClassification, Trainer, TrainingArguments

    rows = [{"input_ids": row.ids, "labels": row.labels} for row in _examples(tokenizer, train)]
    with TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        settings = TrainingArguments(
            folder, num_train_epochs=1, per_device_train_batch_size=32, save_strategy="no", disable_tqdm=True
        )
        Trainer(model, settings, DataCollatorForTokenClassification(tokenizer), rows).train()


def _forward_tflop(model: Any, tokenizer: Any, sentences: Sequence[Sentence]) -> float:
    """What a forward pass over the sentences multiplies and adds, without padding; a backward pass needs twice that."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    lengths = [len(row.ids) for row in _examples(tokenizer, sentences)]
    of_length = {}
    model = model.eval()
    for length in set(lengths):
        ids = torch.zeros(1, length, dtype=torch.int64)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(input_ids=ids, attention_mask=torch.ones_like(ids))
        of_length[length] = counter.get_total_flops()
    return float(sum(of_length[length] for length in lengths)) / 1e12


def _tag(how: str, times: int = 1) -> Callable[[], Figures]:
    """The test set, some times over, in one call; the first hundred sentences go before to warm up."""

    def run() -> Figures:
        test = read_part(CORPUS, "test")
        tag, sentences = _tagger(how), [words for words, _ in test] * times
        tag(sentences[:100])
        started = time.perf_counter()
        tagged = tag(sentences)
        figures = _figures(test * times, time.perf_counter() - started)
        if how == "pipeline":
            return {"": figures}  # its words are its own
        return {"": {**figures, "entity_f1": entity_f1([tags for _, tags in test * times], tagged)}}

    return run


def _latency(how: str) -> Callable[[], Figures]:
    """One sentence at a time: the median, the 95th and the 99th percentile of the seconds that one takes."""

    def run() -> Figures:
        test = read_part(CORPUS, "test")
        random.Random(0).shuffle(test)
        tag = _tagger(how)
        tag([words for words, _ in test[:100]])
        seconds = sorted(_seconds(partial(tag, [words])) for words, _ in test[:1000])
        mean_words = round(sum(len(words) for words, _ in test[:1000]) / 1000)
        return {
            name: {"sentences": 1, "tokens": mean_words, "seconds": seconds[int(share * len(seconds))]}
            for name, share in (("median", 0.5), ("p95", 0.95), ("p99", 0.99))
        }

    return run


def _tagger(how: str) -> Callable[[Sequence[Sequence[str]]], Any]:
    """A function from sentences to tags or, the pipeline's, to what it makes of their text."""
    from bert_ner import load_tagger

    if how == "pipeline":
        from transformers import pipeline
        from transformers.utils import logging

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        theirs = pipeline("token-classification", model=str(encoder_folder()), batch_size=32)
        return lambda sentences: theirs([" ".join(words) for words in sentences])
    if how == "crf":
        return load_tagger(model_folder(CORPUS, Run("crf", 0))).tag
    if how == "onnx float32":
        return load_tagger(exported()).tag
    return load_tagger(encoder_folder(), quantised=how != "minilm float").tag


def encoder_folder() -> Path:
    return model_folder(CORPUS, Run("minilm", read_params()["seeds"][0]))


def exported() -> Path:
    """The encoder's export with float32 weights, made if there is none of this very encoder."""
    from bert_ner.export import export as onnx
    from bert_ner.files import sha256_of

    code = Path(onnx.__file__)
    parts = (encoder_folder() / "model.safetensors", code, code.with_name("graph.py"))
    folder = DATA / "benchmark" / "-".join([*(sha256_of(path)[:8] for path in parts), "float32"])
    if not folder.is_dir():
        onnx.export(encoder_folder(), folder, "float32")
    return folder


def _start(how: str) -> Callable[[], Figures]:
    """From nothing to the answer to one query, as a user of `bert-ner tag` waits for it."""

    def run() -> Figures:
        command = _command(how)
        seconds = _seconds(lambda: subprocess.run(command, input=QUERY.encode(), capture_output=True, check=True))
        figures = {"sentences": 1, "tokens": len(QUERY.split()), "seconds": seconds}
        return {"": figures, "memory": math.nan}  # of this process, which only waits, it would mean nothing

    return run


def _stream(how: str, lines: int) -> Callable[[], Figures]:
    """Lines of two words never seen before through `bert-ner tag`; what counts is its memory."""

    def run() -> Figures:
        started = time.perf_counter()
        child = subprocess.Popen(_command(how), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert child.stdin
        for first in range(0, lines, 1000):
            child.stdin.write(b"".join(b"word%d other%d\n" % (i, i) for i in range(first, first + 1000)))
        memory = peak_memory(child.pid)  # all but the lines that are still in the pipe are read
        child.stdin.close()
        assert child.wait() == 0
        seconds = time.perf_counter() - started
        return {"": {"sentences": lines, "tokens": 2 * lines, "seconds": seconds}, "memory": memory}

    return run


def peak_memory(process: int | str = "self") -> float:
    """The most resident memory, in MB, that a process has had since it began; nan where the system does not tell.

    What wait4 tells of a child is at least what its parent had when it was forked.
    """
    status = Path("/proc", str(process), "status")
    lines = status.read_text(encoding="ascii").splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), math.nan)


def _command(how: str) -> list[str]:
    folder = model_folder(CORPUS, Run("crf", 0)) if how == "crf" else encoder_folder()
    command = [str(Path(sys.executable).with_name("bert-ner")), "tag", "--model", str(folder)]
    return [*command, "--float"] if how == "minilm float" else command


def _score(how: str) -> Callable[[], Figures]:
    """A million words of 25 tags, three in a hundred of them wrong, in sentences of ten."""

    def run() -> Figures:
        import seqeval.metrics

        from bert_ner.scoring import score, score_by_type

        draw, labels = random.Random(0), read_labels(CORPUS)
        gold = [draw.choices(labels, k=10) for _ in range(100_000)]
        found = [[draw.choice(labels) if draw.random() < 0.03 else tag for tag in tags] for tags in gold]
        work = {
            "seqeval": lambda: seqeval.metrics.classification_report(gold, found),
            "ours": lambda: (score(gold, found), score_by_type(gold, found)),
        }[how]
        return {"": {"sentences": len(gold), "tokens": 10 * len(gold), "seconds": _seconds(work)}}

    return run


def _doubt() -> Figures:
    """All scores of the test set, and 10,000 bootstrap samples of each."""
    from bert_ner.scoring import bootstrap, count, score

    test = read_part(CORPUS, "test")
    gold = [tags for _, tags in test]
    draw, labels = random.Random(0), read_labels(CORPUS)
    found = [[draw.choice(labels) if draw.random() < 0.05 else tag for tag in tags] for tags in gold]
    return {"": _figures(test, _seconds(lambda: (score(gold, found), bootstrap(count(gold, found)))))}


def _figures(sentences: Sequence[Sentence], seconds: float, **more: float) -> dict[str, Any]:
    tokens = sum(len(words) for words, _ in sentences)
    return {"sentences": len(sentences), "tokens": tokens, "seconds": seconds, **more}


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


PERCENTILES = ("median", "p95", "p99")

# A workload comes after the one it is compared with.
WORKLOADS = {
    "limit": Workload("limit", "", "matrix products", _limit),
    **{
        f"train {size} {how}": Workload(
            "train", SIZES[size], name, _train(how, size), tuple(f"train {size} {other}" for other in others)
        )
        for size in SIZES
        for how, name, others in (
            ("paper", "paper recipe", ()),
            ("Trainer", "Trainer", ("paper",)),
            ("ours", "ours", ("paper", "Trainer")),
        )
    },
    **{
        f"train {size} checkpoint": Workload(
            "train", SIZES[size], "an epoch's checkpoint alone", _checkpoint(size), (f"train {size} ours",)
        )
        for size in SIZES
    },
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
        "latency", "minilm", "transformers' pipeline", _latency("pipeline"), settings=PERCENTILES
    ),
    **{
        f"latency {how}": Workload("latency", system, name, _latency(how), ("latency pipeline",), PERCENTILES)
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
    "score seqeval": Workload("score", "a million words", "seqeval's classification_report", _score("seqeval")),
    "score ours": Workload("score", "a million words", "score and score_by_type", _score("ours"), ("score seqeval",)),
    "score doubt": Workload("score", "the test set", "all scores, 10,000 bootstrap samples", _doubt),
}
