"""Sections on training: loss by epoch beside the paper's, the learning curve, and the other studies."""

from __future__ import annotations

import pandas as pd

from bert_ner.scoring import seed_interval
from reporting.blocks import Block, Line, Lines, Missing, Point, Section, Table, Text
from reporting.formats import (
    METRIC_NAMES,
    PAPER_CORPUS,
    PAPER_LOSSES,
    count,
    decimals,
    interval,
    mean_and_spread,
    percent,
    points,
)
from reporting.results import Results
from reporting.sections.score_sections import systems_of

CURVE, FEW_SHOT, FLOAT32 = "learning_curve", "few_shot", "float32"  # studies with a table of their own


def loss_section(results: Results) -> Section:
    """Loss by epoch of each system that trains in epochs; on the paper's corpus its points beside them."""
    history = results.table("history")
    if history is None:
        return Section("loss", "Loss by epoch", [Text("No system here trains in epochs.")])
    paper = PAPER_LOSSES if results.corpus.name == PAPER_CORPUS else ()
    rows = []
    for system, of in systems_of(history):
        for epoch, group in of.groupby("epoch"):
            at = int(str(epoch))
            row = [system, str(at), mean_and_spread(group["train_loss"], decimals)]
            if paper:
                row.append(f"{paper[at - 1]:.2f}" if at <= len(paper) else "")
            row += [mean_and_spread(group["validation_loss"], decimals), mean_and_spread(group["validation_entity_f1"])]
            rows.append(row)
    header = ["system", "epoch", "training loss", *(["paper"] if paper else []), "validation loss"]
    return Section("loss", "Loss by epoch", [
        loss_plot(pictured(results, history), list(paper)),
        Table("Loss by epoch", [*header, "validation entity F1"], rows),
        Text(
            "The training loss is the mean over an epoch's batches, with dropout, while the weights still move; the "
            "validation loss is taken at the epoch's end, without dropout."
        ),
    ])  # fmt: skip


def pictured(results: Results, history: pd.DataFrame) -> pd.DataFrame:
    """The losses to draw: of the encoder closest to the paper's or, if none is there, of all systems."""
    of_featured = history[history["system"].isin(results.featured())]
    return of_featured if len(of_featured) else history


def loss_plot(history: pd.DataFrame, paper: list[float]) -> Lines:
    lines = [
        Line(f"{system}, {name}", along(of, "epoch", column))
        for system, of in systems_of(history)
        for column, name in (("train_loss", "training"), ("validation_loss", "validation"))
    ]
    if paper:
        at = [Point(epoch, loss, loss, loss) for epoch, loss in enumerate(paper, start=1)]
        lines.append(Line("training, the paper's BERT-base", at, connected=False))
    return Lines(
        "Mean cross-entropy by epoch; bands span the seeds", "epoch", "mean cross-entropy", lines, picture="loss"
    )


def along(rows: pd.DataFrame, x: str, y: str) -> list[Point]:
    """The mean of y at each x, with its range over seeds."""
    groups = rows.dropna(subset=[y]).groupby(x)[y]
    return [
        Point(float(str(at)), float(values.mean()), float(values.min()), float(values.max())) for at, values in groups
    ]


def study_sections(results: Results) -> list[Section]:
    """The learning curve, and what else was varied."""
    studies = results.table("studies")
    title = "Learning curve"
    if studies is None:
        what = "There is no learning curve yet, nor any other study."
        return [Section("learning", title, [Missing(what, results.command("studies"))])]
    tested = studies.dropna(subset=["test_entity_f1"])
    curve, few = (tested[tested["study"] == name] for name in (CURVE, FEW_SHOT))
    rest = tested[~tested["study"].isin([CURVE, FEW_SHOT])]
    if len(curve):
        whole = whole_corpus(results)
        curve = pd.concat([curve, whole[whole["system"].isin(curve["system"])]])
        blocks: list[Block] = [
            Lines(
                "Entity F1 by number of training sentences", "training sentences", "entity F1, test sentences",
                [Line(system, along(of, "sentences", "test_entity_f1")) for system, of in systems_of(curve)],
                share=True, log_x=True,
            ),
            Table("Learning curve", ["system", "training sentences", "entity F1", "token micro-F1"], [
                [system, count(float(str(n))), *_tests(group)]
                for system, of in systems_of(curve)
                for n, group in of.groupby("sentences")
            ]),
        ]  # fmt: skip
    else:
        blocks = [Missing("There is no learning curve yet.", results.command("studies"))]
    sections = [Section("learning", title, blocks), few_shot_section(results, few)]
    return [*sections, *([_others(results, studies, rest)] if len(rest) else [])]


