"""Scores against hand-computed values, seqeval and scikit-learn."""

from __future__ import annotations

import random
import warnings
from dataclasses import replace

import pytest
import seqeval.metrics
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as seqeval_prf
from seqeval.scheme import IOB2

from bert_ner.errors import BertNerError
from bert_ner.scoring import METRICS, check_same_signature, entity_f1, score, score_by_type, signature
from bert_ner.scoring.counts import count
from bert_ner.scoring.scores import precision_recall_f1

# Gold holds ACTOR(0,2) and YEAR(3,4); the prediction finds the year and only the actor's first word.
GOLD = [["B-ACTOR", "I-ACTOR", "O", "B-YEAR"], ["O", "O"]]
PREDICTED = [["B-ACTOR", "O", "O", "B-YEAR"], ["O", "B-ACTOR"]]

tags = st.sampled_from(["O", "O", "B-A", "I-A", "B-B", "I-B", "I-C", "B-multi-word type".replace(" ", "_")])
pairs = st.lists(st.lists(st.tuples(tags, tags), max_size=8), min_size=1, max_size=6)


def split_pairs(sentences: list[list[tuple[str, str]]]) -> tuple[list[list[str]], list[list[str]]]:
    return [[a for a, _ in s] for s in sentences], [[b for _, b in s] for s in sentences]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("token_micro_f1", 4 / 6),  # 4 of 6 words agree
        ("token_micro_f1_no_o", 2 * 2 / (3 + 3)),  # 3 gold and 3 predicted words inside, 2 agree
        ("token_macro_f1", (2 * 1 / (1 + 2) + 0 + 1 + 2 * 2 / (3 + 3)) / 4),  # B-ACTOR, I-ACTOR, B-YEAR, O
        ("token_weighted_f1", (1 * 2 / 3 + 1 * 0 + 1 * 1 + 3 * 2 / 3) / 6),  # the same F1s by their words in gold
        ("entity_precision", 1 / 3),
        ("entity_recall", 1 / 2),
        ("entity_f1", 2 * 1 / (3 + 2)),
        ("entity_f1_strict", 2 * 1 / (3 + 2)),
        ("span_f1", 2 * 1 / (3 + 2)),
        ("partial_f1", 2 * (1 + 1 / 2) / (3 + 2)),  # half of the actor
        ("type_macro_f1", (0 + 1) / 2),  # ACTOR, YEAR
        ("token_micro_f1_merged", 4 / 6),
    ],
)
def test_scores_equal_hand_computed_values(metric: str, expected: float) -> None:
    assert score(GOLD, PREDICTED)[metric].value == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ("B-A I-A O", "B-A I-A O", 1),
        ("B-A I-A O", "B-A O O", 1 / 2),  # too short
        ("B-A I-A O", "B-A I-A I-A", 1 / 2),  # too long
        ("B-A I-A O", "O B-A I-A", 1 / 2),  # shifted
        ("B-A I-A O", "O O B-A", 0),  # adjacent
        ("B-A I-A O", "B-B I-B O", 0),  # of another type, in the same bounds
        ("B-A I-A O", "B-B O O", 0),  # and in others
        ("B-A B-A O", "B-A I-A O", 2 * (1 / 2) / (2 + 1)),  # one prediction over two: finds one of them
        ("B-A I-A I-A", "B-A B-A B-A", 2 * (1 / 2) / (1 + 3)),  # the other way round
        ("B-A B-B I-B", "B-A I-A B-B", 2 * (1 / 2 + 1 / 2) / (2 + 2)),  # two overlaps of one type each
        ("B-A I-A B-A I-A", "B-A B-A I-A B-A", 2 * (1 / 2 + 1 / 2) / (2 + 3)),  # a chain of 4 overlaps holds 2 pairs
        ("B-A B-B I-B", "B-B I-B I-B", 2 * (1 / 2) / (2 + 1)),  # passes over an entity of another type
        ("B-A I-A B-B", "I-A I-A O", 2 * 1 / (2 + 1)),  # conlleval's entities: an inside tag may open one
    ],
)
def test_partial_matches_by_hand(gold: str, predicted: str, expected: float) -> None:
    assert score([gold.split()], [predicted.split()])["partial_f1"].value == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("gold", "predicted", "right"),
    [
        ("B-A I-A O", "B-A B-A O", 3),
        ("B-A I-A O", "I-A B-A O", 3),
        ("B-A I-A O", "B-B I-A B-A", 1),
        ("O O", "O B-A", 1),
    ],
)
def test_merged_prefixes_leave_the_types_of_words(gold: str, predicted: str, right: int) -> None:
    words = len(gold.split())
    assert score([gold.split()], [predicted.split()])["token_micro_f1_merged"].value == pytest.approx(right / words)


