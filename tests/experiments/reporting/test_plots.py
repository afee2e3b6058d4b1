"""Figures: a style for each system, hostile names, and SVG that a page can hold."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest
from report_results import HOSTILE, IMAGE

from reporting import markdown, page
from reporting.blocks import Plot, Section
from reporting.plots import (
    COLOURS,
    HASHED_ID,
    SYSTEMS,
    Dot,
    Line,
    confusion_plot,
    dots_plot,
    inline_svg,
    lines_plot,
    ratio_plot,
    save,
    style,
)
from reporting.sections.curves import _loss_plot

NAMES = (HOSTILE, IMAGE, "a$b$c", r"\\frac{", r"$\frac$", "x_1^2", "_x")


def plots(name: str) -> list[Plot]:
    """Return every sort of figure, with a hostile name wherever one can be."""
    point = (1, 0.5, 0.4, 0.6)
    words = pd.DataFrame([[5, 1], [0, 4]], index=[name, "O"], columns=[name, "O"])
    ratio = ("task", "system", "setting", "ratio_to")
    lines = [Line(name, name, [point, (2, 0.4, 0.4, 0.4)]), Line("x", "", [point])]
    return [
        Plot(name, "a", lambda: dots_plot([Dot(name, name, 0.9, 0.8, 0.95, over_seeds=True)], (name, 0.94))),
        Plot(
            name, "b", lambda: dots_plot([Dot(name, name, 0.9, 0.8, 0.95), Dot(name, "crf", 0.5, 0.4, 0.6)], pairs=True)
        ),
        Plot(name, "c", lambda: lines_plot(lines, name, name, scores=True)),
        Plot(name, "d", lambda: confusion_plot(words, name)),
        Plot(name, "e", lambda: ratio_plot(pd.DataFrame([{**dict.fromkeys(ratio, name), "ratio": 2.0}]))),
    ]


def test_each_system_has_its_own_colour_and_marker() -> None:
    styles = {style(system) for system in SYSTEMS}
    assert len({colour for colour, _ in styles}) == len({marker for _, marker in styles}) == len(SYSTEMS)
    assert style("my_tagger") == style("my_tagger")


def test_a_variant_has_the_colour_of_its_family_and_another_marker() -> None:
    styles = [style(system) for system in ("minilm", "minilm_tuned", "minilm_best", "minilm_other")]
    assert len({colour for colour, _ in styles}) == 1
    assert len({marker for _, marker in styles}) == 4
    assert style("minilm_crf_tuned")[0] == style("minilm_crf")[0] != style("minilm")[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_as_it_is(name: str) -> None:
    for plot in plots(name):
        root = ET.fromstring(inline_svg(plot.figure, plot.title, plot.name))  # our own
        texts = {element.text for element in root.iter() if element.text}
        assert name in texts or f"{name} {name}, {name}, compared with {name}" in texts
        assert root.get("role") == "img"
        assert root.get("aria-label") == name
        assert not {element.tag.rpartition("}")[2] for element in root.iter()} & {"script", "img", "image", "style"}


def test_a_page_of_figures_fetches_nothing_and_has_each_id_once() -> None:
    html = page.render("t", [Section("s", "s", plots(IMAGE))])
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"(?:href=\"#|url\(#)([^\")]*)", html)) <= set(ids) | {"s"}
    assert html.count("<script>") == 1
    assert "<img" not in html
    assert not re.search(r"(?:href|src)=\"?https?:", html)


def test_a_figure_in_a_page_has_the_colours_of_the_page() -> None:
    text = inline_svg(plots("crf")[0].figure, "t", "n")
    assert "var(--s3)" in text
    assert not [colour for colour in (*COLOURS, "#000000", "#ffffff") if colour in text]


def test_a_figure_is_saved_the_same_each_time(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save(plots("crf")[2].figure, tmp_path / folder, "lines")
    for kind in ("png", "svg"):
        assert (tmp_path / f"a/lines.{kind}").read_bytes() == (tmp_path / f"b/lines.{kind}").read_bytes()
    assert not HASHED_ID.search((tmp_path / "a/lines.svg").read_text())


def test_a_figure_is_drawn_when_it_is_used_and_only_once() -> None:
    drawn = []
    plot = Plot("t", "n", lambda: drawn.append(1) or dots_plot([Dot("g", "crf", 0.9, 0.8, 0.95)]))
    assert markdown.render("t", [Section("s", "s", [plot])]).endswith("More: [t](plots/n.png).\n")
    assert drawn == []
    assert plot.figure is plot.figure
    assert drawn == [1]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("i", range(5))
def test_a_figure_is_drawn_without_a_warning(i: int) -> None:
    assert plots("crf")[i].figure.axes


def test_losses_of_a_system_that_did_not_validate() -> None:
    rows = [{"system": "minilm", "epoch": epoch, "train_loss": 1 / epoch} for epoch in (1, 2)]
    figure = _loss_plot(pd.DataFrame(rows).assign(validation_loss=float("nan")))
    assert len(figure.axes[0].lines) == 1
