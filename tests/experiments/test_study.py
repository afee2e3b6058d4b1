"""Studies as params.yaml has them, and one on a tiny encoder."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.params import read_params

import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML
from transformers import BertConfig, BertModel

import study
from bert_ner.corpus.bio import Sentence, labels_of, write_bio
from bert_ner.encoder.weights import find_weights
from bert_ner.errors import BertNerError
from study import COLUMNS, build_trial, few_of_each_type, merged, seen_by, subset, trials_of

SENTENCES = [Sentence(("films", "with", "orla", f"quist{i}"), ("O", "O", "B-ACTOR", "I-ACTOR")) for i in range(20)]
ROOT = Path(__file__).resolve().parents[2]


def test_every_study_of_the_parameters_can_be_built() -> None:
    params = read_params()
    for name in params["studies"]:
        for trial in trials_of(name, params):
            build_trial(trial, ["O"], Path("state"))


def test_a_study_changes_what_it_says_and_nothing_else() -> None:
    params = read_params()
    changes = {
        "warmup": {"warmup": 0.1},
        "no_decay": {"schedule": "constant"},
        "no_clip": {"clip_norm": math.inf},
        "adam": {"weight_decay": 0.0},
        "random_weights": {"pretrained": False},
        "epochs_8": {"epochs": 8},
        "float32": {"precision": "float32"},
    }
    assert {*changes, "learning_curve", "few_shot"} == set(params["studies"])
    for name, expected in changes.items():
        for trial in trials_of(name, params):
            assert (trial.system, trial.fraction, trial.per_type) == ("minilm", 1.0, None)
            assert trial.settings == {**params["minilm"], **expected}
            assert trial.settings != params["minilm"]


def test_every_study_is_a_stage_that_the_pipeline_leaves_alone() -> None:
    def dvc(*arguments: str) -> str:
        command = [sys.executable, "-m", "dvc", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    stages = [name for name in dvc("stage", "list", "--name-only", "results/dvc.yaml").split() if ":study@" in name]
    assert stages == [f"results/dvc.yaml:study@{name}" for name in read_params()["studies"]]
    assert "study" not in dvc("stage", "list", "--name-only")
    for stage in dvc("stage", "list", "--name-only").split():
        if stage.startswith("report"):
            assert "study" not in dvc("dag", "--dot", stage)


def test_trials_are_every_system_fraction_and_seed() -> None:
    params = {"crf": {"c": 1}, "studies": {"s": {"seeds": [1, 2], "fractions": [0.1, 1], "crf": {"c": 2, "d": 3}}}}
    found = [(t.variant, t.seed, t.fraction, t.settings) for t in trials_of("s", params)]
    assert found == [(f"c=2, d=3, fraction={f}", seed, f, {"c": 2, "d": 3}) for f in (0.1, 1) for seed in (1, 2)]
    [plain] = trials_of("s", {"studies": {"s": {"minilm": None}}})
    assert (plain.variant, plain.seed, plain.fraction) == ("", 13, 1.0)
    few = {"crf": {}, "studies": {"s": {"seeds": [1, 2], "per_type": [5, 10], "crf": None}}}
    found = [(t.variant, t.seed, t.fraction, t.per_type) for t in trials_of("s", few)]
    assert found == [(f"per_type={n}", seed, None, n) for n in (5, 10) for seed in (1, 2)]


@pytest.mark.parametrize(
    ("studies", "message"),
    [
        (None, "params.yaml has no study 's' under 'studies'$"),
        ({"a": {}, "b": {}}, "no study 's' under 'studies'; there are a, b"),
        ({"s": 5}, "studies.s must be settings by system, not 5"),
        ({"s": {"seeds": [1]}}, "studies.s: expected settings of one system or more of majority, gazetteer"),
        ({"s": {"gpt": {}}}, "beside seeds, fractions, per_type; found {'gpt': {}}"),
        ({"s": {"minilm": 3}}, "expected settings"),
        ({"s": {"minilm": {}, "seeds": 13}}, "studies.s.seeds must be a list of whole numbers, not 13"),
        ({"s": {"minilm": {}, "seeds": [True]}}, "seeds must be"),
        ({"s": {"minilm": {}, "seeds": []}}, "seeds must be"),
        ({"s": {"minilm": {}, "fractions": [0]}}, "fractions must be a list of numbers above 0 and up to 1"),
        ({"s": {"minilm": {}, "fractions": [1.5]}}, "fractions must be"),
        ({"s": {"minilm": {}, "per_type": [0]}}, "per_type must be a list of whole numbers of at least 1"),
        ({"s": {"minilm": {}, "per_type": [5], "fractions": [1]}}, "has both fractions and per_type"),
    ],
)
def test_a_mistake_is_named(studies: Any, message: str) -> None:
    with pytest.raises(BertNerError, match=message):
        trials_of("s", {"studies": studies})


def test_a_setting_that_a_system_does_not_take_names_the_study() -> None:
    params = read_params()
    for settings, message in (({"warm": 1}, "studies.s: .*warm"), ({"clip_norm": 0}, "studies.s: .*clip_norm")):
        [trial] = trials_of("s", {**params, "studies": {"s": {"minilm": settings}}})
        with pytest.raises(BertNerError, match=message):
            build_trial(trial, ["O"], Path("state"))


def test_subsets_are_nested_and_the_seed_s() -> None:
    sizes = [subset(SENTENCES, fraction, 13) for fraction in (0.01, 0.3, 0.5, 1)]
    assert [len(part) for part in sizes] == [1, 6, 10, 20]
    for small, large in pairwise(sizes):
        assert set(small) < set(large)
        assert large == [sentence for sentence in SENTENCES if sentence in set(large)]
    assert subset(SENTENCES, 0.5, 13) == sizes[2] != subset(SENTENCES, 0.5, 42)


def test_few_sentences_are_validated_on_few_and_a_share_on_all() -> None:
    params = {"crf": {}, "studies": {"few": {"per_type": [3], "crf": {}}, "share": {"fractions": [0.1], "crf": {}}}}
    [few], [share] = (trials_of(name, params) for name in ("few", "share"))
    assert [len(part) for part in seen_by(few, SENTENCES, SENTENCES[:8])] == [3, 3]
    assert [len(part) for part in seen_by(share, SENTENCES, SENTENCES[:8])] == [2, 8]


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


def test_an_encoder_without_weights_is_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(study, "availability", lambda encoder: (encoder.name == "all-MiniLM-L6-v2", ""))
    trials = trials_of("few_shot", read_params())
    assert {trial.system for trial in trials if study.can_be_had(trial)} == {"crf", "minilm"}
    assert "mpnet-13 is left out: the weights of all-mpnet-base-v2 can't be had" in capsys.readouterr().out


def test_rows_take_the_place_of_their_study_s_alone(tmp_path: Path) -> None:
    def row(name: str, **values: Any) -> dict[str, Any]:
        return {"study": name, "variant": "v", "system": "crf", "seed": 1, "fraction": 0.3, "sentences": 9} | values

    path = tmp_path / "studies.csv"
    order = ["a", "b"]
    path.write_text(merged(path, [row("b", test_entity_f1=1 / 3)], order))
    path.write_text(merged(path, [row("a", epoch=1), row("a", epoch=2, test_entity_f1=0.5)], order))
    before = path.read_text()
    assert before.splitlines()[1:] == [
        "a,v,crf,,1,0.300000,,9,1,,,,,,,",
        "a,v,crf,,1,0.300000,,9,2,,,,,0.500000,,",
        "b,v,crf,,1,0.300000,,9,,,,,,0.333333,,",
    ]
    assert merged(path, [row("b", test_entity_f1=1 / 3)], order) == before
    assert "a,v" not in merged(path, [row("b")], ["b"])
    path.write_text("study,system\na,crf\n")  # written before there was the column
    few = merged(path, [row("b", fraction=None, per_type=5)], order).splitlines()
    assert few[1:] == ["a,,crf" + "," * 13, "b,v,crf,,1,,5,9,,,,,,,,"]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A prepared corpus of twenty sentences, an encoder of one layer, and a study of two seeds."""
    for part in ("train", "validation", "test"):
        write_bio(tmp_path / "data/prepared/sample" / f"{part}.bio", SENTENCES)
    write_bio(tmp_path / "data/raw/sample/sampletest.bio", SENTENCES)
    (tmp_path / "data/prepared/sample/labels.txt").write_text("\n".join(labels_of(["ACTOR"])))
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(**shape), add_pooling_layer=False).save_pretrained(tmp_path / "encoder")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(find_weights("all-MiniLM-L6-v2").folder / name, tmp_path / "encoder" / name)
    params = YAML(typ="safe").load(ROOT / "params.yaml")
    params["minilm"] |= {"name": str(tmp_path / "encoder"), "epochs": 2, "precision": "float32"}
    params["crf"] = {"c1": [0.1, 0.2], "c2": [0.1], "max_iterations": 5}
    params["studies"] = {"curve": {"seeds": [1, 2], "fractions": [0.5], "minilm": {"warmup": 0.1}, "crf": {}}}
    YAML().dump(params, tmp_path / "params.yaml")
    monkeypatch.setattr("pipeline.ROOT", tmp_path)
    for where in ("pipeline", "study", "train"):
        monkeypatch.setattr(f"{where}.DATA", tmp_path / "data")
    monkeypatch.setattr("study.RESULTS", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["study.py", "--corpus", "sample", "--study", "curve"])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


