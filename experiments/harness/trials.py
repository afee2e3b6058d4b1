"""The trials of a search: their settings, the folds that they tag, and which of them is chosen."""

import random
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from harness.params import Params, Section, settings_of
from harness.paths import DATA, RESULTS
from harness.tables import read_table

import pandas as pd

from bert_ner.errors import BertNerError


class Choice(NamedTuple):
    """A trial, with the mean entity F1 over its folds and the standard error of that over sentences."""

    trial: int
    entity_f1: float
    standard_error: float


def trials_of(system: str, params: Params) -> dict[int, Section]:
    """Return all settings of each trial of a system, by number from 1 on, in the order of their cost."""
    if system not in params.search.trials:
        names = ", ".join(params.search.trials)
        raise BertNerError(f"params.yaml has no search.trials.{system}; its systems are {names}")
    changes = params.search.changes(system)
    return {number: {**params[system], **change} for number, change in enumerate(changes, 1)}


def as_text(settings: Section) -> str:
    """Return settings as one line for search.csv."""
    return " ".join(f"{name}={value}" for name, value in settings_of(settings).items())


def open_folds(corpus: str, system: str, params: Params) -> list[tuple[int, int]]:
    """Return the trials and folds of a search that its table lacks, or has with other settings."""
    table = read_table(RESULTS, corpus, "search")
    done = set() if table is None else set(table[["system", "trial", "fold", "settings"]].itertuples(index=False))
    return [
        (number, fold)
        for number, settings in trials_of(system, params).items()
        for fold in range(1, params.search.folds_for(system) + 1)
        if (system, number, fold, as_text(settings)) not in done
    ]


def folds_of(sentences: int, folds: int, seed: int) -> list[list[int]]:
    """Return the sentence numbers of each fold, in the order of the file; the folds differ by one sentence at most."""
    order = list(range(sentences))
    random.Random(f"folds {seed}").shuffle(order)
    return [sorted(order[fold::folds]) for fold in range(folds)]


def state_name(system: str, trial: int, fold: int) -> str:
    """Return the name of a fold's files while it is unfinished."""
    return f"search-{system}-{trial}-{fold}"


def tags_file(corpus: str, system: str, trial: int, fold: int) -> Path:
    """Return the path of a trial's tags of a fold."""
    return DATA / "search" / corpus / f"{system}-{trial}-{fold}.tags"


def choose(search: pd.DataFrame, system: str, wanted: Collection[int]) -> Choice | None:
    """Choose the first trial within one standard error of the best; None until all wanted ones have the same folds.

    The trials are in the order of their cost, and the error is the best one's. Source: Breiman, Friedman, Olshen and
    Stone, Classification and Regression Trees, 1984, section 3.4.3.
    """
    trials = search[search["system"] == system].groupby("trial")
    if set(trials.groups) != set(wanted) or trials["fold"].apply(tuple).nunique() > 1:
        return None
    mean = trials["validation_entity_f1"].mean()
    best: Any = mean.idxmax()
    # The folds have sentences of their own, so the variances of their scores add up.
    errors = (trials["standard_error"].apply(lambda each: (each**2).sum()) ** 0.5) / trials.size()
    first = mean.index[mean >= mean[best] - errors[best]][0]
    return Choice(int(first), float(mean[first]), float(errors[best]))