def test_spans_ignore_types_except_where_types_separate_entities() -> None:
    assert score([["B-A", "I-A"]], [["B-B", "I-B"]])["span_f1"].value == 1
    assert score([["B-A", "I-A"]], [["B-B", "I-A"]])["span_f1"].value == 0


def test_types_have_equal_weights_and_types_of_neither_side_do_not_count() -> None:
    gold, predicted = [["B-A"], ["B-A"], ["B-A"], ["B-B"]], [["B-A"], ["B-A"], ["B-A"], ["B-C"]]
    assert score(gold, predicted)["type_macro_f1"].value == pytest.approx((1 + 0 + 0) / 3)
    counts = count(gold, predicted)
    first_three = replace(counts, entities=counts.entities[:3].sum(axis=0))  # types B and C do not occur
    assert METRICS["type_macro_f1"].compute(first_three) == 1


def test_conlleval_reads_an_opening_inside_tag_as_an_entity_and_strict_drops_it() -> None:
    gold, predicted = [["B-A", "I-A", "O"]], [["I-A", "I-A", "O"]]
    assert score(gold, predicted)["entity_f1"].value == 1
    assert score(gold, predicted)["entity_f1_strict"].value == 0


def test_an_inside_tag_of_another_type_ends_an_entity_in_both_conventions() -> None:
    gold, predicted = [["B-A", "I-A", "O"]], [["B-A", "I-A", "I-B"]]
    assert score(gold, predicted)["entity_f1"].value == pytest.approx(2 / 3)  # B is a spurious entity
    assert score(gold, predicted)["entity_f1_strict"].value == 1  # B is none


def test_entities_end_with_their_sentence() -> None:
    assert score([["O", "B-A"], ["I-A", "O"]], [["O", "B-A"], ["I-A", "O"]])["entity_precision"].value == 1
    by_type = score_by_type([["O", "B-A"], ["I-A", "O"]], [["O", "B-A"], ["O", "O"]])
    assert [tuple(row) for row in by_type] == [("A", 2, 1.0, 0.5, pytest.approx(2 / 3))]


@settings(max_examples=80, deadline=None)
@given(pairs)
def test_entity_scores_equal_seqeval_to_the_last_digit_in_both_modes(sentences: list[list[tuple[str, str]]]) -> None:
    gold, predicted = split_pairs(sentences)
    assert_equal_to_seqeval(gold, predicted)


def test_entity_scores_equal_seqeval_to_the_last_digit_where_counts_are_large() -> None:
    draw = random.Random(0)
    labels = ["O", *(prefix + f"TYPE{i}" for i in range(12) for prefix in ("B-", "I-"))]
    gold = [draw.choices(labels, k=draw.randint(0, 20)) for _ in range(1_000)]
    predicted = [[tag if draw.random() < 0.8 else draw.choice(labels) for tag in tags] for tags in gold]
    assert_equal_to_seqeval(gold, predicted)


