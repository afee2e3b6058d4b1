"""The rows of the tables that evaluate.py computes from predicted tags, and their summary."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from bert_ner.corpus.bio import Sentence
from bert_ner.scoring import METRICS, check_same_signature, score, score_by_type
from bert_ner.scoring.counts import Tags
from bert_ner.scoring.cross_check import cross_check
from bert_ner.scoring.errors import KINDS, confusion, error_kinds, recall_by
from bert_ner.scoring.subgroups import Entity, entity_groupings

Rows = list[dict[str, Any]]


def run_rows(
    test: Sequence[Sentence], predicted: Tags, known: Collection[Entity], source: Mapping[str, str]
) -> dict[str, Rows]:
    """Return the rows of one run in each table that its tags suffice for; `known` are the training entities."""
    gold = [tags for _, tags in test]
    scores = score(gold, predicted, **source)
    cross_check(gold, predicted, scores)
    values = {metric: value.value for metric, value in scores.items()}
    errors = error_kinds(gold, predicted)
    return {
        "scores": [{**source, "n_sentences": len(test), **values, "signature": scores["entity_f1"].signature}],
        "scores_by_type": [by_type._asdict() for by_type in score_by_type(gold, predicted)],
        "confusion": [
            {"gold": a, "predicted": b, "words": n} for (a, b), n in sorted(confusion(gold, predicted).items())
        ],
        "error_kinds": [
            {"kind": kind, "type": name, "count": errors[kind, name]}
            for kind, name in sorted(errors, key=lambda error: (KINDS.index(error[0]), error[1]))
        ],
        "recall": [
            {"by": by, "group": name, **recall._asdict(), "recall": recall.value}
            for by, group in entity_groupings(test, known).items()
            for name, recall in recall_by(gold, predicted, group).items()
        ],
    }


def summary(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return each system's mean scores over its seeds, with the sample standard deviation of several."""
    for signature in scores["signature"]:
        check_same_signature(scores["signature"].iloc[0], signature)
    return {
        str(system): {
            metric: {"mean": round(group[metric].mean(), 6)}
            | ({"sd": round(group[metric].std(), 6)} if len(group) > 1 else {})
            for metric in METRICS
        }
        for system, group in scores.groupby("system", sort=False)
    }
