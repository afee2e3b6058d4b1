"""Reasons why committed results are stale, in a small repository without data and models."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

from harness.fingerprint import content
from harness.paths import RESULTS
from harness.tables import write_table

import pytest

import gate.staleness as module
from bert_ner.errors import BertNerError
from claims.judging import judge_claims
from gate.staleness import outdated, report, stale

PARAMS = """
crf: {c1: [0.1]}
minilm: {name: mini, epochs: 4}
seeds: [13, 42]
"""
STAGES = """
vars: [../params.yaml]
stages:
  fingerprint:
    wdir: ..
    cmd: fingerprint
    deps: [code.py]
    outs: [results/code: {cache: false}]
  train:
    matrix: {seed: "${seeds}"}
    wdir: ..
    cmd: train ${item.seed}
    deps: [data/prepared, results/code/crf.json]
    params: [crf, minilm.name]
    outs: ["models/${item.seed}"]
  score:
    wdir: ..
    cmd: score
    deps: [models/13, results/code/score.json]
    outs:
      - results/predictions: {cache: false, persist: true}
      - results/scores.csv: {cache: false}
"""
CODE = {"crf": {"baselines/crf.py": "1"}, "score": {"experiments/score.py": "1"}}
TRAIN, SCORE = "pipeline/dvc.yaml:train@13", "pipeline/dvc.yaml:score"


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository whose results match its code, parameters and data. `train@42` never ran. JSON is YAML."""
    monkeypatch.setattr(module, "fingerprints", lambda root, _: json.loads((root / "now.json").read_text()))
    files = {
        ".dvc/config": "[core]\n    no_scm = true\n    analytics = false\n",
        "params.yaml": PARAMS,
        "pipeline/dvc.yaml": STAGES,
        "now.json": json.dumps(CODE),
        "code.py": "edited since",
        "results/scores.csv": "scores",
        "results/predictions/crf-0.tags": "O\n",
        **{f"results/code/{entry}.json": content(modules) for entry, modules in CODE.items()},
    }
    code = {entry: {"path": f"results/code/{entry}.json", "md5": md5(content(CODE[entry]))} for entry in CODE}
    prepared, model = {"path": "data/prepared", "md5": "d.dir"}, {"path": "models/13", "md5": "m.dir"}
    listed = json.dumps([{"md5": md5("O\n"), "relpath": "crf-0.tags"}])
    predictions = {"path": "results/predictions", "md5": f"{md5(listed)}.dir"}
    scores = {"path": "results/scores.csv", "md5": md5("scores")}
    parameters = {"params.yaml": {"crf": {"c1": [0.1]}, "minilm.name": "mini"}}
    stages = {
        "fingerprint": {"cmd": "fingerprint", "deps": [{"path": "code.py", "md5": "00000"}]},
        "train@13": {"cmd": "train 13", "deps": [prepared, code["crf"]], "params": parameters, "outs": [model]},
        "train@99": {"cmd": "of a seed that is no more", "deps": [{"path": "gone.py", "md5": "00000"}]},
        "score": {"cmd": "score", "deps": [model, code["score"]], "outs": [predictions, scores]},
    }
    files["pipeline/dvc.lock"] = json.dumps({"schema": "2.0", "stages": stages})
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "old", "new", "reason", "stage"),
    [
        ("params.yaml", "epochs: 4", "epochs: 5", None, ""),  # no stage has read it
        ("params.yaml", "name: mini", "name: maxi", "minilm.name in params.yaml is 'maxi', and was 'mini'", TRAIN),
        ("params.yaml", "crf: {c1: [0.1]}", "", "crf in params.yaml is None, and was {'c1': [0.1]}", TRAIN),
        ("now.json", '"baselines/crf.py": "1"', '"a.py": "2"',
         "the code of crf changed (a.py, baselines/crf.py)", TRAIN),
        ("now.json", '"score": ', '"other": ', "results/code/score.json belongs to no stage or system", SCORE),
        ("results/scores.csv", "scores", "edited", "results/scores.csv is modified", SCORE),
        ("results/scores.csv", "scores", None, "results/scores.csv is deleted", SCORE),
        ("results/predictions/crf-0.tags", "O", "B-X", "results/predictions is modified", SCORE),
        ("pipeline/dvc.yaml", "cmd: score", "cmd: score -x", "its command changed", SCORE),
        ("pipeline/dvc.yaml", "deps: [models/13,", "deps: [models/13, now.json,", "now.json is modified", SCORE),
        ("pipeline/dvc.lock", '"md5": "m.dir"}]}, "train@99"', '"md5": "n.dir"}]}, "train@99"',
         "models/13 was written again since", SCORE),
    ],
)  # fmt: skip
def test_the_reason_and_the_stage_are_named(
    repository: Path, name: str, old: str, new: str | None, reason: str | None, stage: str
) -> None:
    assert stale(repository) == {}
    path = repository / name
    assert old in path.read_text()
    if new is None:
        path.unlink()
    else:
        path.write_text(path.read_text().replace(old, new))
    before = {file: file.read_bytes() for file in repository.rglob("results/**/*") if file.is_file()}
    assert stale(repository) == ({reason: [stage]} if reason else {})
    assert {file: file.read_bytes() for file in before} == before


LOCK = "pipeline/dvc.lock"
LOST = f"{LOCK} has no record of a stage whose results are here; take it from Git"


