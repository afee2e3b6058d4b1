"""Draw the report's figures, and write them as PNG, as SVG, and as SVG inside a page.

A system has the same colour and marker in every figure. The page maps the colours here to those of its light and dark
styles (templates/style.css).
"""

import itertools
import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import matplotlib as mpl
import numpy as np
import pandas as pd
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bert_ner.files import write_whole
from bert_ner.yaml_files import load_yaml

_STYLES = load_yaml(Path(__file__).with_name("styles.yaml"))
mpl.rcParams.update(_STYLES["matplotlib"])
SYSTEMS = list(_STYLES["systems"])
COLOURS = [colour for colour, _ in _STYLES["systems"].values()]
OTHER_MARKERS = ["h", "d", "8", "H"]
TEXT, RULE, PAPER = (mpl.rcParams[name] for name in ("text.color", "grid.color", "axes.facecolor"))
HEAT, MAX_SHADE = "#2f7fd1", 0.6  # colour and opacity of the darkest cell of a heat map: its text stays legible
MARK, LETTER, ROW = 0.018, 0.0125, 0.05  # of lines_plot, in shares of it: half a marker, a letter's width, a text row
RISES = sorted(range(-20, 21), key=lambda rise: (abs(rise), -rise))  # 0, 1, -1, 2, ... rows
HASHED_ID = re.compile(r'(?<=["#])[a-zA-Z][0-9a-f]{10}\b')
PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.4g} %")


class Dot(NamedTuple):
    """A value of a system, with the ends of its interval over sentences or over seeds."""

    group: str
    system: str
    value: float
    low: float
    high: float
    over_seeds: bool = False


class Line(NamedTuple):
    """Points of a system: x, value, and the ends of its interval or range. One without a system is black crosses."""

    label: str
    system: str
    points: Sequence[tuple[float, float, float, float]]
    is_dashed: bool = False  # with open markers


def style(system: str) -> tuple[str, str]:
    """Return a system's colour and marker; they follow from its name alone.

    A variant, such as minilm_tuned of minilm, has the colour of its family and a marker of its own.
    """
    if system in SYSTEMS:
        colour, marker = _STYLES["systems"][system]
        return colour, marker
    family = max((name for name in SYSTEMS if system.startswith(f"{name}_")), key=len, default="")
    number = crc32(system.encode())
    colour = _STYLES["systems"][family][0] if family else COLOURS[number % len(COLOURS)]
    suffix = system.removeprefix(f"{family}_")
    return colour, _STYLES["variants"].get(suffix, OTHER_MARKERS[number % len(OTHER_MARKERS)])


def dots_plot(dots: Sequence[Dot], reference: tuple[str, float] | None = None, *, pairs: bool = False) -> Figure:
    """Draw a dot with a whisker for each value; one over seeds is open and dashed.

    Each group has a heading and a row for each system; with `pairs`, one row that its systems share, and a legend.
    """
    groups: dict[float, str] = {}  # by their place on the vertical axis
    places: dict[tuple[str, str], float] = {}
    y = 0.0
    for group, members in itertools.groupby(dots, key=lambda dot: dot.group):
        systems = list(dict.fromkeys(dot.system for dot in members))
        groups[y] = group
        for i, system in enumerate(systems):
            places[group, system] = y + (0.3 * (i - (len(systems) - 1) / 2) if pairs else i + 1)
        y += 1 if pairs else len(systems) + 1.4
    rows = dict(sorted((groups if pairs else groups | {at: name for (_, name), at in places.items()}).items()))
    figure = Figure(figsize=(7.2, 0.9 + (0.3 if pairs else 0.2) * y))
    axes = figure.subplots()
    for dot in dots:
        colour, marker = style(dot.system)
        at = places[dot.group, dot.system] + (0.25 if dot.over_seeds else 0)
        axes.hlines(at, dot.low, dot.high, color=colour, lw=1.6, ls=(0, (2, 1.5)) if dot.over_seeds else "-")
        size = (4 if dot.over_seeds else 6) * (1.4 if marker == "*" else 1)
        axes.plot(dot.value, at, marker, ms=size, color=colour, mfc=PAPER if dot.over_seeds else colour)
    axes.set_yticks(list(rows), list(rows.values()))
    for tick, label in zip(rows, axes.get_yticklabels(), strict=True):
        label.set_fontweight("bold" if tick in groups and not pairs else "normal")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(y - 0.4, -0.8)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.set_major_formatter(PERCENT)
    if reference:
        axes.axvline(reference[1], color=TEXT, ls=":", lw=1.2)
        axes.annotate(reference[0], (reference[1], 1), xycoords=("data", "axes fraction"), ha="center", va="bottom")
    if pairs:
        for system in dict.fromkeys(dot.system for dot in dots):
            axes.plot([], [], style(system)[1], color=style(system)[0], label=system)
        figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return figure


def lines_plot(lines: Sequence[Line], x_label: str, y_label: str, *, scores: bool = False) -> Figure:
    """Draw lines with the range of each point as a band, or single points with a whisker; the label is at the end.

    Scores are percentages on a logarithmic axis; other values are as they are, from zero on.
    """
    figure = Figure(figsize=(7.2, 4.2))
    axes = figure.subplots()
    for line in lines:
        colour, marker = style(line.system) if line.system else (TEXT, "x")
        x, value, low, high = (np.array(column, dtype=float) for column in zip(*line.points, strict=True))
        if len(x) > 1:
            axes.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
        else:
            axes.vlines(x, low, high, color=colour)
        dashes = "none" if not line.system else "--" if line.is_dashed else "-"
        face = PAPER if line.is_dashed else colour
        axes.plot(x, value, linestyle=dashes, marker=marker, markersize=6, color=colour, markerfacecolor=face)
    are_curves = max(len(line.points) for line in lines) > 1
    if scores:
        axes.yaxis.set_major_formatter(PERCENT)
        axes.set_xscale("log")
        axes.minorticks_off()
        if are_curves:
            axes.set_xticks(sorted({x for line in lines for x, *_ in line.points}))
    else:
        axes.set_ylim(0, None)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.margins(x=0.06)
    _label_ends(axes, lines, ["left"] if are_curves else ["left", "right"])
    return figure


