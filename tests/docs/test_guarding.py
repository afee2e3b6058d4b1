"""docs/guarding-a-result.md, followed to the letter in a repository that is not this one."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from installation import ROOT
from ruamel.yaml import YAML
from toy_repository import break_the_tagger, make_repository, predict, write_program

from bert_ner.scoring.gate import BAD, Outcome

PAGE = (ROOT / "docs/guarding-a-result.md").read_text(encoding="utf-8")
BLOCKS = {
    language: tuple(re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    for language in ("sh", "text", "yaml")
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_program(tmp_path / "bin/bert-ner")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return make_repository(tmp_path / "repository")


def bash(folder: Path, script: str) -> tuple[int, str]:
    done = subprocess.run(["bash", "-euc", script], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_broken_tagger_is_named_in_the_first_line(repository: Path) -> None:
    save, compare = BLOCKS["sh"]
    [first_line] = BLOCKS["text"]
    status, text = bash(repository, save)
    assert (status, text.partition(";")[0]) == (0, "reference.json: 5 run(s) saved as a reference")
    predict(repository, "new", (10, 11, 12))
    status, text = bash(repository, compare)
    assert (status, text.splitlines()[0]) == (0, "pass: 2 pass")
    (repository / "new").rename(repository / "before")
    break_the_tagger(repository)
    predict(repository, "new", (10, 11, 12))
    status, text = bash(repository, compare)
    assert status == 1
    assert text.startswith(first_line.strip())
    (repository / "new/12.bio").unlink()
    assert bash(repository, compare)[1].startswith("INCOMPLETE: test.bio entity_f1: 2 new runs, 3 needed")


def test_the_workflow_gives_the_action_its_inputs(repository: Path) -> None:
    loader: Any = YAML(typ="safe", pure=True)
    [workflow] = map(loader.load, BLOCKS["yaml"])
    [checkout, training, gate] = workflow["jobs"]["gate"]["steps"]
    inputs = loader.load(ROOT / "action.yml")["inputs"]
    assert gate["with"].keys() <= inputs.keys()
    assert {name for name, about in inputs.items() if about.get("required")} <= gate["with"].keys()
    assert workflow["permissions"] == {"contents": "read"}
    workflows = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    assert checkout["uses"] in workflows
    assert bash(repository, training["run"])[0] == 0
    assert len(list(repository.glob(gate["with"]["new"]))) == gate["with"]["runs"]


def test_every_outcome_is_explained() -> None:
    listed = re.findall(r"^\| ([a-z ]+) \| ", PAGE, re.MULTILINE)[1:]
    assert set(listed) == set(Outcome)
    assert set(listed[-5:]) == BAD
