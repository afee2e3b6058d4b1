"""Compute the scores of the committed predictions again: do those in scores.csv follow from them?"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from harness.artifacts import read_json
from harness.params import read_params
from harness.paths import SHARED, predictions_file, raw_folder
from harness.provenance import read_provenance
from harness.tables import read_table, require_table

from bert_ner.corpus.acquire import MIRROR_VARIABLE, acquire
from bert_ner.corpus.bio import read_bio
from bert_ner.corpus.catalog import Corpus, corpus_named
from bert_ner.files import cache_folder, sha256_of
from bert_ner.scoring import METRICS, score
from bert_ner.scoring.gate import EQUAL, Outcome
from bert_ner.wording import counted
from gate.references import Faults

Gold = list[tuple[str, ...]]


class Scored(NamedTuple):
    """Scores of predicted tags as a table has them: that of each metric, and the number of sentences."""

    table: str
    script: str  # that writes it
    values: Mapping[str, float]
    sentences: int


def unfounded(results: Path) -> Faults:
    """Return the systems whose scores do not follow from their predictions, or are missing without a reason."""
    corpora = [path.parent.name for path in sorted(results.glob("*/scores.csv"))]
    found: Faults = {}
    for corpus in corpora:
        found |= _without_scores(results, corpus) | _not_as_scored(results, corpus)
    return found


def _without_scores(results: Path, corpus: str) -> Faults:
    """Return the systems that params.yaml trains on a corpus, and that neither scores.csv nor not_run.csv has."""
    tables = (read_table(results, corpus, name) for name in ("scores", "not_run"))
    accounted_for = {system for table in tables if table is not None for system in table["system"]}
    fault = Outcome.INCOMPLETE, "neither scores.csv nor not_run.csv has it"
    return {(corpus, run.system): fault for run in read_params().all_runs(corpus) if run.system not in accounted_for}


def _not_as_scored(results: Path, corpus: str) -> Faults:
    gold = gold_tags(corpus)
    size = read_json(results / corpus / "corpus.json").get("test", {}).get("sentences")
    recorded = read_provenance(results).get(corpus, {}).get("runs", {})
    found: Faults = {}
    for row in require_table(results, corpus, "scores").to_dict("records"):
        name = f"{row['system']}-{row['seed']}"
        path = predictions_file(results, corpus, name)
        sentences = len(gold) if gold else size
        if row["n_sentences"] != sentences:
            reason = (
                f"scores.csv has {counted(row['n_sentences'], 'sentence')} of {name}, and the test set has {sentences}"
            )
        else:
            scored = Scored("scores.csv", "evaluate.py", {name: row[name] for name in METRICS}, row["n_sentences"])
            reason = fault(path, recorded.get(name, {}).get("predictions"), gold, scored)
        if reason:
            found.setdefault((corpus, row["system"]), (Outcome.INVALID, reason))
    return found


def fault(path: Path, sha256: str | None, gold: Gold | None, scored: Scored) -> str:
    """Return why scores do not follow from a file of predictions; empty if they do."""
    name, remedy = f"{path.parent.name}/{path.name}", f"take the file from Git, or run {scored.script}"
    if not path.is_file():
        return f"{name} is missing; {remedy}"
    if sha256_of(path) != sha256:
        return f"{name} has changed since it was scored, so the scores no longer follow from it; {remedy}"
    predicted = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    if gold is None:
        same = len(predicted) == scored.sentences
        found = counted(len(predicted), "sentence")
        return "" if same else f"{name} has {found}, and {scored.table} {scored.sentences}; {remedy}"
    try:
        scores = score(gold, predicted)
    except ValueError as error:
        return f"{name} does not fit the test set: {error}; {remedy}"
    for metric, known in scored.values.items():
        value = scores[metric].value
        if not abs(known - value) <= EQUAL * 2:  # NaN is not equal, either
            return f"{metric} of {name} is {value:.6f}, and {known:.6f} in {scored.table}; run {scored.script}"
    return ""


def gold_tags(name: str) -> Gold | None:
    """Return the tags of a corpus's test set, if its file is on this machine; nothing is downloaded."""
    corpus = corpus_named(name)
    if corpus.is_generated:
        with TemporaryDirectory() as scratch:
            acquire(corpus, Path(scratch))
            return _read(corpus, [Path(scratch)])
    mirrors = [Path(os.environ.get(MIRROR_VARIABLE, "")), SHARED / "corpora", cache_folder("corpora")]
    return _read(corpus, [raw_folder(name), *(folder / name for folder in mirrors)])


def _read(corpus: Corpus, folders: Sequence[Path]) -> Gold | None:
    for path in (folder / corpus.test.name for folder in folders):
        if path.is_file() and sha256_of(path) == corpus.test.sha256:
            return [tags for _, tags in read_bio(path, corpus.labels)]
    return None
