"""Systems built from sections of params.yaml."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.params import read_params
from harness.systems import build

import pytest

from baselines.crf import CRFTagger
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.errors import BertNerError
from bert_ner.tagger import System

ROOT = Path(__file__).resolve().parents[3]
ENCODER = {
    "kind": "encoder", "name": "x", "learning_rate": 1e-4, "batch_size": 8, "weight_decay": 0, "clip_norm": 1.0,
    "epochs": 1, "warmup": 0, "precision": "auto",
}  # fmt: skip
BILSTM = {
    "word_size": 1, "character_size": 1, "filters": 1, "hidden": 1, "dropout": 0, "word_dropout": 0,
    "learning_rate": 0.1, "batch_size": 1, "epochs": 1,
}  # fmt: skip


def test_every_system_of_the_parameters_can_be_built() -> None:
    params = read_params()
    assert {run.system for run in params.runs} <= set(params.systems)
    for name, section in params.systems.items():
        build(name, section, ["O"], 13)


def test_the_kind_is_the_section_s_or_its_name() -> None:
    crf = {"c1": [0.1], "c2": [0], "max_iterations": 5}
    for name, section in (("crf", crf), ("mine", {"kind": "crf", **crf})):
        tagger = build(name, section, ["O", "B-X"], 7, Path("state"))
        assert isinstance(tagger, CRFTagger)
        assert tagger.settings.model_dump() == crf
        assert (tagger.labels, tagger.seed, tagger.checkpoint) == (("O", "B-X"), 7, Path("state"))
    assert isinstance(build("mine", ENCODER, ["O"], 0), EncoderTagger)


def test_methods_that_a_system_lacks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Started(System):
        def fit(self, *_: Any) -> list[dict[str, Any]]:
            return []

    monkeypatch.setattr("harness.systems.tagger_class", lambda kind: Started)
    with pytest.raises(BertNerError, match=r"params\.yaml, line \d+: crf: Started lacks tag, save, load"):
        build("crf", {}, ["O"], 0)


@pytest.mark.parametrize(
    ("name", "section", "message"),
    [
        ("gpt", {}, "no kind of tagger is named 'gpt'; valid kinds: majority, gazetteer, hmm, crf, bilstm_crf, enc"),
        ("mine", {"kind": "onnx"}, "onnx can't be trained"),
        ("crf", None, "expected names and values of settings, not None"),
        ("majority", {"x": 1}, "unknown key 'x'"),
        ("crf", {"c1": [1], "c2": [1]}, "max_iterations is missing"),
        ("crf", {"c1": [1], "c2": [1], "max_iterations": 1, "c3": 1}, "unknown key 'c3'; the keys here are c1, c2, "),
        ("crf", {"c1": 1, "c2": [1], "max_iterations": 1}, "c1 must be a valid list, not 1"),
        ("crf", {"c1": [1], "c2": [], "max_iterations": 1}, "c2 must have at least 1 item, not []"),
        ("crf", {"c1": [1], "c2": [-1], "max_iterations": 1}, "c2.0 must be a number of at least 0, not -1"),
        ("crf", {"c1": [True], "c2": [1], "max_iterations": 1}, "c1.0 must be a number of at least 0, not True"),
        ("crf", {"c1": [float("inf")], "c2": [1], "max_iterations": 1}, "c1.0 must be a number of at least 0, not inf"),
        ("crf", {"c1": [1], "c2": [1], "max_iterations": 0}, "max_iterations must be a whole number of at least 1 and"),
        ("crf", {"c1": [1], "c2": [1], "max_iterations": 2**31}, "max_iterations must be a whole number of at least 1"),
        ("crf", {"c1": [1], "c2": [1], "max_iterations": True}, "max_iterations must be a whole number of at least 1"),
        ("gazetteer", {"min_count": [0], "min_share": [1]}, "min_count.0 must be a whole number of at least 1, not 0"),
        ("gazetteer", {"min_count": [1], "min_share": []}, "min_share must have at least 1 item, not []"),
        ("gazetteer", {"min_count": [1], "min_share": [1.5]}, "min_share.0 must be a number of at least 0 and of at m"),
        ("gazetteer", {"min_count": [1], "min_share": [float("nan")]}, "min_share.0 must be a number of at least 0 an"),
        ("hmm", {"suffix": [0], "rare": [1], "prior": [1]}, "suffix.0 must be a whole number of at least 1, not 0"),
        ("hmm", {"suffix": [1], "rare": 1, "prior": [1]}, "rare must be a valid list, not 1"),
        ("hmm", {"suffix": [1], "rare": [1.0], "prior": [1]}, "rare.0 must be a whole number of at least 1, not 1.0"),
        ("hmm", {"suffix": [1], "rare": [1], "prior": [0]}, "prior.0 must be a number above 0, not 0"),
        ("hmm", {"suffix": [1], "rare": [1], "prior": [float("inf")]}, "prior.0 must be a number above 0, not inf"),
        ("bilstm_crf", {**BILSTM, "hidden": 0}, "hidden must be a whole number of at least 1, not 0"),
        ("minilm", {"kind": "encoder", "name": "x"}, "learning_rate is missing\n"),
        ("minilm", {**ENCODER, "clip_norm": 0}, "clip_norm must be a number above 0, not 0"),
    ],
)
def test_a_wrong_setting_is_named_with_its_section_and_range(name: str, section: Any, message: str) -> None:
    with pytest.raises(BertNerError) as caught:
        build(name, section, ["O"], 0)
    assert re.match(rf"{re.escape(str(ROOT))}/params\.yaml, line \d+: {name}: {re.escape(message)}", str(caught.value))


def test_a_wrong_setting_has_its_line_also_in_a_merged_section_and_in_a_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.systems.ROOT", tmp_path)
    (tmp_path / "params.yaml").write_text(
        "crf: &crf\n  c1: [0.1]\n  c2: [-1]\nmine:\n  <<: *crf\n  kind: crf\nstudies:\n  s:\n    crf: {c2: [-1]}\n"
    )
    section = {"kind": "crf", "c1": [0.1], "c2": [-1], "max_iterations": 1}
    for name, where, line in (("crf", (), 3), ("mine", (), 3), ("crf", ("studies", "s", "crf"), 9)):
        message = (
            rf"params\.yaml, line {line}: {'.'.join(where or (name,))}: c2\.0 must be a number of at least 0, not -1"
        )
        with pytest.raises(BertNerError, match=message):
            build(name, section, ["O"], 0, where=where)


def test_building_a_crf_loads_no_torch() -> None:
    code = (
        "import sys; sys.path.insert(0, 'experiments'); from harness.systems import build; "
        "build('crf', {'c1': [1], 'c2': [1], 'max_iterations': 1}, ['O'], 0); "
        "sys.exit(' '.join({'torch', 'transformers', 'baselines.hmm'} & sys.modules.keys()) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
