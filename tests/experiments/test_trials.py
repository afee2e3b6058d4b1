"""The trainings of the studies in params.yaml, and the sentences that they see."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from harness.draws import few_of_each_type, subset, trial_sentences
from harness.params import Params, read_params, read_trials
from harness.paths import RESULTS
from harness.systems import build

import pytest
from pydantic import ValidationError

from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError

SENTENCES = [Sentence(("films", "with", "orla", f"quist{i}"), ("O", "O", "B-ACTOR", "I-ACTOR")) for i in range(20)]


def params_with(studies: dict[str, Any], **systems: Any) -> Params:
    """Return the parameters of the repository with other studies and systems."""
    fields = {name: getattr(read_params(), name) for name in Params.model_fields}
    return Params.model_validate({**fields, **read_params().systems, **systems, "studies": studies})


def test_every_study_of_the_parameters_can_be_built() -> None:
    params = read_params()
    for name in params.studies:
        for trial in read_trials(name, params):
            for changes in trial.candidates:
                where = ("studies", trial.study, trial.system)
                build(trial.system, trial.settings | changes, ["O"], trial.seed, where=where)


def test_the_learning_curve_takes_as_many_steps_as_all_sentences() -> None:
    sentences = json.loads((RESULTS / "mit_movie_eng/corpus.json").read_text())["train"]["sentences"]
    for trial in read_trials("learning_curve", read_params()):
        if trial.system != "crf":
            steps = -(-sentences // trial.settings["batch_size"]) * trial.settings["epochs"]
            assert trial.settings["min_steps"] == steps


def test_a_study_changes_what_it_says_and_nothing_else() -> None:
    params = read_params()
    for name, study in params.studies.items():
        for trial in read_trials(name, params):
            assert trial.settings == params[trial.system] | study.changes[trial.system]
            is_changed = trial.settings != params[trial.system] or len(trial.candidates) > 1
            assert is_changed or trial.fraction != 1


def test_trials_are_every_system_fraction_and_seed() -> None:
    section = {"c1": [1.0]}
    curve = {"seeds": [1, 2], "fractions": [0.1, 1.0], "crf": {"c1": [2.0], "c2": [3.0]}}
    found = read_trials("s", params_with({"s": curve}, crf=section))
    assert [(t.variant, t.seed, t.fraction, t.settings) for t in found] == [
        (f"c1=[2.0], c2=[3.0], fraction={f}", seed, f, {"c1": [2.0], "c2": [3.0]})
        for f in (0.1, 1.0)
        for seed in (1, 2)
    ]
    [plain] = read_trials("s", params_with({"s": {"minilm": None}}))
    assert (plain.variant, plain.seed, plain.fraction) == ("", 13, 1.0)
    few = read_trials("s", params_with({"s": {"seeds": [1, 2], "per_type": [5, 10], "crf": None}}))
    assert [(t.variant, t.seed, t.fraction, t.per_type) for t in few] == [
        (f"per_type={n}", seed, None, n) for n in (5, 10) for seed in (1, 2)
    ]


def test_a_study_with_grids_has_as_many_candidates_for_every_system() -> None:
    grids = {"crf": {"c1": [[0.1], [0.2]]}, "minilm": {"epochs": [4], "batch_size": [4, 8]}}
    study = {"per_type": [5], "crf": None, "minilm": {"warmup": 0.1}, "grids": grids}
    crf, minilm = read_trials("s", params_with({"s": study}))
    assert crf.candidates == [{"c1": [0.1]}, {"c1": [0.2]}]
    assert minilm.candidates == [{"epochs": 4, "batch_size": 4}, {"epochs": 4, "batch_size": 8}]
    assert minilm.variant == "warmup=0.1, per_type=5"
    [plain] = read_trials("s", params_with({"s": {"crf": None}}))
    assert plain.candidates == [{}]
    for changed, message in (
        ({"crf": grids["crf"]}, "must have a grid for each of its systems, or none"),
        (grids | {"crf": {"c1": [[0.1]]}}, "must have grids with equally many combinations"),
    ):
        with pytest.raises(ValidationError, match=message):
            params_with({"s": {**study, "grids": changed}})


def test_a_name_tells_the_trials_of_a_study_apart() -> None:
    curve = {"seeds": [1, 2], "fractions": [0.03, 1.0], "crf": None}
    few = {"seeds": [1], "per_type": [1, 20], "crf": None}
    params = params_with({"curve": curve, "few": few, "plain": {"crf": None}})
    names = {study: [trial.name for trial in read_trials(study, params)] for study in params.studies}
    assert names["curve"] == ["crf-0.03-1", "crf-0.03-2", "crf-1", "crf-2"]
    assert names["few"] == ["crf-1-1", "crf-20-1"]
    assert names["plain"] == ["crf-13"]


def test_a_study_that_is_not_there_is_named() -> None:
    with pytest.raises(BertNerError, match=r"params\.yaml has no study 's'; its studies are a, b"):
        read_trials("s", params_with({"a": {"crf": {}}, "b": {"crf": {}}}))
    with pytest.raises(BertNerError, match=r"params\.yaml has no study 's'; its studies are none"):
        read_trials("s", params_with({}))


def test_a_setting_that_a_system_does_not_take_names_the_study() -> None:
    for settings, message in (
        ({"warm": 1}, r"params\.yaml, line \d+: studies\.s\.minilm: .*warm"),
        ({"clip_norm": 0}, r"studies\.s\.minilm: .*clip_norm"),
    ):
        [trial] = read_trials("s", params_with({"s": {"minilm": settings}}))
        with pytest.raises(BertNerError, match=message):
            build(trial.system, trial.settings, ["O"], trial.seed, where=("studies", trial.study, trial.system))


def test_subsets_are_nested_and_the_seed_s() -> None:
    sizes = [subset(SENTENCES, fraction, 13) for fraction in (0.01, 0.3, 0.5, 1)]
    assert [len(part) for part in sizes] == [1, 6, 10, 20]
    for small, large in pairwise(sizes):
        assert set(small) < set(large)
        assert large == [sentence for sentence in SENTENCES if sentence in set(large)]
    assert subset(SENTENCES, 0.5, 13) == sizes[2] != subset(SENTENCES, 0.5, 42)


def test_few_sentences_are_validated_on_few_and_a_share_on_all() -> None:
    params = params_with({"few": {"per_type": [3], "crf": {}}, "share": {"fractions": [0.1], "crf": {}}})
    [few], [share] = (read_trials(name, params) for name in ("few", "share"))
    assert [len(part) for part in trial_sentences(few, SENTENCES, SENTENCES[:8])] == [3, 3]
    assert [len(part) for part in trial_sentences(share, SENTENCES, SENTENCES[:8])] == [2, 8]


def test_of_a_new_type_there_are_few_sentences_and_of_the_others_all() -> None:
    made = [Sentence((f"a{i}", "b"), ("B-A", "B-B" if i % 2 else "O")) for i in range(10)]
    made += [Sentence((f"o{i}", "b"), ("O", "B-B")) for i in range(5)]
    study = {"per_type": [2, 4], "new_types": ["A", "B"], "minilm": None}
    found = read_trials("s", params_with({"s": study}))
    assert [(t.name, t.variant) for t in found] == [
        (f"minilm-{name}-{n}-13", f"new_type={name}, per_type={n}") for name in "AB" for n in (2, 4)
    ]
    draws = [trial_sentences(trial, made, made[5:])[0] for trial in found[:2]]
    for n, drawn in zip((2, 4), draws, strict=True):
        assert [sum("B-A" in tags for _, tags in half) for half in (drawn, drawn[:-5])] == [n, n]
        assert drawn[-5:] == made[10:]
    assert set(draws[0]) < set(draws[1])
    assert [len(part) for part in trial_sentences(found[0], made, made[5:])] == [7, 7]
    with pytest.raises(ValidationError, match="must have per_type with new_types"):
        params_with({"s": {"new_types": ["A"], "minilm": None}})


def test_a_few_sentences_hold_each_type_often_enough_and_are_nested() -> None:
    # 200 of A, every tenth with B too; 4 of C alone, 2 of D beside A; 20 of none.
    made = [Sentence((f"a{i}", "b"), ("B-A", "B-B" if i % 10 == 0 else "O")) for i in range(200)]
    made += [Sentence((f"c{i}", "c"), ("B-C", "I-C")) for i in range(4)]
    made += [Sentence((f"d{i}", "a"), ("B-D", "B-A")) for i in range(2)]
    made += [Sentence((f"o{i}",), ("O",)) for i in range(20)]

    def holding(sentences: list[Sentence], name: str) -> int:
        return sum(f"B-{name}" in tags for _, tags in sentences)

    draws = {n: few_of_each_type(made, n, 13) for n in (1, 3, 5, 300)}
    for n, drawn in draws.items():
        assert drawn == [sentence for sentence in made if sentence in set(drawn)]
        for name, there in (("A", 202), ("B", 20), ("C", 4), ("D", 2)):
            assert holding(drawn, name) >= min(n, there)
    # D and B, which are rarer, come first and bring A along, so none is drawn for A alone before round 3.
    assert [len(draws[n]) for n in (1, 3)] == [3, 8]
    for small, large in pairwise(draws.values()):
        assert set(small) < set(large)
    assert few_of_each_type(made, 5, 42) != draws[5] == few_of_each_type(made, 5, 13)
