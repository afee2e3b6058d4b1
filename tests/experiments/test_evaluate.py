"""The rows of evaluate.py's tables, and their summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.params import Run, read_params, settings_of
from harness.tables import TABLES, stage_tables

import pandas as pd
import pytest

import evaluate
from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError
from bert_ner.scoring import METRICS, UnlikeScores, signature
from bert_ner.scoring.subgroups import known_entities
from evaluate import mean_scores, part_rows, run_rows, tag_test

SOURCE = {"split": "test", "corpus": "c", "data": "0"}
ROWS = [
    {"system": system, "signature": signature("entity_f1"), **dict.fromkeys(METRICS, value)}
    for system, value in (("crf", 0.5), ("encoder", 0.8), ("encoder", 0.9))
]
TEST = [
    Sentence(("Any", "Mel", "Gibson", "films"), ("O", "B-ACTOR", "I-ACTOR", "O")),
    Sentence(("the", "best", "of", "nineteen", "eighty"), ("O", "O", "O", "B-YEAR", "I-YEAR")),
]
PREDICTED = [["O", "B-ACTOR", "I-ACTOR", "B-GENRE"], ["O", "O", "O", "B-YEAR", "O"]]


def test_the_metrics_of_a_system_are_means_over_its_seeds() -> None:
    means = mean_scores(pd.DataFrame(ROWS))
    assert means["crf"]["entity_f1"] == 0.5
    assert means["encoder"]["entity_f1"] == 0.85
    assert list(means["crf"]) == ["entity_f1", "token_micro_f1"]


def test_scores_on_unlike_data_are_not_averaged() -> None:
    rows = [*ROWS, {**ROWS[0], "signature": signature("entity_f1", data="2ba7c6da")}]
    with pytest.raises(UnlikeScores, match=r"they differ in data:\n"):
        mean_scores(pd.DataFrame(rows))


def test_the_rows_of_a_run_need_no_model() -> None:
    known = known_entities([Sentence(("mel", "gibson"), ("B-ACTOR", "I-ACTOR")), Sentence(("eighty",), ("B-YEAR",))])
    tables = run_rows(TEST, PREDICTED, known, SOURCE)
    assert tables["scores"][0]["n_sentences"] == 2
    assert tables["scores"][0]["entity_f1"] == pytest.approx(0.4)
    assert [tuple(row.values()) for row in tables["error_kinds"]] == [("boundary", "YEAR", 1), ("spurious", "GENRE", 1)]
    assert [tuple(row.values()) for row in tables["recall"]] == [
        ("seen", "seen", 1, 1, 1.0),
        ("seen", "unseen", 1, 0, 0.0),
        ("length", "2", 2, 1, 0.5),
        ("type", "ACTOR", 1, 1, 1.0),
        ("type", "YEAR", 1, 0, 0.0),
    ]
    by_part = part_rows(TEST, PREDICTED, known, SOURCE, {"1": [0], "2": [1]})
    assert {*tables, *by_part, "history", "costs", "not_run"} == set(stage_tables("evaluate"))
    for name, rows in (tables | by_part).items():
        for row in rows:
            assert set(TABLES[name].columns) <= {*row, "system", "seed", "encoder"}


def test_another_decoding_tags_with_the_models_of_its_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Greedy:
        decoding = "greedy"

        def tag(self, sentences: list[tuple[str, ...]]) -> list[list[str]]:
            return [["O" if self.decoding == "legal" else "I-YEAR"] * len(words) for words in sentences]

    params = read_params()
    recorded = {"system": "minilm", "settings": settings_of(params["minilm"]), "seconds": 1, "history": [{"epoch": 1}]}
    folders = []
    monkeypatch.setattr("evaluate.model_folder", lambda _, run: folders.append(run) or tmp_path)
    monkeypatch.setattr("evaluate.read_run", lambda *_: {**recorded, "environment": {"processor": "p"}})
    monkeypatch.setattr("harness.systems.load_tagger", lambda *_, **__: Greedy())
    found = {name: tag_test("c", Run(name, 13), TEST, params) for name in ("minilm", "minilm_legal")}
    assert [text for text, _ in found.values()] == ["I-YEAR I-YEAR I-YEAR I-YEAR\n" + "I-YEAR " * 4 + "I-YEAR\n",
                                                    "O O O O\nO O O O O\n"]  # fmt: skip
    facts = found["minilm_legal"][1]
    assert (facts["system"], facts["settings"]["decoding"], facts["history"]) == ("minilm_legal", "legal", [])
    assert (facts["seconds"], facts["cost"]["train_seconds"]) == (None, None)  # it was not trained
    assert found["minilm"][1]["history"] == [{"epoch": 1}]


def test_the_8_bit_copy_is_scored_with_the_decoding_of_its_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Copied:
        def __init__(self, decoding: str) -> None:
            self.decoding = decoding

        def tag(self, sentences: list[tuple[str, ...]]) -> list[list[str]]:
            return PREDICTED if self.decoding == "legal" else [["O"] * len(words) for words in sentences]

    monkeypatch.setattr("evaluate.model_folder", lambda *_: tmp_path)
    trained: dict[str, Any] = {"seconds": 1, "history": [], "environment": {"processor": "p"}}
    trained["settings"] = settings_of(read_params()["minilm_tuned"])
    monkeypatch.setattr("evaluate.read_run", lambda *_: dict(trained))
    monkeypatch.setattr("evaluate.load_tagger", lambda *_, **__: Copied("greedy"))
    monkeypatch.setattr("harness.systems.load_tagger", lambda *_, **__: Copied("legal"))
    for has_copy, f1 in ((False, None), (True, pytest.approx(0.4))):
        if has_copy:
            (tmp_path / "int8").mkdir()
        outcome = tag_test("c", Run("minilm_tuned", 13), TEST, read_params())
        assert outcome is not None
        assert outcome[1]["cost"]["entity_f1_8bit"] == f1


def test_a_model_of_other_settings_is_not_scored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = settings_of(read_params()["minilm"])
    monkeypatch.setattr("evaluate.model_folder", lambda *_: tmp_path)
    monkeypatch.setattr("evaluate.read_run", lambda *_: {"settings": settings | {"epochs": 9}, "history": []})
    for name in ("minilm", "minilm_legal"):
        with pytest.raises(BertNerError, match="was trained with other settings than params"):
            tag_test("mit_movie_eng", Run(name, 13), TEST, read_params())


def test_where_nothing_is_trained_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", ["evaluate.py", "--corpus", "sample"])
    monkeypatch.setattr("evaluate.RESULTS", tmp_path)
    for name, value in {"read_part": [], "read_parts": [], "signature_source": SOURCE, "sha256_of": "0"}.items():
        monkeypatch.setattr(f"evaluate.{name}", lambda *_, value=value: value)
    for name in ("tag_test", "committed"):
        monkeypatch.setattr(f"evaluate.{name}", lambda *_: None)
    with pytest.raises(BertNerError, match="no system is trained on sample, and no predictions are committed; run "):
        evaluate.main()
    assert not list(tmp_path.iterdir())


def test_each_part_is_scored_by_itself() -> None:
    known = known_entities([Sentence(("mel", "gibson"), ("B-ACTOR", "I-ACTOR"))])
    tables = part_rows(TEST, PREDICTED, known, SOURCE, {"1": [1], "2": [0]})
    scores = {row["part"]: row for row in tables["scores_by_part"]}
    assert [scores[part]["n_sentences"] for part in "12"] == [1, 1]
    assert [scores[part]["entity_f1"] for part in "12"] == pytest.approx([0, 2 / 3])
    assert "|split:test/2|" in scores["2"]["signature"]
    kinds = [(row["part"], row["kind"], row["count"]) for row in tables["error_kinds_by_part"]]
    assert kinds == [("1", "boundary", 1), ("2", "spurious", 1)]
    assert [tuple(row.values()) for row in tables["confusion_by_part"]] == [
        ("1", "O", "O", 3),
        ("1", "YEAR", "O", 1),
        ("1", "YEAR", "YEAR", 1),
        ("2", "ACTOR", "ACTOR", 2),
        ("2", "O", "GENRE", 1),
        ("2", "O", "O", 1),
    ]
    seen = [(row["part"], row["group"], row["recall"]) for row in tables["recall_by_part"] if row["by"] == "seen"]
    assert seen == [("1", "unseen", 0.0), ("2", "seen", 1.0)]


def test_a_corpus_of_one_piece_has_no_rows_by_part() -> None:
    assert not any(part_rows(TEST, PREDICTED, set(), SOURCE, {}).values())


def test_an_entity_is_seen_if_words_and_type_are_and_long_ones_are_one_group() -> None:
    words = ("a", "B", "c", "d", "e")
    sentence = Sentence(words, ("B-TITLE", "I-TITLE", "I-TITLE", "I-TITLE", "I-TITLE"))
    for known in (("B-SONG", *["I-SONG"] * 4), ("B-TITLE", *["I-TITLE"] * 3, "O")):
        rows = run_rows([sentence], [sentence.tags], known_entities([Sentence(words, known)]), SOURCE)["recall"]
        assert [(row["by"], row["group"]) for row in rows] == [("seen", "unseen"), ("length", "4+"), ("type", "TITLE")]