@pytest.mark.parametrize(
    ("content", "stages"),
    [
        (None, ["pipeline/dvc.yaml:fingerprint", TRAIN, SCORE]),
        ("schema: '2.0'\nstages: {}\n", ["pipeline/dvc.yaml:fingerprint", TRAIN, SCORE]),
        ("train@13", [TRAIN]),  # its model is not here, but its predictions are
        ("score", [SCORE]),
    ],
)
def test_a_stage_that_the_lock_file_lost(repository: Path, content: str | None, stages: list[str]) -> None:
    lock, tags = repository / LOCK, repository / "results/corpus/predictions/13.tags"
    tags.parent.mkdir(parents=True)
    tags.touch()
    text = (repository / "pipeline/dvc.yaml").read_text()
    (repository / "pipeline/dvc.yaml").write_text(text.replace("models/", "models/corpus/"))
    record = json.loads(lock.read_text().replace("models/", "models/corpus/"))
    lock.write_text(json.dumps(record))
    assert stale(repository) == {}
    if content is None:
        lock.unlink()
    elif content in record["stages"]:
        del record["stages"][content]
        lock.write_text(json.dumps(record))
    else:
        lock.write_text(content)
    assert stale(repository) == {LOST: stages}


def test_a_study_that_the_lock_file_lost(repository: Path) -> None:
    path = repository / "pipeline/dvc.yaml"
    study = "  study:\n    foreach: [a, b]\n    do: {wdir: .., cmd: study, deps: [data/prepared]}\n"
    path.write_text(path.read_text() + study)
    (repository / "results/corpus").mkdir()
    (repository / "results/corpus/studies.csv").write_text("study,variant\nb,x\n")
    assert stale(repository) == {LOST: ["pipeline/dvc.yaml:study@b"]}


def test_scores_that_no_stage_writes(repository: Path) -> None:
    (repository / "pipeline/dvc.yaml").write_text("stages: {}\n")
    (repository / "results/corpus").mkdir()
    (repository / "results/corpus/scores.csv").touch()
    assert stale(repository) == {"no stage writes results/corpus/scores.csv": ["pipeline/dvc.yaml"]}


def test_a_fingerprint_that_was_written_since_does_not_hide_the_change(repository: Path) -> None:
    changed = {**CODE, "crf": {"baselines/crf.py": "2"}}
    (repository / "now.json").write_text(json.dumps(changed))
    (repository / "results/code/crf.json").write_text(content(changed["crf"]))
    assert stale(repository) == {"the code of crf changed": [TRAIN]}


def test_a_broken_pipeline_is_an_error(repository: Path) -> None:
    (repository / "pipeline/dvc.yaml").write_text("stages: [")
    with pytest.raises(BertNerError, match="DVC can't read the pipeline"):
        stale(repository)


def test_verdicts_and_reports_that_are_not_what_the_tables_give(tmp_path: Path) -> None:
    for folder in ("sample", "mit_movie_eng"):
        shutil.copytree(RESULTS / folder, tmp_path / folder, ignore=shutil.ignore_patterns("predictions", "plots"))
    (tmp_path / "mit_movie_eng/report.md").unlink()  # a corpus without a report is skipped
    for name in ("provenance.json", "benchmarks.csv"):
        shutil.copy(RESULTS / name, tmp_path)
    (tmp_path / "domains").mkdir()
    for name in ("sample", "domains"):
        write_table(tmp_path, name, "claims", judge_claims(name, tmp_path))
        (tmp_path / name / "report.md").write_text(report(name, tmp_path))
    assert outdated(tmp_path) == {}

    # Another corpus's tables are in the comparison of corpora, and in no corpus's report.
    other = tmp_path / "mit_movie_eng/scores.csv"
    other.write_text(other.read_text().replace("crf,,0", "renamed,,0"))
    (tmp_path / "sample/claims.csv").unlink()
    assert outdated(tmp_path) == {
        "results/sample/claims.csv does not follow from the tables": ["pipeline/dvc.yaml:judge@sample"],
        "results/domains/report.md does not follow from the tables": ["domains"],
    }


MINILM = r"(?m)^(mit_movie_eng,minilm,(?:[^,]*,){10})[^,]*"  # its rows of scores.csv up to entity_f1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("name", "old", "new", "file"),
    [
        ("scores.csv", MINILM, r"\1nan", "claims.csv can't be made"),
        ("scores.csv", MINILM, r"\1inf", "claims.csv does not follow"),
        ("scores.csv", r"(?s).+", "", "claims.csv can't be made"),
        ("costs.csv", r"(?s).+", "system\n", "report.md can't be made"),
    ],
)
def test_a_broken_table_is_a_finding_and_hides_no_verdict(
    tmp_path: Path, name: str, old: str, new: str, file: str
) -> None:
    corpus = tmp_path / "mit_movie_eng"
    shutil.copytree(RESULTS / corpus.name, corpus, ignore=shutil.ignore_patterns("predictions", "plots"))
    for shared in ("provenance.json", "benchmarks.csv"):
        shutil.copy(RESULTS / shared, tmp_path)
    path = corpus / name
    text = path.read_text()
    path.write_text(re.sub(old, new, text))
    assert path.read_text() != text
    assert any(reason.startswith(f"results/{corpus.name}/{file}") for reason in outdated(tmp_path))
