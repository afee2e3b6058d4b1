"""The committed predictions of a corpus, counted and scored again, for what compares systems."""

from collections.abc import Sequence
from typing import NamedTuple

from harness.artifacts import check_predictions, signature_source
from harness.params import Run
from harness.paths import RESULTS
from harness.tables import producer_of

import pandas as pd

from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError
from bert_ner.scoring import METRICS, Counts, UnlikeScores, check_same_signature, count, score


class Recount(NamedTuple):
    """Each system's tags, counts and scores, run by run, and the signature of each metric."""

    tags: dict[str, list[list[list[str]]]]
    counts: dict[str, list[Counts]]
    values: dict[str, list[dict[str, float]]]
    signatures: dict[str, str]


def recount(corpus: Corpus, test: Sequence[Sentence], scores: pd.DataFrame) -> Recount:
    """Count and score the predicted tags of every run in scores.csv again."""
    gold = [tags for _, tags in test]
    source = signature_source(corpus)
    remedy = f"run {producer_of('scores', corpus.name)}, or dvc repro"
    found = Recount({}, {}, {}, {})
    for row in scores.to_dict("records"):
        run = Run(str(row["system"]), int(row["seed"]))
        path = RESULTS / corpus.name / "predictions" / f"{run.name}.tags"
        if not path.is_file():
            raise BertNerError(f"{path} is missing, but scores.csv has a row of it; {remedy}")
        check_predictions(path, remedy)
        try:
            predicted = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
            counted = count(gold, predicted)
            rescored = score(gold, predicted, **source)
        except ValueError as error:
            raise BertNerError(f"{path} does not fit the test sentences: {error}; {remedy}") from None
        found.signatures.update({metric: rescored[metric].signature for metric in METRICS})
        try:
            check_same_signature(str(row["signature"]), found.signatures["entity_f1"])
        except UnlikeScores as error:
            raise UnlikeScores(f"scores.csv, {run.name}, and {path}: {error}; {remedy}") from None
        values = {metric: rescored[metric].value for metric in METRICS}
        for metric, value in values.items():
            if abs(float(row[metric]) - value) > 1e-6:  # scores.csv has six decimals
                difference = f"{metric} of {run.name} is {row[metric]}, but {path} scores {value:.6f}"
                raise BertNerError(f"scores.csv says {difference}; {remedy}")
        found.tags.setdefault(run.system, []).append(predicted)
        found.counts.setdefault(run.system, []).append(counted)
        found.values.setdefault(run.system, []).append(values)
    return found
