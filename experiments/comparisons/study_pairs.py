"""Paired comparisons of the systems of a study, with each other and with their usual settings and sentences."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from harness.artifacts import read_predictions, signature_source, study_folder
from harness.params import Params, read_trials
from harness.parts import WHOLE, places_by_part, source_of_part
from harness.paths import RESULTS

import pandas as pd

from bert_ner import scoring
from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import Corpus
from bert_ner.scoring.resampling import LEVEL, SAMPLES
from comparisons.recounting import Recount, Rows, Tags, method_text

METRICS = ("entity_f1", "entity_f1_strict")
STUDY, USUAL = (
    "study",
    "usual",
)  # what a system of a study is compared with: another of it, or its own runs of scores.csv

Runs = dict[int, Tags]  # the tags of a system's runs, by seed


class Pairing(NamedTuple):
    """The runs of two systems, as many of each and with the same seeds, and the columns that name them."""

    columns: dict[str, Any]
    a: list[Tags]
    b: list[Tags]


def study_comparisons(
    corpus: Corpus, test: Sequence[Sentence], found: Recount, scores: pd.DataFrame, params: Params, part_of: list[str]
) -> Rows:
    """Return a row per pairing and part of the test sentences, from the predictions of studies that are here."""
    places, source = places_by_part(part_of), signature_source(corpus)
    rows: Rows = []
    for pairing in _pairings(corpus.name, test, _usual_runs(found, scores), params):
        rows += _compared(pairing, WHOLE, found.gold, source, part_of if places else None)
        for part, at in places.items():
            runs = ([[tags[i] for i in at] for tags in side] for side in (pairing.a, pairing.b))
            gold = [found.gold[i] for i in at]
            rows += _compared(Pairing(pairing.columns, *runs), part, gold, source_of_part(source, part))
    return rows


def _usual_runs(found: Recount, scores: pd.DataFrame) -> dict[str, Runs]:
    seeds = {str(system): rows["seed"] for system, rows in scores.groupby("system")}
    return {system: dict(zip(map(int, seeds[system]), runs, strict=True)) for system, runs in found.tags.items()}


def _pairings(corpus: str, test: Sequence[Sentence], usual: Mapping[str, Runs], params: Params) -> Iterator[Pairing]:
    """Yield every two systems that a study trains on the same sentences, and each with its usual runs.

    A system that draws no random numbers has a single usual run, which is compared with each of the study's.
    """
    for study in params.studies:
        remedy = f"run python experiments/study.py --corpus {corpus} --study {study}"
        by_size: dict[tuple[Any, ...], dict[str, Runs]] = {}
        for trial in read_trials(study, params):
            path = study_folder(RESULTS, corpus, study) / f"{trial.name}.tags"
            if path.is_file():
                systems = by_size.setdefault((trial.fraction, trial.per_type, trial.new_type), {})
                systems.setdefault(trial.system, {})[trial.seed] = read_predictions(path, test, remedy)
        for sizes, systems in by_size.items():
            columns = dict(zip(("fraction", "per_type", "new_type"), sizes, strict=True)) | {"study": study}
            for a, b in combinations(systems, 2):
                names = {"against": STUDY, "system_a": a, "system_b": b}
                yield from _paired(columns | names, systems[a], systems[b])
            for system, runs in systems.items():
                others = usual.get(system, {})
                if len(others) == 1:
                    others = dict.fromkeys(runs, *others.values())
                yield from _paired(columns | {"against": USUAL, "system_a": system, "system_b": system}, runs, others)


def _paired(columns: dict[str, Any], a: Runs, b: Runs) -> Iterator[Pairing]:
    """Yield the runs with the same seeds, if there are any."""
    if seeds := [seed for seed in a if seed in b]:
        yield Pairing(columns, [a[seed] for seed in seeds], [b[seed] for seed in seeds])


def _compared(
    pairing: Pairing,
    part: str,
    gold: Sequence[Sequence[str]],
    source: Mapping[str, str],
    strata: Sequence[str] | None = None,
) -> Rows:
    """Return a row per metric of a pairing: the paired test over sentences, and Student's t over the pairs of runs.

    Runs with the same seed are a pair; the seed draws the sentences, too.
    """
    counts = {side: [scoring.count(gold, tags) for tags in getattr(pairing, side)] for side in "ab"}
    [found] = scoring.compare_all(counts, [("a", "b")], SAMPLES, level=LEVEL, strata=strata).values()
    scores = [[scoring.score(gold, tags, **source) for tags in runs] for runs in (pairing.a, pairing.b)]
    test = method_text(len(pairing.a), len(pairing.b), " within parts" if strata else "")
    rows: Rows = []
    for metric in METRICS:
        gaps = [float(a[metric] - b[metric]) for a, b in zip(*scores, strict=True)]
        _, low, high = scoring.seed_interval(gaps, LEVEL) if len(gaps) > 1 else (None, None, None)
        row = {
            "part": part,
            "metric": metric,
            "signature": scores[0][0][metric].signature,
            "n": len(gold),
            "test": test,
        }
        over_runs = {"runs": len(gaps), "runs_low": low, "runs_high": high}
        rows.append(pairing.columns | row | found[metric]._asdict() | over_runs)
    return rows
