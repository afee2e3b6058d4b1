"""Confusion between types."""

from __future__ import annotations

from bert_ner.scoring.errors import confusion


def test_begin_and_inside_of_a_type_count_as_one() -> None:
    gold = [["B-A", "I-A", "O"], ["B-B"]]
    predicted = [["I-A", "B-A", "B-B"], ["O"]]
    assert confusion(gold, predicted) == {("A", "A"): 2, ("O", "B"): 1, ("B", "O"): 1}
