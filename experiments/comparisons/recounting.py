"""The predictions behind scores.csv, counted and scored again."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness.artifacts import read_predictions, signature_source
from harness.paths import RESULTS, predictions_file
from harness.remedies import stage_remedy

import pandas as pd

from bert_ner import scoring
from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError
from bert_ner.scoring.resampling import SAMPLES, paired_text

Rows = list[dict[str, Any]]
Tags = list[list[str]]


class Recount(NamedTuple):
    """Gold tags, and each system's tags, counts and scores, run by run."""

    gold: Sequence[Sequence[str]]
    tags: dict[str, list[Tags]]
    counts: dict[str, list[scoring.Counts]]
    scores: dict[str, list[dict[str, scoring.Score]]]


def recount(corpus: Corpus, test: Sequence[Sentence], scores: pd.DataFrame) -> Recount:
    """Count and score the predicted tags of every run in scores.csv again."""
    gold, source = [tags for _, tags in test], signature_source(corpus)
    remedy = stage_remedy("evaluate", corpus.name)
    found = Recount(gold, {}, {}, {})
    for row in scores.to_dict("records"):
        system = str(row["system"])
        path = predictions_file(RESULTS, corpus.name, f"{system}-{row['seed']}")
        predicted = read_predictions(path, test, remedy)
        try:
            counted, rescored = scoring.count(gold, predicted), scoring.score(gold, predicted, **source)
            scoring.check_same_signature(str(row["signature"]), rescored["entity_f1"].signature)
            for metric, value in rescored.items():
                # scores.csv has six decimals; an empty cell is no value at all.
                if not abs(float(row[metric]) - value) <= 1e-6:
                    raise ValueError(f"{metric} is {row[metric]} in scores.csv, but {value:.6f} here")
        except ValueError as error:
            raise BertNerError(f"{path} does not fit scores.csv: {error}; {remedy}") from None
        found.tags.setdefault(system, []).append(predicted)
        found.counts.setdefault(system, []).append(counted)
        found.scores.setdefault(system, []).append(rescored)
    return found


def recount_part(found: Recount, at: Sequence[int], source: Mapping[str, str]) -> Recount:
    """Count and score the tags of some of the test sentences."""
    tags = {system: [[run[i] for i in at] for run in runs] for system, runs in found.tags.items()}
    return count_and_score([found.gold[i] for i in at], tags, source)


def count_and_score(gold: Sequence[Sequence[str]], tags: dict[str, list[Tags]], source: Mapping[str, str]) -> Recount:
    """Count and score the tags of each system's runs."""
    return Recount(
        gold,
        tags,
        {system: [scoring.count(gold, run) for run in runs] for system, runs in tags.items()},
        {system: [scoring.score(gold, run, **source) for run in runs] for system, runs in tags.items()},
    )


def method_text(runs_of_a: int, runs_of_b: int, within: str) -> str:
    """Name the test and the interval of a comparison, with the number of runs of each system."""
    return f"{paired_text(SAMPLES, within)}; runs averaged, a={runs_of_a} b={runs_of_b}"
