"""Intervals and tests against values by hand, against all resamples of tiny test sets, and by simulation."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import fields, replace

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from bert_ner.scoring import (
    METRICS,
    Counts,
    bootstrap,
    bootstrap_all,
    compare,
    compare_all,
    count,
    holm,
    holm_by_metric,
    resampling,
    score,
    seed_interval,
)

pytestmark = pytest.mark.usefixtures("few_sentences")

LABELS = ["O", "B-A", "I-A", "B-B", "I-B"]

# Four sentences, two systems; the second knows a type, C, that the first does not.
GOLD = [["B-A", "I-A", "O"], ["B-B", "O"], ["O", "B-A"], ["B-B", "I-B", "O", "B-A"]]
ONE = [["B-A", "I-A", "O"], ["B-B", "O"], ["O", "O"], ["B-B", "I-B", "O", "I-A"]]
TWO = [["B-A", "O", "O"], ["B-C", "O"], ["O", "B-A"], ["B-B", "O", "O", "B-A"]]
THREE = [["B-A", "I-A", "I-A"], ["O", "O"], ["O", "B-A"], ["B-B", "I-B", "O", "O"]]


def random_gold(draw: random.Random, n: int) -> list[list[str]]:
    return [draw.choices(LABELS, weights=[4, 2, 2, 1, 1], k=draw.randint(1, 9)) for _ in range(n)]


def noisy(draw: random.Random, gold: list[list[str]], rate: float) -> list[list[str]]:
    """Return a tagging with clustered errors: some sentences have three times the error rate of others."""
    hardness = [draw.choice([0.5, 1.5]) for _ in gold]
    return [
        [draw.choice(LABELS) if draw.random() < rate * hard else tag for tag in tags]
        for tags, hard in zip(gold, hardness, strict=True)
    ]


def tables(counts: Counts) -> dict[str, np.ndarray]:
    return {f.name: getattr(counts, f.name) for f in fields(counts) if f.name not in ("labels", "types", "whole")}


def rows(counts: Counts, which: np.ndarray) -> Counts:
    return replace(counts, **{name: table[which] for name, table in tables(counts).items()})


def total(counts: Counts) -> Counts:
    return replace(counts, **{name: table.sum(axis=0) for name, table in tables(counts).items()})


def values(gold: list[list[str]], predicted: list[list[str]]) -> dict[str, float]:
    return {name: each.value for name, each in score(gold, predicted).items()}


def resampled(gold: list[list[str]], predicted: list[list[str]], which: tuple[int, ...]) -> dict[str, float]:
    """Score a resample; macro scores are means over the labels and types of the whole test set."""
    counts = count(gold, predicted)
    drawn = replace(total(rows(counts, np.array(which))), whole=total(counts))
    return {name: float(metric.compute(drawn)) for name, metric in METRICS.items()}


# ---------------------------------------------------------------------------------------------------------------------
# The bootstrap


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_bootstrap_finds_the_quantiles_of_all_possible_resamples(level: float) -> None:
    every = list(itertools.product(range(3), repeat=3))  # 27 resamples of 3 sentences, all equally likely
    ours = bootstrap(count(GOLD[:3], TWO[:3]), samples=20_000, level=level)
    for name in METRICS:
        exact = sorted(resampled(GOLD[:3], TWO[:3], i)[name] for i in every)
        low, high = (exact[math.ceil(27 * q) - 1] for q in ((1 - level) / 2, (1 + level) / 2))
        assert ours[name] == pytest.approx((values(GOLD[:3], TWO[:3])[name], low, high), abs=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_differences_of_means_over_runs_are_resampled_with_the_same_sentences_for_all_runs(level: float) -> None:
    every = list(itertools.product(range(3), repeat=3))

    def difference(which: tuple[int, ...], name: str) -> float:
        one, two, three = (resampled(GOLD[:3], tags[:3], which)[name] for tags in (ONE, TWO, THREE))
        return (one + two) / 2 - three

    gold, one, two, three = (tags[:3] for tags in (GOLD, ONE, TWO, THREE))
    ours = compare([count(gold, one), count(gold, two)], count(gold, three), 20_000, level=level)
    for name in METRICS:
        exact = sorted(difference(i, name) for i in every)
        low, high = (exact[math.ceil(27 * q) - 1] for q in ((1 - level) / 2, (1 + level) / 2))
        assert ours[name][2:5] == pytest.approx((difference((0, 1, 2), name), low, high), abs=1e-12)


def test_the_interval_of_an_accuracy_is_binomial() -> None:
    # 50 sentences of one word, 40 of them right: a resample has Binomial(50, 0.8) right.
    interval = bootstrap(count([["O"]] * 50, [["O"]] * 40 + [["B-A"]] * 10))["token_micro_f1"]
    assert interval == pytest.approx((0.8, *scipy.stats.binom.ppf([0.025, 0.975], 50, 0.8) / 50))


def test_equal_sentences_leave_no_uncertainty() -> None:
    interval = bootstrap(count([GOLD[3]] * 20, [TWO[3]] * 20), samples=200)
    for name, (value, low, high) in interval.items():
        assert value == low == high == values([GOLD[3]], [TWO[3]])[name]


def test_intervals_are_wider_for_a_higher_level_and_narrower_for_more_sentences() -> None:
    draw = random.Random(0)
    gold = random_gold(draw, 400)
    counts = count(gold, noisy(draw, gold, 0.2))
    narrow, wide = bootstrap(counts, 1_000, level=0.8), bootstrap(counts, 1_000, level=0.99)
    few = bootstrap(rows(counts, np.arange(40)), 1_000, level=0.8)
    for name in METRICS:
        assert wide[name].low < narrow[name].low < narrow[name].value < narrow[name].high < wide[name].high
        assert narrow[name].high - narrow[name].low < few[name].high - few[name].low


@pytest.mark.slow
def test_intervals_cover_the_population_at_their_nominal_rate() -> None:
    draw = random.Random(1)
    gold = random_gold(draw, 20_000)
    one, two = (count(gold, noisy(draw, gold, rate)) for rate in (0.2, 0.25))
    true_one, true_two = ({name: m.compute(total(c)) for name, m in METRICS.items()} for c in (one, two))
    sampler = np.random.Generator(np.random.PCG64(2))
    simulations, covered, covered_difference = 200, dict.fromkeys(METRICS, 0), dict.fromkeys(METRICS, 0)
    for seed in range(simulations):
        which = sampler.integers(20_000, size=200)
        a, b = rows(one, which), rows(two, which)
        for name, (_, low, high) in bootstrap(a, 300, seed, level=0.9).items():
            covered[name] += low <= true_one[name] <= high
        for name, result in compare(a, b, 300, seed, level=0.9).items():
            covered_difference[name] += result.low <= true_one[name] - true_two[name] <= result.high
    # 162 to 194: of 10,000 binomial samples with 200 trials at 0.9, all but one are in this range.
    least, most = scipy.stats.binom.ppf([0.00005, 0.99995], simulations, 0.9)
    for counted in (covered, covered_difference):
        assert all(least <= n <= most for n in counted.values()), counted


# ---------------------------------------------------------------------------------------------------------------------
# The randomisation test


def exact_p_values(pairs: list[tuple[list[list[str]], list[list[str]]]]) -> dict[str, float]:
    """Return the share of the 16 swaps of 4 sentences with at least the observed difference, by scoring each hybrid."""

    def difference(swap: tuple[int, ...]) -> dict[str, float]:
        total = dict.fromkeys(METRICS, 0.0)
        for a, b in pairs:
            x, y = ([(a, b)[bit ^ side][i] for i, bit in enumerate(swap)] for side in (0, 1))
            x_scores, y_scores = values(GOLD, x), values(GOLD, y)
            total = {name: total[name] + x_scores[name] - y_scores[name] for name in METRICS}
        return total

    observed, every = difference((0, 0, 0, 0)), [difference(swap) for swap in itertools.product((0, 1), repeat=4)]
    return {name: sum(abs(d[name]) >= abs(observed[name]) - 1e-12 for d in every) / 16 for name in METRICS}


@pytest.mark.parametrize(
    ("a", "b", "pairs"),
    [
        ([ONE], [TWO], [(ONE, TWO)]),
        ([ONE, TWO], [THREE], [(ONE, THREE), (TWO, THREE)]),
        ([ONE, TWO], [THREE, GOLD], [(ONE, THREE), (TWO, GOLD)]),
        ([GOLD], [TWO, THREE], [(GOLD, TWO), (GOLD, THREE)]),
    ],
)
def test_p_values_are_those_of_all_possible_swaps(
    a: list[list[list[str]]], b: list[list[list[str]]], pairs: list[tuple[list[list[str]], list[list[str]]]]
) -> None:
    ours = compare([count(GOLD, tags) for tags in a], [count(GOLD, tags) for tags in b], 10_000)
    exact = exact_p_values(pairs)
    assert min(exact.values()) < 1
    for name, result in ours.items():
        assert result.p_value == pytest.approx(exact[name], abs=4 * 0.5 / math.sqrt(10_000))


def test_if_only_one_system_is_right_on_five_sentences_2_of_32_swaps_are_as_extreme() -> None:
    gold = [["B-A"]] * 5 + [["O"]] * 20
    result = compare(count(gold, gold), count(gold, [["O"]] * 25), 20_000)
    assert result["entity_recall"].p_value == pytest.approx(2 / 32, abs=4 * math.sqrt(1 / 16 * 15 / 16 / 20_000))


def test_the_smallest_p_value_counts_the_observed_arrangement() -> None:
    gold = [["B-A"]] * 200
    assert compare(count(gold, gold), count(gold, [["O"]] * 200), 99)["entity_f1"].p_value == 1 / 100


def test_equal_systems_have_p_value_one() -> None:
    assert {result.p_value for result in compare(count(GOLD, ONE), count(GOLD, ONE), 100).values()} == {1.0}


@pytest.mark.slow
@pytest.mark.parametrize(("runs_a", "runs_b"), [(1, 1), (2, 2), (1, 3)])
def test_p_values_are_uniform_if_the_systems_are_equally_good(runs_a: int, runs_b: int) -> None:
    draw = random.Random(3)
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    for seed in range(150):
        gold = random_gold(draw, 80)
        # A system makes errors that its runs share, and each run makes a few more.
        own = [noisy(draw, gold, 0.25) for _ in range(2)]
        a, b = (
            [count(gold, noisy(draw, tags, 0.02)) for _ in range(k)]
            for tags, k in zip(own, (runs_a, runs_b), strict=True)
        )
        for name, result in compare(a, b, 199, seed).items():
            found[name].append(result.p_value)
    for name, p_values in found.items():
        # Not too small, for any metric; nor too large, for those whose differences are hardly ever tied.
        assert scipy.stats.kstest(p_values, "uniform", alternative="greater").pvalue > 1e-3, name
        if name not in ("token_micro_f1", "entity_recall"):
            assert scipy.stats.kstest(p_values, "uniform").pvalue > 1e-3, name


def test_a_greater_difference_never_has_a_greater_p_value() -> None:
    draw = random.Random(4)
    gold = random_gold(draw, 100)
    better = count(gold, gold)
    wrong = [[["O"] * len(tags) if i < k else tags for i, tags in enumerate(gold)] for k in (0, 2, 4, 8, 16)]
    p_values = [compare(better, count(gold, worse), 999)["entity_f1"].p_value for worse in wrong]
    assert p_values == sorted(p_values, reverse=True)
    assert p_values[0] == 1 and p_values[-1] < 0.01


# ---------------------------------------------------------------------------------------------------------------------
# Common to both


def test_results_are_the_same_for_a_seed_everywhere_and_in_chunks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(5)
    gold = random_gold(draw, 30)
    a, b = (count(gold, noisy(draw, gold, rate)) for rate in (0.2, 0.3))
    whole = compare(a, b, 500, seed=7)
    assert str(whole) != str(compare(a, b, 500, seed=8))
    assert whole["entity_f1"][3:6] == pytest.approx((0.008778499388377749, 0.2642815025171035, 43 / 501), abs=1e-12)
    few = compare(a, b, 100, seed=7)
    for cells in (1, 30 * 7):
        monkeypatch.setattr(resampling, "CELLS", cells)
        assert str(compare(a, b, 100, seed=7)) == str(few)


def test_many_systems_at_once_give_the_results_of_one_by_one() -> None:
    draw = random.Random(7)
    gold = random_gold(draw, 40)
    # The numbers of runs make pairs of runs repeat, and only one system predicts type C.
    systems = {
        name: [count(gold, noisy(draw, gold, 0.3)) for _ in range(runs)]
        for name, runs in (("a", 1), ("b", 2), ("c", 3))
    } | {"d": [count(gold, [["B-C"] * len(tags) for tags in gold])]}
    pairs = [("a", "b"), ("c", "b"), ("b", "a"), ("d", "c")]
    together = compare_all(systems, pairs, 200)
    assert list(together) == pairs
    for x, y in pairs:
        assert str(together[x, y]) == str(compare(systems[x], systems[y], 200))
    assert bootstrap_all(systems, 200) == {name: bootstrap(runs, 200) for name, runs in systems.items()}
    assert compare_all(systems, [], 200) == {}


def test_a_comparison_separates_seeds_from_sentences() -> None:
    ones, twos = [count(GOLD, ONE), count(GOLD, TWO)], [count(GOLD, THREE)]
    result = compare(ones, twos, 500)
    for name in METRICS:
        first, second, third = (values(GOLD, tags)[name] for tags in (ONE, TWO, THREE))
        row = result[name]
        assert row.a == pytest.approx((first + second) / 2)
        assert row.b == third
        assert row.difference == pytest.approx(row.a - row.b)
        assert row.low <= row.difference <= row.high
        assert row.a_sd == pytest.approx(abs(first - second) / math.sqrt(2))
        assert math.isnan(row.b_sd)
    # Another seed with the same tags changes only the standard deviations.
    again = compare([*ones, *ones], twos * 3, 500)
    for name in METRICS:
        assert again[name][:6] == pytest.approx(result[name][:6])
        assert again[name].b_sd == pytest.approx(0, abs=1e-12)


def test_the_systems_order_changes_only_the_sign() -> None:
    one, two = count(GOLD, ONE), count(GOLD, TWO)
    there, back = compare(one, two, 500), compare(two, one, 500)
    for name in METRICS:
        assert there[name].p_value == back[name].p_value
        mirrored = (-back[name].difference, -back[name].high, -back[name].low)
        assert there[name][2:5] == pytest.approx(mirrored)


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        (GOLD[:3], ONE[:3], "the runs differ in their sentences: 4 and 3"),
        ([*GOLD[:3], ["B-A", "I-A", "O", "B-A"]], ONE, "different gold tags, first in sentence 4"),
        ([GOLD[0], ["I-B", "O"], *GOLD[2:]], ONE, "different gold tags, first in sentence 2"),
    ],
)
def test_runs_on_different_gold_are_an_error(gold: list[list[str]], predicted: list[list[str]], message: str) -> None:
    for system in (count(gold, predicted), [count(GOLD, TWO), count(gold, predicted)]):
        with pytest.raises(ValueError, match=message):
            compare(count(GOLD, ONE), system, 10)
    with pytest.raises(ValueError, match=message):
        bootstrap([count(GOLD, ONE), count(gold, predicted)], 10)


def test_invalid_arguments_of_resampling() -> None:
    with pytest.raises(ValueError, match="no sentences"):
        bootstrap(count([], []))
    with pytest.raises(ValueError, match="no runs"):
        compare(count(GOLD, ONE), [])
    with pytest.raises(ValueError, match="no systems"):
        compare_all({}, [])
    with pytest.raises(ValueError, match="are sums"):
        bootstrap(count(GOLD, ONE, by_sentence=False))
    with pytest.raises(ValueError, match="at least one sample"):
        bootstrap(count(GOLD, ONE), samples=0)
    with pytest.raises(ValueError, match="not 95"):
        bootstrap(count(GOLD, ONE), samples=10, level=95)


# ---------------------------------------------------------------------------------------------------------------------
# Over seeds, and over several comparisons


def test_seed_interval_by_hand() -> None:
    # Mean 2, standard deviation 1, t(0.975; 2) = 4.30265.
    assert seed_interval([1, 2, 3]) == pytest.approx((2, 2 - 4.30265 / math.sqrt(3), 2 + 4.30265 / math.sqrt(3)), 1e-5)
    assert seed_interval([0.5, 0.5]) == (0.5, 0.5, 0.5)


def test_seed_intervals_cover_the_mean_of_all_seeds_at_their_nominal_rate() -> None:
    scores = np.random.Generator(np.random.PCG64(6)).normal(0.86, 0.01, (4_000, 3))
    intervals = [seed_interval(values, 0.9) for values in scores]
    covered = sum(low <= 0.86 <= high for _, low, high in intervals)
    assert scipy.stats.binom.ppf(0.00005, 4_000, 0.9) <= covered <= scipy.stats.binom.ppf(0.99995, 4_000, 0.9)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), st.floats(0.1, 0.999))
def test_seed_interval_equals_scipy(scores: list[float], level: float) -> None:
    mean, low, high = seed_interval(scores, level)
    if scale := scipy.stats.sem(scores):
        theirs = scipy.stats.t.interval(level, len(scores) - 1, np.mean(scores), scale)
        assert (low, high) == pytest.approx(theirs, abs=1e-9)
    assert low <= mean <= high


@pytest.mark.parametrize(
    ("scores", "level", "message"), [([0.9], 0.95, "two runs or more, not 1"), ([0, 1], 1, "not 1")]
)
def test_seed_interval_of_invalid_arguments(scores: list[float], level: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        seed_interval(scores, level)


def test_holm_by_hand() -> None:
    # In order 0.005 * 4, 0.01 * 3, 0.03 * 2, 0.04 * 1; the last is raised to the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.7, 0.6]) == [1, 1]
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


def test_holm_by_metric_is_over_the_pairs_of_each() -> None:
    systems = {"one": count(GOLD, ONE), "two": count(GOLD, TWO), "gold": count(GOLD, GOLD)}
    compared = compare_all(systems, [("one", "gold"), ("two", "gold")], 200)
    for name, corrected in holm_by_metric(compared).items():
        assert list(corrected) == list(compared)
        assert list(corrected.values()) == holm([results[name].p_value for results in compared.values()])
    assert set(holm_by_metric({})) == set(METRICS)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_rejects_what_its_steps_reject(p_values: list[float]) -> None:
    # The step-down procedure as published: compare the smallest with alpha / m, the next with alpha / (m - 1), ...
    alpha, rejected = 0.05, set()
    for step, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[i] * (len(p_values) - step) > alpha:
            break
        rejected.add(i)
    assert {i for i, p in enumerate(holm(p_values)) if p <= alpha} == rejected


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_holm_takes_probabilities_only(wrong: float) -> None:
    with pytest.raises(ValueError, match="p-values lie in"):
        holm([0.5, wrong])
