"""Both pages in a real browser: opened from disk, filtered, walked through by keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness import paths

import pandas as pd
import pytest

from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import corpus_named
from reporting import errors_page, page
from reporting.blocks import Cell, Code, Missing, Plot, Section, Table, Text
from reporting.content import report_content
from reporting.plots import Dot, Line, confusion_plot, dots_plot, lines_plot

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[dev]'")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no browser: apt-get install chromium")

HOSTILE = "<script>alert(1)</script>"
IMAGE = '"><img/src=x/onerror=alert(1)>'
NARROW = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open a page from disk; afterwards, fail if it wrote to the console or requested another file."""
    complaints: list[str] = []
    contexts = []

    def open_page(html: str, **settings: Any) -> Any:
        path = tmp_path / "page.html"
        path.write_text(html)
        context = browser.new_context(**settings)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        tab.on("console", lambda message: complaints.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        tab.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        address = path.as_uri()
        tab.on("request", lambda request: request.url == address or complaints.append(f"request: {request.url}"))
        tab.goto(address)
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def report_page() -> str:
    """Return a page with every kind of block, hostile text in each."""
    rows = [[name, claim, Cell(verdict, "verdict"), "0.9"] for name, claim, verdict in (
        ("R1", "micro-F1 of 94.47 %", "partly"), ("R2", HOSTILE, "not tested"), ("D1", "sentences", "reproduced"),
        ("D2", "test sentences" + " and so on" * 20, "reproduced"), ("D3", IMAGE, "reproduced"),
    )]  # fmt: skip
    wide = [f"a column with a long name {i}" for i in range(12)]
    point = (1, 0.5, 0.4, 0.6)
    blocks = [
        Text(HOSTILE, warning=IMAGE), Text("x" * 200), Text(HOSTILE + "y" * 300),
        Missing(IMAGE, HOSTILE), Code(HOSTILE, ["z" * 300, IMAGE]),
        Table(HOSTILE, ["id", "claim", "verdict", "value"], rows, text_columns=3, filters=["verdict"], is_whole=True),
        Table("wide", wide, [wide]),
        Plot(IMAGE, "a", lambda: dots_plot([Dot(HOSTILE, "crf", 0.9, 0.8, 0.95, over_seeds=True)], (IMAGE, 0.94))),
        Plot(HOSTILE, "b", lambda: lines_plot([Line(IMAGE, "crf", [point, (2, 0.4, 0.4, 0.4)])], IMAGE, HOSTILE)),
        Plot(IMAGE, "c", lambda: confusion_plot(pd.DataFrame([[1, 1], [0, 1]], [HOSTILE, "O"], [HOSTILE, "O"]), "crf")),
    ]  # fmt: skip
    return page.render(HOSTILE, [Section("first", HOSTILE, blocks)])


def error_page() -> str:
    """Three sentences, of which two have errors: of both systems, and of one."""
    types = ["ACTOR", HOSTILE]
    test = [
        Sentence(("mel", IMAGE, HOSTILE), ("B-ACTOR", "I-ACTOR", "O")),
        Sentence(("Sky", "fall"), (f"B-{HOSTILE}", "O")),
        Sentence(("right",), ("O",)),
    ]
    predictions = {
        "crf-0": [["B-ACTOR", "O", "O"], ["O", "O"], ["O"]],
        HOSTILE: [["B-ACTOR", "I-ACTOR", "O"], [f"B-{HOSTILE}", "B-ACTOR"], ["O"]],
    }
    return errors_page.render(corpus_named("sample"), test, predictions, types, 2)


@pytest.fixture(params=[report_page, error_page], ids=["report", "errors"])
def html(request: pytest.FixtureRequest) -> str:
    made: str = request.param()
    return made


def visible(tab: Any, selector: str) -> int:
    count: int = tab.locator(f"{selector}:visible").count()
    return count


def output_says(tab: Any, text: str) -> None:
    sync_api.expect(tab.locator("output").first).to_have_text(text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, {"width": 1280, "height": 800}], ids=["narrow", "wide"])
