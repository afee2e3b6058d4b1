"""Confusion between types, kinds of errors, and recall by group; test_differential.py checks their sums."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bert_ner.corpus.bio import BioError, Span
from bert_ner.scoring.errors import EntityError, Recall, confusion, entity_errors, error_kinds, recall_by


def test_begin_and_inside_of_a_type_count_as_one() -> None:
    gold = [["B-A", "I-A", "O"], ["B-B"]]
    predicted = [["I-A", "B-A", "B-B"], ["O"]]
    assert confusion(gold, predicted) == {("A", "A"): 2, ("O", "B"): 1, ("B", "O"): 1}


@pytest.mark.parametrize(
    ("gold", "predicted", "kinds"),
    [
        ("O O", "O O", []),
        ("B-A I-A O", "I-A I-A O", []),  # as conlleval reads it
        ("B-A I-A O", "B-A O O", ["boundary A"]),
        ("B-A I-A O", "B-B I-B O", ["type A"]),
        ("B-A I-A O", "O B-B I-B", ["boundary and type A"]),
        ("B-A I-A O", "O O B-A", ["missed A", "spurious A"]),
        ("B-A O O", "O O O", ["missed A"]),
        ("O O O", "O B-B O", ["spurious B"]),
        # Two gold entities under one prediction, of the first's type, of the second's, and of neither's.
        ("B-A B-B I-B", "B-A I-A I-A", ["boundary A", "missed B"]),
        ("B-A B-B I-B", "B-B I-B I-B", ["missed A", "boundary B"]),
        ("B-A B-B I-B", "B-C I-C I-C", ["boundary and type A", "missed B"]),
        ("B-A I-A I-A", "B-A B-A B-A", ["boundary A", "spurious A", "spurious A"]),
        # A pair of the same type goes before one further to the left.
        ("B-A I-A I-A O", "B-B I-B B-A I-A", ["boundary A", "spurious B"]),
        ("B-A I-A B-B I-B", "B-B B-A I-A I-A", ["boundary A", "missed B", "spurious B"]),
        # A pair with the same bounds goes before all others.
        ("B-A I-A B-B I-B", "B-B B-A B-A I-A", ["boundary A", "type B", "spurious B"]),
        # Entities that remain after pairs of the same type may still pair.
        ("B-A I-A B-B I-B", "B-A B-C I-C O", ["boundary A", "boundary and type B"]),
    ],
)
def test_kinds_by_hand(gold: str, predicted: str, kinds: list[str]) -> None:
    errors = entity_errors(gold.split(), predicted.split())
    assert sorted(f"{error.kind} {error.type}" for error in errors) == sorted(kinds)


def test_an_error_holds_the_gold_entity_and_the_predicted_one() -> None:
    errors = entity_errors(["B-A", "I-A", "O", "B-B", "O", "B-A"], ["B-A", "O", "O", "O", "B-C", "B-A"])
    assert errors == [
        EntityError("boundary", Span("A", 0, 2), Span("A", 0, 1)),
        EntityError("missed", Span("B", 3, 4), None),
        EntityError("spurious", None, Span("C", 4, 5)),
    ]


def test_errors_are_counted_by_kind_and_type() -> None:
    gold = [["B-A", "I-A"], ["B-A", "I-A"], ["O", "B-B"]]
    predicted = [["B-A", "O"], ["B-A", "O"], ["B-A", "O"]]
    assert error_kinds(gold, predicted) == {("boundary", "A"): 2, ("missed", "B"): 1, ("spurious", "A"): 1}


def test_recall_by_the_groups_of_a_function() -> None:
    gold = [["B-A", "I-A", "B-B"], [], ["B-A", "O", "B-B"]]
    predicted = [["B-A", "O", "B-B"], [], ["B-A", "B-A", "O"]]
    groups: list[tuple[Callable[[int, Span], str], dict[str, Recall]]] = [
        (lambda i, span: span.type, {"A": Recall(2, 1), "B": Recall(2, 1)}),
        (lambda i, span: str(i), {"0": Recall(2, 1), "2": Recall(2, 1)}),
        (lambda i, span: str(span.end - span.start), {"1": Recall(3, 2), "2": Recall(1, 0)}),
    ]
    for group, expected in groups:
        result = recall_by(gold, predicted, group)
        assert list(result.items()) == list(expected.items())
    assert (Recall(3, 2).value, Recall(0, 0).value) == (2 / 3, 0)


def test_different_shapes_and_invalid_tags_are_errors() -> None:
    for function in (error_kinds, lambda *tags: recall_by(*tags, lambda i, span: "")):
        with pytest.raises(ValueError, match="has 2 words, but 1 predicted tag"):
            function([["O", "O"]], [["O"]])
        with pytest.raises(ValueError, match="shorter"):
            function([["O"], ["O"]], [["O"]])
        with pytest.raises(BioError, match="'ACTOR' is not a tag"):
            function([["O"]], [["ACTOR"]])
