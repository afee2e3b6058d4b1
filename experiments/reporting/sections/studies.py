"""The learning curve, and the other studies."""

from __future__ import annotations

import pandas as pd

from bert_ner.scoring import seed_interval
from reporting.blocks import Block, Missing, Plot, Section, Table, Text
from reporting.formats import METRIC_NAMES, count, decimals, interval, mean_and_spread, percent, points
from reporting.plots import Line, lines_plot
from reporting.results import Results, by_system
from reporting.sections.losses import means

CURVE, FEW_SHOT, FLOAT32 = "learning_curve", "few_shot", "float32"  # studies with a table of their own


def study_sections(results: Results) -> list[Section]:
    studies = results.table("studies")
    if studies is None:
        missing = Missing("There is no learning curve yet, nor any other study.", results.command("studies"))
        return [Section("learning", "Learning curve", [missing])]
    tested = studies.dropna(subset=["test_entity_f1"])
    curve, few = (tested[tested["study"] == name] for name in (CURVE, FEW_SHOT))
    rest = tested[~tested["study"].isin([CURVE, FEW_SHOT])]
    sections = [_curve_section(results, curve), _few_shot_section(results, few)]
    return [*sections, *([_other_section(results, studies, rest)] if len(rest) else [])]


def _curve_section(results: Results, curve: pd.DataFrame) -> Section:
    title = "Learning curve"
    if curve.empty:
        return Section("learning", title, [Missing("There is no learning curve yet.", results.command("studies"))])
    whole = _whole_corpus(results)
    curve = pd.concat([curve, whole[whole["system"].isin(curve["system"])]])
    rows = [
        [system, count(float(str(n))), *_test_scores(group)]
        for system, runs in by_system(curve)
        for n, group in runs.groupby("sentences")
    ]
    return Section("learning", title, [
        _curve_plot(curve, "sentences", "training sentences", CURVE),
        Table("Learning curve", ["system", "training sentences", "entity F1", "token micro-F1"], rows),
    ])  # fmt: skip


def _whole_corpus(results: Results) -> pd.DataFrame:
    """Return the learning curve's last point: the scores with every training sentence."""
    facts, scores = results.facts("corpus"), results.needed("scores")
    if not facts:
        return scores.iloc[:0]
    names = {"entity_f1": "test_entity_f1", "token_micro_f1": "test_token_micro_f1"}
    return scores.rename(columns=names).assign(sentences=facts["train"]["sentences"])


def _curve_plot(rows: pd.DataFrame, x: str, x_label: str, name: str) -> Plot:
    lines = [Line(system, system, means(runs, x, "test_entity_f1")) for system, runs in by_system(rows)]
    figure = lines_plot(lines, x_label, "entity F1, test sentences", percent=True, log=True)
    return Plot(f"Entity F1 by number of {x_label}; bands span the runs", name, figure)


def _test_scores(rows: pd.DataFrame) -> list[str]:
    return [mean_and_spread(rows[f"test_{metric}"]) for metric in ("entity_f1", "token_micro_f1")]


def _few_shot_section(results: Results, few: pd.DataFrame) -> Section:
    title = "Few sentences of each type"
    if few.empty:
        missing = Missing("No system was trained on few sentences yet.", results.command("studies"))
        return Section("few-shot", title, [missing])
    sizes = few.groupby("per_type")["sentences"].mean()
    full = {system: mean_and_spread(rows["entity_f1"]) for system, rows in by_system(results.needed("scores"))}
    return Section("few-shot", title, [
        _curve_plot(few, "per_type", "sentences of each type", FEW_SHOT),
        Table("Entity F1 by sentences of each type (training sentences, mean over draws)",
              ["system", *(f"{n:.0f} ({count(size)})" for n, size in sizes.items()), "all"], [
            [system, *(mean_and_spread(runs[runs["per_type"] == n]["test_entity_f1"]) for n in sizes.index),
             full.get(system, "")]
            for system, runs in by_system(few)
        ]),
        Text(
            f"Mean ± standard deviation over {few['seed'].nunique()} draws of the training sentences, the same for "
            "every system. Each draw has at least so many sentences with every entity type, drawn from the rarest type "
            "on. The validation sentences, by which the CRF chooses its settings, are drawn alike and as few."
        ),
        *_changed_settings(few),
    ])  # fmt: skip


