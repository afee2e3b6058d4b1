"""What makes committed results stale, in a small repository."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from harness.fingerprint import content

import pytest
import stale as module

from bert_ner.corpus.catalog import CORPORA
from gate.staleness import md5_of, outdated, stage_names, stale
from report import pages
from reporting.results import Results

ROOT = Path(__file__).resolve().parents[2]

PARAMS = """
corpora: [sample]
seeds: [13, 42]
crf: {c1: [0.1]}
minilm: {name: mini, epochs: 4}
more: {rules: {systems: [hmm]}}
studies: {warmup: {}}
"""
STAGES = """
stages:
  fingerprint:
    cmd: x
  train:
    matrix: {corpus: "${corpora}", seed: "${seeds}"}
    cmd: x
  score:
    cmd: x
"""
MORE = """
stages:
  rules: &run
    matrix: {system: "${more.rules.systems}"}
  study:
    foreach: ${studies}
    do: {cmd: x}
"""
CODE = {"crf": {"baselines/crf.py": "1"}, "score": {"experiments/score.py": "1"}}


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose results are those of what is in it; JSON is YAML."""
    now = json.loads(json.dumps(CODE))
    monkeypatch.setattr(module, "fingerprints", lambda root: json.loads((root / "now.json").read_text()))
    for name, text in (
        ("params.yaml", PARAMS),
        ("dvc.yaml", STAGES),
        ("results/dvc.yaml", MORE),
        ("now.json", json.dumps(now)),
        ("results/scores.csv", "scores"),
        ("results/predictions/crf-0.tags", "O\n"),
        *((f"results/code/{entry}.json", content(modules)) for entry, modules in CODE.items()),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    code = {entry: {"path": f"results/code/{entry}.json", "md5": md5(content(CODE[entry]))} for entry in CODE}
    crf = {"params.yaml": {"crf": {"c1": [0.1]}, "minilm.name": "mini"}}
    model = {"path": "models/sample/crf-13", "md5": "m.dir"}
    train = {"deps": [code["crf"]], "params": crf, "outs": [model]}
    gone = {"deps": [{"path": "gone.py", "md5": "0"}]}
    predictions = {"path": "results/predictions", "md5": md5_of(tmp_path / "results/predictions")}
    score = {
        "deps": [code["score"], model],
        "outs": [{"path": "results/scores.csv", "md5": md5("scores")}, predictions],
    }
    sources = {"deps": [{"path": "baselines", "md5": "0"}]}
    lock = {"stages": {"fingerprint": sources, "train@sample-13": train, "train@sample-99": gone, "score": score}}
    (tmp_path / "dvc.lock").write_text(json.dumps(lock))
    (tmp_path / "results/dvc.lock").write_text(json.dumps({"stages": {"rules@hmm": train | {"outs": []}}}))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "old", "new", "reasons"),
    [
        ("params.yaml", "epochs: 4", "epochs: 5", {}),  # no stage has read it
        ("params.yaml", "name: mini", "name: maxi", ["minilm.name in params.yaml is 'maxi', and was 'mini'"] * 2),
        ("params.yaml", "crf: {c1: [0.1]}", "", ["crf in params.yaml is None, and was {'c1': [0.1]}"] * 2),
        ("now.json", '"baselines/crf.py": "1"', '"a.py": "2"', ["code of crf changed (a.py, baselines/crf.py)"] * 2),
        ("results/scores.csv", "scores", "edited", ["results/scores.csv is not what the stage's last run had"]),
        ("results/predictions/crf-0.tags", "O", "B-X", ["results/predictions is not what the stage's last run had"]),
        ("dvc.lock", '"md5": "m.dir"}]}, "train@sample-99', '"md5": "n.dir"}]}, "train@sample-99',
         ["models/sample/crf-13 was made anew since"]),
    ],
)  # fmt: skip
def test_what_is_stale_is_named(repository: Path, name: str, old: str, new: str, reasons: list[str]) -> None:
    assert stale(repository) == {}
    path = repository / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    found = [reason.rpartition(": ")[0] for lines in stale(repository).values() for reason in lines]
    assert found == list(reasons)


def test_the_stages_and_the_command_are_named(repository: Path) -> None:
    (repository / "params.yaml").write_text(PARAMS.replace("mini,", "maxi,"))
    reason = "minilm.name in params.yaml is 'maxi', and was 'mini'"
    assert stale(repository) == {
        "dvc repro": [f"{reason}: train@sample-13"],
        "dvc repro results/dvc.yaml, then dvc repro": [f"{reason}: rules@hmm"],
    }
    (repository / "params.yaml").write_text(PARAMS)
    (repository / "results/scores.csv").unlink()
    assert stale(repository) == {"dvc repro": ["results/scores.csv is missing: score"]}


def test_a_file_of_the_code_that_was_written_since_does_not_hide_the_change(repository: Path) -> None:
    changed = {**CODE, "crf": {"baselines/crf.py": "2"}}
    (repository / "now.json").write_text(json.dumps(changed))
    (repository / "results/code/crf.json").write_text(content(changed["crf"]))
    assert stale(repository)["dvc repro"] == ["code of crf changed: train@sample-13"]


def test_verdicts_and_reports_that_are_not_what_the_tables_give(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "results", tmp_path, ignore=lambda _, names: {"predictions", "plots"} & {*names}, dirs_exist_ok=True
    )
    for corpus in ("mit_movie_eng", "mit_movie_trivia", "mit_restaurant"):
        (tmp_path / corpus / "report.md").unlink()
    for name, text in pages(Results(tmp_path, CORPORA["sample"])).items():
        (tmp_path / "sample" / name).write_text(text)
    assert outdated(tmp_path) == {}

    other = tmp_path / "mit_movie_trivia/scores.csv"
    other.write_text(other.read_text().replace("crf,,0", "renamed,,0"))
    (tmp_path / "sample/claims.csv").unlink()
    assert outdated(tmp_path) == {
        "dvc repro --force --single-item judge@sample report@sample": [
            f"sample/{name} is not what the tables give" for name in ("claims.csv", "report.md", "report.html")
        ]
    }


def test_names_of_stages() -> None:
    params = {"a": ["x", "y"], "b": {"c": [1, 2]}, "d": {"k": 1}}
    stages = {
        "one": {"cmd": "x"},
        "two": {"matrix": {"p": "${a}", "q": "${b.c}", "r": [0]}},
        "three": {"foreach": "${d}", "do": {}},
    }
    assert stage_names(stages, params) == {"one", "two@x-1-0", "two@x-2-0", "two@y-1-0", "two@y-2-0", "three@k"}


def test_our_stages_have_the_names_that_dvc_gives_them() -> None:
    command = [sys.executable, "-m", "dvc", "stage", "list", "--all", "--name-only"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    params = module._read(ROOT / "params.yaml")
    main, more = (stage_names(module._read(ROOT / name)["stages"], params) for name in ("dvc.yaml", "results/dvc.yaml"))
    assert main | {f"results/dvc.yaml:{name}" for name in more} == set(listed)


def test_a_folder_has_the_md5_that_dvc_gives_it(tmp_path: Path) -> None:
    # What `dvc add` 3.67.1 writes for these.
    (tmp_path / "a").mkdir()
    for name, text in (("a/b.txt", "x\n"), ("c.txt", "y\n"), ("a.txt", "z\n")):
        (tmp_path / name).write_text(text)
    assert md5_of(tmp_path) == "b310ef47c9e66ac6be35108a591417fd.dir"
