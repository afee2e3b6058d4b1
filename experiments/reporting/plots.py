"""The report's pictures, each as PNG and SVG. They tell systems apart by lightness and pattern, not by hue alone."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from bert_ner.files import write_whole
from reporting.blocks import Dots, Lines
from reporting.sections.error_sections import confusion_matrix

MARKERS = "osD^vP*<>"
DARK, LIGHT, GREY = "#0b4a8f", "#e69f00", "#555555"
mpl.rcParams.update({
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "bert-ner",  # the same picture is the same file
})  # fmt: skip


def loss_plot(history: pd.DataFrame, paper_losses: Sequence[float]) -> Figure:
    """Training and validation loss by epoch, a panel for each system: the mean over its seeds, their range a band;
    the paper's points.
    """
    systems = list(history.groupby("system", sort=False))
    figure = Figure(figsize=(2.2 + 4.2 * len(systems), 4))
    panels = figure.subplots(1, len(systems), sharey=True, squeeze=False)[0]
    for axes, (system, rows) in zip(panels, systems, strict=True):
        for column, label, colour, line in (
            ("train_loss", "training", DARK, "o-"),
            ("validation_loss", "validation", LIGHT, "s--"),
        ):
            by_epoch = rows.groupby("epoch")[column]
            seeds = f", mean of {n} seeds" if (n := rows["seed"].nunique()) > 1 else ""
            axes.plot(by_epoch.mean(), line, color=colour, label=label + seeds)
            axes.fill_between(by_epoch.min().index, by_epoch.min(), by_epoch.max(), color=colour, alpha=0.2, lw=0)
        if paper_losses:
            epochs = range(1, len(paper_losses) + 1)
            axes.plot(epochs, paper_losses, "kx", markersize=9, mew=2, label="training, the paper's BERT-base")
        axes.set(title=system, xlabel="epoch", ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
    panels[0].set_ylabel("mean cross-entropy")
    return figure


def dots_plot(dots: Dots, systems: Sequence[str]) -> Figure:
    """A dot and a whisker for each row, its groups from the top; intervals over seeds are dashed."""
    figure = Figure(figsize=(7.6, 1 + 0.24 * len(dots.rows)))
    axes = figure.subplots()
    seen: set[str] = set()
    places: dict[str, list[float]] = {}
    gap = 0.0
    for i, dot in enumerate(dots.rows):
        gap += 0.7 if dot.group not in places else 0
        places.setdefault(dot.group, []).append(i + gap)
        label = f"{dot.series}, over {dot.note}" if dot.note else dot.series
        colour, marker = _style(dot.series, systems)
        bars = axes.errorbar(
            dot.value, i + gap, xerr=[[dot.value - dot.low], [dot.high - dot.value]], fmt=marker, color=colour,
            mfc="white" if dot.note == "seeds" else colour, capsize=3, label=None if label in seen else label,
        )  # fmt: skip
        bars[2][0].set_linestyle("--" if dot.note == "seeds" else "-")
        seen.add(label)
    if dots.reference:
        axes.axvline(dots.reference[1], color="black", ls=":", label=dots.reference[0])
    axes.set_yticks([sum(at) / len(at) for at in places.values()], list(places))
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=9)
    return figure


def lines_plot(lines: Lines, systems: Sequence[str]) -> Figure:
    """Lines with the range of each point as a band, and points alone with a whisker."""
    figure = Figure(figsize=(6.8, 4.2))
    axes = figure.subplots()
    for line in lines.lines:
        colour, marker = _style(line.name, systems)
        x, value, low, high = zip(*line.points, strict=True)
        if len(x) > 1:
            axes.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)
        else:
            axes.vlines(x, low, high, color=colour)
        axes.plot(x, value, marker=marker, color=colour, label=line.name)
    if lines.log_x:
        axes.set_xscale("log")
    if lines.share:
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    if len(lines.lines[0].points) > 1:
        ticks = sorted({point.x for line in lines.lines for point in line.points})
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
        axes.minorticks_off()
    axes.set(xlabel=lines.x_label, ylabel=lines.y_label)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _style(system: str, systems: Sequence[str]) -> tuple[str, str]:
    """A system's colour and marker, the same in every plot."""
    place = systems.index(system) if system in systems else 0
    return (LIGHT, DARK, GREY)[place % 3], MARKERS[place % len(MARKERS)]


