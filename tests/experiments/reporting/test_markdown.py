"""Text is text in both renderings."""

from __future__ import annotations

from report_results import HOSTILE, IMAGE

from reporting import markdown, page
from reporting.blocks import Cell, Code, Missing, Section, Table, Text


def test_markdown_takes_text_for_text() -> None:
    table = Table("t", ["a|b", "n"], [["*x* _y_ A_B", Cell("`1`", "strong")]])
    assert markdown.render_block(table).splitlines()[::2] == ["| a\\|b | n |", "| \\*x\\* \\_y\\_ A_B | **\\`1\\`** |"]
    assert markdown.render_block(Text("<b> &lt; $x$ [y](z)\n# no")) == r"&lt;b\> &amp;lt; \$x\$ \[y\](z) # no"
    assert markdown.render_block(Missing("None.", "run `it`")) == "None. Made by `` run `it` ``."
    assert markdown.render_block(Code("c", ["a|b"])) == "c:\n\n- `a|b`"


def test_the_page_escapes_headings_and_codes() -> None:
    section = Section("x", HOSTILE, [Text(IMAGE), Missing(HOSTILE, IMAGE), Code(IMAGE, [HOSTILE])])
    html = page.render(HOSTILE, [section], [(IMAGE, HOSTILE)])
    assert html.count("<script>") == 1
    assert "<img" not in html
