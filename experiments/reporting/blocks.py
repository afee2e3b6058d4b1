"""The blocks of a report. All text is plain: each rendering escapes it in its own way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self


class Cell(str):
    """A table's cell that stands out, and how: 'strong' or 'nearest'."""

    mark: str

    def __new__(cls, text: str, mark: str) -> Self:
        cell = super().__new__(cls, text)
        cell.mark = mark
        return cell


class Text(NamedTuple):
    """A paragraph. One with a warning may not be missed."""

    text: str
    warning: str = ""


class Missing(NamedTuple):
    """Something that does not exist yet, and the command that makes it."""

    text: str
    command: str


class Code(NamedTuple):
    """Lines to copy: commands, or signatures."""

    title: str
    lines: Sequence[str]


class Facts(NamedTuple):
    """The few most important numbers: label, value, remark."""

    items: Sequence[tuple[str, str, str]]


class Table(NamedTuple):
    """A table whose first `text_columns` columns are words and the rest numbers.

    A reader can filter the rows by the values of the column `filter_by`; `choices` come first.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1
    filter_by: int | None = None
    choices: Sequence[str] = ()

    def options(self) -> dict[str, int]:
        """Return the values of the column to filter by, with the number of rows of each."""
        values = [] if self.filter_by is None else [row[self.filter_by] for row in self.rows]
        return {value: values.count(value) for value in (*self.choices, *values) if value in values}


@dataclass(frozen=True)
class Plot:
    """A figure, drawn when it is first used; `name` is that of its files in plots/, without the suffix."""

    title: str
    name: str
    draw: Callable[[], Any]  # returns a figure of matplotlib, which takes a second to import

    @cached_property
    def figure(self) -> Any:
        return self.draw()


Block = Text | Missing | Code | Facts | Table | Plot


class Section(NamedTuple):
    """A heading and the blocks below it; `anchor` is its address in the page."""

    anchor: str
    title: str
    blocks: Sequence[Block]
