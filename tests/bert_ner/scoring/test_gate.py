"""The verdicts of the gate, by hand and by simulation of many checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal, nct, norm, t

from bert_ner.scoring.gate import METRICS, Outcome, Runs, bounds, verdicts

MADE_BY = {"signature": "s|data:1", "settings": {"epochs": 4}, "data": {"test.bio": "ab" * 32}, "weights": None}
VERSIONS = {"python": "3.11.7", "packages": {"numpy": "2.4.6", "torch": "2.13.0"}, "processor": "A"}
FIVE = [0.860, 0.861, 0.862, 0.863, 0.864]


def make_runs(
    entity: list[float], token: list[float] | None = None, seeds: list[int] | None = None, **other: Any
) -> Runs:
    scores = [dict(zip(METRICS, pair, strict=True)) for pair in zip(entity, token or [0.9] * len(entity), strict=True)]
    return Runs(
        "sample",
        "minilm",
        {**MADE_BY, **other.get("made_by", {})},
        [
            {"seed": seed, "scores": score, "environment": other.get("environment", VERSIONS)}
            for seed, score in zip(seeds or range(1, len(entity) + 1), scores, strict=True)
        ],
    )


def first_outcome(reference: Runs | None, new: Runs | None) -> tuple[Outcome, str]:
    """Return outcome and note of the first metric."""
    first = next(iter(verdicts(reference, new)))
    return first.outcome, first.note


def test_the_bounds_are_those_of_the_book() -> None:
    # sd = sqrt(10 / 4) / 1000; the 0.975 quantile of Student's t with 4 degrees of freedom is 2.776445 in any table.
    margin = 2.776445 * 2.5**0.5 / 1000 * (1 / 5 + 1 / 3) ** 0.5
    assert bounds(FIVE, 3) == pytest.approx((0.862 - margin, 0.862 + margin), abs=1e-9)


@pytest.mark.parametrize(
    ("new", "outcome"),
    [
        ([0.862, 0.862, 0.862], Outcome.PASS),
        ([0.8587, 0.8588, 0.8589], Outcome.PASS),  # 0.8588, and the bound is 0.85879
        ([0.8587, 0.8587, 0.8588], Outcome.FAIL),
        ([0.90, 0.70, 0.86], Outcome.FAIL),  # erratic: does not widen its own bound
        ([0.866, 0.865, 0.866], Outcome.IMPROVED),  # above 0.86521
        ([0.8571], Outcome.FAIL),  # one run: 0.862 - 2.776445 * 0.0015811 * sqrt(1.2) = 0.85719
        ([0.8573], Outcome.PASS),
    ],
)
def test_a_seeded_system_is_judged_by_the_mean_of_its_runs(new: list[float], outcome: Outcome) -> None:
    assert first_outcome(make_runs(FIVE), make_runs(new))[0] is outcome


@pytest.mark.parametrize(
    ("new", "environment", "outcome"),
    [
        (0.8612344, VERSIONS, Outcome.PASS),
        (0.861233, VERSIONS, Outcome.FAIL),
        (0.861236, VERSIONS, Outcome.IMPROVED),
        (0.861234, {**VERSIONS, "processor": "B"}, Outcome.PASS),
        (0.8593, {**VERSIONS, "processor": "B"}, Outcome.PASS),
        (0.8631, {**VERSIONS, "packages": {"numpy": "2.5.0", "torch": "2.13.0"}}, Outcome.PASS),
        (0.8592, {**VERSIONS, "python": "3.12.1"}, Outcome.FAIL),
        (0.8633, {**VERSIONS, "processor": "B"}, Outcome.IMPROVED),
        (0.861233, {**VERSIONS, "packages": {"numpy": "2.4.6", "torch": "3.0"}}, Outcome.FAIL),
    ],
)
def test_a_deterministic_system_is_equal_to_six_digits_or_near_on_another_machine(
    new: float, environment: Any, outcome: Outcome
) -> None:
    reference = make_runs([0.861234], seeds=[0])
    assert first_outcome(reference, make_runs([new], seeds=[0], environment=environment))[0] is outcome


@pytest.mark.parametrize(
    ("made_by", "note"),
    [
        ({"signature": "s|data:2"}, "signature: was s|data:1, is s|data:2"),
        (
            {"settings": {"epochs": 3, "warmup": 0.1}},
            "settings.epochs: was 4, is 3; settings.warmup: was nothing, is 0.1",
        ),
        ({"data": {"test.bio": "cd" * 32}}, "data.test.bio: was abababababab, is cdcdcdcdcdcd"),
        ({"weights": {"sha256": "x"}}, "weights: was nothing, is {'sha256': 'x'}"),
    ],
)
def test_runs_made_in_another_way_are_not_compared(made_by: dict[str, Any], note: str) -> None:
    assert first_outcome(make_runs(FIVE), make_runs(FIVE, made_by=made_by)) == (Outcome.NOT_COMPARABLE, note)


def test_a_note_counts_the_runs() -> None:
    assert first_outcome(make_runs(FIVE), make_runs([0.8573]))[1] == "1 run, 5 in the reference"
    assert first_outcome(make_runs(FIVE), make_runs(FIVE[:2]))[1] == "2 runs, 5 in the reference"


def test_only_a_reference_or_only_results() -> None:
    assert first_outcome(None, make_runs(FIVE[:3]))[0] is Outcome.NO_REFERENCE
    # These runs could be a reference, so they should have one.
    assert first_outcome(None, make_runs(FIVE))[0] is Outcome.MISSING_REFERENCE
    assert first_outcome(None, make_runs([0.8], seeds=[0]))[0] is Outcome.MISSING_REFERENCE
    assert first_outcome(make_runs(FIVE), None) == (Outcome.FAIL, "the system has a reference, but no results")


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("new", "seeds", "configured", "outcome", "note"),
    [
        ([NAN] * 3, [1, 2, 3], [1, 2, 3], Outcome.INVALID, "a score is a fraction from 0 to 1, not entity_f1 nan"),
        ([INFINITY], [1], [1], Outcome.INVALID, "a score is a fraction from 0 to 1, not entity_f1 inf"),
        ([94.47], [1], None, Outcome.INVALID, "a score is a fraction from 0 to 1, not entity_f1 94.47"),
        ([-0.1], [1], None, Outcome.INVALID, "a score is a fraction from 0 to 1, not entity_f1 -0.1"),
        ([1e308] * 2, [1, 2], None, Outcome.INVALID, "a score is a fraction from 0 to 1, not entity_f1 1e+308"),
        ([0.86] * 20, [1] * 20, [1], Outcome.INVALID, "repeated seeds: 1"),
        ([0.86], [1], [1, 2, 3], Outcome.INCOMPLETE, "no results of seed 2, 3"),
        ([0.86] * 2, [1, 9], [1], Outcome.INVALID, "seeds that are not configured: 9"),
    ],
)
def test_runs_that_are_none(
    new: list[float], seeds: list[int], configured: list[int] | None, outcome: Outcome, note: str
) -> None:
    found = list(verdicts(make_runs(FIVE), make_runs(new, seeds=seeds), configured))
    assert {(verdict.outcome, verdict.note) for verdict in found} == {(outcome, note)}


def test_a_reference_that_is_none() -> None:
    found = next(verdicts(make_runs([NAN] * 5), make_runs(FIVE)))
    assert (found.outcome, found.note[:15]) == (Outcome.INVALID, "the reference: ")


def share_that_fails(loss: float, sd: float, dependence: float, checks: int = 2000) -> float:
    """Return the share that fails of many checks of three new runs with five reference runs, all drawn at random."""
    draw = np.random.default_rng(7)
    covariance = sd**2 * np.array([[1, dependence], [dependence, 1]])
    failed = 0
    for _ in range(checks):
        reference, new = (draw.multivariate_normal([0.86, 0.93], covariance, n).T.tolist() for n in (5, 3))
        lost = [value - loss for value in new[0]]
        failed += Outcome.FAIL in {v.outcome for v in verdicts(make_runs(*reference), make_runs(lost, new[1]))}
    return failed / checks


@pytest.mark.parametrize("dependence", [0.0, 0.8, 1.0])
def test_an_unchanged_system_fails_in_about_five_percent_of_the_checks_and_not_in_more(dependence: float) -> None:
    # Two metrics that depend on each other wholly fail together: 2.5 %. Three standard errors are 1.5 points.
    assert 0.01 < share_that_fails(0, 0.002, dependence) < 0.065


def test_a_point_of_entity_f1_is_found_with_the_documented_power() -> None:
    def power(loss: float, sd: float) -> float:
        return float(1 - nct.cdf(t.ppf(0.975, 4), 4, loss / (sd * (1 / 5 + 1 / 3) ** 0.5)))

    assert [round(power(*case), 3) for case in ((0.01, 0.002), (0.005, 0.002), (0.01, 0.0025))] == [0.998, 0.727, 0.978]
    assert share_that_fails(0.01, 0.002, 0.8) == pytest.approx(power(0.01, 0.002), abs=0.004)


@pytest.mark.parametrize(("dependence", "one_in"), [(0.0, 4.2), (0.8, 5.1), (1.0, 8.3)])
def test_how_many_references_of_five_runs_give_more_false_alarms_than_documented_for_the_average(
    dependence: float, one_in: float
) -> None:
    """Three new runs, whose mean is normal: how often it is below the bound needs no simulation."""
    draw = np.random.default_rng(7)
    covariance = np.array([[1, dependence], [dependence, 1]])
    rates = []
    for reference in draw.multivariate_normal([0, 0], covariance, (2000, 5)):
        low = np.array([bounds(values, 3)[0] for values in reference.T.tolist()])
        below = norm.cdf(low * 3**0.5)
        both = multivariate_normal(None, covariance, allow_singular=True).cdf(low * 3**0.5)
        rates.append(below.sum() - both)
    assert np.mean(rates) <= 0.05 + 0.005
    assert np.median(rates) < 0.01
    assert np.mean(np.array(rates) > 0.05) == pytest.approx(1 / one_in, abs=0.03)
    assert 0.05 < np.quantile(rates, 0.9) < 0.17
