"""How settings were chosen on the training file, and what each of them brings."""

from harness.trials import choose, settings_in

import pandas as pd

from reporting.blocks import Block, Section
from reporting.formats import note
from reporting.layouts import layout_table
from reporting.results import Results, by_system


def settings_sections(results: Results) -> list[Section]:
    """Return the section, if the corpus has a search."""
    search = results.table("search")
    return [Section("settings", "Settings by cross-validation", _blocks(results, search))] if len(search) else []


def _blocks(results: Results, search: pd.DataFrame) -> list[Block]:
    ablation = results.table("ablation")
    blocks: list[Block] = [note("search"), layout_table("search", pd.DataFrame(_searches(search)))]
    if len(ablation):
        blocks += [layout_table("ablation", ablation.assign(change=ablation["change"].replace("", "none"))),
                   note("ablation")]  # fmt: skip
    return blocks


def _searches(search: pd.DataFrame) -> list[dict[str, object]]:
    """Return a row for each system whose trials have all folds: the score of the best one and of the chosen one."""
    rows = []
    for system, trials in by_system(search):
        means = trials.groupby("trial")["validation_entity_f1"].mean()
        if chosen := choose(search, system, set(means.index)):
            rows.append({
                "system": system, "trials": len(means), "folds": trials["fold"].nunique(), "worst": means.min(),
                "best": means.max(), "error": chosen.standard_error, "chosen": chosen.entity_f1,
                "settings": _varied(trials, chosen.trial),
            })  # fmt: skip
    return rows


def _varied(trials: pd.DataFrame, chosen: int) -> str:
    """Return those settings of the chosen trial that not all trials have."""
    settings = dict(zip(trials["trial"], map(settings_in, trials["settings"]), strict=True))
    own = settings[chosen]
    varied = {name for name in own if any(others.get(name) != own[name] for others in settings.values())}
    return " ".join(f"{name}={value}" for name, value in own.items() if name in varied)
