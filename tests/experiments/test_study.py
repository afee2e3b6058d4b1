"""A study on a tiny encoder, and its rows in the table."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.params import read_params
from harness.tables import TABLES, as_csv, read_table

import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML
from transformers import BertConfig, BertModel

import study
from bert_ner.corpus.bio import Sentence, labels_of, write_bio
from bert_ner.encoder.weights import find_weights
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of
from bert_ner.scoring import entity_f1, score
from study import Trial, available_trials, merged, read_trials

SENTENCES = [Sentence(("films", "with", "orla", f"quist{i}"), ("O", "O", "B-ACTOR", "I-ACTOR")) for i in range(20)]
ROOT = Path(__file__).resolve().parents[2]


def test_an_encoder_without_weights_is_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "bert_ner.encoder.weights.availability", lambda encoder: (encoder.name == "all-MiniLM-L6-v2", "")
    )
    trials = read_trials("few_shot", read_params())
    assert {trial.system for trial in available_trials(trials)} == {"crf", "minilm"}
    assert (
        capsys.readouterr().out
        == "mpnet is not trained, because its weights are unavailable; results that are here are kept\n"
    )
    with pytest.raises(BertNerError, match=r"studies\.few_shot: its encoders have no weights"):
        available_trials([trial for trial in trials if trial.system == "mpnet"])


def test_rows_take_the_place_of_their_study_s_alone(tmp_path: Path) -> None:
    def row(name: str, **values: Any) -> dict[str, Any]:
        return {"study": name, "variant": "v", "system": "crf", "seed": 1, "fraction": 0.3, "sentences": 9} | values

    path, order = tmp_path / "c/studies.csv", ["a", "b"]
    path.parent.mkdir()

    def put(rows: list[dict[str, Any]], studies: list[str] = order) -> list[str]:
        path.write_text(as_csv("studies", merged(read_table(tmp_path, "c", "studies"), rows, studies)))
        return path.read_text().splitlines()[1:]

    put([row("b", test_entity_f1=1 / 3)])
    before = put([row("a", epoch=1), row("a", epoch=2, test_entity_f1=0.5)])
    assert before == [
        "a,v,crf,,1,0.300000,,9,1,,,,,,,,,,,",
        "a,v,crf,,1,0.300000,,9,2,,,,,0.500000,,,,,,",
        "b,v,crf,,1,0.300000,,9,,,,,,0.333333,,,,,,",
    ]
    assert put([row("b", test_entity_f1=1 / 3)]) == before
    assert put([row("b", fraction=None, per_type=5)]) == [*before[:2], "b,v,crf,,1,,5,9,,,,,,,,,,,,"]
    assert put([row("b")], ["b"]) == ["b,v,crf,,1,0.300000,,9,,,,,,,,,,,,"]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a prepared corpus of twenty sentences, an encoder of one layer, and a study of two seeds."""
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
    monkeypatch.setattr("harness.params.ROOT", tmp_path)
    monkeypatch.setattr("harness.paths.DATA", tmp_path / "data")
    for where in ("harness.provenance", "study"):
        monkeypatch.setattr(f"{where}.RESULTS", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["study.py", "--corpus", "sample", "--study", "curve"])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


def change_study(workplace: Path, content: dict[str, Any]) -> None:
    """Put another content into the study of params.yaml."""
    params = YAML(typ="safe").load(workplace / "params.yaml")
    params["studies"]["curve"] = content
    YAML().dump(params, workplace / "params.yaml")


