"""Paired comparisons of the systems of a study, with each other and with their usual settings and sentences."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from harness.artifacts import read_predictions, signature_source, study_folder
from harness.params import Params, Trial, all_trials
from harness.parts import WHOLE, places_by_part, source_of_part
from harness.paths import RESULTS

import pandas as pd

from bert_ner import scoring
from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import Corpus
from bert_ner.scoring.resampling import LEVEL, SAMPLES
from comparisons.recounting import Recount, Rows, count_and_score, method_text, recount_part

METRICS = ("entity_f1", "entity_f1_strict")
# What a system of a study is compared with: another system of it, or its own runs of scores.csv.
STUDY, USUAL = "study", "usual"

Place = tuple[str, int]  # of a run in a recount: the system, or the study and its trial, and the number of the run
Runs = dict[int, Place]  # of a system, by seed


class Pairing(NamedTuple):
    """The runs of two systems, as many of each and with the same seeds, and the columns that name them."""

    columns: dict[str, Any]
    a: list[Place]
    b: list[Place]


def study_comparisons(
    corpus: Corpus, test: Sequence[Sentence], found: Recount, pieces: Mapping[str, Recount], scores: pd.DataFrame,
    params: Params, part_of: Sequence[str],
) -> Rows:  # fmt: skip
    """Return a row per pairing and part of the test sentences, from the predictions of studies that are here."""
    places, source = places_by_part(part_of), signature_source(corpus)
    trials = [trial for trial in all_trials(params) if _tags_file(corpus, trial).is_file()]
    tags = {}
    for trial in trials:
        remedy = f"run python experiments/study.py --corpus {corpus.name} --study {trial.study}"
        tags[_key(trial)] = [read_predictions(_tags_file(corpus, trial), test, remedy)]
    trained = count_and_score(found.gold, tags, source)
    scopes = [(WHOLE, _both(found, trained), part_of if places else None)]
    for part, at in places.items():
        scopes.append((part, _both(pieces[part], recount_part(trained, at, source_of_part(source, part))), None))
    pairings = list(_pairings(trials, _usual_runs(scores)))
    return [row for pairing in pairings for scope in scopes for row in _compared(pairing, *scope)]


def _tags_file(corpus: Corpus, trial: Trial) -> Path:
    return study_folder(RESULTS, corpus.name, trial.study) / f"{trial.name}.tags"


def _key(trial: Trial) -> str:
    return f"{trial.study}/{trial.name}"


def _both(one: Recount, other: Recount) -> Recount:
    """Return the runs of two recounts of the same sentences."""
    return Recount(one.gold, one.tags | other.tags, one.counts | other.counts, one.scores | other.scores)


def _usual_runs(scores: pd.DataFrame) -> dict[str, Runs]:
    return {
        str(system): {int(seed): (str(system), run) for run, seed in enumerate(rows["seed"])}
        for system, rows in scores.groupby("system")
    }


def _pairings(trials: Sequence[Trial], usual: Mapping[str, Runs]) -> Iterator[Pairing]:
    """Yield every two systems that a study trains on the same sentences, and each with its usual runs.

    A system that draws no random numbers has a single usual run, which is compared with each of the study's.
    """
    by_size: dict[tuple[Any, ...], dict[str, Runs]] = {}
    for trial in trials:
        systems = by_size.setdefault((trial.study, trial.fraction, trial.per_type, trial.new_type), {})
        systems.setdefault(trial.system, {})[trial.seed] = _key(trial), 0
    for sizes, systems in by_size.items():
        columns = dict(zip(("study", "fraction", "per_type", "new_type"), sizes, strict=True))
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


def _compared(pairing: Pairing, part: str, found: Recount, strata: Sequence[str] | None) -> Rows:
    """Return a row per metric of a pairing: the paired test over sentences, and Student's t over the pairs of runs.

    Runs with the same seed are a pair; the seed draws the sentences, too.
    """
    counts = {side: [found.counts[name][run] for name, run in getattr(pairing, side)] for side in "ab"}
    [compared] = scoring.compare_all(counts, [("a", "b")], SAMPLES, strata=strata, metrics=METRICS).values()
    scores = [[found.scores[name][run] for name, run in side] for side in (pairing.a, pairing.b)]
    test = method_text(len(pairing.a), len(pairing.b), " within parts" if strata else "")
    rows: Rows = []
    for metric, result in compared.items():
        gaps = [float(a[metric] - b[metric]) for a, b in zip(*scores, strict=True)]
        _, low, high = scoring.seed_interval(gaps, LEVEL) if len(gaps) > 1 else (None, None, None)
        signature = scores[0][0][metric].signature
        row = {"part": part, "metric": metric, "signature": signature, "n": len(found.gold), "test": test}
        over_runs = {"runs": len(gaps), "runs_low": low, "runs_high": high}
        rows.append(pairing.columns | row | result._asdict() | over_runs)
    return rows