def test_it_opens_without_a_message_a_request_or_a_sideways_scroll(
    opened: Callable[..., Any], html: str, size: dict[str, int], scheme: str
) -> None:
    tab = opened(html, viewport=size, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert tab.locator("img, script").count() == 1  # the page's own script
    background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(15, 20, 25)")


def test_claims_are_filtered_by_verdict_and_by_words(opened: Callable[..., Any]) -> None:
    tab = opened(report_page())
    rows = "#first-6 tbody tr"
    assert visible(tab, rows) == 5
    tab.get_by_label("verdict").select_option(label="reproduced (3)")
    output_says(tab, "3 of 5 rows")
    assert visible(tab, rows) == 3
    tab.get_by_label("search").fill("SENTENCES d2")
    output_says(tab, "1 of 5 rows")
    tab.get_by_label("verdict").select_option(label="all")
    tab.get_by_label("search").fill("<script>")
    output_says(tab, "1 of 5 rows")
    assert "R2" in tab.locator(f"{rows}:visible").inner_text()
    tab.get_by_label("search").fill("no such words")
    assert visible(tab, rows) == 0


def test_sentences_are_filtered_by_type_kind_system_and_words(opened: Callable[..., Any]) -> None:
    tab = opened(error_page())
    output_says(tab, "2 of 2 sentences, page 1 of 1")
    assert visible(tab, ".sentence") == 2
    for choices, shown in (
        ({"system": HOSTILE}, 1),
        ({"system": HOSTILE, "kind": "missed"}, 0),  # one error has to fit all, not one each
        ({"system": "crf-0", "kind": "missed"}, 1),
        ({"kind": "boundary", "type": "ACTOR"}, 1),
        ({"kind": "boundary", "type": HOSTILE}, 0),
        ({"type": "ACTOR"}, 2),
    ):
        for name in ("type", "kind", "system"):
            tab.get_by_label(name, exact=True).select_option(label=choices.get(name, f"all {name}s"))
        output_says(tab, f"{shown} of 2 sentences, page 1 of 1")
        assert visible(tab, ".sentence") == shown
    for name in ("type", "kind", "system"):
        tab.get_by_label(name, exact=True).select_option(index=0)
    tab.get_by_label("search").fill("sky FALL")
    output_says(tab, "1 of 2 sentences, page 1 of 1")
    assert "Sky" in tab.locator(".sentence:visible").inner_text()


def test_weak_systems_are_hidden_at_first_and_long_lists_have_pages(opened: Callable[..., Any]) -> None:
    words = ("mel", "gibson")
    test, right, wrong = [Sentence(words, ("B-ACTOR", "I-ACTOR"))] * 120, ["B-ACTOR", "I-ACTOR"], ["O", "O"]
    predictions = {"mpnet-13": [wrong] * 60 + [right] * 60, "majority-0": [wrong] * 120}
    tab = opened(errors_page.render(corpus_named("sample"), test, predictions, ["ACTOR"], 1))
    output_says(tab, "60 of 120 sentences, page 1 of 2")
    assert (visible(tab, ".sentence"), visible(tab, ".other-system")) == (50, 0)
    tab.get_by_role("button", name="next").click()
    output_says(tab, "60 of 120 sentences, page 2 of 2")
    assert visible(tab, ".sentence") == 10
    tab.get_by_label("system", exact=True).select_option(label="all systems")
    output_says(tab, "120 of 120 sentences, page 1 of 3")
    assert visible(tab, "dt.other-system") == 50
    tab.get_by_label("system", exact=True).select_option(label="majority-0")
    assert visible(tab, "dt.other-system") == 50


def test_every_control_is_reached_and_seen_by_keyboard(opened: Callable[..., Any], html: str) -> None:
    tab = opened(html, viewport=NARROW)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "content"
    tab = opened(html, viewport=NARROW)  # from the start again
    wanted = tab.locator("a, select, summary, input[type=search], button:enabled, [tabindex='0']").count()
    reached = 0
    for _ in range(wanted):
        tab.keyboard.press("Tab")
        style = tab.evaluate("[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]")
        assert style[0] != "BODY"
        assert style[1] == "solid", style
        reached += 1
    assert reached == wanted
    assert tab.evaluate("document.activeElement.tagName") != "BODY"


CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const blend = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.tagName === "OPTION") continue;
    const behind = [];
    for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
    const style = getComputedStyle(element);
    const ground = blend(behind);
    const [a, b] = [light(blend([...behind, element.closest("svg") ? style.fill : style.color])), light(ground)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) low.push(`${element.tagName}.${element.className.baseVal ?? element.className} ${contrast}`);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_background(opened: Callable[..., Any], html: str, scheme: str) -> None:
    assert opened(html, color_scheme=scheme).evaluate(CONTRASTS) == []


@pytest.mark.parametrize("corpus", ["mit_movie_eng", "mit_movie_trivia", "sample"])
@pytest.mark.parametrize("width", [400, 1400])
def test_the_committed_results_make_a_page_on_which_nothing_is_cut(
    opened: Callable[..., Any], corpus: str, width: int
) -> None:
    tab = opened(page.render(*report_content(paths.RESULTS, corpus)), viewport={"width": width, "height": 900})
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.locator("h2").count() >= 10
    for table in ("headline", "claims"):  # others scroll within their frames, as all do on a narrow screen
        boxes = tab.locator(f"#{table} .rows")
        assert width < 1400 or all(box.evaluate("e => e.scrollWidth <= e.clientWidth") for box in boxes.all())


def test_question_answer_table_picture_and_caveats_fit_on_one_screen(opened: Callable[..., Any]) -> None:
    tab = opened(page.render(*report_content(paths.RESULTS, "mit_movie_eng")), viewport={"width": 1400, "height": 900})
    caveats = tab.locator("#headline > p").last
    assert caveats.inner_text().startswith("Caveats:")
    box = caveats.bounding_box()
    assert box["y"] + box["height"] <= 900


def test_the_head_of_a_long_table_stays_in_sight(opened: Callable[..., Any]) -> None:
    tab = opened(page.render(*report_content(paths.RESULTS, "mit_movie_eng")), viewport={"width": 1400, "height": 900})
    frame, head = tab.locator("#claims .rows"), tab.locator("#claims thead th").first
    frame.evaluate("e => { e.scrollTop = 2000; }")
    assert abs(head.bounding_box()["y"] - frame.bounding_box()["y"]) < 2


def test_a_thousand_sentences_are_filtered(opened: Callable[..., Any]) -> None:
    words = tuple(f"word{i}" for i in range(10))
    test = [Sentence((f"number{i}", *words[1:]), ("B-ACTOR", *["O"] * 9)) for i in range(1000)]
    predictions = {name: [["O"] * 10] * 1000 for name in ("crf-0", "encoder-1")}
    tab = opened(errors_page.render(corpus_named("sample"), test, predictions, ["ACTOR"], 2))
    tab.locator("#words").fill("number999")
    tab.wait_for_function(
        "() => [...document.querySelectorAll('.sentence')].filter((e) => e.checkVisibility()).length === 1"
    )
