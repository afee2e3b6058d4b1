"""Entities matched by text: one with the right words at another place is right, and a copy counts once."""

from __future__ import annotations

import pytest

from bert_ner.corpus.bio import Sentence
from bert_ner.scoring import count, score
from comparisons.recounting import Recount
from comparisons.text_matching import f1_of_texts, text_matches

TEST = [
    Sentence(("war", "films", "like", "war"), ("B-GENRE", "O", "O", "B-TITLE")),
    Sentence(("funny", "funny", "films"), ("B-GENRE", "B-GENRE", "O")),
    Sentence(("the", "end"), ("O", "O")),
]
GOLD = [sentence.tags for sentence in TEST]


def test_f1_by_hand() -> None:
    # Expected: (GENRE, war), (TITLE, war), (GENRE, funny). Given: (GENRE, war) at the other place, (GENRE, funny), and
    # (TITLE, the end). Two are right: 2 * 2 / (3 + 3).
    given = [["O", "O", "O", "B-GENRE"], ["O", "B-GENRE", "O"], ["B-TITLE", "I-TITLE"]]
    assert f1_of_texts(TEST, given) == pytest.approx(2 / 3)
    assert f1_of_texts(TEST, [list(tags) for tags in GOLD]) == 1
    assert f1_of_texts(TEST, [["O"] * len(words) for words, _ in TEST]) == 0


def test_a_system_has_the_means_of_its_runs() -> None:
    runs = [[list(tags) for tags in GOLD], [["O", "O", "O", "B-GENRE"], ["O", "O", "O"], ["O", "O"]]]
    found = Recount(
        GOLD, {"a": runs}, {"a": [count(GOLD, run) for run in runs]}, {"a": [score(GOLD, run) for run in runs]}
    )
    [row] = text_matches(TEST, found)
    assert row == {"system": "a", "by_place": 0.5, "by_text": 0.75, "difference": 0.25}
