"""The blocks of a report. All text is plain: each rendering escapes it in its own way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

LONG = 2  # rows of a table, or lines to copy, that are shown without a click


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


class Table(NamedTuple):
    """A table whose first `text_columns` columns are words and the rest numbers.

    A reader can filter the rows by the columns `filters`; values in `choices` come first. Long tables are collapsed in
    the page and left out of the Markdown, unless `is_whole`.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1
    filters: Sequence[str] = ()
    choices: Sequence[str] = ()
    is_whole: bool = False

    @property
    def is_collapsed(self) -> bool:
        return len(self.rows) > LONG and not self.is_whole

    def options(self, name: str) -> dict[str, int]:
        """Return the values of a column to filter by, with the number of rows of each."""
        values = [row[self.header.index(name)] for row in self.rows]
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


Block = Text | Missing | Code | Table | Plot


class Section(NamedTuple):
    """A heading and the blocks below it; `anchor` is its address in the page."""

    anchor: str
    title: str
    blocks: Sequence[Block]
