"""A search over a corpus of twenty sentences: its folds, its rows and tags, and what happens when it is interrupted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from harness import teachers
from harness.params import read_params
from harness.tables import TABLES

import pandas as pd
import pytest
from ruamel.yaml import YAML

import search
from bert_ner.corpus.bio import Sentence, labels_of
from bert_ner.corpus.catalog import Corpus
from bert_ner.encoder.training import Recipe
from bert_ner.errors import BertNerError
from bert_ner.scoring import entity_f1

SENTENCES = [Sentence(("films", "with", f"orla{i % 4}"), ("O", "O", "B-ACTOR")) for i in range(20)]
ROOT = Path(__file__).resolve().parents[2]


def test_folds_share_no_sentence_and_miss_none() -> None:
    folds = search.folds_of(20, 3, 42)
    assert sorted(map(len, folds)) == [6, 7, 7]
    assert sorted(chain(*folds)) == list(range(20))
    assert folds == [sorted(fold) for fold in folds] == search.folds_of(20, 3, 42)
    assert folds != search.folds_of(20, 3, 43)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a corpus, and a search of three trials of the gazetteer; return the results of the corpus."""
    (tmp_path / "data/prepared/sample").mkdir(parents=True)
    (tmp_path / "data/prepared/sample/labels.txt").write_text("\n".join(labels_of(["ACTOR"])))
    params = YAML(typ="safe").load(ROOT / "params.yaml")
    params["search"]["fewer_folds"] = {}
    params["search"]["trials"] = {"gazetteer": [{"min_count": [[1], [2], [9]], "min_share": [[0.5]]}]}
    YAML().dump(params, tmp_path / "params.yaml")
    monkeypatch.setattr("harness.params.ROOT", tmp_path)
    monkeypatch.setattr("harness.paths.DATA", tmp_path / "data")
    monkeypatch.setattr("harness.locks.FOLDER", tmp_path)
    monkeypatch.setattr("search.DATA", tmp_path / "data")
    monkeypatch.setattr("harness.trials.DATA", tmp_path / "data")
    for where in ("harness.trials", "search"):
        monkeypatch.setattr(f"{where}.RESULTS", tmp_path / "results")
    monkeypatch.setattr("search.check_acquired", lambda *_: None)
    monkeypatch.setattr(Corpus, "read", lambda *_: {"train": SENTENCES})
    monkeypatch.setattr(sys, "argv", ["search.py", "--corpus", "sample", "--system", "gazetteer"])
    return tmp_path / "results/sample"


def test_a_search_from_end_to_end(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    search.main()
    table = pd.read_csv(results / "search.csv")
    assert list(table) == list(TABLES["search"].columns)
    assert list(zip(table["trial"], table["fold"], strict=True)) == [(t, f) for t in (1, 2, 3) for f in (1, 2, 3)]
    assert list(table["settings"][::3]) == [f"min_count=[{n}] min_share=[0.5]" for n in (1, 2, 9)]
    f1 = list(table["validation_entity_f1"])
    assert (f1[:3], f1[6:]) == ([1.0] * 3, [0.0] * 3)  # no name is there nine times
    folds = search.folds_of(20, 3, read_params().search.seed)
    for row in table.to_dict("records"):
        lines = (
            (results.parents[1] / f"data/search/sample/gazetteer-{row['trial']}-{row['fold']}.tags")
            .read_text()
            .splitlines()
        )
        gold = [SENTENCES[i].tags for i in folds[row["fold"] - 1]]
        f1_again = entity_f1(gold, [line.split() for line in lines])
        assert f1_again == pytest.approx(row["validation_entity_f1"], abs=1e-6)
    assert "gazetteer: the first within one standard error of the best is trial 1\n" in capsys.readouterr().out


def test_a_search_goes_on_and_trains_again_only_what_changed(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[int, int]] = []
    plain = search.run_fold

    def stopping(corpus: str, row: dict[str, Any], *others: Any) -> Any:
        ran.append((row["trial"], row["fold"]))
        if len(ran) == 5:
            raise KeyboardInterrupt
        return plain(corpus, row, *others)

    monkeypatch.setattr(search, "run_fold", stopping)
    with pytest.raises(KeyboardInterrupt):
        search.main()
    assert len(pd.read_csv(results / "search.csv")) == 4
    search.main()
    assert ran == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3)]

    text = (results.parents[1] / "params.yaml").read_text()
    (results.parents[1] / "params.yaml").write_text(text.replace("- 9\n", "- 3\n"))
    ran.clear()
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--trial", "3"])
    search.main()
    assert ran == [(3, 1), (3, 2), (3, 3)]
    assert len(pd.read_csv(results / "search.csv")) == 9


