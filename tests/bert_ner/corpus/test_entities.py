"""Entities of words and of texts, and the words of a text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_ner.corpus.bio import BioError
from bert_ner.corpus.entities import Entity, entities, word_offsets

WORDS = ["by", "mel", "gibson", "olaf"]
TAGS = ["O", "B-ACTOR", "I-ACTOR", "I-YEAR"]


def test_of_words() -> None:
    assert entities(WORDS, TAGS) == [Entity("mel gibson", "ACTOR", 1, 3), Entity("olaf", "YEAR", 3, 4)]
    assert [found.score for found in entities(WORDS, TAGS, [1, 0.5, 0.75, 0.25])] == [0.625, 0.25]
    assert entities([], []) == []


def test_of_a_text() -> None:
    text = "by  mel\tgibson,olaf"
    offsets = [(0, 2), (4, 7), (8, 14), (15, 19)]
    found = entities(WORDS, TAGS, text=text, offsets=offsets)
    assert found == [Entity("mel\tgibson", "ACTOR", 4, 14), Entity("olaf", "YEAR", 15, 19)]


def test_an_invalid_tag() -> None:
    with pytest.raises(BioError, match=r"^word 2: 'X' is not a tag"):
        entities(["a", "b"], ["O", "X"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Who directed \u201cThe Lost Island\u201d?",
            ["Who", "directed", "\u201c", "The", "Lost", "Island", "\u201d", "?"],
        ),
        ("don't r2-d2", ["don", "'", "t", "r2", "-", "d2"]),
        (" \t\u3000\n", []),
        ("", []),
        ("\U0001f3ac \U0001f3acfilm e\u0301", ["\U0001f3ac", "\U0001f3acfilm", "e\u0301"]),
        ("a\ud800b \udfff.", ["a\ud800b", "\udfff", "."]),
        ("mel \u200b gibson", ["mel", "\u200b", "gibson"]),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in word_offsets(text)] == words


@given(st.text(st.characters(codec=None)))
def test_words_leave_out_nothing_but_white_space(text: str) -> None:
    offsets = word_offsets(text)
    assert all(start < end for start, end in offsets)
    assert all(end <= start for (_, end), (start, _) in pairwise(offsets))
    words = "".join(text[start:end] for start, end in offsets)
    assert "".join(words.split()) == "".join(text.split())
