"""The stages of DVC: their order, and their tables as the registry has them."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.params import read_params
from harness.tables import TABLES, stage_tables

import pandas as pd
import pytest

from bert_ner.yaml_files import load_yaml

ROOT = Path(__file__).resolve().parents[2]
STAGES: dict[str, Any] = load_yaml(ROOT / "pipeline/dvc.yaml")["stages"]
# Read where they are, but no dependencies: hours of work that a report does not wait for.
NOT_TRACKED = {"studies", "search", "ablation", "benchmarks", "label_reading", "transfers"}


def paths(stage: str, *kinds: str) -> set[str]:
    content = STAGES[stage]
    items = [item for kind in kinds for item in content.get(kind, [])]
    return {
        path.replace("${item.corpus}", "CORPUS")
        for item in items
        for path in (item if isinstance(item, dict) else [item])
    }


def tables(found: set[str]) -> set[str]:
    return {match[1] for path in found if (match := re.fullmatch(r"results/CORPUS/(\w+)\.csv", path))}


@pytest.mark.parametrize("stage", ["evaluate", "compare", "label_audit", "judge"])
def test_the_tables_that_a_stage_writes_are_its_outputs(stage: str) -> None:
    assert tables(paths(stage, "outs", "metrics")) == set(stage_tables(stage))


def test_every_table_has_a_producer_and_every_dependency_on_a_table_another_stage() -> None:
    written = {name: stage for stage in STAGES for name in tables(paths(stage, "outs"))}
    assert set(written) == set(TABLES) - NOT_TRACKED
    for stage in STAGES:
        for name in tables(paths(stage, "deps")):
            assert written[name] != stage


@pytest.mark.parametrize("stage", ["judge", "report"])
def test_the_tables_that_a_stage_reads_are_its_dependencies(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    read_csv = pd.read_csv

    def recording(path: Path, **options: Any) -> pd.DataFrame:
        opened.append(Path(path))
        return read_csv(path, **options)

    shutil.copytree(ROOT / "results", tmp_path / "results")
    script = importlib.import_module(stage)
    monkeypatch.setattr(script, "RESULTS", tmp_path / "results")
    for slow in ("save", "error_page") if stage == "report" else ():  # they read no table
        monkeypatch.setattr(script, slow, lambda *_: None)
    monkeypatch.setattr(pd, "read_csv", recording)
    monkeypatch.setattr(sys, "argv", [f"{stage}.py", "--corpus", "mit_movie_eng"])
    script.main()
    read = {path.stem for path in opened if path.parent.name == "mit_movie_eng"}
    assert read - NOT_TRACKED - set(stage_tables(stage)) == tables(paths(stage, "deps"))
    # A table of another corpus would be a dependency that DVC does not know.
    assert {path.parent.name for path in opened} <= {"mit_movie_eng", "domains", "results"}


def test_one_stage_of_each_name_and_no_stage_twice() -> None:
    listed = dvc("stage", "list", "--all", "--name-only").split()
    assert len(set(listed)) == len(listed)
    assert [name for name in listed if ":" not in name] == ["domains"]
    assert "pipeline/dvc.yaml:train_encoder@mit_movie_eng-minilm-13" in listed
    for stage, names in (("study", read_params().studies), ("search", read_params().search.trials)):
        found = [name for name in listed if f":{stage}@" in name]
        assert found == [f"pipeline/dvc.yaml:{stage}@{name}" for name in names]


def test_dvc_repro_runs_the_corpus_of_the_paper_and_no_extra_run() -> None:
    needed = set(re.findall(r'"([^"]+)"', dvc("dag", "--dot", "domains")))
    assert "pipeline/dvc.yaml:report@mit_movie_eng" in needed
    assert "pipeline/dvc.yaml:fingerprint" in needed
    for stage in needed - {"domains", "pipeline/dvc.yaml:fingerprint"}:
        assert re.fullmatch(r"pipeline/dvc\.yaml:(\w+)@mit_movie_eng(-\w+-\d+)?", stage), stage
    assert {stage.partition(":")[2].partition("@")[0] for stage in needed} == {
        "", "fingerprint", "acquire", "prepare", "train_baseline", "train_encoder", "evaluate", "compare", "audit",
        "judge", "report",
    }  # fmt: skip


def dvc(*arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