def type_plot(by_type: pd.DataFrame, systems: list[str]) -> Figure:
    """Entity F1 of each type for each system, the most frequent type on top; whiskers span the seeds."""
    support = by_type.groupby("type")["support"].max().sort_values()
    figure = Figure(figsize=(6.8, 0.9 + 0.42 * len(support)))
    axes = figure.subplots()
    height = 0.8 / len(systems)
    styles = [(LIGHT, "////"), (DARK, ""), (GREY, "....")]
    for i, system in enumerate(systems):
        f1 = by_type[by_type["system"] == system].groupby("type")["f1"]
        mean, low, high = (series.reindex(support.index) for series in (f1.mean(), f1.min(), f1.max()))
        colour, hatch = styles[i % len(styles)]
        at = np.arange(len(support)) + 0.4 - height * (i + 0.5)
        spread = [mean - low, high - mean] if (high > low).any() else None
        axes.barh(
            at, mean, height, xerr=spread, label=system, edgecolor="white", linewidth=0.5,
            error_kw={"lw": 1, "capsize": 2}, color=colour, hatch=hatch,
        )  # fmt: skip
    axes.set_yticks(range(len(support)), [f"{name} ({n:,})" for name, n in support.items()])
    axes.set(xlabel="entity F1 (number of test entities in brackets)", xlim=(0, 1))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    figure.legend(loc="outside upper right", ncols=len(systems), frameon=False)
    return figure


def confusion_plot(confusion: pd.DataFrame, system: str) -> Figure:
    """Of the words of each gold type, the share tagged with each type; summed over seeds."""
    words = confusion_matrix(confusion[confusion["system"] == system])
    names = list(words.index)
    share = words.div(words.sum(axis=1).replace(0, 1), axis=0).to_numpy()
    figure = Figure(figsize=(2 + 0.5 * len(names), 1.4 + 0.44 * len(names)))
    axes = figure.subplots()
    image = axes.imshow(share, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(share):
        if value >= 0.005:
            colour = "white" if value > 0.5 else "black"
            axes.text(column, row, f"{value:.0%}".rstrip("%"), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel=f"tagged by {system} as", ylabel="gold type of the word")
    axes.spines[:].set_visible(False)
    figure.colorbar(image, format=PercentFormatter(1), label="share of the gold type's words")
    return figure


def ratio_plot(benchmarks: pd.DataFrame) -> Figure:
    """How many times as fast as another program, on a logarithmic axis; at the line, both are the same."""
    rows = benchmarks[benchmarks["ratio"].notna()].iloc[::-1]
    names = [f"{row.task} {row.system}, {row.setting}, beside {row.ratio_to}" for row in rows.itertuples()]
    figure = Figure(figsize=(9, 1 + 0.28 * len(rows)))
    axes = figure.subplots()
    bars = axes.barh(names, rows["ratio"] - 1, left=1, color=DARK, height=0.6)
    axes.bar_label(bars, [f"{ratio:.2g}" for ratio in rows["ratio"]], padding=3, fontsize=8)
    axes.axvline(1, color="black", lw=1)
    axes.set(xscale="log", xlabel="times as fast")
    axes.tick_params(axis="y", labelsize=8)
    return figure


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write the figure as <name>.png and <name>.svg."""
    for kind, metadata in (("png", {}), ("svg", {"Date": None})):
        picture = BytesIO()
        figure.savefig(picture, format=kind, metadata=metadata)
        write_whole(folder / f"{name}.{kind}", picture.getvalue())
