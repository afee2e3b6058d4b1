"""How answers are shown: as JSON, as BIO, and as text on a terminal."""

from __future__ import annotations

import json
import re

import pytest
from capitals import answers_to
from hypothesis import given
from hypothesis import strategies as st

from bert_ner.corpus.entities import Entity
from bert_ner.errors import BertNerError
from bert_ner.queries import Query
from bert_ner.stream import _COLOURS, Answer, as_bio, text_renderer, wants_colour, write_answers

ESCAPE = "\x1b"


@given(st.lists(st.text(st.characters(codec=None), max_size=8), max_size=5))
def test_json_is_one_line_of_printable_ascii_and_loses_nothing(words: list[str]) -> None:
    line = json.dumps({"line": 1, "words": words})
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["words"] == words


def test_text() -> None:
    render = text_renderer(coloured=False)
    lines = (b"by  Ada Brook, or Olaf?", b"", b"no one", b"\xff")
    assert [render(answer) for answer in answers_to(*lines)] == [
        "by  [Ada Brook NAME], or [Olaf NAME]?",
        "",
        "no one",
        "line 4 can't be read: byte 1 is 0xff, which is not UTF-8 there",
    ]
    [separate] = answers_to(b'{"words": ["by", "Ada", "and", "co"]}', form="jsonl")
    assert render(separate) == "by [Ada NAME] and co"


def test_bio() -> None:
    first, second, none = answers_to(b"by Ada Brook", b"no one?", b"")
    assert as_bio(first) == "by\tO\nAda\tB-NAME\nBrook\tI-NAME\n"
    assert as_bio(second) == "no\tO\none\tO\n?\tO\n"
    assert as_bio(none) == ""


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"{", "not JSON: "),
        (b'{"words": ["a b"]}', "'a b' is empty, or has a space"),
        (b'{"words": [""]}', "'' is empty"),
        (b'{"words": ["\\ud800"]}', "has a space.* or a lone surrogate"),
        (b'{"words": ["-DOCSTART-"]}', "-DOCSTART- is no word"),
    ],
)
def test_a_line_that_bio_can_not_hold_ends_the_output(line: bytes, complaint: str) -> None:
    answers = answers_to(b'{"words": ["a"]}', line, form="jsonl")
    with pytest.raises(BertNerError, match=f"^line 2 can't be written as BIO: .*{complaint}.*--output jsonl$"):
        write_answers(1, [answers], as_bio)


def test_a_colour_for_each_type() -> None:
    def record(*kinds: str) -> Answer:
        found = [Entity(kind, kind, i, i + 1) for i, kind in enumerate(kinds)]
        return Answer(Query(1, [*kinds, "end"]), (), found)

    render = text_renderer(coloured=True)
    assert render(record("A")) == f"{ESCAPE}[38;5;32m[A A]{ESCAPE}[0m end"
    codes = [re.findall(r"38;5;(\d+)m\[(\w)", render(record(*kinds))) for kinds in ("BA", "ABCDEFGHIJKLM")]
    assert {kind: code for code, kind in codes[0]}.items() <= {kind: code for code, kind in codes[1]}.items()
    assert len({code for code, _ in codes[1]}) == len(_COLOURS) == 12


def test_colours_are_legible_on_black_and_on_white() -> None:
    """By the contrast ratio of WCAG 2.1."""

    def luminance(colour: int) -> float:
        levels = [(0, 95, 135, 175, 215, 255)[(colour - 16) // place % 6] / 255 for place in (36, 6, 1)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for light in map(luminance, _COLOURS):
        assert min((light + 0.05) / 0.05, 1.05 / (light + 0.05)) > 3.6


@given(st.lists(st.text(st.characters(codec=None), min_size=1, max_size=8), min_size=1, max_size=5))
def test_no_character_reaches_the_terminal_as_a_command(words: list[str]) -> None:
    kind = words[0]
    answer = Answer(Query(1, words), (), [Entity(words[0], kind, 0, 1)])
    assert text_renderer(coloured=False)(answer).isprintable()
    coloured = text_renderer(coloured=True)(answer)
    assert coloured.count(ESCAPE) == 2
    assert coloured.replace(ESCAPE, "").isprintable()


def test_escapes_are_shown() -> None:
    words = ["\x1b[31mred", "a\nb", "\ud800", "\u202e", "é🎬"]
    shown = text_renderer(coloured=False)(Answer(Query(1, words), (), ()))
    assert shown == r"\x1b[31mred a\nb \ud800 \u202e é🎬"


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_who_gets_colours(terminal: bool, environment: dict[str, str], coloured: bool) -> None:
    assert wants_colour(terminal, environment) is coloured
