"""The trials of a search: their settings, the folds that they tag, and which of them is chosen."""

import random
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from harness.params import Params, Section, settings_of
from harness.paths import DATA, RESULTS
from harness.tables import read_table

import pandas as pd

from bert_ner.errors import BertNerError

Row = dict[Any, Any]


class Choice(NamedTuple):
    """A trial, with the mean entity F1 over its folds and the standard error of that over sentences."""

    trial: int
    entity_f1: float
    standard_error: float


def trials_of(system: str, params: Params) -> dict[int, Section]:
    """Return all settings of each trial of a system, by number from 1 on, the simplest first."""
    if system not in params.search.trials:
        names = ", ".join(params.search.trials)
        raise BertNerError(f"params.yaml has no search.trials.{system}; its systems are {names}")
    changes = params.search.changes(system)
    return {number: {**params[system], **change} for number, change in enumerate(changes, 1)}


def as_text(settings: Section) -> str:
    """Return settings as one line for search.csv."""
    return " ".join(f"{name}={value}" for name, value in settings_of(settings).items())


def changed(settings: Section, whole: Section) -> Section:
    """Return those settings that are not the `whole` ones."""
    return {name: value for name, value in settings.items() if whole.get(name) != value}


def settings_in(text: str) -> dict[str, str]:
    """Return the settings in such a line by name; the values stay text. Lists have spaces, too."""
    return dict(setting.split("=", 1) for setting in re.split(r" (?=\w+=)", text) if setting)


def asked_folds(system: str, params: Params) -> list[Row]:
    """Return what identifies each row of search.csv that params.yaml asks for: a trial and a fold of a system."""
    search, split = params.search, params.split
    drawn = f"{search.folds} folds, seed {search.seed}; validation {split.validation_fraction}, seed {split.seed}"
    return [
        {"system": system, "trial": number, "fold": fold, "settings": as_text(settings), "split": drawn}
        for number, settings in trials_of(system, params).items()
        for fold in range(1, search.folds_for(system) + 1)
    ]


def asked_rows(rows: Iterable[Row], params: Params) -> list[Row]:
    """Return those rows of search.csv that are of a trial and a fold that params.yaml asks for."""
    asked = {system: asked_folds(system, params) for system in params.search.trials}
    return [row for row in rows if any(each.items() <= row.items() for each in asked.get(row["system"], []))]


def open_folds(corpus: str, system: str, params: Params) -> list[Row]:
    """Return those rows that a search still needs."""
    table = read_table(RESULTS, corpus, "search")
    done = [] if table is None else table.to_dict("records")
    return [row for row in asked_folds(system, params) if not any(row.items() <= found.items() for found in done)]


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

    The simplest trials come first, and the error is the best one's. Source: Breiman, Friedman, Olshen and
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
