"""The report as GitHub-flavoured Markdown."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from bert_ner import markdown
from bert_ner.markdown import escape
from reporting.blocks import LONG, Block, Code, Missing, Plot, Section, Table, Text


def render(title: str, sections: Sequence[Section]) -> str:
    """Return the whole report."""
    parts = [f"# {escape(title)}"]
    for section in sections:
        parts += [f"## {escape(section.title)}"] if section.title else []
        parts += filter(None, map(render_block, section.blocks))
    return "\n\n".join(parts) + "\n"


def render_block(block: Block) -> str:
    """Return one block; a plot is a link to its picture."""
    match block:
        case Text(text, warning):
            return f"> **{escape(warning)}** {escape(text)}" if warning else escape(text)
        case Missing(text, command):
            return f"{escape(text)} Made by {code(command)}."
        case Code(title, lines) if len(lines) > LONG:
            return f"{escape(title)}: {len(lines)} lines, in report.html."
        case Code(title, lines):
            return "\n".join([f"{escape(title)}:", "", *(f"- {code(line)}" for line in lines)])
        case Table() if block.is_collapsed:
            return f"{escape(block.caption)}: {len(block.rows)} rows, in report.html and in the tables of this folder."
        case Table():
            return table(block)
        case Plot():
            return f"![{escape(block.title)}](plots/{quote(block.name)}.png)"


def table(block: Table) -> str:
    rows = [[_cell(cell) for cell in row] for row in block.rows]
    return markdown.table(block.header, rows, block.text_columns)


def code(text: str) -> str:
    """Put a text between more backticks than it has itself."""
    text = " ".join(text.split())
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if len(fence) > 1 else f"`{text}`"


def _cell(cell: str) -> str:
    text = escape(cell)
    return f"**{text}**" if text and getattr(cell, "mark", "") in {"strong", "nearest"} else text
