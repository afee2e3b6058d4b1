"""Intervals and tests of subgroups, against all resamples and swaps of tiny test sets, and against values by hand."""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from bert_ner.corpus.bio import Sentence, Span
from bert_ner.scoring import bootstrap, compare, count, score_by_type
from bert_ner.scoring.errors import recall_by
from bert_ner.scoring.subgroups import (
    compare_types,
    confusion_ranks,
    entity_groupings,
    f1_by_type,
    gaps_within,
    known_entities,
    recall_gaps,
)

pytestmark = pytest.mark.usefixtures("few_sentences")

GOLD = [["B-A", "O"], ["B-A", "I-A"], ["B-B", "O"], ["O", "B-A"]]
ONE = [["B-A", "O"], ["B-A", "O"], ["B-B", "O"], ["O", "O"]]
TWO = [["O", "O"], ["B-A", "I-A"], ["O", "B-B"], ["O", "B-A"]]
EVERY = list(itertools.product(range(4), repeat=4))  # 256 resamples, all equally likely


def pick(sentences: list[list[str]], which: tuple[int, ...]) -> list[list[str]]:
    return [sentences[i] for i in which]


def f1(gold: list[list[str]], predicted: list[list[str]], name: str) -> float:
    return {row.type: row.f1 for row in score_by_type(gold, predicted)}.get(name, 0.0)


def by_type(_: int, span: Span) -> str:
    return span.type


def quantiles(values: list[float], level: float) -> tuple[float, float]:
    exact = sorted(values)
    low, high = (exact[math.ceil(len(exact) * q) - 1] for q in ((1 - level) / 2, (1 + level) / 2))
    return low, high


def test_sentences_are_drawn_within_strata() -> None:
    """Sentences of a stratum are alike here, so every draw has the same entities, found and missed."""
    gold, strata = [["B-A", "I-A"]] * 3 + [["B-A", "O"]] * 4, ["x"] * 3 + ["y"] * 4
    run = [["B-A", "O"]] * 3 + [["B-A", "B-B"]] * 4
    systems, empty = {"one": [count(gold, run)]}, {"one": [count(gold, run)], "none": [count(gold, [["O", "O"]] * 7)]}
    assert f1_by_type(systems, 200, strata=strata)["one"]["A"] == pytest.approx((4 / 7,) * 3)
    compared = compare_types(empty, [("one", "none")], 200, strata=strata)["one", "none"]["A"]
    assert (compared.low, compared.high) == pytest.approx((4 / 7, 4 / 7))
    tagged, length = {"one": [run]}, lambda _, span: str(span.end - span.start)
    assert recall_gaps(gold, tagged, length, 200, strata=strata)["one"]["1", "2"] == (1, 1, 1)
    assert recall_gaps(gold, tagged, length, 200)["one"]["1", ""].low == 1
    within = gaps_within(gold, tagged, length, "1", "2", by_type, 200, strata=strata)["one"]["A"]
    assert within == (1, 1, 1)
    wrong = {"one": [[["B-B", "O"]] * 3 + [["B-C", "O"]] * 4]}
    ranks = confusion_ranks(gold, wrong, 200, strata=strata)["one"]
    assert ranks == {("A", "B"): (2, 2, 2), ("A", "C"): (1, 1, 1)}
    assert confusion_ranks(gold, wrong, 200)["one"]["A", "B"] == (2, 1, 2)


def test_f1_by_type_has_the_quantiles_of_all_possible_resamples_averaged_over_runs() -> None:
    found = f1_by_type({"both": [count(GOLD, ONE), count(GOLD, TWO)]}, samples=20_000, level=0.7)["both"]
    assert list(found) == ["A", "B"]
    for name in "AB":
        exact = [sum(f1(pick(GOLD, i), pick(run, i), name) for run in (ONE, TWO)) / 2 for i in EVERY]
        value = (f1(GOLD, ONE, name) + f1(GOLD, TWO, name)) / 2
        assert found[name] == pytest.approx((value, *quantiles(exact, 0.7)), abs=1e-12)


