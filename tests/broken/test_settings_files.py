"""Broken params.yaml: one error with file, line, fault and remedy, and nothing in the file runs."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.params import Params
from harness.systems import build

import pytest
from broken import DEEP_YAML, Change, breaks, swapped

from bert_ner.encoder.weights import find_weights
from bert_ner.errors import BertNerError
from bert_ner.yaml_files import read_yaml

ROOT = Path(__file__).resolve().parents[2]
REMEDY = "correct it, or take the one in the repository"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in pairwise("abcdefgh")
)


def line_of(text: str) -> int:
    """Return the first line of params.yaml that begins with a text."""
    lines = (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(lines, start=1) if line.startswith(text))


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (None, ["can't be read", "No such file", REMEDY]),
        (b"seeds: [1]\x00", ["is not YAML: unacceptable character #x0000", REMEDY]),
        ("seeds:\n\t- 1\n", ["is not YAML: while scanning for the next token", REMEDY]),
        ("seeds: !!python/object/apply:os.system ['touch it-ran']\n", ["is not YAML: could not determine", REMEDY]),
        ("seeds: *nothing\n", ["is not YAML: found undefined alias 'nothing'", REMEDY]),
        (DEEP_YAML, ["more than 10,000 values, aliases resolved, or than 40 levels", REMEDY]),
        ("#" * 2**21, ["has 2,097,152 bytes, more than the limit of 65,536", REMEDY]),
        (f"{BOMB}corpora: *h\nbaselines: *h\nseeds: *h\nsplit: *h\n", ["more than 10,000 values, aliases resolved"]),
        ("", ["line 1: "]),
        ("- 1\n", ["line 1: "]),
        (lambda c: c + b"\nseeds: [1]\n", ['found duplicate key "seeds"', REMEDY]),
        (lambda c: c + b"\n---\na: 1\n", ["is not YAML: expected a single document in the stream", REMEDY]),
        (lambda c: b"<<<<<<< HEAD\n" + c, ["is not YAML: ", REMEDY]),
    ],
)
def test_not_the_yaml_of_params(change: Change, messages: list[str], tmp_path: Path) -> None:
    check(change, messages, tmp_path)
    assert not Path("it-ran").exists()


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("corpora: [mit_movie_eng", "corpora: [5", "corpora:", "corpora.0 must be a valid string, not 5"),
        ("baselines: [crf]", "baselines: crf", "baselines:", "baselines must be a valid list, not 'crf'"),
        ("baselines: [crf]", "baselines: []", "baselines:", "baselines must have at least 1 item, not []"),
        ("encoders: [minilm]", "encoders: [bart]", "encoders:", "encoders.0 must be the name of a system"),
        ("seeds: [13, 42, 87]\n\n", "seeds: [-1]\n\n", "seeds:", "seeds.0 must be a whole number of at least 0"),
        ("seeds: [13, 42, 87]\n\n", "seeds: [true]\n\n", "seeds:", "seeds.0 must be a whole number"),
        ("fraction: 0.1", "fraction: 1.5", "  validation_fraction", "split.validation_fraction must be a number"),
        ("fraction: 0.1", "fraction: .nan", "  validation_fraction", "split.validation_fraction must be a number"),
        ("fraction: 0.1", "fraction: 0,1", "  validation_fraction", "split.validation_fraction must be a number"),
        (
            "\n  seed: 42",
            "\n  sead: 42",
            "  seed: 42",
            "unknown key 'split.sead'; the keys here are validation_fraction",
        ),
        ("\n  seed: 42", "", "split:", "split.seed is missing"),
        ("folds: 3", "folds: 1", "label_audit:", "label_audit.folds must be a whole number of at least 2"),
        ("{system: crf", "{system: oracle", "label_audit:", "label_audit.system must be the name of a system"),
        ("systems: [majority,", "systems: [oracle,", "  rules:", "extra_runs.rules.systems.0 must be the name of a"),
        ("crf:\n  c1", "crf_:\n  c1", "baselines:", "baselines.0 must be the name of a system, a section with a kind"),
    ],
)
def test_wrong_value_in_params(old: str, new: str, line: str, message: str, tmp_path: Path) -> None:
    check(swapped(old, new), [f"line {line_of(line)}: {message}"], tmp_path)


def check(change: Change, messages: list[str], folder: Path) -> None:
    path = folder / "params.yaml"
    shutil.copy(ROOT / "params.yaml", path)
    breaks(path, change)
    with pytest.raises(BertNerError) as caught:
        read_yaml(path, Params)
    for message in [str(path), *messages]:
        assert message in str(caught.value)
    assert "yaml.dev" not in str(caught.value)  # where ruamel.yaml tells programmers how to allow a key twice
    assert len(str(caught.value)) < 500_000


CRF = {"c1": [0.1], "c2": [0.1], "max_iterations": 5}
ENCODER = {
    "kind": "encoder",
    "name": "all-MiniLM-L6-v2",
    "learning_rate": 0.00005,
    "batch_size": 32,
    "weight_decay": 0.01,
    "clip_norm": 1.0,
    "epochs": 4,
    "warmup": 0.0,
    "precision": "float32",
}


@pytest.mark.parametrize(
    ("system", "section", "change", "message"),
    [
        ("crf", CRF, {"max_iterations": "many"}, "max_iterations must be a whole number"),
        ("crf", CRF, {"max_iterations": True}, "max_iterations must be a whole number"),
        ("crf", CRF, {"max_iterations": 99999999999999999999}, "max_iterations must be a whole number"),
        ("crf", CRF, {"max_iteration": 5}, "unknown key 'max_iteration'; the keys here are c1, c2, max_iterations"),
        ("crf", CRF, {"c1": {"a": 1}}, "c1 must be a valid list, not {'a': 1}"),
        ("crf", CRF, {"c1": [float("inf")]}, "c1.0 must be a number"),
        ("crf", CRF, {"c1": [True]}, "c1.0 must be a number"),
        ("crf", CRF, {"c1": "0.1"}, "c1 must be a valid list, not '0.1'"),
        ("crf", {}, {}, "c1 is missing"),
        ("minilm", ENCODER, {"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ("minilm", ENCODER, {"epochs": 1.0}, "epochs must be a whole number of at least 1, not 1.0"),
        ("minilm", ENCODER, {"epochs": None}, "epochs must be a whole number of at least 1, not None"),
        ("minilm", ENCODER, {"batch_size": True}, "batch_size must be a whole number of at least 1, not True"),
        ("minilm", ENCODER, {"learning_rate": None}, "learning_rate must be a number above 0"),
        ("minilm", ENCODER, {"learning_rate": float("inf")}, "learning_rate must be"),
        ("minilm", ENCODER, {"precision": "fp16"}, "precision must be 'auto', 'bfloat16' or 'float32', not 'fp16'"),
        ("minilm", ENCODER, {"warmup": "10%"}, "warmup must be a number of at least 0 and below 1, not '10%'"),
        ("minilm", ENCODER, {"dropout": 0.1}, "unknown key 'dropout'; the keys here are "),
        ("minilm", ENCODER, {"kind": "oracle"}, "no kind of tagger is named 'oracle'; valid kinds: majority, "),
    ],
)
def test_wrong_setting_of_a_system(system: str, section: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(BertNerError) as caught:
        build(system, section | change, ["O", "B-X", "I-X"], seed=1)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "no-such-encoder",
            "no encoder and no folder is named 'no-such-encoder'; 'bert-ner encoders' lists the encoders",
        ),
        (str(ROOT / "params.yaml"), "no encoder and no folder is named "),
        (
            str(ROOT / "tests"),
            "config.json and tokenizer.json and model.safetensors missing; a Hugging Face model folder",
        ),
    ],
)
def test_wrong_name_of_an_encoder(name: str, message: str) -> None:
    with pytest.raises(BertNerError) as caught:
        find_weights(name)
    assert message in str(caught.value)
