"""The report as one HTML file: it fetches nothing, and everything in it is escaped."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from claims.fields import VERDICTS
from reporting.blocks import Section
from reporting.plots import inline_svg

TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(title: str, sections: Sequence[Section], links: Sequence[tuple[str, str]] = ()) -> str:
    """Return the whole page; links: (address, text) of other files."""
    return fill("report.html", "report.js", title=title, sections=sections, links=links)


def fill(template: str, script: str, **content: Any) -> str:
    """Fill a template with its content and its script.

    The policy in the page's head forbids every request, and every script but this one: even markup that escaped the
    escaping could run nothing.
    """
    code = (TEMPLATES / script).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    # matplotlib escapes the text in a figure.
    environment.filters["svg"] = lambda plot: Markup(inline_svg(plot.figure, plot.title, plot.name))
    return environment.get_template(template).render(content, script=Markup(code), digest=digest, verdicts=VERDICTS)