def _label_ends(axes: Axes, lines: Sequence[Line], alignments: Sequence[str]) -> None:
    """Write each label next to the line's end, or above or below where it would cover a label, a point or the axis."""
    ends = [line.points[-1][:2] for line in lines]
    spots = (axes.transData + axes.transAxes.inverted()).transform(ends).tolist()
    taken = [(x - MARK, x + MARK, y) for x, y in spots]
    for line, (x, y) in sorted(zip(lines, spots, strict=True), key=lambda pair: pair[1][1]):
        width = LETTER * len(line.label)
        for rise, align in itertools.product(RISES, alignments):
            at = y + rise * ROW
            start, end = (x + MARK, x + MARK + width) if align == "left" else (x - MARK - width, x - MARK)
            near = [(first, last) for first, last, row in taken if abs(at - row) < ROW * 0.99]
            if start > 0 and not any(start < last and first < end for first, last in near):
                taken.append((start, end, at))
                anchor = (start if align == "left" else end, at)
                axes.annotate(line.label, anchor, xycoords="axes fraction", ha=align, va="center")
                break


def confusion_plot(words: pd.DataFrame, system: str) -> Figure:
    """Draw the share of the words of each gold type (rows) that is tagged with each type (columns)."""
    names = [str(name) for name in words.index]
    share = words.div(words.sum(axis=1).replace(0, 1), axis=0).to_numpy()
    figure = Figure(figsize=(2 + 0.44 * len(names), 1.4 + 0.36 * len(names)))
    axes = figure.subplots()
    for (row, column), value in np.ndenumerate(share):
        if value >= 0.005:
            alpha = MAX_SHADE * float(value)
            axes.add_patch(mpl.patches.Rectangle((column - 0.5, row - 0.5), 1, 1, color=HEAT, alpha=alpha, lw=0))
            axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center")
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.grid(visible=False)
    axes.set(xlabel=f"tagged by {system} as", ylabel="gold type of the word")
    axes.spines[:].set_visible(False)
    return figure


def ratio_plot(benchmarks: pd.DataFrame) -> Figure:
    """Draw how many times as fast as another program each task is, on a logarithmic axis."""
    rows = benchmarks[benchmarks["ratio"].notna()].iloc[::-1]
    names = [f"{row.task} {row.system}, {row.setting}, compared with {row.ratio_to}" for row in rows.itertuples()]
    figure = Figure(figsize=(9, 1 + 0.28 * len(rows)))
    axes = figure.subplots()
    colours = [style(_STYLES["programs"].get(system, system))[0] for system in rows["system"]]
    bars = axes.barh(names, rows["ratio"] - 1, left=1, color=colours, height=0.6)
    axes.bar_label(bars, [f"{ratio:.2g}" for ratio in rows["ratio"]], padding=3, fontsize=8)
    axes.axvline(1, color=TEXT, lw=1)
    axes.set(xscale="log", xlabel="times as fast")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.tick_params(axis="y", labelsize=8)
    return figure


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write the figure as <name>.png and <name>.svg."""
    write_whole(folder / f"{name}.png", _picture(figure, format="png"))
    write_whole(folder / f"{name}.svg", _svg(figure))


def _picture(figure: Figure, **options: Any) -> bytes:
    picture = BytesIO()
    figure.savefig(picture, **options)
    return picture.getvalue()


def _svg(figure: Figure, **options: Any) -> str:
    """Return the figure as SVG. Its ids are numbered, as matplotlib's depend on last bits, and so on the processor."""
    text = _picture(figure, format="svg", metadata={"Date": None}, **options).decode()
    numbers: dict[str, str] = {}
    return HASHED_ID.sub(lambda found: numbers.setdefault(found[0], f"{found[0][0]}{len(numbers) + 1}"), text)


def inline_svg(figure: Figure, title: str, name: str) -> str:
    """Return the figure as an element of an HTML page, in the page's colours; its ids start with its name."""
    text = _svg(figure, transparent=True)
    text = text[text.index("<svg") :]
    for pattern, replacement in (
        (r"<metadata>.*?</metadata>\s*|<style.*?</style>\s*", ""),
        (r'\bid="', f'id="{name}-'),
        (r'xlink:href="#', f'href="#{name}-'),
        (r"url\(#", f"url(#{name}-"),
        (r"'DejaVu Sans'[^;\"]*", "sans-serif"),
        *((colour, f"var(--s{i})") for i, colour in enumerate(COLOURS)),
        (TEXT, "var(--fg)"), (RULE, "var(--grid)"), (PAPER, "var(--bg)"), (HEAT, "var(--heat)"),
    ):  # fmt: skip
        text = re.sub(pattern, replacement, text, flags=re.DOTALL)
    box = re.search(r'viewBox="[\d. ]+"', text)
    return f'<svg role="img" aria-label="{escape(title)}" {box[0] if box else ""}{text[text.index(">") :]}'
