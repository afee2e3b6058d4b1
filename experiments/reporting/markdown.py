"""The report as GitHub-flavoured Markdown."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from reporting.blocks import Block, Code, Facts, Missing, Plot, Section, Table, Text

# Characters that can start markup; an underscore inside a word can't.
_SPECIAL = re.compile(r"([\\`*\[\]<>|~$]|(?<!\w)_|_(?!\w))")


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
        case Code(title, lines):
            return "\n".join([f"{escape(title)}:", "", *(f"- {code(line)}" for line in lines)])
        case Facts(items):
            return "\n".join(
                f"- {escape(label)}: **{escape(value)}**" + (f" ({escape(remark)})" if remark else "")
                for label, value, remark in items
            )
        case Table():
            return table(block)
        case Plot():
            return f"![{escape(block.title)}](plots/{quote(block.name)}.png)"


def table(block: Table) -> str:
    rule = ["---" if i < block.text_columns else "---:" for i in range(len(block.header))]
    rows = [list(map(escape, block.header)), rule, *(list(map(_cell, row)) for row in block.rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def escape(text: str) -> str:
    """Escape all markup in a text, and put it on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;").replace("\\<", "&lt;")


def code(text: str) -> str:
    """Put a text between more backticks than it has itself."""
    text = " ".join(text.split())
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if len(fence) > 1 else f"`{text}`"


def _cell(cell: str) -> str:
    text = escape(cell)
    return f"**{text}**" if text and getattr(cell, "mark", "") in {"strong", "nearest"} else text
