"""The teachers that a section of params.yaml may name, and the stages that wait for them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.artifacts import model_folder
from harness.dvc_runs import PIPELINE, STUDENTS, open_repository
from harness.params import Params, Run, read_params
from harness.paths import ROOT
from harness.teachers import teachers_of

import pytest

from bert_ner.errors import BertNerError
from bert_ner.yaml_files import read_yaml

PARAMS = read_params()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"teachers": []}, []),
        ({"teachers": ["minilm-13", "minilm_crf-7"]}, [Run("minilm", 13), Run("minilm_crf", 7)]),
    ],
)
def test_encoders_teach(settings: dict[str, Any], expected: list[Run]) -> None:
    assert teachers_of("mpnet", settings, PARAMS) == expected


@pytest.mark.parametrize("name", ["minilm_best-13", "crf-0", "minilm", "minilm-x", "nothing-13", 13])
def test_all_else_is_an_error(name: Any) -> None:
    with pytest.raises(
        BertNerError, match=r"params\.yaml: mpnet\.teachers: .* must be <system>-<seed>, such as mpnet-13"
    ):
        teachers_of("mpnet", {"teachers": [name]}, PARAMS)


def impatient_stages(root: Path) -> list[str]:
    """Return the trainings that may run before one of their teachers has been trained."""
    params = read_yaml(root / "params.yaml", Params)
    wrong = []
    with open_repository(root) as repo:
        stages = [stage for stage in repo.index.stages if "experiments/train.py" in str(stage.cmd)]
        for stage in stages:
            options = dict(re.findall(r"--(\w+) (\S+)", stage.cmd))
            teachers = teachers_of(options["system"], params[options["system"]], params)
            needed = {str(model_folder(options["corpus"], run).relative_to(ROOT)) for run in teachers}
            own_name = stage.name.partition("@")[0]
            others = {
                Path(output.fs_path).relative_to(root).as_posix()
                for each in stages
                for output in each.outs
                if each.name.partition("@")[0] != own_name
            }
            found = {Path(dependency.fs_path).relative_to(root).as_posix() for dependency in stage.deps} & others
            if not needed <= found or (needed and not f"{PIPELINE}:{own_name}".startswith(STUDENTS)):
                wrong.append(stage.addressing)
    return wrong


def test_each_student_waits_for_its_teachers() -> None:
    assert impatient_stages(ROOT) == []


@pytest.mark.parametrize(
    ("name", "seed", "is_right"), [("students_more", 13, True), ("students_more", 42, False), ("x", 13, False)]
)
def test_a_student_that_does_not_wait_is_found(tmp_path: Path, name: str, seed: int, is_right: bool) -> None:
    stage = f"""
  {name}:
    <<: *extra
    matrix: {{corpus: [mit_movie_eng], system: [student], seed: [1]}}
    deps:
      - data/prepared/${{item.corpus}}
      - models/${{item.corpus}}/minilm-{seed}
"""
    (tmp_path / "pipeline").mkdir()
    pipeline = (ROOT / "pipeline/dvc.yaml").read_text()
    (tmp_path / "pipeline/dvc.yaml").write_text(pipeline + stage)
    params = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(params + "\nstudent:\n  <<: *recipe\n  teachers: [minilm-13]\n")
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=tmp_path, check=True)
    assert (impatient_stages(tmp_path) == []) == is_right
