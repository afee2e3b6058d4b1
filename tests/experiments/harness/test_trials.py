"""The trials of a search, and the rule that chooses one."""

from __future__ import annotations

from harness.params import Params, read_params
from harness.trials import Choice, as_text, choose, settings_in, trials_of

import pandas as pd
import pytest
from pydantic import ValidationError

from bert_ner.errors import BertNerError


def test_a_grid_gives_every_combination_in_the_order_written() -> None:
    params = read_params()
    trials = trials_of("minilm", params)
    assert list(trials) == list(range(1, 13))
    assert [settings["epochs"] for settings in trials.values()] == [4] * 4 + [8] * 4 + [12] * 4
    assert trials[2] == {**params["minilm"], "epochs": 4, "learning_rate": 0.0001, "decoding": "legal", "warmup": 0.1}
    assert as_text({"kind": "encoder", "epochs": 4, "decoding": "legal"}) == "epochs=4 decoding=legal"


def test_every_system_that_learns_has_the_same_number_of_trials() -> None:
    params = read_params()
    numbers = {system: len(trials_of(system, params)) for system in params.search.trials}
    assert set(numbers) >= {"gazetteer", "hmm", "crf", "bilstm_crf", "minilm"}
    assert {system: n for system, n in numbers.items() if n != 12 and system not in params.search.fewer_folds} == {}


@pytest.mark.parametrize("fewer", [{"mpnet": 3}, {"nobody": 1}])
def test_fewer_folds_are_of_a_system_with_trials_and_fewer(fewer: dict[str, int]) -> None:
    plain = read_params().model_dump()
    with pytest.raises(ValidationError, match="must name systems that have trials, and numbers below 3"):
        Params.model_validate({**plain, "search": {**plain["search"], "fewer_folds": fewer}})


def test_a_system_without_trials_is_an_error() -> None:
    with pytest.raises(BertNerError, match=r"no search\.trials\.majority; its systems are gazetteer, "):
        trials_of("majority", read_params())


def table(*scores: tuple[int, float, float], system: str = "a") -> pd.DataFrame:
    """Make rows of search.csv: each trial with its score and error, in two folds that differ by 0.02."""
    rows = [
        {"system": system, "trial": trial, "fold": fold, "validation_entity_f1": f1 + 0.01 * sign, "standard_error": se}
        for trial, f1, se in scores
        for fold, sign in ((1, -1), (2, 1))
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ([(1, 0.80, 0.1), (2, 0.88, 0.1), (3, 0.90, 0.01)], 3),
        ([(1, 0.80, 0.1), (2, 0.893, 0.1), (3, 0.90, 0.01)], 2),  # 0.01 / sqrt(2) behind at most
        ([(1, 0.80, 0.1), (2, 0.892, 0.1), (3, 0.90, 0.01)], 3),
        ([(1, 0.90, 0.01), (2, 0.90, 0.01)], 1),
    ],
)
def test_the_first_trial_within_one_standard_error_of_the_best(
    scores: list[tuple[int, float, float]], chosen: int
) -> None:
    found = choose(table(*scores), "a", {trial for trial, _, _ in scores})
    assert found is not None
    assert found.trial == chosen
    assert found.standard_error == pytest.approx(0.01 / 2**0.5)
    assert found.entity_f1 == pytest.approx(scores[chosen - 1][1])


def test_nothing_is_chosen_before_all_trials_have_the_same_folds() -> None:
    rows = table((1, 0.8, 0.01), (2, 0.9, 0.01))
    assert choose(rows[:-1], "a", {1, 2}) is None
    assert choose(rows, "a", {1, 2, 3}) is None
    assert choose(rows, "b", {1, 2}) is None
    assert choose(rows, "a", {1, 2}) == Choice(2, pytest.approx(0.9), pytest.approx(0.01 / 2**0.5))


def test_settings_come_back_from_their_line() -> None:
    text = as_text({"kind": "encoder", "epochs": 4, "teachers": ["a-1", "b-2"], "decoding": "legal"})
    assert settings_in(text) == {"epochs": "4", "teachers": "['a-1', 'b-2']", "decoding": "legal"}
    assert settings_in("") == {}