def few_shot_section(results: Results, few: pd.DataFrame) -> Section:
    """What few sentences of each type teach."""
    title = "Few sentences of each type"
    if few.empty:
        return Section("few-shot", title, [Missing("Nothing was trained on few yet.", results.command("studies"))])
    plot = few_shot_plot(few)
    scores = results.needed("scores")
    sizes = few.groupby("per_type")["sentences"].mean()
    full = {system: mean_and_spread(rows["entity_f1"]) for system, rows in systems_of(scores)}
    return Section("few-shot", title, [
        plot,
        Table("Entity F1 by sentences of each type (training sentences, mean over draws)",
              ["system", *(f"{n:.0f} ({count(size)})" for n, size in sizes.items()), "all"], [
            [system, *(mean_and_spread(of[of["per_type"] == n]["test_entity_f1"]) for n in sizes.index),
             full.get(system, "")]
            for system, of in systems_of(few)
        ]),
        Text(
            f"Mean ± standard deviation over {few['seed'].nunique()} draws of the training sentences, the "
            "same for every system; each holds every entity type in so many sentences or more, drawn from the rarest "
            "type on. The validation sentences, by which the CRF chooses, are drawn alike and as few."
        ),
        *changed_settings(few),
    ])  # fmt: skip


def changed_settings(few: pd.DataFrame) -> list[Block]:
    """In what the study's systems differ from those that saw every sentence."""
    changes = {system: of["variant"].iloc[0].rpartition(", per_type=")[0] for system, of in systems_of(few)}
    named = "; ".join(f"{system}: {change}" for system, change in changes.items() if change)
    return [Text(f"Settings that are others than with all sentences, {named}.")] if named else []


def few_shot_plot(few: pd.DataFrame) -> Lines:
    return Lines(
        "Entity F1 by sentences of each type; bands span the draws",
        "sentences of each type", "entity F1, test sentences",
        [Line(system, along(of, "per_type", "test_entity_f1")) for system, of in systems_of(few)],
        share=True, log_x=True, picture="few_shot",
    )  # fmt: skip


def few_shot_rows(results: Results) -> pd.DataFrame | None:
    """The tested rows of that study; None if there are none."""
    studies = results.table("studies")
    few = None if studies is None else studies[studies["study"] == FEW_SHOT].dropna(subset=["test_entity_f1"])
    return few if few is not None and len(few) else None


def whole_corpus(results: Results) -> pd.DataFrame:
    """The learning curve's last point: the scores with every training sentence."""
    facts, scores = results.facts("corpus"), results.needed("scores")
    if not facts:
        return scores.iloc[:0]
    names = {"entity_f1": "test_entity_f1", "token_micro_f1": "test_token_micro_f1"}
    return scores.rename(columns=names).assign(sentences=facts["train"]["sentences"])


def _tests(rows: pd.DataFrame) -> list[str]:
    return [mean_and_spread(rows[f"test_{metric}"]) for metric in ("entity_f1", "token_micro_f1")]


def _others(results: Results, studies: pd.DataFrame, tested: pd.DataFrame) -> Section:
    long = studies[studies["study"].str.startswith("epochs")]
    blocks: list[Block] = [
        Table(
            "One thing varied at a time",
            ["study", "variant", "system", "runs", "validation entity F1", "entity F1", "token micro-F1"],
            [
                [*map(str, who), str(len(rows)), mean_and_spread(rows["validation_entity_f1"]), *_tests(rows)]
                for who, rows in tested.groupby(["study", "variant", "system"], sort=False)
            ],
            text_columns=3,
        ),
        *_precision(results, tested[tested["study"] == FLOAT32]),
    ]
    if len(long):
        columns = (("train_loss", "training loss"), ("validation_loss", "validation loss"))
        blocks += [
            Lines("Loss over more epochs than the paper's", "epoch", "mean cross-entropy",
                  [Line(name, along(long, "epoch", column)) for column, name in columns]),
            Table("More epochs", ["epoch", "training loss", "validation loss", "validation entity F1"], [
                [
                    f"{float(str(epoch)):.0f}", *(mean_and_spread(rows[column], decimals) for column, _ in columns),
                    mean_and_spread(rows["validation_entity_f1"]),
                ]
                for epoch, rows in long.groupby("epoch")
            ]),
        ]  # fmt: skip
    return Section("studies", "Other studies", blocks)


def _precision(results: Results, tested: pd.DataFrame) -> list[Block]:
    """What bfloat16 costs: the same seeds in float32, and the differences. This study is ours, not the paper's."""
    rows = []
    for system, of in systems_of(tested):
        usual = results.needed("scores")
        usual = usual[usual["system"] == system].set_index("seed")
        exact = of.set_index("seed").rename(columns=lambda name: name.removeprefix("test_"))
        seeds = usual.index.intersection(exact.index)
        for metric in ("entity_f1", "token_micro_f1"):
            gaps = usual.loc[seeds, metric] - exact.loc[seeds, metric]
            ends = seed_interval(gaps.tolist()) if len(gaps) > 1 else None
            rows.append([
                system, METRIC_NAMES[metric], str(len(gaps)), mean_and_spread(usual.loc[seeds, metric]),
                mean_and_spread(exact.loc[seeds, metric]), points(float(gaps.mean())),
                percent(float(gaps.std())) if ends else "", interval(ends.low, ends.high, points) if ends else "",
            ])  # fmt: skip
    header = ["system", "metric", "seeds", "as it is", "float32", "difference", "sd", "over seeds"]
    if not rows:
        return []
    return [
        Table("What bfloat16 costs, seed by seed", header, rows, text_columns=2),
        Text(
            "As it is: bfloat16 where the processor computes in it. The difference is the mean over seeds, in points, "
            "with the standard deviation of one and Student's t interval of the mean, 95 %. The paper is silent on it."
        ),
    ]
