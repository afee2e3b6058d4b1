"""Workloads that score."""

from collections.abc import Sequence
from random import Random

from harness.artifacts import read_labels, read_part

from bench.measuring import Figures, figures, measure_seconds
from claims.paper import PAPER_CORPUS


def _with_errors(gold: Sequence[Sequence[str]], labels: Sequence[str], share: float, draw: Random) -> list[list[str]]:
    """Replace a share of the tags with random ones."""
    return [[draw.choice(labels) if draw.random() < share else tag for tag in tags] for tags in gold]


def score(scorer: str) -> Figures:
    """Score a million words with 25 tags, 3 % of them wrong, in sentences of ten."""
    import seqeval.metrics

    from bert_ner import scoring

    draw, labels = Random(0), read_labels(PAPER_CORPUS)
    gold = [draw.choices(labels, k=10) for _ in range(100_000)]
    found = _with_errors(gold, labels, 0.03, draw)
    work = {
        "seqeval": lambda: seqeval.metrics.classification_report(gold, found),
        "ours": lambda: (scoring.score(gold, found), scoring.score_by_type(gold, found)),
    }[scorer]
    return {"": {"sentences": len(gold), "tokens": 10 * len(gold), "seconds": measure_seconds(work)}}


def uncertainty() -> Figures:
    """Compute all scores of the test set, and 10,000 bootstrap samples of each."""
    from bert_ner import scoring

    test = read_part(PAPER_CORPUS, "test")
    gold = [tags for _, tags in test]
    found = _with_errors(gold, read_labels(PAPER_CORPUS), 0.05, Random(0))
    seconds = measure_seconds(lambda: (scoring.score(gold, found), scoring.bootstrap(scoring.count(gold, found))))
    return {"": figures(test, seconds)}