def _changed_settings(few: pd.DataFrame) -> list[Block]:
    """Return the settings in which the study's systems differ from those that saw every sentence."""
    changes = {system: runs["variant"].iloc[0].rpartition(", per_type=")[0] for system, runs in by_system(few)}
    named = "; ".join(f"{system}: {change}" for system, change in changes.items() if change)
    return [Text(f"Settings that differ from those with all sentences, {named}.")] if named else []


def _other_section(results: Results, studies: pd.DataFrame, tested: pd.DataFrame) -> Section:
    blocks: list[Block] = [
        Table(
            "One thing varied at a time",
            ["study", "variant", "system", "runs", "validation entity F1", "entity F1", "token micro-F1"],
            [
                [*map(str, key), str(len(rows)), mean_and_spread(rows["validation_entity_f1"]), *_test_scores(rows)]
                for key, rows in tested.groupby(["study", "variant", "system"], sort=False)
            ],
            text_columns=3,
        ),
        *_precision(results, tested[tested["study"] == FLOAT32]),
    ]
    longer = studies[studies["study"].str.startswith("epochs")]
    if len(longer):
        blocks += _more_epochs(longer)
    return Section("studies", "Other studies", blocks)


def _more_epochs(longer: pd.DataFrame) -> list[Block]:
    columns = {"train_loss": "training loss", "validation_loss": "validation loss"}
    lines = [
        Line(f"{system}, {name}", system, means(runs, "epoch", column), is_dashed=column == "validation_loss")
        for system, runs in by_system(longer)
        for column, name in columns.items()
    ]
    rows = [
        [str(epoch), *(mean_and_spread(runs[column], decimals) for column in columns),
         mean_and_spread(runs["validation_entity_f1"])]
        for epoch, runs in longer.groupby("epoch")
    ]  # fmt: skip
    return [
        Plot("Loss over more epochs than the paper's", "more_epochs", lines_plot(lines, "epoch", "mean cross-entropy")),
        Table("More epochs", ["epoch", *columns.values(), "validation entity F1"], rows),
    ]


def _precision(results: Results, tested: pd.DataFrame) -> list[Block]:
    """Return the cost of bfloat16: the same seeds in float32, and the differences. The paper has no such study."""
    rows = []
    for system, runs in by_system(tested):
        usual = results.needed("scores")
        usual = usual[usual["system"] == system].set_index("seed")
        exact = runs.set_index("seed").rename(columns=lambda name: name.removeprefix("test_"))
        seeds = usual.index.intersection(exact.index)
        for metric in ("entity_f1", "token_micro_f1"):
            gaps = usual.loc[seeds, metric] - exact.loc[seeds, metric]
            ends = seed_interval(gaps.tolist()) if len(gaps) > 1 else None
            rows.append([
                system, METRIC_NAMES[metric], str(len(gaps)), mean_and_spread(usual.loc[seeds, metric]),
                mean_and_spread(exact.loc[seeds, metric]), points(float(gaps.mean())),
                percent(float(gaps.std())) if ends else "", interval(ends.low, ends.high, points) if ends else "",
            ])  # fmt: skip
    if not rows:
        return []
    header = ["system", "metric", "seeds", "as configured", "float32", "difference", "sd", "over seeds"]
    return [
        Table("The cost of bfloat16, seed by seed", header, rows, text_columns=2),
        Text(
            "As configured: bfloat16 where the processor computes in it. The difference is the mean over seeds, in "
            "points, with the standard deviation over seeds and Student's 95 % t interval of the mean. The paper does "
            "not mention its number format."
        ),
    ]
