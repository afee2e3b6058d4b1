"""How settings were chosen on the training file, and what each of them brings."""

from typing import Any

from harness.params import Params, read_params, settings_of
from harness.trials import asked_folds, asked_rows, choose, settings_in, trials_of

import pandas as pd

from bert_ner.wording import counted
from reporting.blocks import Block, Missing, Section
from reporting.formats import note
from reporting.layouts import layout_table
from reporting.results import Results, by_system


def settings_sections(results: Results) -> list[Section]:
    """Return the section, if the corpus has a search."""
    search = results.table("search")
    return [Section("settings", "Settings by cross-validation", _blocks(results, search))] if len(search) else []


def _blocks(results: Results, search: pd.DataFrame) -> list[Block]:
    ablation, (rows, unfinished) = results.table("ablation"), _searches(results.corpus.name, search)
    blocks: list[Block] = [note("search"), *([layout_table("search", pd.DataFrame(rows))] if rows else []), *unfinished]
    if len(ablation):
        blocks += [layout_table("ablation", ablation.assign(change=ablation["change"].replace("", "none"))),
                   note("ablation")]  # fmt: skip
    return blocks


def _searches(corpus: str, search: pd.DataFrame) -> tuple[list[dict[str, object]], list[Missing]]:
    """Return a row for each finished search, with the scores of the best trial and of the chosen one, and the others.

    A search is finished if it has every trial and fold that params.yaml asks for. Other rows are of older settings.
    """
    params, rows, unfinished = read_params(), [], []
    for system, found in by_system(search[search["system"].isin(params.search.trials)]):
        asked, done = asked_folds(system, params), asked_rows(found.to_dict("records"), params)
        trials = pd.DataFrame(done, columns=found.columns).sort_values(["trial", "fold"])
        asked_settings = trials_of(system, params)
        chosen = choose(trials, system, asked_settings) if len(done) == len(asked) else None
        if chosen is None:
            text = f"The search of {system} is not finished: it has {len(done)} of {counted(len(asked), 'fold')}."
            unfinished.append(Missing(text, f"python experiments/search.py --corpus {corpus} --system {system}"))
            continue
        means = trials.groupby("trial")["validation_entity_f1"].mean()
        rows.append({
            "system": system, "trials": len(means), "folds": trials["fold"].nunique(), "worst": means.min(),
            "best": means.max(), "error": chosen.standard_error, "chosen": chosen.entity_f1,
            "settings": _varied(trials, chosen.trial),
            "used": _used_by(params.kind(system), asked_settings[chosen.trial], params),
        })  # fmt: skip
    return rows, unfinished


def _used_by(kind: str, settings: dict[str, Any], params: Params) -> str:
    """Return the system of this kind that has these settings."""
    wanted = kind, settings_of(settings)
    names = (name for name, section in params.systems.items() if (params.kind(name), settings_of(section)) == wanted)
    return next(names, "no system")


def _varied(trials: pd.DataFrame, chosen: int) -> str:
    """Return those settings of the chosen trial that not all trials have."""
    settings = dict(zip(trials["trial"], map(settings_in, trials["settings"]), strict=True))
    own = settings[chosen]
    varied = {name for name in own if any(others.get(name) != own[name] for others in settings.values())}
    return " ".join(f"{name}={value}" for name, value in own.items() if name in varied)