def test_a_study_from_end_to_end(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study.main()
    table = pd.read_csv(workplace / "results/sample/studies.csv")
    assert list(table) == list(TABLES["studies"].columns)
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

    folder = workplace / "results/sample/studies/curve"
    names = [f"{system}-0.5-{seed}" for system in ("crf", "minilm") for seed in (1, 2)]
    assert sorted(path.stem for path in folder.iterdir()) == names
    sums = json.loads((workplace / "results/provenance.json").read_text())["sample"]["studies"]["curve"]
    assert sums == {name: sha256_of(folder / f"{name}.tags") for name in names}
    for row in table.dropna(subset=["test_entity_f1"]).itertuples():
        tags = [line.split() for line in (folder / f"{row.system}-0.5-{row.seed}.tags").read_text().splitlines()]
        assert entity_f1([gold for _, gold in SENTENCES], tags) == pytest.approx(row.test_entity_f1, abs=1e-6)


def test_predictions_that_a_study_no_longer_makes_are_removed(workplace: Path) -> None:
    study.main()
    change_study(workplace, {"seeds": [1], "fractions": [0.5], "crf": {}})
    study.main()
    assert [path.name for path in (workplace / "results/sample/studies/curve").iterdir()] == ["crf-0.5-1.tags"]


def test_results_of_a_system_without_weights_stay(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study.main()

    def minilms() -> list[str]:
        table, facts = workplace / "results/sample/studies.csv", workplace / "results/provenance.json"
        return [line for line in (table.read_text() + facts.read_text()).splitlines() if "minilm" in line]

    study.main()
    before = minilms()
    monkeypatch.setattr(study, "has_weights", lambda settings: "name" not in settings)
    study.main()
    assert minilms() == before
    assert len(before) == 4 + 2  # epochs in the table, sums in the record
    assert len(list((workplace / "results/sample/studies/curve").iterdir())) == 4


def test_the_validation_sentences_choose_among_a_grid_s_settings(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = {"crf": {"c1": [[50.0], [0.1], [0.2]]}}  # the first finds nothing; the others are equal
    change_study(workplace, {"per_type": [5], "crf": {}, "grids": grid})
    scored: list[Any] = []
    monkeypatch.setattr(study, "score", lambda gold, tags, **source: scored.append(tags) or score(gold, tags, **source))
    study.main()
    [row] = read_table(workplace / "results", "sample", "studies").to_dict("records")
    assert (row["chosen"], row["variant"], row["sentences"]) == ("c1=[0.1]", "per_type=5", 5)
    assert row["validation_entity_f1"] == 1
    assert len(scored) == 1  # on the test sentences, only what was chosen
    assert [path.name for path in (workplace / "results/sample/studies/curve").iterdir()] == ["crf-5-13.tags"]


def test_the_epoch_that_is_kept_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tagger:
        def fit(self, *_: Any) -> list[dict[str, Any]]:
            return [{"epoch": i, "validation_entity_f1": f1} for i, f1 in enumerate((0.1, 0.5, 0.5, 0.4), start=1)]

        def tag(self, sentences: Any) -> list[tuple[str, ...]]:
            return [("O",) * len(words) for words in sentences]

    [trial] = read_trials("random_weights", read_params())[:1]
    for settings, keeps_best, tested in (({"patience": 2}, False, 2), ({}, True, 2), ({}, False, 4)):
        monkeypatch.setattr(Tagger, "keeps_best", keeps_best, raising=False)
        outcome = study.run_trial(trial, settings, Tagger(), [SENTENCES] * 3)
        rows = study.with_test_scores(outcome, SENTENCES, {}, None)
        assert [row["epoch"] for row in rows if "test_entity_f1" in row] == [tested]


def test_a_candidate_tags_the_test_sentences_only_if_it_is_the_best_so_far() -> None:
    class Tagger:
        def __init__(self, f1: float) -> None:
            self.f1 = f1

        def fit(self, *_: Any) -> list[dict[str, Any]]:
            return [{"epoch": 1, "validation_entity_f1": self.f1}]

        def tag(self, sentences: Any) -> list[tuple[str, ...]]:
            return [("O",) * len(words) for words in sentences]

    [trial] = read_trials("few_shot", read_params())[:1]
    outcomes: list[study.Outcome] = []
    for f1 in (0.2, 0.2, 0.3, 0.1):
        outcomes.append(study.run_trial(trial, {}, Tagger(f1), [SENTENCES] * 3, outcomes))
    assert ["tags" in outcome for outcome in outcomes] == [True, False, True, False]
    assert study.chosen(outcomes) == 2


def test_a_study_that_is_killed_goes_on_with_the_run_it_was_in(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, int]] = []
    plain = study.run_trial

    def stopping(trial: Trial, *others: Any) -> list[dict[str, Any]]:
        ran.append((trial.system, trial.seed))
        if len(ran) == 2:
            raise KeyboardInterrupt
        return plain(trial, *others)

    monkeypatch.setattr(study, "run_trial", stopping)
    with pytest.raises(KeyboardInterrupt):
        study.main()
    assert not (workplace / "results").exists()
    study.main()
    assert ran == [("minilm", 1), ("minilm", 2), ("minilm", 2), ("crf", 1), ("crf", 2)]
    assert len(pd.read_csv(workplace / "results/sample/studies.csv")) == 6


def test_each_training_of_a_study_can_be_a_run_of_its_own(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unfinished, plain = workplace / "data/unfinished/sample/study-curve", list(sys.argv)
    names = [f"{system}-0.5-{seed}" for system in ("crf", "minilm") for seed in (1, 2)]
    for name in names:
        monkeypatch.setattr(sys, "argv", [*plain, "--trial", name])
        study.main()
    assert not (workplace / "results").exists()
    assert sorted(path.name for path in unfinished.iterdir()) == [f"{name}.json" for name in names]
    monkeypatch.setattr(sys, "argv", plain)
    monkeypatch.setattr(study, "run_trial", None)  # so that a training would fail
    study.main()
    assert len(pd.read_csv(workplace / "results/sample/studies.csv")) == 6
    assert not unfinished.exists()


@pytest.mark.usefixtures("workplace")
def test_an_unknown_training_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--trial", "crf-1"])
    with pytest.raises(
        BertNerError, match=r"studies\.curve has no trial 'crf-1'; it has minilm-0\.5-1, minilm-0\.5-2, crf"
    ):
        study.main()


def test_a_finished_run_of_other_settings_is_run_again(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    plain = study.run_trial

    def stopping(trial: Trial, *others: Any) -> list[dict[str, Any]]:
        if trial.system == "crf":
            raise KeyboardInterrupt
        seen.append(trial.settings["warmup"])
        return plain(trial, *others)

    monkeypatch.setattr(study, "run_trial", stopping)
    for warmup in (0.1, 0.2, 0.1):
        change_study(workplace, {"seeds": [1, 2], "fractions": [0.5], "minilm": {"warmup": warmup}, "crf": {}})
        with pytest.raises(KeyboardInterrupt):
            study.main()
    assert seen == [0.1, 0.1, 0.2, 0.2]
