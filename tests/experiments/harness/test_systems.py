"""Systems by name, with settings from params.yaml."""

from __future__ import annotations

from harness.artifacts import model_folder
from harness.params import Run, all_runs, first_encoder, read_params, runs
from harness.systems import SYSTEMS, build

import pytest

from bert_ner.errors import BertNerError


def test_every_run_of_the_parameters_can_be_built() -> None:
    params = read_params()
    names = {run.system for run in runs(params)}
    assert names == {*params["baselines"], *params["encoders"]} <= set(SYSTEMS)
    for name in SYSTEMS:
        build(name, params, ["O"], 13)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("gpt", {}, "no system is named 'gpt'; there are majority, gazetteer, hmm, crf, "),
        ("crf", {}, "params.yaml has no section 'crf'"),
        ("crf", {"crf": {"c1": [1], "c2": [1], "max_iterations": 1, "c3": 1}}, "section 'crf': .*c3"),
        ("crf", {"crf": {"c1": 1, "c2": [1], "max_iterations": 1}}, "section 'crf': c1 must be a list of numbers"),
        ("crf", {"crf": {"c1": [1], "c2": [], "max_iterations": 1}}, "section 'crf': c2 must be a list of numbers"),
        ("crf", {"crf": {"c1": [1], "c2": [-1], "max_iterations": 1}}, "c2 must be .* of at least 0, not \\[-1\\]"),
        ("crf", {"crf": {"c1": [1], "c2": [1], "max_iterations": 0}}, "max_iterations must be a whole number"),
        ("gazetteer", {"gazetteer": {"min_count": [0], "min_share": [1]}}, "min_count must be a list of whole numbers"),
        ("gazetteer", {"gazetteer": {"min_count": [1], "min_share": [1.5]}}, "min_share must be a list of numbers"),
        ("hmm", {"hmm": {"suffix": [0], "rare": [1], "prior": [1]}}, "suffix must be a list of whole numbers"),
        ("hmm", {"hmm": {"suffix": [1], "rare": 1, "prior": [1]}}, "rare must be a list of whole numbers"),
        ("hmm", {"hmm": {"suffix": [1], "rare": [1], "prior": [0]}}, "prior must be a list of numbers above 0"),
        ("minilm", {"minilm": {"name": "x"}}, "section 'minilm': .*learning_rate"),
    ],
)
def test_a_mistake_names_the_section(name: str, params: dict[str, object], message: str) -> None:
    with pytest.raises(BertNerError, match=message):
        build(name, params, ["O"], 0)


VALID = (
    "corpora: [a]\nbaselines: [b]\nencoders: [e]\nseeds: [1]\nmore: {g: {corpora: [a], systems: [b], seeds: [2]}}\n"
    "split: {validation_fraction: 0.1, seed: 42}\ne: {name: x}\n"
)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("corpora: [a]", "corpora: 5", "corpora must be a list of names, not 5"),
        ("baselines: [b]", "baselines: []", "baselines must be a list of names"),
        ("seeds: [1]", "seeds: [abc]", "seeds must be a list of whole numbers from 0 to 4294967295, not \\['abc'\\]"),
        ("seeds: [1]", "seeds: [true]", "seeds must be a list of whole numbers"),
        ("seed: 42", "seed: null", "split must be validation_fraction, a number between 0 and 1, and seed"),
        ("seed: 42", "seed: 1.5", "split must be"),
        ("split: {validation_fraction: 0.1, seed: 42}", "split: []", "split must be"),
        ("encoders: [e]", "encoders: []", "encoders must be a list of names"),
        ("systems: [b], ", "", "more must be groups, each with lists of corpora, systems and seeds"),
        ("seeds: [2]", "seeds: [x]", "more must be groups"),
        (None, "5", "expected sections"),
    ],
)
def test_a_section_of_the_wrong_kind_is_named(tmp_path, monkeypatch, old, new, message) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("pipeline.ROOT", tmp_path)
    (tmp_path / "params.yaml").write_text(VALID.replace(old, new) if old else new)
    with pytest.raises(BertNerError, match=message):
        read_params()


def test_groups_add_runs_in_the_order_of_the_sections() -> None:
    groups = {
        "g": {"corpora": ["a"], "systems": ["mid"], "seeds": [1, 2]},
        "h": {"corpora": ["b"], "systems": ["e"], "seeds": [9]},
    }
    params = {"baselines": ["crf"], "encoders": ["e"], "seeds": [1], "more": groups, "crf": {}, "mid": {}, "e": {}}
    assert [run.name for run in all_runs(params, "a")] == ["crf-0", "mid-1", "mid-2", "e-1"]
    assert [run.name for run in all_runs(params, "b")] == ["crf-0", "e-1", "e-9"]
    with pytest.raises(BertNerError, match="it names mid, but has no section for it"):
        all_runs({name: section for name, section in params.items() if name != "mid"}, "a")


def test_what_make_repro_all_adds_has_a_folder_of_its_own() -> None:
    assert model_folder("sample", Run("crf", 0)).parts[-3:] == ("models", "sample", "crf-0")
    assert model_folder("sample", Run("crf", 1)).parts[-4:] == ("models", "more", "sample", "crf-1")


def test_the_first_encoder_needs_a_name() -> None:
    assert first_encoder({"encoders": ["e", "f"], "e": {"name": "x"}}) == "x"
    with pytest.raises(BertNerError, match="e, the first of encoders, needs a section with a name"):
        first_encoder({"encoders": ["e"], "e": {"name": None}})


def test_a_number_in_scientific_notation_is_a_number(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("pipeline.ROOT", tmp_path)
    (tmp_path / "params.yaml").write_text(VALID.replace("name: x", "name: x, lr: 3e-05"))
    assert read_params()["e"]["lr"] == 3e-5


def test_parameters_that_lack_a_section_or_are_no_yaml_are_named(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("pipeline.ROOT", tmp_path)
    with pytest.raises(BertNerError, match=r"params\.yaml can't be read"):
        read_params()
    (tmp_path / "params.yaml").write_text("corpora: [a")
    with pytest.raises(BertNerError, match=r"params\.yaml can't be read"):
        read_params()
    (tmp_path / "params.yaml").write_text("corpora: [a]")
    with pytest.raises(BertNerError, match="no baselines, encoders, more, seeds, split in it"):
        read_params()