def test_types_are_compared_on_the_same_resamples_and_by_swaps() -> None:
    systems = {"one": [count(GOLD, ONE)], "two": [count(GOLD, TWO)]}
    found = compare_types(systems, [("one", "two")], samples=20_000, level=0.7)["one", "two"]
    for name in "AB":
        gaps = [f1(pick(GOLD, i), pick(ONE, i), name) - f1(pick(GOLD, i), pick(TWO, i), name) for i in EVERY]
        gap = f1(GOLD, ONE, name) - f1(GOLD, TWO, name)
        assert found[name][:5] == pytest.approx(
            (f1(GOLD, ONE, name), f1(GOLD, TWO, name), gap, *quantiles(gaps, 0.7)), abs=1e-12
        )
        swapped = []
        for which in itertools.product((0, 1), repeat=4):
            a, b = ([(ONE, TWO)[w ^ k][i] for i, w in enumerate(which)] for k in (0, 1))
            swapped.append(abs(f1(GOLD, a, name) - f1(GOLD, b, name)) >= abs(gap) - 1e-12)
        assert found[name].p_value == pytest.approx(np.mean(swapped), abs=0.01)
        assert math.isnan(found[name].a_sd)


def test_many_systems_at_once_give_the_results_of_one_by_one() -> None:
    tags = {"one": [ONE], "both": [ONE, TWO], "other": [[["B-C", "O"], ["B-C", "O"], ["B-C", "O"], ["O", "B-A"]]]}
    counts = {name: [count(GOLD, run) for run in runs] for name, runs in tags.items()}
    pairs = [("both", "one"), ("one", "other")]
    together = compare_types(counts, pairs, 200)
    assert [list(found) for found in together.values()] == [["A", "B"], ["A", "B", "C"]]
    for a, b in pairs:
        alone = compare_types({a: counts[a], b: counts[b]}, [(a, b)], 200)
        assert str(together[a, b]) == str(alone[a, b])
    f1s, gaps, ranks = f1_by_type(counts, 200), recall_gaps(GOLD, tags, by_type, 200), confusion_ranks(GOLD, tags, 200)
    for name, runs in tags.items():
        assert f1s[name] == f1_by_type({name: counts[name]}, 200)[name]
        assert gaps[name] == recall_gaps(GOLD, {name: runs}, by_type, 200)[name]
        assert ranks[name] == confusion_ranks(GOLD, {name: runs}, 200)[name]


def test_with_a_single_type_results_equal_those_of_all_entities() -> None:
    gold, one, two = ([[tag.replace("-B", "-A") for tag in tags] for tags in s] for s in (GOLD, ONE, TWO))
    runs = [count(gold, one), count(gold, two)]
    assert f1_by_type({"both": runs}, 500)["both"]["A"] == pytest.approx(bootstrap(runs, 500)["entity_f1"])
    systems = {"both": runs, "gold": [count(gold, gold)]}
    ours = compare_types(systems, [("both", "gold")], 500)["both", "gold"]["A"]
    assert ours == pytest.approx(compare(runs, count(gold, gold), 500)["entity_f1"], nan_ok=True)


@pytest.mark.parametrize("group", [by_type, lambda i, span: str(span.end - span.start)])
def test_recall_of_groups_is_that_of_the_table_and_gaps_are_on_the_same_resamples(group: Callable[..., str]) -> None:
    found = recall_gaps(GOLD, {"both": [ONE, TWO]}, group, samples=20_000, level=0.7)["both"]
    tables = [recall_by(GOLD, run, group) for run in (ONE, TWO)]
    first, second = tables[0]
    assert list(found) == [(first, ""), (second, ""), (first, second), (second, first)]
    means = {name: sum(table[name].value for table in tables) / 2 for name in tables[0]}
    assert {name: found[name, ""].value for name in means} == pytest.approx(means)
    assert found[first, second].value == pytest.approx(means[first] - means[second])

    def mean(which: tuple[int, ...], name: str) -> float:
        resampled = [
            recall_by(pick(GOLD, which), pick(run, which), lambda i, span: group(which[i], span)) for run in (ONE, TWO)
        ]
        return sum(table[name].value if name in table else 0.0 for table in resampled) / 2

    gaps = [mean(i, first) - mean(i, second) for i in EVERY]
    assert found[first, second][1:] == pytest.approx(quantiles(gaps, 0.7), abs=1e-12)


def test_without_entities_there_are_no_subgroups() -> None:
    gold = [["O", "O"]] * 3
    assert recall_gaps(gold, {"one": [gold]}, by_type, 10) == {"one": {}}
    assert f1_by_type({"one": [count(gold, gold)]}, 10) == {"one": {}}


