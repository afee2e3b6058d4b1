"""The report comes from the tables alone and says what it is about."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import report
from bert_ner.corpus.catalog import CORPORA
from bert_ner.errors import BertNerError
from evaluate import COLUMNS

METRIC_VALUES = {"token_micro_f1": 0.9, "token_micro_f1_no_o": 0.8, "token_macro_f1": 0.7, "entity_precision": 0.6}


def write_tables(folder: Path, corpus: str) -> None:
    folder.mkdir(parents=True)
    signature = f"entity_f1|avg:micro|mode:conlleval|scheme:IOB2|unit:word|split:test|corpus:{corpus}|data:0|v:0"
    scores = [
        {**METRIC_VALUES, "system": system, "encoder": encoder, "seed": seed, "entity_f1": f1, "entity_recall": 0.5}
        | {"corpus": corpus, "split": "test", "n_sentences": 2, "entity_f1_strict": f1, "signature": signature}
        for system, encoder, seed, f1 in [
            ("crf", "", 0, 0.85),
            ("encoder", "tiny", 1, 0.8),
            ("encoder", "tiny", 2, 0.9),
        ]
    ]
    rows = {
        "scores": scores,
        "scores_by_type": [
            {
                "system": row["system"],
                "seed": row["seed"],
                "type": kind,
                "support": n,
                "precision": 1,
                "recall": 1,
                "f1": 1,
            }
            for row in scores
            for kind, n in (("ACTOR", 3), ("YEAR", 30))
        ],
        "confusion": [
            {"system": row["system"], "seed": row["seed"], "gold": "ACTOR", "predicted": "O", "words": 4}
            for row in scores
        ],
        "history": [
            {
                "system": "encoder",
                "encoder": "tiny",
                "seed": seed,
                "epoch": epoch,
                "train_loss": 1 / epoch,
                "seconds": 1,
            }
            | {"validation_loss": 0.5, "validation_entity_f1": 0.5}
            for seed in (1, 2)
            for epoch in (1, 2)
        ],
    }
    for name, table in rows.items():
        pd.DataFrame(table, columns=COLUMNS[name]).to_csv(folder / f"{name}.csv", index=False)
    part = {"sentences": 1234}
    facts = {"train": part, "validation": part, "test": part, "types": 2, "tags": 5}
    (folder / "corpus.json").write_text(json.dumps(facts))


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, corpus: str) -> None:
    monkeypatch.setattr("sys.argv", ["report.py", "--corpus", corpus])
    report.main()


def test_the_paper_stands_beside_the_scores_on_its_own_corpus(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tables(results / "mit_movie_eng", "mit_movie_eng")
    run(monkeypatch, "mit_movie_eng")
    text = (results / "mit_movie_eng" / "report.md").read_text()
    assert "| **entity F1** (conlleval) | 85.00 | 85.00 ± 7.07 | 94.47 |" in text
    assert "| token macro-F1 | 70.00 | 70.00 ± 0.00 |  |" in text
    assert "| 1 | 1.000 ± 0.000 | 0.43 | 0.500 ± 0.000 | 50.00 ± 0.00 |" in text
    assert "Generated" not in text
    assert text.index("| YEAR | 30 |") < text.index("| ACTOR | 3 |")
    plots = {path.name for path in (results / "mit_movie_eng" / "plots").iterdir()}
    assert plots == {f"{name}.{kind}" for name in ("loss", "f1_by_type", "confusion_crf", "confusion_encoder")
                     for kind in ("png", "svg")}  # fmt: skip


def test_on_a_generated_corpus_a_banner_stands_in_place_of_the_paper(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tables(results / "sample", "sample")
    run(monkeypatch, "sample")
    text = (results / "sample" / "report.md").read_text()
    assert "> **Generated corpus.**" in text
    assert "None of the paper's claims is judged on it" in text
    assert "94.47" not in text


def test_the_same_tables_give_the_same_files(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tables(results / "sample", "sample")
    contents = []
    for _ in range(2):
        run(monkeypatch, "sample")
        files = sorted(path for path in (results / "sample").rglob("*") if path.is_file())
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]


def test_a_missing_table_is_named_with_the_command_that_makes_it(results: Path) -> None:
    with pytest.raises(BertNerError, match=r"scores\.csv is missing; run python experiments/evaluate\.py --corpus x"):
        report.read_table(results / "x" / "scores.csv")


def test_every_metric_has_its_signature() -> None:
    scores = pd.DataFrame([{"signature": "entity_f1|avg:micro|mode:conlleval|scheme:IOB2|unit:word|split:test"}])
    assert [line.partition("|")[0] for line in report.signatures(scores)] == list(report.METRIC_NAMES)


def test_the_paper_corpus_is_one_of_the_catalog() -> None:
    assert report.PAPER_CORPUS in CORPORA
