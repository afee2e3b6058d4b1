"""Intervals over seeds and sentences together, macro scores over a fixed set of labels, and p-values as text."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from bert_ner.scoring import METRICS, bootstrap, compare, compare_over_runs, count, score
from bert_ner.scoring.resampling import intervals, p_text

GOLD = [["B-A", "I-A", "O"], ["B-B", "O"], ["O", "B-A"]]
ONE = [["B-A", "I-A", "O"], ["B-B", "O"], ["O", "O"]]
TWO = [["B-A", "O", "O"], ["B-C", "O"], ["O", "B-A"]]
THIRDS = list(itertools.product(range(3), repeat=3))  # 27 resamples of 3 sentences, all equally likely


def value_of(metric: str, predicted: list[list[str]], which: tuple[int, ...]) -> float:
    """Score a resample; a macro score is the sum of its F1s over the labels or types of the whole test set."""
    gold_drawn, drawn = ([side[i] for i in which] for side in (GOLD, predicted))
    found = score(gold_drawn, drawn)[metric].value

    def labels_of(*sides: list[list[str]]) -> set[str]:
        tags = {tag for side in sides for tags in side for tag in tags}
        return tags if metric == "token_macro_f1" else {tag[2:] for tag in tags} - {""}

    if metric not in ("token_macro_f1", "type_macro_f1"):
        return found
    return found * len(labels_of(gold_drawn, drawn)) / len(labels_of(GOLD, predicted))


@pytest.mark.usefixtures("few_sentences")
@pytest.mark.parametrize("level", [0.5, 0.8])
@pytest.mark.parametrize("metric", METRICS)
def test_of_two_runs_each_sample_draws_one_and_all_its_sentences(metric: str, level: float) -> None:
    exact = sorted(value_of(metric, run, which) for run in (ONE, TWO) for which in THIRDS)
    low, high = (exact[math.ceil(54 * q) - 1] for q in ((1 - level) / 2, (1 + level) / 2))
    found = bootstrap([count(GOLD, ONE), count(GOLD, TWO)], 20_000, level=level, over_runs=True)[metric]
    assert found.value == pytest.approx(np.mean([score(GOLD, run)[metric].value for run in (ONE, TWO)]))
    assert found[1:] == pytest.approx((low, high), abs=1e-12)


def test_without_other_sentences_to_draw_the_runs_are_left() -> None:
    # Three runs of 20 equal sentences score 1, 1/2 and 0; two of three are drawn: the mean is 1 in one of nine draws,
    # and 0 in another.
    runs = [count([["B-A", "B-A"]] * 20, [tags] * 20) for tags in (["B-A", "B-A"], ["B-A", "O"], ["O", "O"])]
    found = bootstrap(runs, 5_000, level=0.9, over_runs=True)["token_micro_f1"]
    assert found == (0.5, 0, 1)
    assert bootstrap(runs, 100)["token_micro_f1"] == (0.5, 0.5, 0.5)


def test_runs_of_two_systems_with_unlike_numbers_of_them_are_drawn_apart() -> None:
    # Sentences are equal, so runs alone differ. One of two runs is drawn, with a score of 1 or 0, and two of three,
    # whose mean is 1 in one of nine draws and 0 in another: the difference is 1 in one of 18, and -1 in another.
    right, half, wrong = (count([["B-A", "B-A"]] * 20, [tags] * 20) for tags in (["B-A"] * 2, ["B-A", "O"], ["O"] * 2))
    runs = {"two": [right, wrong], "three": [right, half, wrong]}
    found = compare_over_runs(runs, [("two", "three")], 5_000, level=0.9, metrics=["token_micro_f1"])
    assert found["two", "three"] == {"token_micro_f1": (0, -1, 1)}


def test_a_single_run_has_no_interval_over_runs() -> None:
    with pytest.raises(ValueError, match="two or more, but there is one"):
        bootstrap(count(GOLD, ONE), 10, over_runs=True)


def test_intervals_over_runs_and_sentences_cover_the_mean_of_all_runs_on_all_sentences() -> None:
    """Words are right with probability 0.8 + sentence + run; those over sentences alone miss it far too often."""
    draw = np.random.Generator(np.random.PCG64(11))
    simulations, covered = 300, {True: 0, False: 0}

    def accuracy(sums: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
        return sums[..., 1:] / sums[..., :1]

    for seed in range(simulations):
        chance = 0.8 + draw.normal(0, 0.1, 80) + draw.normal(0, 0.02, (5, 1))
        right = draw.binomial(10, np.clip(chance, 0, 1))
        table = np.stack([np.full((5, 80), 10), right], axis=-1)
        for over_runs in covered:
            [found] = intervals({"a": table}, accuracy, 300, seed, 0.9, over_runs=over_runs)["a"]
            covered[over_runs] += found.low <= 0.8 <= found.high
    least, most = scipy.stats.binom.ppf([0.0005, 0.9995], simulations, 0.9)
    assert least <= covered[True] <= most
    assert covered[False] < least


@pytest.mark.usefixtures("few_sentences")
@pytest.mark.parametrize("metric", METRICS)
def test_a_difference_over_runs_draws_the_same_sentences_and_pairs_of_runs(metric: str) -> None:
    runs = {"a": [count(GOLD, ONE), count(GOLD, TWO)], "b": [count(GOLD, GOLD), count(GOLD, ONE)]}
    pairs = [(ONE, GOLD), (TWO, ONE)]
    exact = sorted(value_of(metric, a, which) - value_of(metric, b, which) for a, b in pairs for which in THIRDS)
    found = compare_over_runs(runs, [("a", "b")], 20_000, level=0.5)["a", "b"][metric]
    assert found.value == pytest.approx(
        np.mean([value_of(metric, a, (0, 1, 2)) - value_of(metric, b, (0, 1, 2)) for a, b in pairs])
    )
    assert found[1:] == pytest.approx((exact[math.ceil(54 / 4) - 1], exact[math.ceil(54 * 3 / 4) - 1]), abs=1e-12)


@pytest.mark.usefixtures("few_sentences")
def test_the_only_run_of_a_system_is_in_every_draw() -> None:
    runs = {"a": [count(GOLD, ONE), count(GOLD, TWO)], "b": [count(GOLD, GOLD)], "c": [count(GOLD, ONE)]}
    found = compare_over_runs(runs, [("a", "b"), ("b", "c"), ("b", "a")], 20_000, level=0.5)
    for metric in METRICS:
        value, low, high = found["a", "b"][metric]
        exact = sorted(value_of(metric, run, w) - value_of(metric, GOLD, w) for run in (ONE, TWO) for w in THIRDS)
        assert (low, high) == pytest.approx((exact[math.ceil(54 / 4) - 1], exact[math.ceil(54 * 3 / 4) - 1]), abs=1e-12)
        assert found["b", "a"][metric] == pytest.approx((-value, -high, -low))
        # Of two single runs, only sentences are drawn.
        assert found["b", "c"][metric][1:] == compare(runs["b"], runs["c"], 20_000, level=0.5)[metric][3:5]


@pytest.mark.usefixtures("few_sentences")
@pytest.mark.parametrize("metric", ["token_macro_f1", "type_macro_f1"])
def test_macro_scores_are_means_over_the_same_labels_in_every_resample(metric: str) -> None:
    exact = sorted(value_of(metric, ONE, which) for which in THIRDS)
    found = bootstrap(count(GOLD, ONE), 20_000, level=0.9)[metric]
    assert found[1:] == pytest.approx((exact[1], exact[25]), abs=1e-12)  # 0.05 * 27 and 0.95 * 27, rounded up
    # A resample of the second sentence alone lacks type A, and has half of the score of type B.
    assert value_of("type_macro_f1", ONE, (1, 1, 1)) == 1 / 2


@pytest.mark.parametrize(
    ("p_value", "corrected", "text"),
    [
        (1 / 10_001, None, "< 0.0001"),
        (1 / 10_001, 19 / 10_001, "< 0.0019"),
        (2 / 10_001, None, "0.0002"),
        (2 / 10_001, 0.04321, "0.0432"),
        (1.0, 1.0, "1.0000"),
    ],
)
def test_a_p_value_at_the_floor_is_a_bound(p_value: float, corrected: float | None, text: str) -> None:
    assert p_text(p_value, 10_000, corrected) == text
