"""Train with something changed, as a study in params.yaml says, and score on the test sentences.

    python experiments/study.py --corpus mit_movie_eng --study warmup

Puts the rows of the study into results/<corpus>/studies.csv, in place of its older ones, and its tags of the test
sentences into results/<corpus>/studies/<study>/. An interrupted study goes on. With --trial, those of one training stay
in data/unfinished/<corpus>/study-<study>/, where the run that trains all finds them: perhaps on another machine.
"""

from harness.run_main import arguments, run_main

import json
import sys
import time
from collections.abc import Mapping, Sequence
from shutil import rmtree
from typing import Any

from harness.artifacts import predictions_text, read_json, read_labels, read_part, signature_source, study_folder
from harness.draws import trial_sentences
from harness.locks import sole_writer
from harness.params import Section, Trial, identity, read_params, read_trials
from harness.paths import RESULTS, outcome_file, remove_state, state_file
from harness.provenance import processor, record_study, recorded
from harness.systems import build, has_weights
from harness.tables import read_table, write_table
from harness.trials import as_text

import pandas as pd

from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import corpus_named
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole
from bert_ner.scoring import score, score_by_type
from bert_ner.tagger import Tagger

Rows = list[dict[str, Any]]
Outcome = dict[str, Any]  # rows of a training, the place of the kept one, and tags of the test sentences
Tags = Sequence[Sequence[str]]


def main() -> None:
    options = arguments(
        __doc__,
        study={"required": True, "help": "a name under 'studies' in params.yaml"},
        trial={"help": "the name of its predictions: train only this, and leave the table to the run that trains all"},
    )
    corpus, params = options.corpus, read_params()
    asked, labels = read_trials(options.study, params), read_labels(corpus)
    trials = available_trials(asked)
    left_out = [trial for trial in asked if trial not in trials]
    if options.trial:
        names = [trial.name for trial in trials]
        if options.trial not in names:
            raise BertNerError(f"studies.{options.study} has no trial {options.trial!r}; it has {', '.join(names)}")
        trials = [trials[names.index(options.trial)]]
    types = {label[2:] for label in labels if label != "O"}
    if unknown := sorted({trial.new_type for trial in trials if trial.new_type} - types):
        raise BertNerError(
            f"params.yaml, studies.{options.study}.new_types: {corpus} has no type {unknown[0]!r}; "
            f"its types are {', '.join(sorted(types))}"
        )
    train, validation, test = (read_part(corpus, part) for part in ("train", "validation", "test"))
    # All of them before the first trains, so that an error in the last one shows at once.
    for trial in trials:
        for changes in trial.candidates:
            build_trial(corpus, labels, trial, changes)

    source = signature_source(corpus_named(corpus))
    rows: Rows = []
    tags: dict[str, Tags] = {}
    for trial in trials:
        sentences = [*trial_sentences(trial, train, validation), test]
        outcomes = finished_outcomes(corpus, labels, trial, sentences)
        best = chosen(outcomes)
        changes = trial.candidates[best] if len(trial.candidates) > 1 else {}
        shared = {**trial._asdict(), "encoder": trial.settings.get("name", ""), "chosen": as_text(changes)}
        shared["sentences"] = len(sentences[0])
        rows += [{**shared, **row} for row in with_test_scores(outcomes[best], test, source, trial.new_type)]
        tags[trial.name] = outcomes[best]["tags"]
    if options.trial:
        return
    record(corpus, options.study, rows, tags, list(params.studies), left_out)
    rmtree(outcome_file(corpus, trials[0].state).parent)
    shown = ["variant", "chosen", "system", "seed", "sentences", "test_token_micro_f1", "test_entity_f1"]
    print(pd.DataFrame(rows)[shown].dropna().to_string(index=False))


def available_trials(trials: list[Trial]) -> list[Trial]:
    """Return the trials of systems whose weights are available, and name the other systems."""
    available = [trial for trial in trials if has_weights(trial.settings)]
    if not available:
        raise BertNerError(f"studies.{trials[0].study}: its encoders have no weights; 'bert-ner encoders' says why")
    for system in dict.fromkeys(trial.system for trial in trials if trial not in available):
        print(f"{system} is not trained, because its weights are unavailable; results that are here are kept")
    return available


def build_trial(corpus: str, labels: Sequence[str], trial: Trial, changes: Section) -> Tagger:
    """Build the system of a trial, with one candidate's changes to its settings."""
    state, where = state_file(corpus, trial.state), ("studies", trial.study, trial.system)
    return build(trial.system, trial.settings | changes, labels, trial.seed, state, where)


