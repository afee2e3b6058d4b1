"""Tables in GitHub-flavoured Markdown, with any text in their cells."""

import re
from collections.abc import Sequence

# Characters that can start markup; an underscore inside a word can't.
_SPECIAL = re.compile(r"([\\`*\[\]<>|~$]|(?<!\w)_|_(?!\w))")


def escape(text: str) -> str:
    """Escape all markup in a text, and put it on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;").replace("\\<", "&lt;")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int) -> str:
    """Return a table of cells in Markdown, the first columns aligned to the left, the others, numbers, to the right."""
    rule = ["---"] * text_columns + ["---:"] * (len(header) - text_columns)
    return "\n".join("| " + " | ".join(row) + " |" for row in [[escape(name) for name in header], rule, *rows])
