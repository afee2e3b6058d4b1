"""Resampling within strata: as many sentences of each as there are."""

from __future__ import annotations

import pytest

from bert_ner.scoring import bootstrap_all, compare_all, count

GOLD = [["B-A"]] * 20
HALF = [*GOLD[:10], *[["O"]] * 10]  # all right on the first ten sentences, all wrong on the others
COUNTED = {"half": [count(GOLD, HALF)], "all": [count(GOLD, GOLD)]}


def test_sentences_that_are_alike_within_a_stratum_leave_nothing_to_resample() -> None:
    strata = ["1"] * 10 + ["2"] * 10
    found = bootstrap_all(COUNTED, 200, strata=strata)["half"]["entity_recall"]
    assert tuple(found) == (0.5, 0.5, 0.5)
    assert bootstrap_all(COUNTED, 200)["half"]["entity_recall"].low < 0.4
    compared = compare_all(COUNTED, [("all", "half")], 200, strata=strata)["all", "half"]["entity_recall"]
    assert (compared.difference, compared.low, compared.high) == (0.5, 0.5, 0.5)


def test_the_test_is_the_same_within_strata() -> None:
    pair = ("all", "half")
    within, without = (compare_all(COUNTED, [pair], 200, strata=strata)[pair] for strata in (["1", "2"] * 10, None))
    assert {m: r.p_value for m, r in within.items()} == {m: r.p_value for m, r in without.items()}


@pytest.mark.parametrize("strata", [None, ["x"] * 20])
def test_one_stratum_is_no_stratum(strata: list[str] | None) -> None:
    found = bootstrap_all(COUNTED, 200, strata=strata)["half"]
    assert found == bootstrap_all(COUNTED, 200)["half"]
