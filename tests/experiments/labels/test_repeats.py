"""Repeated sentences and the ceiling that follows from them, counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bert_ner.corpus.bio import Sentence
from labels.ceiling import perfect_f1, rates, simulate
from labels.folds import folds_keeping_copies
from labels.repeats import agreement, copy_counts, repeated, repeated_rows

TYPES = ["ACTOR", "TITLE"]


def tagged(text: str) -> Sentence:
    """Return the words and tags of a text such as `films with mel|B-ACTOR`; words without a tag are O."""
    pairs = [word.partition("|") for word in text.split()]
    return Sentence(tuple(word for word, _, _ in pairs), tuple(tag or "O" for _, _, tag in pairs))


ONE = tagged("show mel|B-ACTOR in speed|B-TITLE")
SHORTER = tagged("show mel|B-ACTOR in speed")
OTHER = tagged("who directed speed|B-TITLE")
WIDER = tagged("who directed|B-TITLE speed|I-TITLE")
SINGLE = tagged("hello")


def test_copies_are_found_by_their_words() -> None:
    assert repeated([ONE, SINGLE, OTHER, SHORTER, ONE]) == [[0, 3, 4]]
    assert repeated([ONE, SINGLE]) == []


def test_one_copy_lacks_an_entity_of_the_other() -> None:
    """ONE as gold: the other has 1 of 2. SHORTER as gold: the other has 1 of 1. F1 is 2 * 1 / (2 + 1)."""
    counts = copy_counts([ONE, SHORTER], [[0, 1]], TYPES)
    assert counts.tolist() == [[[2, 2, 0], [1, 0, 0]]]
    facts = agreement([ONE, SHORTER], TYPES)
    assert (facts["sentences"], facts["groups"], facts["differ"]["share"]) == (2, 1, 1)
    assert facts["entity_f1"]["value"] == round(2 / 3, 6)
    assert facts["entity_f1"]["low"] is None  # one group is too few for an interval
    assert {name: each["value"] for name, each in facts["entity_f1_by_type"].items()} == {"ACTOR": 1, "TITLE": 0}


def test_an_overlapping_entity_is_replaced_rather_than_dropped() -> None:
    assert copy_counts([OTHER, WIDER], [[0, 1]], TYPES).tolist() == [[[0, 0, 0], [2, 0, 2]]]


def test_three_copies_are_compared_with_one_of_the_others_at_random() -> None:
    """TITLE, in two of three copies: each of these finds it in half of the others."""
    counts = copy_counts([ONE, ONE, SHORTER], [[0, 1, 2]], TYPES)
    assert counts.tolist() == [[[3, 3, 0], [2, 1, 0]]]


def test_six_groups_have_an_interval_over_groups() -> None:
    def numbered(sentence: Sentence, number: int) -> Sentence:
        return Sentence((*sentence.words, str(number)), (*sentence.tags, "O"))

    same = [numbered(ONE, i) for i in range(5) for _ in range(2)]
    facts = agreement([*same, numbered(ONE, 9), numbered(SHORTER, 9)], TYPES)
    assert facts["differ"]["count"] == 1
    f1 = facts["entity_f1"]
    assert f1["value"] == round(22 / 23, 6)
    assert f1["low"] < f1["value"] < f1["high"] == 1
    assert agreement(same * 2, TYPES)["entity_f1"] == {"value": 1, "low": None, "high": None}  # 5 groups
    more = [*same, numbered(ONE, 5), numbered(ONE, 5)]
    assert agreement(more, TYPES)["entity_f1"] == {"value": 1, "low": None, "high": None}  # no resample would differ


def test_rows_name_each_copy_of_a_sentence_whose_copies_differ() -> None:
    rows = repeated_rows({"train": [SINGLE, ONE, SINGLE], "test": [SHORTER]})
    assert rows == [
        {"file": file, "sentence": number, "reason": "repeated", "score": pytest.approx(2 / 3)}
        for file, number in (("train", 2), ("test", 1))
    ]


def test_without_copies_there_are_no_figures() -> None:
    facts = agreement([ONE, SINGLE], TYPES)
    assert facts["entity_f1"] is None
    assert facts["differ"]["share"] is None
    assert simulate(copy_counts([ONE], [], TYPES), [1, 1]) is None


@pytest.mark.parametrize(
    ("counts", "keep", "drop"),
    [
        ([100, 100, 0], 1, 0),
        ([100, 81, 19], 0.9, 0),  # only replaced: the square root of the agreement
        ([100, 90, 0], 0.9, 0.1),  # only dropped: the agreement itself
        ([100, 72, 18], math.sqrt(0.72 * 0.9), 0.1),
    ],
)
def test_rates_by_hand(counts: list[int], keep: float, drop: float) -> None:
    keeps, drops = rates(np.array([counts], float), np.array([True]))
    assert keeps == pytest.approx([keep])
    assert drops == pytest.approx([drop])


def test_a_rare_type_has_the_rates_of_all_types() -> None:
    counts = np.array([[90, 81, 9], [10, 0, 10]], float)
    keeps, _ = rates(counts, np.array([True, False]))
    assert keeps == pytest.approx([math.sqrt(0.9), 0.9])


def test_a_perfect_tagger_finds_what_gold_kept() -> None:
    """Of 10 entities gold keeps 7, replaces 2 and drops 1: 7 correct, 10 predicted, 9 in gold."""
    assert perfect_f1(10, 7, 1) == pytest.approx(2 * 7 / (10 + 9))


def test_the_ceiling_of_equal_groups_is_the_closed_form_with_noise_of_the_test_file_alone() -> None:
    counts = np.tile(np.array([[100.0, 81, 19]]), (10, 1, 1))
    ceiling, part = (simulate(counts, [n], samples=4000) or {} for n in (400, 100))
    deviation = math.sqrt(0.9 * 0.1 / 400)
    assert ceiling["value"] == part["value"] == 0.9
    assert ceiling["low"] == pytest.approx(0.9 - 1.96 * deviation, abs=0.004)
    assert ceiling["high"] == pytest.approx(0.9 + 1.96 * deviation, abs=0.004)
    assert part["low"] < ceiling["low"]
    assert simulate(counts, [400], samples=4000) == ceiling  # the seed is fixed


def test_copies_that_all_agree_give_no_ceiling() -> None:
    """They show no error, and so no rate of errors: every simulated F1 would be 1, without uncertainty."""
    agreeing = np.tile(np.array([[2.0, 2, 0]]), (6, 1, 1))
    assert simulate(agreeing, [50], samples=100) is None
    agreeing[0, 0, 1:] = 1
    assert simulate(agreeing, [50], samples=100) is not None
    assert simulate(agreeing[:5], [50], samples=100) is None  # fewer than six groups


def test_copies_share_a_fold_and_each_sentence_is_in_one() -> None:
    sentences = [tagged(f"movie {i % 20}") for i in range(30)]
    folds = folds_keeping_copies(sentences, 3, seed=1)
    assert sorted(i for fold in folds for i in fold) == list(range(30))
    for i in range(10):
        assert any({i, i + 20} <= set(fold) for fold in folds)
    assert folds == folds_keeping_copies(sentences, 3, seed=1) != folds_keeping_copies(sentences, 3, seed=2)
