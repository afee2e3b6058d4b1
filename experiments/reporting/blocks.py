"""What a report is made of. All text is plain: each rendering escapes it in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Cell(NamedTuple):
    """A table's cell that stands out, and why: 'strong', 'nearest', 'verdict'."""

    text: str
    mark: str


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Warn:
    """A paragraph that nobody may miss."""

    title: str
    text: str


@dataclass(frozen=True)
class Missing:
    """What is not there, and the command that makes it."""

    what: str
    command: str


@dataclass(frozen=True)
class Code:
    """Lines to copy: commands, or signatures."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Facts:
    """The few numbers that matter most: label, value, remark."""

    items: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Table:
    """A table whose first `text_columns` columns are words and the rest numbers.

    `filter_by` is the column by whose values, `choices` first, a reader can choose rows.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    text_columns: int = 1
    filter_by: int | None = None
    choices: Sequence[str] = ()

    def choosable(self) -> dict[str, int]:
        """The values of the column to filter by, with the number of rows of each."""
        if self.filter_by is None:
            return {}
        cells = [row[self.filter_by] for row in self.rows]
        values = [cell if isinstance(cell, str) else cell.text for cell in cells]
        return {value: values.count(value) for value in (*self.choices, *values) if value in values}


class Point(NamedTuple):
    """A value with the ends of its interval or spread; both equal the value where there is none."""

    x: float
    value: float
    low: float
    high: float


class Dot(NamedTuple):
    """One row of a dot-and-whisker plot; rows of one group stand together under its name."""

    group: str
    series: str
    note: str  # what its whisker is: 'sentences', 'seeds'
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Dots:
    """A dot-and-whisker plot of fractions, with a line at a reference value."""

    title: str
    rows: Sequence[Dot]
    reference: tuple[str, float] | None = None
    picture: str | None = None  # its file in plots/, without the suffix


class Line(NamedTuple):
    """One line of a plot; without `connected` its points alone. A single point has a whisker."""

    name: str
    points: Sequence[Point]
    connected: bool = True


@dataclass(frozen=True)
class Lines:
    """A plot of lines, or of points; `share` says that the values are fractions, shown as percentages."""

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    share: bool = False
    log_x: bool = False
    x_ticks: Sequence[float] = ()  # those of the points where none are given
    picture: str | None = None


@dataclass(frozen=True)
class Heat:
    """A matrix of shares: of each row's total, the part in each column."""

    title: str
    corner: str
    names: Sequence[str]
    shares: Sequence[Sequence[float]]
    picture: str | None = None


Block = Text | Warn | Missing | Code | Facts | Table | Dots | Lines | Heat


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; `anchor` is its address in the page."""

    anchor: str
    title: str
    blocks: Sequence[Block]