def finished_outcomes(
    corpus: str, labels: Sequence[str], trial: Trial, sentences: Sequence[list[Sentence]]
) -> list[Outcome]:
    """Return the outcome of each candidate of a trial; those that are not in data/unfinished/ yet are trained."""
    from bert_ner.encoder.checkpoint import fingerprint  # not at the top, because torch takes seconds to import

    notes = outcome_file(corpus, trial.state)
    finished = read_json(notes) if notes.is_file() else {}
    outcomes: list[Outcome] = []
    for changes in trial.candidates:
        settings, tagger = trial.settings | changes, build_trial(corpus, labels, trial, changes)
        code = sha256_of(str(sys.modules[type(tagger).__module__].__file__))
        earlier = trial.candidates[: len(outcomes)]  # they decide whether this one tags
        key = fingerprint(identity(trial._asdict()), settings, earlier, code, *sentences)
        if key not in finished:
            finished[key] = run_trial(trial, settings, tagger, sentences, outcomes)
            write_whole(notes, json.dumps(finished))
            remove_state(corpus, trial.state)
        outcomes.append(finished[key])
    return outcomes


def run_trial(
    trial: Trial, settings: Section, tagger: Tagger, sentences: Sequence[list[Sentence]], before: Sequence[Outcome] = ()
) -> Outcome:
    """Train with one candidate's settings, and tag the test sentences; without tags if one before it is as good.

    There is a row per epoch, or one for a system without epochs; `kept` is the place of that whose weights tag.
    """
    train, validation, test = sentences
    started = time.perf_counter()
    history = tagger.fit(train, validation)
    seconds = time.perf_counter() - started
    validated = [row["validation_entity_f1"] for row in history if "validation_entity_f1" in row]
    rows, kept = [row for row in history if "epoch" in row], -1
    if not rows:  # the history has the settings that were tried; the best on the validation sentences was chosen
        rows = [{"seconds": seconds} | ({"validation_entity_f1": max(validated)} if validated else {})]
    elif settings.get("patience") or getattr(tagger, "keeps_best", False):
        kept = validated.index(max(validated))
    print(f"{trial.name}: trained in {seconds:.0f} s", flush=True)
    outcome: Outcome = {"rows": [{**row, "machine": processor()} for row in rows], "kept": kept}
    if chosen([*before, outcome]) == len(before):
        outcome["tags"] = tagger.tag([words for words, _ in test])
    return outcome


def chosen(outcomes: Sequence[Outcome]) -> int:
    """Return the place of the candidate that is best on the validation sentences; of equal ones, of the first."""
    validated = [outcome["rows"][outcome["kept"]].get("validation_entity_f1", 0.0) for outcome in outcomes]
    return validated.index(max(validated))


def with_test_scores(outcome: Outcome, test: Sequence[Sentence], source: dict[str, str], new_type: str | None) -> Rows:
    """Return the rows of a training; that of the kept weights has the test scores."""
    gold = [tags for _, tags in test]
    scores = score(gold, outcome["tags"], **source)
    tested: dict[str, Any] = {f"test_{name}": scores[name].value for name in ("token_micro_f1", "entity_f1")}
    if new_type:
        tested["test_new_type_f1"] = {row.type: row.f1 for row in score_by_type(gold, outcome["tags"])}[new_type]
    rows = [dict(row) for row in outcome["rows"]]
    rows[outcome["kept"]] |= {**tested, "signature": scores["entity_f1"].signature}
    return rows


def record(
    corpus: str, study: str, rows: Rows, tags: Mapping[str, Tags], studies: list[str], left_out: Sequence[Trial] = ()
) -> None:
    """Put a study into the table of studies, and its predictions into their folder, in place of older ones.

    What is there of trials that were left out stays.
    """
    folder, known = study_folder(RESULTS, corpus, study), recorded(corpus).get("studies", {}).get(study, {})
    sums = {trial.name: known[trial.name] for trial in left_out if trial.name in known}
    for name, sentences in tags.items():
        write_whole(folder / f"{name}.tags", predictions_text(sentences))
        sums[name] = sha256_of(folder / f"{name}.tags")
    for path in folder.glob("*.tags"):
        if path.stem not in sums:
            path.unlink()
    with sole_writer("studies"):
        table = read_table(RESULTS, corpus, "studies")
        write_table(RESULTS, corpus, "studies", merged(table, rows, studies, left_out))
    record_study(corpus, study, sums)


def merged(table: pd.DataFrame | None, rows: Rows, studies: list[str], left_out: Sequence[Trial] = ()) -> Rows:
    """Return the table's rows with these in place of their study's old ones, but for those of trials left out.

    Only studies of params.yaml stay.
    """
    old: list[Any] = [] if table is None else table.to_dict("records")
    stay = {identity(trial._asdict()) for trial in left_out}
    others = [
        row for row in old if row["study"] in studies and (row["study"] != rows[0]["study"] or identity(row) in stay)
    ]
    return sorted([*others, *rows], key=lambda row: studies.index(row["study"]))


if __name__ == "__main__":
    run_main(main)
