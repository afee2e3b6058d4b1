"""Where everything in a plot goes, in the units of its SVG; templates/charts.html draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from reporting.blocks import Dot, Dots, Lines, Point

WIDTH = 720
ROW, GAP, TOP = 17, 9, 34  # of the dot plot: a row's height, the gap between groups, the space above them
LABELS, RIGHT = 268, 28
HEIGHT, LEFT, BOTTOM, LEGEND = 330, 56, 44, 22
STYLES = 9  # colours and shapes in the style sheet


def dots(plot: Dots, systems: Sequence[str]) -> dict[str, Any]:
    """Rows in groups from the top, values from left to right."""
    ends = [end for dot in plot.rows for end in (dot.low, dot.high, dot.value)]
    ticks = _ticks(ends + ([plot.reference[1]] if plot.reference else []), 6)
    legend = list(dict.fromkeys((dot.series, dot.note) for dot in plot.rows))
    style = _styles([series for series, _ in legend], systems)
    head = LEGEND * len(_wrapped(legend)) + (14 if plot.reference else 0)

    def x(value: float) -> float:
        return round(LABELS + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (WIDTH - RIGHT - LABELS), 1)

    def row(dot: Dot, y: float) -> dict[str, Any]:
        says = f"{dot.group}, {dot.series}: {100 * dot.value:.2f} ({100 * dot.low:.2f} to {100 * dot.high:.2f})"
        return {"y": y, "x": x(dot.value), "low": x(dot.low), "high": x(dot.high), "style": style[dot.series],
                "open": dot.note == "seeds", "says": says + (f", over {dot.note}" if dot.note else "")}  # fmt: skip

    rows, groups, y = [], [], head + 12.0
    for name, of in groupby(plot.rows, key=lambda dot: dot.group):
        members = list(of)
        groups.append({"name": name, "y": y + ROW * (len(members) - 1) / 2, "line": y + ROW * len(members) - ROW / 2})
        for dot in members:
            rows.append(row(dot, y))
            y += ROW
        y += GAP
    bottom = y - ROW / 2
    entries = _placed([(f"{series}, over {note}" if note else series, style[series], note == "seeds")
                       for series, note in legend], _wrapped(legend))  # fmt: skip
    return {
        "title": plot.title, "width": WIDTH, "height": bottom + 26, "top": head + 4, "bottom": bottom, "left": LABELS,
        "right": WIDTH - RIGHT, "rows": rows, "groups": groups, "legend": entries,
        "ticks": [{"x": x(tick), "text": f"{100 * tick:g} %"} for tick in ticks],
        "reference": plot.reference and {"x": x(plot.reference[1]), "text": plot.reference[0], "y": head},
    }  # fmt: skip


def lines(plot: Lines, systems: Sequence[str]) -> dict[str, Any]:
    """Lines over x, with the range of each as a band."""
    every = [point for line in plot.lines for point in line.points]
    values = [end for point in every for end in (point.value, point.low, point.high)]
    ticks = _ticks(values if plot.share else [0.0, *values], 5)
    at = sorted(plot.x_ticks or {point.x for point in every})
    scale = math.log10 if plot.log_x else float
    first, last = scale(at[0]), scale(at[-1])
    style = _styles([line.name for line in plot.lines], systems)
    rows_of_legend = _wrapped([(line.name, "") for line in plot.lines])
    top = LEGEND * len(rows_of_legend) + 30

    def x(value: float) -> float:
        share = (scale(value) - first) / (last - first) if last > first else 0.5
        return round(LEFT + 14 + share * (WIDTH - RIGHT - LEFT - 28), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - ticks[0]) / (ticks[-1] - ticks[0]) * (HEIGHT - BOTTOM - top), 1)

    def band(points: Sequence[Point]) -> str:
        edge = [(p.x, p.high) for p in points] + [(p.x, p.low) for p in reversed(points)]
        return " ".join(f"{x(at)},{y(value)}" for at, value in edge)

    drawn = [
        {
            "style": style[line.name],
            "band": band(line.points) if len(line.points) > 1 and any(p.high > p.low for p in line.points) else "",
            "whisker": [x(line.points[0].x), *(y(end) for end in line.points[0][2:])] if len(line.points) == 1 else "",
            "path": " ".join(f"{x(p.x)},{y(p.value)}" for p in line.points) if line.connected else "",
            "points": [{"x": x(p.x), "y": y(p.value),
                        "says": f"{line.name}, {_number(p.x)}: {_value(p.value, plot.share)}"} for p in line.points],
            "cross": not line.connected,
        }
        for line in plot.lines
    ]  # fmt: skip
    shown = at if len(at) <= 12 else at[:: math.ceil(len(at) / 12)]
    return {
        "title": plot.title, "width": WIDTH, "height": HEIGHT, "top": top, "bottom": HEIGHT - BOTTOM, "left": LEFT,
        "right": WIDTH - RIGHT, "lines": drawn, "x_label": plot.x_label, "y_label": plot.y_label,
        "legend": _placed([(line.name, style[line.name], not line.connected) for line in plot.lines], rows_of_legend),
        "x_ticks": [{"x": x(tick), "text": _number(tick)} for tick in shown],
        "y_ticks": [{"y": y(tick), "text": f"{100 * tick:g} %" if plot.share else f"{tick:g}"} for tick in ticks],
    }  # fmt: skip


def _value(value: float, share: bool) -> str:
    return f"{100 * value:.2f} %" if share else f"{value:.3f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _ticks(values: Sequence[float], about: int) -> list[float]:
    """Round numbers, evenly spaced, from below the least value to above the greatest."""
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= span / about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, max(last, first + 1) + 1)]


def _styles(names: Sequence[str], systems: Sequence[str]) -> dict[str, int]:
    """A system has the same colour and shape in every plot; whatever else is drawn takes them in turn."""
    unique = list(dict.fromkeys(names))
    known = set(unique) <= set(systems)
    return {name: (list(systems).index(name) if known else i) % STYLES for i, name in enumerate(unique)}


def _wrapped(names: Sequence[tuple[str, str]]) -> list[list[float]]:
    """Where each entry of a legend starts, row by row."""
    rows: list[list[float]] = [[]]
    at = 8.0
    for name, note in names:
        wide = 38 + 6.6 * len(f"{name}, over {note}" if note else name)
        if rows[-1] and at + wide > WIDTH:
            rows.append([])
            at = 8.0
        rows[-1].append(at)
        at += wide
    return rows


def _placed(entries: Sequence[tuple[str, int, bool]], rows: list[list[float]]) -> list[dict[str, Any]]:
    places = [(x, 14 + LEGEND * row) for row, starts in enumerate(rows) for x in starts]
    return [
        {"x": x, "y": y, "text": text, "style": style, "special": special}
        for (text, style, special), (x, y) in zip(entries, places, strict=True)
    ]
