"""Do the rows of studies.csv follow from params.yaml, and their test scores from the committed predictions?"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.artifacts import read_json, study_folder
from harness.params import IDENTITY, Params, Trial, all_trials, identity
from harness.parts import WHOLE
from harness.provenance import read_provenance
from harness.tables import TABLES, read_table, tables_of_corpora

import pandas as pd

from comparisons.study_pairs import STUDY, USUAL
from gate.rescoring import Scored, fault, gold_tags

Sums = Mapping[str, Mapping[str, str]]  # SHA-256 of predictions, by study and name

ROUNDED = 2e-6  # the most that means of scores with six decimals are off
SIZE = ["study", "fraction", "per_type", "new_type"]


def study_problems(results: Path, params: Params) -> Iterator[str]:
    """Yield what is wrong in the studies of each corpus."""
    trials, provenance = all_trials(params), read_provenance(results)
    for corpus, table in tables_of_corpora(results, "studies"):
        for problem in _rows(table, trials):
            yield f"{corpus}/studies.csv has {problem}"
        recorded = provenance.get(corpus, {}).get("studies", {})
        yield from _not_as_scored(results, corpus, table, trials, recorded)
        yield from _not_compared(results, corpus, table, trials, recorded)


def _rows(table: pd.DataFrame, trials: list[Trial]) -> Iterator[str]:
    if table.duplicated(list(TABLES["studies"].key)).any():
        yield "an epoch of a training twice"
    asked = {identity(trial._asdict()) for trial in trials if trial.study in set(table["study"])}
    found = set(map(identity, table.to_dict("records")))
    for trial in sorted(found - asked, key=str):
        yield f"a training that params.yaml does not ask for: {trial}"
    for trial in sorted(asked - found, key=str):
        yield f"no row of a training that params.yaml asks for: {trial}"
    scores = table[["validation_entity_f1", "test_token_micro_f1", "test_entity_f1"]]
    if not ((scores >= 0) & (scores <= 1) | scores.isna()).all(axis=None):
        yield "a score that is no fraction"
    tested = table.groupby(list(IDENTITY), dropna=False)["test_entity_f1"].count()
    if (tested != 1).any():
        yield "a training without one test score"


def _not_as_scored(
    results: Path, corpus: str, table: pd.DataFrame, trials: list[Trial], recorded: Sums
) -> Iterator[str]:
    """Yield the trainings whose test scores do not follow from their predictions; older ones kept none."""
    kept = {
        identity(trial._asdict()): study_folder(results, corpus, trial.study) / f"{trial.name}.tags"
        for trial in trials
        if trial.name in recorded.get(trial.study, {})
    }
    gold = gold_tags(corpus) if kept else None
    for row in table.dropna(subset=["test_entity_f1"]).to_dict("records"):
        if path := kept.get(identity(row)):
            values = {name: row[f"test_{name}"] for name in ("token_micro_f1", "entity_f1")}
            size = read_json(results / corpus / "corpus.json")["test"]["sentences"]
            scored = Scored("studies.csv", f"study.py --study {row['study']}", values, size)
            if reason := fault(path, recorded[row["study"]][path.stem], gold, scored):
                yield f"{corpus}: {reason}"


def _with_usual_runs(seeds: Sequence[tuple[str, int]], scores: pd.DataFrame | None) -> set[str]:
    """Return the systems, of those given with their seeds, that scores.csv has with such a seed, or with one run."""
    if scores is None:
        return set()
    usual = scores.groupby("system")["seed"].agg(set).to_dict()
    return {system for system, seed in seeds if seed in usual.get(system, ()) or len(usual.get(system, ())) == 1}


def _not_compared(
    results: Path, corpus: str, table: pd.DataFrame, trials: list[Trial], recorded: Sums
) -> Iterator[str]:
    """Yield the studies whose comparisons are missing, or of other scores."""
    compared = read_table(results, corpus, "study_comparisons")
    if compared is None:
        compared = pd.DataFrame(columns=list(TABLES["study_comparisons"].columns))
    compared = compared[(compared["part"] == WHOLE) & (compared["metric"] == "entity_f1")]
    means = table.groupby([*SIZE, "system"], dropna=False, as_index=False)["test_entity_f1"].mean()
    scores = read_table(results, corpus, "scores")
    for study, names in recorded.items():
        rows = compared[compared["study"] == study]
        of_study = rows[rows["against"] == STUDY]
        is_right = len(of_study) > 0 or means.loc[means["study"] == study, "system"].nunique() < 2
        seeds = [(trial.system, trial.seed) for trial in trials if trial.study == study and trial.name in names]
        is_right &= _with_usual_runs(seeds, scores) <= set(rows.loc[rows["against"] == USUAL, "system_a"])
        for side, sided in (("a", rows), ("b", of_study)):
            if len(sided):
                pairs = sided.merge(means, how="left", left_on=[*SIZE, f"system_{side}"], right_on=[*SIZE, "system"])
                is_right &= bool(((pairs[side] - pairs["test_entity_f1"]).abs() <= ROUNDED).all())
        if not is_right:
            yield f"{corpus}/study_comparisons.csv does not have the scores of {study}; run compare.py"
