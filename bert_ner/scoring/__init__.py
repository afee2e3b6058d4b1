"""Score predicted tags, whichever system predicted them, and measure the uncertainty of the scores."""

from bert_ner.scoring.counts import Counts, count
from bert_ner.scoring.resampling import LEVEL, SAMPLES, Comparison, Interval
from bert_ner.scoring.scores import (
    METRICS,
    Score,
    TypeScore,
    UnlikeScores,
    check_same_signature,
    entity_f1,
    score,
    score_by_type,
    signature,
)
from bert_ner.scoring.text_report import classification_report
from bert_ner.scoring.uncertainty import (
    bootstrap,
    bootstrap_all,
    compare,
    compare_all,
    compare_over_runs,
    holm,
    holm_by_metric,
    seed_interval,
)

__all__ = [
    "LEVEL", "METRICS", "SAMPLES", "Comparison", "Counts", "Interval", "Score", "TypeScore", "UnlikeScores",
    "bootstrap", "bootstrap_all", "check_same_signature", "classification_report", "compare", "compare_all",
    "compare_over_runs", "count", "entity_f1", "holm", "holm_by_metric", "score", "score_by_type", "seed_interval",
    "signature",
]  # fmt: skip
