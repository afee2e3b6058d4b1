"""Cross-validate the settings that params.yaml lists for a system, over the training file alone.

    python experiments/search.py --corpus mit_movie_eng --system minilm

Each trial trains once for each fold, on the other folds, and tags the sentences of the fold. Its scores go to
results/<corpus>/search.csv, its tags to data/search/<corpus>/. A fold that the table has is not trained again, so an
interrupted search goes on, and `--trial` lets several processes share one; after a change of the code or of a
teacher's settings, remove the rows to train again. Rows that params.yaml no longer asks for go. With `--fold`, scores
and tags stay in data/unfinished/. A later run without `--fold`, on this or another machine, reads them there.

The teachers of a trial are trained on the same folds, into data/search/<corpus>/teachers/, because those in models/
have seen the sentences of the fold.
"""

from harness.run_main import arguments, run_main

import json
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.artifacts import predictions_text, read_json, read_labels, read_training_file
from harness.locks import sole_writer
from harness.params import Params, Run, Section, read_params
from harness.paths import DATA, RESULTS, outcome_file, raw_folder, remove_state, state_file
from harness.provenance import processor
from harness.remedies import stage_remedy
from harness.systems import build
from harness.tables import read_table, require_table, write_table
from harness.teachers import fit, teachers_of
from harness.trials import Row, as_text, asked_rows, choose, folds_of, open_folds, state_name, tags_file, trials_of

import pandas as pd

from bert_ner.corpus.acquire import check_acquired
from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import corpus_named
from bert_ner.corpus.split import split
from bert_ner.errors import BertNerError
from bert_ner.files import write_sums, write_whole
from bert_ner.scoring import bootstrap, count
from bert_ner.unfinished import unfinished_folder

SAMPLES = 2_000
ONE_ERROR = 0.6827  # the share of a normal distribution within one standard error of its mean


def main() -> None:
    options = arguments(
        __doc__,
        system={"required": True, "help": "a name under search.trials in params.yaml"},
        trial={"type": int, "help": "the number of the only trial to run; default: all"},
        fold={"type": int, "help": "the only fold to train, and leave the table to the run that trains all"},
    )
    corpus, params = corpus_named(options.corpus), read_params()
    trials = trials_of(options.system, params)
    if options.trial is not None and options.trial not in trials:
        raise BertNerError(f"search.trials.{options.system} has no trial {options.trial}, but 1 to {len(trials)}")
    count_of_folds = params.search.folds_for(options.system)
    if options.fold is not None and not 1 <= options.fold <= count_of_folds:
        raise BertNerError(f"the search of {options.system} has no fold {options.fold}, but 1 to {count_of_folds}")
    check_acquired(corpus, raw_folder(corpus.name), stage_remedy("acquire", corpus.name))
    sentences = read_training_file(corpus)
    folds = folds_of(len(sentences), params.search.folds, params.search.seed)
    missing = open_folds(corpus.name, options.system, params)
    if not missing:
        print(f"search.csv has all rows of {options.system}: nothing is trained; to train again, remove them")
    for row in missing:
        number, fold = row["trial"], row["fold"]
        if number != (options.trial or number) or fold != (options.fold or fold):
            continue
        notes = outcome_file(corpus.name, state_name(*place(row)))
        outcome = read_json(notes) if notes.is_file() else {"row": {}}
        if not row.items() <= outcome["row"].items():
            held_out = folds[fold - 1]
            rest = [sentences[i] for i in sorted(set(range(len(sentences))).difference(held_out))]
            tested = [sentences[i] for i in held_out]
            outcome = run_fold(corpus.name, row, trials[number], rest, tested, params)
        if options.fold:
            write_whole(notes, json.dumps(outcome))
        else:
            write_whole(tags_file(corpus.name, *place(row)), predictions_text(outcome["tags"]))
            update_table(corpus.name, params, [outcome["row"]])
            notes.unlink(missing_ok=True)
    if options.fold:
        return
    table = update_table(corpus.name, params, [])
    if chosen := choose(table, options.system, trials):
        print(f"{options.system}: the first within one standard error of the best is trial {chosen.trial}")


def run_fold(
    corpus: str, row: Row, settings: Section, rest: Sequence[Sentence], tested: Sequence[Sentence], params: Params
) -> dict[str, Any]:
    """Split the other folds' sentences into training and validation, train and tag; return the fold's row and tags."""
    train, validation = split(rest, params.split.validation_fraction, params.split.seed)
    state = state_file(corpus, state_name(*place(row)))
    where = ("search", "trials", row["system"])
    tagger = build(row["system"], settings, read_labels(corpus), params.search.seed, state, where)
    runs = teachers_of(row["system"], settings, params)
    teachers = [fold_teacher(corpus, run, row["fold"], (train, validation), params) for run in runs]
    started = time.perf_counter()
    fit(tagger, train, validation, teachers)
    seconds = time.perf_counter() - started
    tags = tagger.tag([words for words, _ in tested])
    remove_state(corpus, state_name(*place(row)))
    f1 = bootstrap(count([gold for _, gold in tested], tags), SAMPLES, level=ONE_ERROR)["entity_f1"]
    print(f"{row['system']} trial {row['trial']} fold {row['fold']}: {f1.value:.4f}, {seconds:.0f} s", flush=True)
    measured = {"validation_entity_f1": f1.value, "standard_error": (f1.high - f1.low) / 2, "seconds": seconds}
    return {"row": {**row, **measured, "machine": processor()}, "tags": tags}


def fold_teacher(
    corpus: str, run: Run, fold: int, parts: tuple[Sequence[Sentence], Sequence[Sentence]], params: Params
) -> Path:
    """Train a teacher on the training sentences of a fold, unless it is there, and return its folder."""
    section = params[run.system]
    key = sha256(repr((as_text(section), parts)).encode()).hexdigest()[:12]
    name = f"{run.name}-{fold}-{key}"  # of other settings or sentences, it is another folder
    folder = DATA / "search" / corpus / "teachers" / name
    if not folder.exists():
        print(f"fold {fold}: training its teacher {run.name}", flush=True)
        tagger = build(run.system, section, read_labels(corpus), run.seed, state_file(corpus, f"search-{name}"))
        fit(tagger, *parts, [])
        with unfinished_folder(folder.parent) as scratch:
            (unfinished := scratch / name).mkdir()
            tagger.save(unfinished)
            write_sums(unfinished)
            if not folder.exists():  # another process may train it, too
                unfinished.rename(folder)
        remove_state(corpus, f"search-{name}")
    return folder


def update_table(corpus: str, params: Params, rows: list[Row]) -> pd.DataFrame:
    """Put rows into the table and take those out that params.yaml does not ask for; return the table."""
    with sole_writer("search"):
        table = read_table(RESULTS, corpus, "search")
        old = [] if table is None else table.to_dict("records")
        kept = {place(row): row for row in asked_rows([*old, *rows], params)}
        if table is None or list(kept.values()) != old:
            write_table(RESULTS, corpus, "search", sorted(kept.values(), key=place))
        return require_table(RESULTS, corpus, "search")


def place(row: Mapping[Any, Any]) -> tuple[str, int, int]:
    return row["system"], row["trial"], row["fold"]


if __name__ == "__main__":
    run_main(main)
