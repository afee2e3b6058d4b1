"""Sections on training: loss by epoch beside the paper's, the learning curve, and the other studies."""

from __future__ import annotations

import pandas as pd

from reporting.blocks import Block, Line, Lines, Missing, Point, Section, Table, Text
from reporting.formats import PAPER_CORPUS, PAPER_LOSSES, count, decimals, mean_and_spread
from reporting.scores import systems_of
from reporting.tables import Results


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
        loss_plot(history, list(paper)),
        Table("Loss by epoch", [*header, "validation entity F1"], rows),
        Text(
            "The training loss is the mean over an epoch's batches, with dropout, while the weights still move; the "
            "validation loss is taken at the epoch's end, without dropout."
        ),
    ])  # fmt: skip


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
    curve, rest = tested[tested["study"] == "learning_curve"], tested[tested["study"] != "learning_curve"]
    if len(curve):
        curve = pd.concat([curve, whole_corpus(results)])
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
    sections = [Section("learning", title, blocks)]
    return [*sections, *([_others(studies, rest)] if len(rest) else [])]


def whole_corpus(results: Results) -> pd.DataFrame:
    """The learning curve's last point: the scores with every training sentence."""
    facts, scores = results.facts("corpus"), results.needed("scores")
    if not facts:
        return scores.iloc[:0]
    names = {"entity_f1": "test_entity_f1", "token_micro_f1": "test_token_micro_f1"}
    return scores.rename(columns=names).assign(sentences=facts["train"]["sentences"])


def _tests(rows: pd.DataFrame) -> list[str]:
    return [mean_and_spread(rows[f"test_{metric}"]) for metric in ("entity_f1", "token_micro_f1")]


def _others(studies: pd.DataFrame, tested: pd.DataFrame) -> Section:
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
