"""The test scores of studies follow from their predictions, and the comparisons from the scores."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from harness.params import Study, read_params
from harness.tables import as_csv, require_table

import pytest

import gate.studies as module
from bert_ner.files import sha256_of, write_whole
from bert_ner.scoring import score
from gate.studies import study_problems

GOLD = [("B-ACTOR", "I-ACTOR", "O"), ("B-YEAR", "O")]
TAGS = {"crf": [("O", "O", "O"), ("B-YEAR", "O")], "minilm": GOLD}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the results of a study of two systems, one of which finds half of the entities."""
    monkeypatch.setattr(module, "gold_tags", lambda corpus: GOLD)
    rows: list[dict[str, Any]] = []
    sums = {}
    for system, tags in TAGS.items():
        path = tmp_path / f"c/studies/few/{system}-5-1.tags"
        write_whole(path, "".join(" ".join(sentence) + "\n" for sentence in tags))
        sums[path.stem] = sha256_of(path)
        found = {f"test_{name}": value.value for name, value in score(GOLD, tags).items()}
        rows.append({"study": "few", "variant": "per_type=5", "system": system, "seed": 1, "per_type": 5} | found)
    rows.append(rows[0] | {"study": "old"})  # made before predictions were kept
    (tmp_path / "c/studies.csv").write_text(as_csv("studies", rows))
    pair = {"study": "few", "per_type": 5, "system_a": "crf", "system_b": "minilm", "metric": "entity_f1"}
    pair |= {"a": rows[0]["test_entity_f1"], "b": 1.0, "against": "study", "part": "all"}
    (tmp_path / "c/study_comparisons.csv").write_text(as_csv("study_comparisons", [pair]))
    (tmp_path / "c/corpus.json").write_text('{"test": {"sentences": 2}}')
    (tmp_path / "provenance.json").write_text(json.dumps({"c": {"studies": {"few": sums}}}))
    return tmp_path


def problems(results: Path) -> list[str]:
    study = Study(seeds=[1], per_type=[5], crf={}, minilm={})
    return list(
        study_problems(
            results,
            read_params().model_copy(update={"studies": {"few": study, "old": Study(seeds=[1], per_type=[5], crf={})}}),
        )
    )


def test_scores_that_follow_from_the_predictions(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(results) == []
    monkeypatch.setattr(module, "gold_tags", lambda corpus: None)
    assert problems(results) == []


def test_systems_are_compared_with_their_usual_runs(results: Path) -> None:
    (results / "c/scores.csv").write_text(as_csv("scores", [{"system": "crf", "seed": 1, "n_sentences": 2}]))
    missing = ["c/study_comparisons.csv does not have the scores of few; run compare.py"]
    assert problems(results) == missing
    several = [{"system": "crf", "seed": seed, "n_sentences": 2} for seed in (2, 3)]
    (results / "c/scores.csv").write_text(as_csv("scores", several))
    assert problems(results) == []  # no run with the study's seed, so none to compare with
    (results / "c/scores.csv").write_text(as_csv("scores", [*several, {**several[0], "seed": 1}]))
    assert problems(results) == missing
    [pair] = require_table(results, "c", "study_comparisons").to_dict("records")
    usual = pair | {"against": "usual", "system_b": "crf", "b": 0.5}
    (results / "c/study_comparisons.csv").write_text(as_csv("study_comparisons", [pair, usual]))
    assert problems(results) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("c/studies/few/crf-5-1.tags", "^O O O", "O B-YEAR O", "c: few/crf-5-1.tags has changed since it was scored"),
        ("c/studies.csv", "(?m)^(few,.*,crf,.*)0.666667", r"\g<1>0.766667",
         "c: entity_f1 of few/crf-5-1.tags is 0.666667, and 0.766667 in studies.csv; run study.py --study few"),
        ("c/studies.csv", "(?m)^(few,.*,crf,.*)0.666667", r"\g<1>0.766667",
         "c/study_comparisons.csv does not have the scores of few; run compare.py"),
        ("c/study_comparisons.csv", "(?m)^few.*\n", "",
         "c/study_comparisons.csv does not have the scores of few; run compare.py"),
        ("c/studies.csv", "per_type=5,crf", "per_type=6,crf", "c/studies.csv has a training that params.yaml does not"),
        ("c/studies.csv", "(?m)^few,.*,minilm,.*\n", "", "c/studies.csv has no row of a training that params"),
    ],
)  # fmt: skip
def test_a_change_by_hand_is_named(results: Path, file: str, old: str, new: str, problem: str) -> None:
    path = results / file
    text = path.read_text()
    path.write_text(re.sub(old, new, text, count=1))
    assert path.read_text() != text
    assert any(found.startswith(problem) for found in problems(results))


def test_predictions_that_are_gone_are_missed(results: Path) -> None:
    (results / "c/studies/few/minilm-5-1.tags").unlink()
    assert problems(results) == [
        "c: few/minilm-5-1.tags is missing; take the file from Git, or run study.py --study few"
    ]