def test_a_study_from_end_to_end(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study.main()
    table = pd.read_csv(workplace / "results/sample/studies.csv")
    assert list(table) == COLUMNS
    assert list(table["system"]) == ["minilm"] * 4 + ["crf"] * 2
    assert set(table["sentences"]) == {10}
    encoder, crf = table[table["system"] == "minilm"], table[table["system"] == "crf"]
    assert list(encoder["epoch"]) == [1, 2, 1, 2]
    assert list(encoder["seed"]) == [1, 1, 2, 2]
    assert set(encoder["variant"]) == {"warmup=0.1, fraction=0.5"}
    assert encoder["train_loss"].notna().all()
    assert list(encoder["test_entity_f1"].notna()) == [False, True, False, True]
    assert crf["epoch"].isna().all()
    assert crf[["validation_entity_f1", "test_entity_f1", "test_token_micro_f1"]].to_numpy().min() > 0.9
    assert "test_entity_f1" in capsys.readouterr().out
    assert not list((workplace / "data/unfinished").rglob("*.*"))


def test_a_study_that_is_killed_goes_on_with_the_run_it_was_in(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, int]] = []
    plain = study.run_trial

    def stopping(trial: study.Trial, *others: Any, **source: str) -> list[dict[str, Any]]:
        ran.append((trial.system, trial.seed))
        if len(ran) == 2:
            raise KeyboardInterrupt
        return plain(trial, *others, **source)

    monkeypatch.setattr(study, "run_trial", stopping)
    with pytest.raises(KeyboardInterrupt):
        study.main()
    assert not (workplace / "results").exists()
    study.main()
    assert ran == [("minilm", 1), ("minilm", 2), ("minilm", 2), ("crf", 1), ("crf", 2)]
    assert len(pd.read_csv(workplace / "results/sample/studies.csv")) == 6


def test_a_finished_run_of_other_settings_is_run_again(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    plain = study.run_trial

    def stopping(trial: study.Trial, *others: Any, **source: str) -> list[dict[str, Any]]:
        if trial.system == "crf":
            raise KeyboardInterrupt
        seen.append(trial.settings["warmup"])
        return plain(trial, *others, **source)

    monkeypatch.setattr(study, "run_trial", stopping)
    for warmup in (0.1, 0.2, 0.1):
        text = YAML(typ="safe").load(workplace / "params.yaml")
        text["studies"]["curve"]["minilm"] = {"warmup": warmup}
        YAML().dump(text, workplace / "params.yaml")
        with pytest.raises(KeyboardInterrupt):
            study.main()
    assert seen == [0.1, 0.1, 0.2, 0.2]