def test_confusions_are_ranked_by_words_of_all_runs_and_either_direction() -> None:
    gold = [["B-A", "I-A", "B-B"], ["B-C", "O", "B-A"]]
    one = [["B-B", "I-B", "B-A"], ["B-A", "B-A", "O"]]  # A / B three times, A / C once; O is no type
    two = [["B-A", "I-A", "B-B"], ["B-A", "O", "B-C"]]  # A / C twice
    found = confusion_ranks(gold, {"both": [one, two], "none": [gold]}, samples=2000, level=0.9)
    assert {pair: interval.value for pair, interval in found["both"].items()} == {("A", "B"): 1, ("A", "C"): 1}
    # A quarter of the resamples has only the first sentence, so no A / C; a quarter only the second, so no A / B.
    assert [tuple(interval)[1:] for interval in found["both"].values()] == [(1, 2), (1, 2)]
    assert found["none"] == {}


def test_entities_are_grouped_by_whether_training_has_them_by_length_and_by_type() -> None:
    words = ("Mel", "gibson", "the", "good", "the", "bad", "ugly")
    test = [Sentence(words, ("B-ACTOR", "I-ACTOR", "B-TITLE", "I-TITLE", "I-TITLE", "I-TITLE", "I-TITLE"))]
    known = known_entities([
        Sentence(("MEL", "Gibson"), ("B-ACTOR", "I-ACTOR")),
        Sentence(words[2:], ("B-SONG", "I-SONG", "I-SONG", "I-SONG", "I-SONG")),  # the same words, another type
        Sentence(words[2:], ("B-TITLE", "I-TITLE", "I-TITLE", "I-TITLE", "O")),  # fewer words
    ])  # fmt: skip
    assert ("ACTOR", ("mel", "gibson")) in known
    assert len(known) == 3
    groups = [
        {by: group(0, span) for by, group in entity_groupings(test, known).items()}
        for span in (Span("ACTOR", 0, 2), Span("TITLE", 2, 7))
    ]
    assert groups == [
        {"seen": "seen", "length": "2", "type": "ACTOR"},
        {"seen": "unseen", "length": "4+", "type": "TITLE"},
    ]


def test_the_former_module_still_works_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match=r"scoring\.parts is now bert_ner\.scoring\.subgroups"):
        parts = importlib.import_module("bert_ner.scoring.parts")
    assert parts.f1_by_type is f1_by_type


def test_gaps_within_by_hand() -> None:
    """Of A, 1 of 2 seen and 0 of 1 unseen are found; of B, both of 2 seen and 1 of 2 unseen; C is never seen."""
    gold = [["B-A", "O", "B-A"], ["B-A"], ["B-B", "O", "B-B"], ["B-B", "O", "B-B"], ["B-C"], ["O"]]
    predicted = [["B-A", "O", "O"], ["O"], ["B-B", "O", "B-B"], ["B-B", "O", "O"], ["O"], ["O"]]

    def seen(i: int, _: Span) -> str:
        return "seen" if i in (0, 2) else "unseen"

    found = gaps_within(gold, {"a": [predicted, gold]}, seen, "seen", "unseen", by_type, 200)["a"]
    assert list(found) == ["", "A", "B"]
    # The second run finds everything, so each gap is half of the first one's. Weights: 2 * 1 / 3 and 2 * 2 / 4.
    assert found["A"].value == pytest.approx(1 / 4)
    assert found["B"].value == pytest.approx(1 / 4)
    pooled = gaps_within(gold, {"a": [predicted]}, seen, "seen", "unseen", by_type, 200)["a"][""]
    assert pooled.value == pytest.approx((2 / 3 * 1 / 2 + 1 * 1 / 2) / (2 / 3 + 1))
    assert pooled.low <= pooled.value <= pooled.high
    assert gaps_within(gold, {"a": [gold]}, seen, "seen", "none", by_type, 10) == {}
    first = gaps_within(
        gold, {"a": [predicted]}, seen, "seen", "unseen", lambda i, _: "early" if i < 3 else "late", 200
    )
    # Early: 3 of 4 seen and 0 of 1 unseen are found. Late has no seen entity.
    assert {name: gap.value for name, gap in first["a"].items()} == pytest.approx({"": 0.75, "early": 0.75})
