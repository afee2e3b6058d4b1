"""The wording of messages: plural forms, and the three spellings of an option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bert_ner.wording import Spelling, as_argument, as_flag, as_key, counted, option, options_as

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0, "word"), "0 words"),
        ((1, "word"), "1 word"),
        ((2443, "word"), "2,443 words"),
        ((2, "entity", "entities"), "2 entities"),
        ((1, "entity", "entities"), "1 entity"),
    ],
)
def test_numbers(arguments: tuple[int, str], expected: str) -> None:
    assert counted(*arguments) == expected


@pytest.mark.parametrize(
    ("name", "value", "spellings"),
    [
        ("docstart", True, ["docstart=True", "--docstart", "docstart: true"]),
        ("tag_column", None, ["tag_column", "--tag-column", "tag_column"]),
        ("comments", "#", ["comments='#'", "--comments '#'", 'comments: "#"']),
        ("scheme", "IO", ["scheme='IO'", "--scheme IO", 'scheme: "IO"']),
        ("predicted_scheme", "IO", ["scheme='IO'", "--predicted-scheme IO", 'predicted_scheme: "IO"']),
        ("names", ("O", "B-X"), ["names=('O', 'B-X')", "--names O,B-X", 'names: ["O", "B-X"]']),
    ],
)
def test_an_option_has_three_spellings(name: str, value: object, spellings: list[str]) -> None:
    ways: list[Spelling] = [as_argument, as_flag, as_key]
    for way, expected in zip(ways, spellings, strict=True):
        with options_as(way):
            assert option(name, value) == expected
    assert option(name, value) == spellings[0]


# "gives 5 seed(s)" is part of results/*/claims.csv, and changes with them.
@pytest.mark.parametrize("folder", ["bert_ner", "baselines", "experiments"])
def test_no_message_leaves_the_plural_to_the_reader(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for match in re.findall(r"\}[^\n\"]*\w\(s\)", path.read_text(encoding="utf-8"))
        if "seed(s)" not in match
    ]
    assert found == []
