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
        more = [block for block in section.blocks if section.title and is_left_out(block)]
        parts += [render_block(block) for block in section.blocks if block not in more]
        parts += [f"More: {'; '.join(map(_name, more))}."] if more else []
    return "\n\n".join(parts) + "\n"


def is_left_out(block: Block) -> bool:
    """Return whether a section only says where the block is: pictures and whatever is long."""
    match block:
        case Table():
            return block.is_collapsed
        case Code(_, lines):
            return len(lines) > LONG
    return isinstance(block, Plot)


def _name(block: Block) -> str:
    match block:
        case Plot(title, name):
            return f"[{escape(title)}](plots/{quote(name)}.png)"
        case Table(caption, _, rows):
            return f"{escape(caption)} ({len(rows)} rows, report.html)"
        case Code(title, lines):
            return f"{escape(title)} ({len(lines)} lines, report.html)"
    return ""


def render_block(block: Block) -> str:
    """Return one block; a plot is a link to its picture."""
    match block:
        case Text(text, warning):
            return f"> **{escape(warning)}** {escape(text)}" if warning else escape(text)
        case Missing(text, command):
            return f"{escape(text)} Made by {code(command)}."
        case Code(title, lines):
            return "\n".join([f"{escape(title)}:", "", *(f"- {code(line)}" for line in lines)])
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
