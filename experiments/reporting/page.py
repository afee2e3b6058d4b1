"""The report as one HTML file: nothing in it is fetched, everything in it is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from claims.schema import VERDICTS
from reporting import charts
from reporting.blocks import Section

TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(title: str, sections: Sequence[Section], systems: Sequence[str], links: Sequence[tuple[str, str]]) -> str:
    """The whole page. `systems` is their order, which gives each its colour; links: (address, text) of other files."""
    return fill("report.html", "report.js", title=title, sections=sections, systems=systems, links=links)


def fill(template: str, script: str, **content: Any) -> str:
    """A page from its template, its content and its script.

    The policy in its head forbids every request, and every script but this one: markup that an escape should miss
    could still run nothing.
    """
    code = (TEMPLATES / script).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {"verdict": _verdict}
    page = environment.get_template(template)
    return page.render(content, script=Markup(code), digest=digest, charts=charts)


def _verdict(text: str) -> int:
    """The number of a verdict in the style sheet."""
    return VERDICTS.index(text) if text in VERDICTS else len(VERDICTS)
