"""params.yaml: what it may hold, and the trainings that it asks for."""

from __future__ import annotations

from pathlib import Path

from harness.artifacts import model_folder
from harness.params import Run, read_params, settings_of

import pytest

from bert_ner.errors import BertNerError

VALID = """\
corpora: [a]
baselines: [crf]
encoders: [e]
seeds: [1]
extra_runs:
  g: {corpora: [a], systems: [hmm], seeds: [1, 2]}
  h: {corpora: [b], systems: [e], seeds: [9]}
split: {validation_fraction: 0.1, seed: 42}
crf: {c: 1}
hmm: {}
e: &e {kind: encoder, name: x, rate: 3e-05}
f:
  <<: *e
  rate: 1
studies:
  s: {seeds: [1, 2], e: {rate: 2}, crf: null}
g: {weights_of: e, decoding: legal}
label_audit: {system: crf, folds: 3, seed: 7}
"""


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("harness.params.ROOT", tmp_path)
    monkeypatch.setattr("harness.params.corpus_names", lambda: ["a", "b"])
    path = tmp_path / "params.yaml"
    path.write_text(VALID)
    return path


def test_systems_are_the_sections_with_a_kind() -> None:
    params = read_params()
    assert list(params.systems) == ["crf", "hmm", "e", "f", "g"]
    assert params["f"] == {"kind": "encoder", "name": "x", "rate": 1}
    assert list(settings_of(params["f"]).items()) == [("name", "x"), ("rate", 1)]  # merged keys first, as DVC has them
    assert (params.kind("f"), params.kind("crf")) == ("encoder", "crf")
    assert params["e"]["rate"] == 3e-5
    assert params.tokenizer_encoder == "x"
    with pytest.raises(BertNerError, match=r"params\.yaml has no system 'split'; its systems are crf, hmm, e, f, g"):
        params["split"]


def test_extra_runs_follow_the_order_of_the_sections() -> None:
    params = read_params()
    assert [run.name for run in params.runs] == ["crf-0", "e-1"]
    assert [run.name for run in params.all_runs("a")] == ["crf-0", "hmm-1", "hmm-2", "e-1"]
    assert [run.name for run in params.all_runs("b")] == ["crf-0", "e-1", "e-9"]


def test_models_of_extra_runs_have_a_folder_of_their_own() -> None:
    assert model_folder("sample", Run("crf", 0)).parts[-3:] == ("models", "sample", "crf-0")
    assert model_folder("sample", Run("crf", 1)).parts[-4:] == ("models", "more", "sample", "crf-1")


def test_another_decoding_takes_the_models_of_its_system() -> None:
    assert model_folder("sample", Run("g", 1)) == model_folder("sample", Run("e", 1))
    assert model_folder("sample", Run("g", 9)) == model_folder("sample", Run("e", 9))
    assert settings_of(read_params()["g"]) == {"name": "x", "rate": 3e-05, "decoding": "legal"}