def test_each_fold_can_be_a_run_of_its_own(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, unfinished = list(sys.argv), results.parents[1] / "data/unfinished/sample"
    for fold in ("1", "2"):
        monkeypatch.setattr(sys, "argv", [*plain, "--trial", "2", "--fold", fold])
        search.main()
    assert not results.exists()
    assert sorted(path.name for path in unfinished.iterdir()) == [f"search-gazetteer-2-{fold}.json" for fold in (1, 2)]

    def unlike(corpus: str, row: dict[str, Any], *_: Any) -> Any:
        assert (row["trial"], row["fold"]) not in ((2, 1), (2, 2))  # which are finished
        return run_fold(corpus, row, *_)

    run_fold = search.run_fold
    monkeypatch.setattr(search, "run_fold", unlike)
    monkeypatch.setattr(sys, "argv", plain)
    search.main()
    assert len(pd.read_csv(results / "search.csv")) == 9
    assert not any(unfinished.iterdir())


def test_a_finished_fold_of_other_settings_is_trained_again(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = list(sys.argv)
    monkeypatch.setattr(sys, "argv", [*plain, "--trial", "1", "--fold", "1"])
    search.main()
    path = results.parents[1] / "params.yaml"
    path.write_text(path.read_text().replace("min_share:\n      - - 0.5", "min_share:\n      - - 0.6"))
    monkeypatch.setattr(sys, "argv", plain)
    search.main()
    table = pd.read_csv(results / "search.csv")
    assert list(table["settings"][::3]) == [f"min_count=[{n}] min_share=[0.6]" for n in (1, 2, 9)]


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trial", "4"], r"search\.trials\.gazetteer has no trial 4, but 1 to 3"),
        (["--fold", "0"], r"the search of gazetteer has no fold 0, but 1 to 3"),
    ],
)
def test_an_unknown_trial_or_fold_is_an_error(
    options: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [*sys.argv, *options])
    with pytest.raises(BertNerError, match=message):
        search.main()


def test_teachers_of_a_trial_see_the_sentences_of_its_fold_alone(
    results: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[str, list[Sentence], list[Path]]] = []
    plain = teachers.fit

    def listening(tagger: Any, train: list[Sentence], validation: list[Sentence], folders: list[Path]) -> Any:
        trained.append(("student" if folders else "teacher", [*train, *validation], folders))
        return plain(tagger, train, validation, folders)

    numbered = [Sentence(("films", "with", f"orla{i}"), ("O", "O", "B-ACTOR")) for i in range(20)]
    monkeypatch.setattr(Corpus, "read", lambda *_: {"train": numbered})
    monkeypatch.setattr(search, "fit", listening)
    path = results.parents[1] / "params.yaml"
    params = YAML(typ="safe").load(path)
    params["minilm"] |= {"name": recipe.name, "epochs": 1}
    params["student"] = {**params["minilm"], "teachers": ["minilm-7"]}
    params["search"] |= {"folds": 2, "trials": {"student": [{"epochs": [1, 2]}]}}
    YAML().dump(params, path)
    monkeypatch.setattr(sys, "argv", ["search.py", "--corpus", "sample", "--system", "student"])
    search.main()
    assert [kind for kind, *_ in trained] == ["teacher", "student"] * 2 + ["student"] * 2
    folds = search.folds_of(20, 2, read_params().search.seed)
    for (_, sentences, folders), held_out in zip(trained, [folds[i] for i in (0, 0, 1, 1, 0, 1)], strict=True):
        assert sorted(sentences) == sorted(numbered[i] for i in range(20) if i not in held_out)
        assert all((folder / "SHA256SUMS").is_file() for folder in folders)


def test_other_folds_are_trained_and_the_rows_of_the_old_ones_go(results: Path) -> None:
    search.main()
    path = results.parents[1] / "params.yaml"
    path.write_text(path.read_text().replace("folds: 3", "folds: 2"))
    search.main()
    table = pd.read_csv(results / "search.csv")
    assert list(zip(table["trial"], table["fold"], strict=True)) == [(t, f) for t in (1, 2, 3) for f in (1, 2)]
    assert set(table["split"]) == {"2 folds, seed 42; validation 0.1, seed 42"}


def test_rows_that_nobody_asks_for_go_although_nothing_is_trained(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search.main()
    assert "nothing is trained" not in capsys.readouterr().out
    path = results.parents[1] / "params.yaml"
    params = YAML(typ="safe").load(path)
    params["search"]["trials"]["gazetteer"][0]["min_count"].pop()
    YAML().dump(params, path)
    search.main()
    assert set(pd.read_csv(results / "search.csv")["trial"]) == {1, 2}
    assert "search.csv has all rows of gazetteer: nothing is trained; to train again" in capsys.readouterr().out
