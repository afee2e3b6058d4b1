"""The loss of each epoch, compared with the paper's."""

from __future__ import annotations

import pandas as pd

from claims.paper import PAPER_CORPUS, PAPER_LOSSES
from reporting.blocks import Plot, Section, Table, Text
from reporting.formats import decimals, mean_and_spread
from reporting.plots import Line, Point, lines_plot
from reporting.results import Results, by_system


def loss_section(results: Results) -> Section:
    """Return loss by epoch of each system that trains in epochs."""
    history = results.table("history")
    if history is None:
        return Section("loss", "Loss by epoch", [Text("No system here trains in epochs.")])
    paper = PAPER_LOSSES if results.corpus.name == PAPER_CORPUS else ()
    rows = []
    for system, epochs in by_system(history):
        for number, epoch in enumerate((group for _, group in epochs.groupby("epoch")), start=1):
            rows.append([
                system, str(number), mean_and_spread(epoch["train_loss"], decimals),
                *([f"{paper[number - 1]:.2f}" if number <= len(paper) else ""] if paper else []),
                mean_and_spread(epoch["validation_loss"], decimals), mean_and_spread(epoch["validation_entity_f1"]),
            ])  # fmt: skip
    header = ["system", "epoch", "training loss", *(["paper"] if paper else []), "validation loss"]
    return Section("loss", "Loss by epoch", [
        _loss_plot(_featured(results, history), paper),
        Table("Loss by epoch", [*header, "validation entity F1"], rows),
        Text(
            "The training loss is the mean over an epoch's batches, with dropout, while the weights change. The "
            "validation loss is taken at the epoch's end, without dropout."
        ),
    ])  # fmt: skip


def _featured(results: Results, history: pd.DataFrame) -> pd.DataFrame:
    """Return the losses of the encoder closest to the paper's or, if there is none, of all systems."""
    featured = history[history["system"].isin(results.featured())]
    return featured if len(featured) else history


def _loss_plot(history: pd.DataFrame, paper: tuple[float, ...]) -> Plot:
    lines = [
        Line(f"{system}, {name}", system, means(rows, "epoch", column), is_dashed=column == "validation_loss")
        for system, rows in by_system(history)
        for column, name in (("train_loss", "training"), ("validation_loss", "validation"))
    ]
    if paper:
        points = [Point(epoch, loss, loss, loss) for epoch, loss in enumerate(paper, start=1)]
        lines.append(Line("the paper, training", "", points))
    title = "Mean cross-entropy by epoch; bands span the seeds"
    return Plot(title, "loss", lines_plot(lines, "epoch", "mean cross-entropy"))


def means(rows: pd.DataFrame, x: str, y: str) -> list[Point]:
    """Return the mean of y at each x, with its range over seeds."""
    groups = rows.dropna(subset=[y]).groupby(x)[y]
    return [
        Point(float(str(at)), float(values.mean()), float(values.min()), float(values.max())) for at, values in groups
    ]