def test_studies_change_settings_of_systems() -> None:
    study = read_params().studies["s"]
    assert (study.seeds, study.fractions, study.per_type) == ([1, 2], [], [])
    assert study.changes == {"e": {"rate": 2}, "crf": {}}


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("corpora: [a]\n", "corpora: 5\n", 1, "corpora must be a valid list, not 5"),
        ("baselines: [crf]", "baselines: []", 2, "baselines must have at least 1 item"),
        ("baselines: [crf]", "baselines: [crf, gpt]", 2, "baselines.1 must be the name of a system, a .*, not 'gpt'"),
        ("encoders: [e]", "encoders: [s]", 3, "encoders.0 must be the name of a system"),
        ("seeds: [1]\n", "seeds: [abc]\n", 4, "seeds.0 must be .*, not 'abc'"),
        ("seeds: [1]\n", "seeds: [true]\n", 4, "seeds.0 must be .*, not True"),
        ("seeds: [1]\n", "seeds: [-1]\n", 4, "seeds.0 must be .*0.*, not -1"),
        ("seeds: [1]\n", "seeds: [4294967296]\n", 4, "seeds.0 must be .*4294967296, not 4294967296"),
        ("seeds: [1]\n", "", 1, "seeds is missing"),
        ("systems: [hmm], ", "", 6, "extra_runs.g.systems is missing"),
        ("systems: [hmm]", "systems: [hmm, gpt]", 6, "extra_runs.g.systems.1 must be the name of a system"),
        ("weights_of: e", "weights_of: q", 17, "g.weights_of must be the name of a system that is trained"),
        ("weights_of: e", "weights_of: g", 17, "g.weights_of must be the name of a system that is trained"),
        ("weights_of: e", "weights_of: [e]", 17, r"g.weights_of must be the name of a system .*, not \['e'\]"),
        ("weights_of: e", "weights_of: {e: 1}", 17, "g.weights_of must be the name of a system that is trained"),
        ("weights_of: e", "weights_of: null", 17, "g.weights_of must be the name of a system that is trained"),
        ("weights_of: e", "weights_of: crf", 17, "g.weights_of must be the name of a system that is trained, an enc"),
        ("decoding: legal", "rate: 2", 17, "g.weights_of must be the name of a system that is trained"),
        ("decoding: legal", "decoding: legl", 17, "g.decoding must be one of greedy, legal, not 'legl'"),
        ("decoding: legal", "decoding: [legal]", 17, r"g.decoding must be one of greedy, legal, not \['legal'\]"),
        ("decoding: legal", "decoding: null", 17, "g.weights_of must be .* is decoding, not 'e'"),
        ("seeds: [9]", "seeds: [x]", 7, "extra_runs.h.seeds.0 must be"),
        ("seeds: [9]", "seed: [9]", 7, "unknown key 'extra_runs.h.seed'; the keys here are corpora, systems, seeds"),
        ("seed: 42", "seed: null", 8, "split.seed must be .*, not None"),
        ("seed: 42", "seed: -1", 8, "split.seed must be .*, not -1"),
        ("seed: 42", "seed: 4294967296", 8, "split.seed must be .*below 4294967296, not 4294967296"),
        ("seed: 7", "seed: 4294967296", 18, "label_audit.seed must be .*below 4294967296, not 4294967296"),
        ("label_audit:", "search: {seed: 4294967296}\nlabel_audit:", 18, "search.seed must be .*below 4294967296"),
        ("0.1", "0", 8, "split.validation_fraction must be .* 0.*, not 0"),
        ("0.1", "1", 8, "split.validation_fraction must be .* 1.*, not 1"),
        ("crf: {c: 1}", "crf: 3", 9, "crf must be a valid dictionary, not 3"),
        ("kind: encoder", "kind: encodr", 11, "e.kind must be one of majority, gazetteer, .*, not 'encodr'"),
        ("kind: encoder", "kind: [x]", 11, "e.kind must be one of"),
        ("rate: 1\n", "teachers:\n", 14, r"f\.teachers must be a list, such as \[mpnet-13\], or be left out, not None"),
        ("rate: 1\n", "teachers: e-1\n", 14, "f.teachers must be a list, .*, not 'e-1'"),
        (
            "label_audit:",
            "search: {trials: {e: [{teachers: [[], null]}]}}\nlabel_audit:",
            18,
            "search.trials.e.0.teachers.1 must be a list, .*, not None",
        ),
        (
            "label_audit:",
            "confirmatory: {corpora: [a, c]}\nlabel_audit:",
            18,
            "confirmatory.corpora.1 must be the name of a corpus, .*, not 'c'",
        ),
        ("corpora: [a]\n", "corpora: [a, c]\n", 1, "corpora.1 must be the name of a corpus, .*, not 'c'"),
        ("corpora: [b]", "corpora: [c]", 7, "extra_runs.h.corpora.0 must be the name of a corpus"),
        ("e: {rate: 2}", "gpt: {}", 16, "studies.s.gpt must be the name of a system"),
        ("e: {rate: 2}", "e: 3", 16, "studies.s.e must be a valid dictionary, not 3"),
        (", e: {rate: 2}, crf: null", "", 16, "studies.s must name one system or more"),
        ("seeds: [1, 2], e", "seeds: 13, e", 16, "studies.s.seeds must be a valid list, not 13"),
        ("seeds: [1, 2], e", "seeds: [], e", 16, "studies.s.seeds must have at least 1 item"),
        ("seeds: [1, 2], e", "fractions: [0], e", 16, "studies.s.fractions.0 must be .*above 0.*, not 0"),
        ("seeds: [1, 2], e", "fractions: [1.5], e", 16, "studies.s.fractions.0 must be .*at most 1.*, not 1.5"),
        ("seeds: [1, 2], e", "per_type: [0], e", 16, "studies.s.per_type.0 must be .*at least 1.*, not 0"),
        (
            "seeds: [1, 2], e",
            "per_type: [5], fractions: [1], e",
            16,
            "studies.s must have either fractions or per_type",
        ),
    ],
)
def test_an_error_has_its_line(path: Path, old: str, new: str, line: int, message: str) -> None:
    assert VALID.count(old) == 1
    path.write_text(VALID.replace(old, new))
    with pytest.raises(BertNerError, match=rf"params\.yaml, line {line}: {message}"):
        read_params()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"params\.yaml can't be read: .*; correct it"),
        ("corpora: [a", r"(?s)params\.yaml is not YAML: .*; correct it"),
        ("5", r"params\.yaml, line 1: the file must hold names and values; it has 5"),
        ("", r"params\.yaml, line 1: the file must hold names and values; it is empty"),
        ("corpora: [a]\n3: x", r"params\.yaml, line 2: key 3 must be text; put it in quotes"),
        ("[a]: b", r"params\.yaml"),
    ],
)
def test_a_file_that_is_not_a_mapping_is_named(path: Path, text: str | None, message: str) -> None:
    path.write_text(text) if text is not None else path.unlink()
    with pytest.raises(BertNerError, match=message):
        read_params()


def test_every_error_is_shown(path: Path) -> None:
    path.write_text(VALID.replace("[crf]", "[]").replace("[1]\n", "[x]\n"))
    with pytest.raises(BertNerError) as caught:
        read_params()
    assert len(str(caught.value).splitlines()) == 2


def test_the_first_encoder_needs_a_name(path: Path) -> None:
    path.write_text(VALID.replace("name: x", "name: null"))
    with pytest.raises(BertNerError, match="e, the first of encoders, must have an encoder's name"):
        _ = read_params().tokenizer_encoder
