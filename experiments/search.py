"""Cross-validate the settings that params.yaml lists for a system, over the training file alone.

    python experiments/search.py --corpus mit_movie_eng --system minilm

Each trial trains once for each fold, on the other folds, and tags the sentences of the fold. Its scores go to
results/<corpus>/search.csv, its tags to results/<corpus>/search/. A fold that is there is not trained again, so an
interrupted search goes on, and `--trial` lets several processes share one.
"""

from harness.run_main import arguments, run_main

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.artifacts import read_labels
from harness.locks import sole_writer
from harness.params import Params, Section, read_params, settings_of
from harness.paths import RESULTS, raw_folder, state_file
from harness.provenance import processor
from harness.systems import build
from harness.tables import read_table, write_table

import pandas as pd

from bert_ner.corpus.acquire import check_acquired
from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import corpus_named
from bert_ner.corpus.split import split
from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.scoring import bootstrap, count, entity_f1

Row = dict[str, Any]


class Choice(NamedTuple):
    """A trial's entity F1 over the folds that it tagged, and how far its best rival may be ahead."""

    trial: int
    entity_f1: float
    standard_error: float


def main() -> None:
    options = arguments(
        __doc__,
        system={"required": True, "help": "a name under search.trials in params.yaml"},
        trial={"type": int, "help": "the number of the only trial to run; default: all"},
    )
    corpus, params = corpus_named(options.corpus), read_params()
    trials = trials_of(options.system, params)
    if options.trial is not None and options.trial not in trials:
        raise BertNerError(f"search.trials.{options.system} has no trial {options.trial}, but 1 to {len(trials)}")
    check_acquired(corpus, raw_folder(corpus.name))
    sentences = corpus.read(raw_folder(corpus.name))["train"]
    folds = folds_of(len(sentences), params.search.folds, params.search.seed)
    wanted = {options.trial: trials[options.trial]} if options.trial else trials
    for number, settings in wanted.items():
        for fold in range(1, params.search.folds_for(options.system) + 1):
            row = {"system": options.system, "trial": number, "fold": fold, "settings": as_text(settings)}
            if not is_done(corpus.name, row):
                held_out = set(folds[fold - 1])
                rest = [sentence for i, sentence in enumerate(sentences) if i not in held_out]
                tested = [sentences[i] for i in folds[fold - 1]]
                record(corpus.name, row, *run_fold(corpus.name, row, settings, rest, tested, params), trials)
    if chosen := choose(corpus.name, options.system, sentences, folds):
        print(f"{options.system}: the simplest within one standard error of the best is trial {chosen.trial}")


def trials_of(system: str, params: Params) -> dict[int, Section]:
    """Return all settings of each trial of a system, by number from 1 on."""
    if system not in params.search.trials:
        names = ", ".join(params.search.trials)
        raise BertNerError(f"params.yaml has no search.trials.{system}; its systems are {names}")
    changes = params.search.changes(system)
    return {number: {**params[system], **change} for number, change in enumerate(changes, 1)}


def folds_of(sentences: int, folds: int, seed: int) -> list[list[int]]:
    """Return the sentence numbers of each fold, in the order of the file; the folds differ by one sentence at most."""
    order = list(range(sentences))
    random.Random(f"folds {seed}").shuffle(order)
    return [sorted(order[fold::folds]) for fold in range(folds)]


def run_fold(
    corpus: str, row: Row, settings: Section, rest: Sequence[Sentence], tested: Sequence[Sentence], params: Params
) -> tuple[list[list[str]], float]:
    """Train as for the test set, with validation sentences of its own, and tag; return the tags and the seconds."""
    train, validation = split(rest, params.split.validation_fraction, params.split.seed)
    state = state_file(corpus, "search-{system}-{trial}-{fold}".format(**row))
    where = ("search", "trials", row["system"])
    tagger = build(row["system"], settings, read_labels(corpus), params.search.seed, state, where)
    started = time.perf_counter()
    tagger.fit(train, validation)
    seconds = time.perf_counter() - started
    tags = tagger.tag([words for words, _ in tested])
    state.unlink(missing_ok=True)
    f1 = entity_f1([gold for _, gold in tested], tags)
    row["validation_entity_f1"] = f1
    print(f"{row['system']} trial {row['trial']} fold {row['fold']}: {f1:.4f}, {seconds:.0f} s", flush=True)
    return tags, seconds


def is_done(corpus: str, row: Row) -> bool:
    """Return whether the table has the fold with these settings, and its tags are there."""
    table = read_table(RESULTS, corpus, "search")
    if table is None or not tags_file(corpus, row).is_file():
        return False
    return bool((table[list(row)] == pd.Series(row)).all(axis=1).any())


def record(corpus: str, row: Row, tags: list[list[str]], seconds: float, trials: dict[int, Section]) -> None:
    """Write the tags of a fold and put its row into the table, without the rows of trials that are no longer asked."""
    write_whole(tags_file(corpus, row), "".join(" ".join(sentence) + "\n" for sentence in tags))
    with sole_writer():
        table = read_table(RESULTS, corpus, "search")
        old: list[Row] = [] if table is None else table.to_dict("records")
        texts = {number: as_text(settings) for number, settings in trials.items()}
        kept = [
            other
            for other in old
            if other["system"] != row["system"]
            or (texts.get(other["trial"]) == other["settings"] and key(other) != key(row))
        ]
        rows = [*kept, {**row, "seconds": seconds, "machine": processor()}]
        write_table(RESULTS, corpus, "search", sorted(rows, key=key))


def choose(corpus: str, system: str, sentences: Sequence[Sentence], folds: list[list[int]]) -> Choice | None:
    """Choose the first trial within one standard error of the best; None until all have the same folds.

    The trials are in the order of their cost. The error is that of the best trial, over sentences. Source of the rule:
    Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984, section 3.4.3.
    """
    table = read_table(RESULTS, corpus, "search")
    if table is None:
        return None
    rows = table[table["system"] == system]
    if rows.empty or rows.groupby("trial")["fold"].apply(tuple).nunique() > 1:
        return None
    found = {}
    for trial, of_trial in rows.groupby("trial"):
        gold, tags = [], []
        for row in of_trial.to_dict("records"):
            gold += [sentences[i].tags for i in folds[row["fold"] - 1]]
            tags += [line.split() for line in tags_file(corpus, row).read_text(encoding="utf-8").splitlines()]
        interval = bootstrap(count(gold, tags), 2_000, level=0.6827)["entity_f1"]
        found[trial] = Choice(int(trial), interval.value, (interval.high - interval.low) / 2)
    best = max(found.values(), key=lambda choice: choice.entity_f1)
    return next(choice for choice in found.values() if choice.entity_f1 >= best.entity_f1 - best.standard_error)


def as_text(settings: Section) -> str:
    """Return settings as one line for the table."""
    return " ".join(f"{name}={value}" for name, value in settings_of(settings).items())


def key(row: Row) -> tuple[str, int, int]:
    return row["system"], row["trial"], row["fold"]


def tags_file(corpus: str, row: Row) -> Path:
    return RESULTS / corpus / "search" / "{system}-{trial}-{fold}.tags".format(**row)


if __name__ == "__main__":
    run_main(main)
