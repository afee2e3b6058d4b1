"""Workloads that score, and the speed of matrix products, the limit of a training's speed on this machine."""

from collections.abc import Sequence
from functools import partial
from random import Random
from timeit import repeat

from harness.artifacts import read_labels, read_part

from bench.workload import CORPUS, Figures, Workload, figures, measure_seconds


def _limit() -> Figures:
    """Measure TFLOP/s of matrix products by number type; no program on this machine is faster."""
    import torch

    from bert_ner.encoder.training import computes_bfloat16

    rates = {}
    for name in ("float32", "bfloat16") if computes_bfloat16(torch.device("cpu")) else ("float32",):
        a, b = torch.randn(2, 1536, 1536).to(getattr(torch, name))
        a @ b
        rates[name] = 5 * 2 * 1536**3 / min(repeat(partial(torch.matmul, a, b), number=5, repeat=10)) / 1e12
    return rates


def _with_errors(gold: Sequence[Sequence[str]], labels: Sequence[str], share: float, draw: Random) -> list[list[str]]:
    """Replace a share of the tags with random ones."""
    return [[draw.choice(labels) if draw.random() < share else tag for tag in tags] for tags in gold]


def _score(how: str) -> Figures:
    """Score a million words with 25 tags, 3 % of them wrong, in sentences of ten."""
    import seqeval.metrics

    from bert_ner.scoring import score, score_by_type

    draw, labels = Random(0), read_labels(CORPUS)
    gold = [draw.choices(labels, k=10) for _ in range(100_000)]
    found = _with_errors(gold, labels, 0.03, draw)
    work = {
        "seqeval": lambda: seqeval.metrics.classification_report(gold, found),
        "ours": lambda: (score(gold, found), score_by_type(gold, found)),
    }[how]
    return {"": {"sentences": len(gold), "tokens": 10 * len(gold), "seconds": measure_seconds(work)}}


def _uncertainty() -> Figures:
    """Compute all scores of the test set, and 10,000 bootstrap samples of each."""
    from bert_ner.scoring import bootstrap, count, score

    test = read_part(CORPUS, "test")
    gold = [tags for _, tags in test]
    found = _with_errors(gold, read_labels(CORPUS), 0.05, Random(0))
    return {"": figures(test, measure_seconds(lambda: (score(gold, found), bootstrap(count(gold, found)))))}


LIMIT = Workload("limit", "", "matrix products", _limit)
_MILLION = partial(Workload, "score", "a million words")
SCORING = {
    "score seqeval": _MILLION("seqeval's classification_report", partial(_score, "seqeval")),
    "score ours": _MILLION("score and score_by_type", partial(_score, "ours"), ("score seqeval",)),
    "score uncertainty": Workload("score", "the test set", "all scores, 10,000 bootstrap samples", _uncertainty),
}