def assert_equal_to_seqeval(gold: list[list[str]], predicted: list[list[str]]) -> None:
    counts = count(gold, predicted)
    ours = score(gold, predicted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns where a ratio has no denominator
        by_type = seqeval_prf(gold, predicted, average=None)
        micro = seqeval_prf(gold, predicted, average="micro")
        names = sorted({name for side in (gold, predicted) for name, _, _ in get_entities(side)})
        report = seqeval.metrics.classification_report(gold, predicted, output_dict=True)
        strict = seqeval.metrics.classification_report(gold, predicted, output_dict=True, mode="strict", scheme=IOB2)
    assert (ours["entity_precision"], ours["entity_recall"], ours["entity_f1"]) == tuple(micro[:3])
    rows = score_by_type(gold, predicted)
    assert [(row.type, row.precision, row.recall, row.f1, row.support) for row in rows] == list(
        zip(names, *by_type, strict=True)
    )
    assert ours["entity_f1"] == report["micro avg"]["f1-score"]
    assert ours["type_macro_f1"] == (report["macro avg"]["f1-score"] if names else 0)
    assert ours["entity_f1_strict"] == strict["micro avg"]["f1-score"]
    for sums, name in zip(counts.strict_entities.sum(axis=0), counts.types, strict=True):
        precision, recall, f1 = map(float, precision_recall_f1(sums))
        # Strict mode does not list a type that no valid entity has.
        theirs = strict.get(name, {"precision": 0, "recall": 0, "f1-score": 0, "support": 0})
        assert {"precision": precision, "recall": recall, "f1-score": f1, "support": sums[0]} == theirs


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_token_scores_equal_scikit_learn_to_the_last_digit(sentences: list[list[tuple[str, str]]]) -> None:
    gold, predicted = ([tag for tags in side for tag in tags] for side in split_pairs(sentences))
    if not gold:
        return
    ours = score(*split_pairs(sentences))
    inside = sorted({*gold, *predicted} - {"O"})

    def theirs(**options: object) -> float:
        return float(sklearn.metrics.f1_score(gold, predicted, zero_division=0, **options))

    assert ours["token_micro_f1"] == sklearn.metrics.accuracy_score(gold, predicted)
    assert ours["token_micro_f1"] == theirs(average="micro")
    assert ours["token_macro_f1"] == theirs(average="macro")
    assert ours["token_weighted_f1"] == theirs(average="weighted")
    if inside:
        assert ours["token_micro_f1_no_o"] == theirs(average="micro", labels=inside)


def test_every_score_carries_its_own_signature() -> None:
    scores = score(GOLD, PREDICTED, split="test", corpus="mit_movie_eng", data="2ba7c6da")
    assert list(scores) == list(METRICS)
    assert scores["entity_f1"].signature == (
        "entity_f1|avg:micro|mode:conlleval|scheme:IOB2|unit:word|split:test|corpus:mit_movie_eng|data:2ba7c6da|v:0.1.0"
    )
    assert len({each.signature for each in scores.values()}) == len(scores)


def test_scores_with_the_same_signature_are_comparable() -> None:
    one, other = (score(GOLD, tags, split="test", corpus="c", data="0")["span_f1"] for tags in (GOLD, PREDICTED))
    check_same_signature(one.signature, other.signature)


OURS = signature("entity_f1", split="test", corpus="mit_movie_eng", data="2ba7c6da")


@pytest.mark.parametrize(
    ("theirs", "keys"),
    [
        (OURS.replace("2ba7c6da", "0"), "data"),
        (OURS.replace("split:test|corpus:mit_movie_eng", "split:validation|corpus:sample"), "split, corpus"),
        (OURS + ".1", "v"),
        (signature("entity_f1_strict", "test", "mit_movie_eng", "2ba7c6da"), "metric, mode"),
        (OURS.replace("|unit:word", ""), "unit"),
        (OURS + "|case:lower", "case"),
        (OURS.replace("unit:word|split:test", "split:test|unit:word"), "the order of their keys"),
        ("", "metric, avg, mode, scheme, unit, split, corpus, data, v"),
    ],
)
def test_scores_with_different_signatures_are_not_comparable(theirs: str, keys: str) -> None:
    for a, b in ((OURS, theirs), (theirs, OURS)):
        with pytest.raises(BertNerError) as caught:
            check_same_signature(a, b)
        first, *both, _ = str(caught.value).split("\n")
        assert sorted(first.removesuffix(":").partition(" differ in ")[2].split(", ")) == sorted(keys.split(", "))
        assert both == [f"  {a}", f"  {b}"]


@pytest.mark.parametrize("nothing", [[], [[]], [["O", "O"]]])
def test_without_entities_entity_scores_are_zero(nothing: list[list[str]]) -> None:
    assert entity_f1(nothing, nothing) == 0
    for metric in ("span_f1", "partial_f1", "type_macro_f1"):
        assert score(nothing, nothing)[metric].value == 0
    assert score_by_type(nothing, nothing) == []


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([["O"]], [], "gold has 1 sentence, the prediction has 0"),
        ([["O"], ["O", "O"]], [["O"], ["O"]], "sentence 2 has 2 words, but 1 predicted tag"),
        ([["O"]], [["ACTOR"]], "'ACTOR' is not a tag"),
    ],
)
def test_different_shapes_and_invalid_tags_are_errors(
    gold: list[list[str]], predicted: list[list[str]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        score(gold, predicted)
