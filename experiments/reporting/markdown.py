"""The report as GitHub-flavoured Markdown."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from bert_ner import markdown
from bert_ner.markdown import escape
from reporting.blocks import Block, Cell, Code, Facts, Missing, Plot, Section, Table, Text, Warn


def render(title: str, sections: Sequence[Section]) -> str:
    """Return the whole report."""
    parts = [f"# {escape(title)}"]
    for section in sections:
        parts += [f"## {escape(section.title)}"] if section.title else []
        parts += [text for block in section.blocks if (text := render_block(block))]
    return "\n\n".join(parts) + "\n"


def render_block(block: Block) -> str:
    """Return one block; a plot is a link to its picture."""
    lines: list[str] = []
    match block:
        case Text(text):
            lines = [escape(text)]
        case Warn(title, text):
            lines = [f"> **{escape(title)}** {escape(text)}"]
        case Missing(text, command):
            lines = [f"{escape(text)} Made by {code(command)}."]
        case Code(title, commands):
            lines = [f"{escape(title)}:", "", *(f"- {code(line)}" for line in commands)]
        case Facts(items):
            lines = [f"- {escape(label)}: **{escape(value)}**{_remark(text)}" for label, value, text in items]
        case Table():
            lines = [table(block)]
        case Plot(title, name, _):
            lines = [f"![{escape(title)}](plots/{quote(name)}.png)"]
    return "\n".join(lines)


def _remark(text: str) -> str:
    return f" ({escape(text)})" if text else ""


def table(block: Table) -> str:
    rows = [[_cell(cell) for cell in row] for row in block.rows]
    return markdown.table(block.header, rows, block.text_columns)


def code(text: str) -> str:
    """Put a text between more backticks than it has itself."""
    text = " ".join(text.split())
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if len(fence) > 1 else f"`{text}`"


def _cell(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    text = escape(cell.text)
    return f"**{text}**" if cell.mark in {"strong", "nearest"} and text else text
