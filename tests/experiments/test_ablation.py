"""What a setting brings: the section's own settings against the other trials, over all folds' sentences."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from harness.tables import TABLES

import pandas as pd
import pytest
from ruamel.yaml import YAML

import ablation
import search
from bert_ner.corpus.bio import Sentence, labels_of
from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError

SENTENCES = [Sentence(("films", "with", f"orla{i % 4}"), ("O", "O", "B-ACTOR")) for i in range(20)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder with the results of a search: the section itself, and two trials with one change each."""
    (tmp_path / "data/prepared/sample").mkdir(parents=True)
    (tmp_path / "data/prepared/sample/labels.txt").write_text("\n".join(labels_of(["ACTOR"])))
    params = YAML(typ="safe").load(ROOT / "params.yaml")
    params["gazetteer"] = {"min_count": [1], "min_share": [0.5]}
    params["search"]["fewer_folds"] = {}
    params["search"]["trials"] = {"gazetteer": [{"min_share": [[0.4]]}, {}, {"min_count": [[9]]}]}
    YAML().dump(params, tmp_path / "params.yaml")
    monkeypatch.setattr("harness.params.ROOT", tmp_path)
    monkeypatch.setattr("harness.locks.FOLDER", tmp_path)
    for module in ("harness.paths", "harness.trials", "search"):
        monkeypatch.setattr(f"{module}.DATA", tmp_path / "data")
    for module in ("search", "ablation"):
        monkeypatch.setattr(f"{module}.RESULTS", tmp_path / "results")
    monkeypatch.setattr("search.check_acquired", lambda *_: None)
    monkeypatch.setattr(Corpus, "read", lambda *_: {"train": SENTENCES})
    monkeypatch.setattr(ablation, "SAMPLES", 999)
    monkeypatch.setattr(sys, "argv", ["script", "--corpus", "sample", "--system", "gazetteer"])
    search.main()
    return tmp_path


def test_each_change_is_compared_with_the_section_itself(folder: Path) -> None:
    ablation.main()
    ablation.main()  # its rows take the place of the old ones
    table = pd.read_csv(folder / "results/sample/ablation.csv", keep_default_na=False)
    assert list(table) == list(TABLES["ablation"].columns)
    whole, same, none = table.to_dict("records")
    assert (whole["change"], whole["entity_f1"], whole["difference"], whole["n"]) == ("", 1.0, "", 20)
    assert (same["change"], same["entity_f1"], float(same["difference"])) == ("min_share=[0.4]", 1.0, 0.0)
    assert (none["change"], none["entity_f1"], float(none["difference"])) == ("min_count=[9]", 0.0, 1.0)
    assert float(same["p_value"]) == float(same["p_holm"]) == 1.0
    assert float(none["p_holm"]) == pytest.approx(2 * float(none["p_value"])) == pytest.approx(0.002)


@pytest.mark.parametrize("damage", ["a fold's tags", "other settings"])
def test_a_search_that_is_not_complete_is_an_error(folder: Path, damage: str) -> None:
    if damage == "a fold's tags":
        (folder / "data/search/sample/gazetteer-3-2.tags").unlink()
    else:
        params = folder / "params.yaml"
        params.write_text(params.read_text().replace("- 9\n", "- 8\n"))
    with pytest.raises(BertNerError, match=r"trial 3 of gazetteer has not tagged all folds .*; run python .*search.py"):
        ablation.main()


def test_a_search_without_the_settings_of_the_section_is_an_error(folder: Path) -> None:
    params = YAML(typ="safe").load(folder / "params.yaml")
    params["search"]["trials"]["gazetteer"].remove({})
    YAML().dump(params, folder / "params.yaml")
    with pytest.raises(BertNerError, match=r"no trial of gazetteer has the settings of its section; add an empty grid"):
        ablation.main()
