"""docs/guarding-a-result.md, followed to the letter in a repository that is not this one."""

from __future__ import annotations

import os
import re
import shutil
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


def test_the_commands_print_what_the_page_shows(repository: Path) -> None:
    save, compare, renew = BLOCKS["sh"]
    saved, passed, failed = BLOCKS["text"]
    assert bash(repository, save) == (0, saved)
    predict(repository, "new", (10, 11, 12))
    assert bash(repository, compare) == (0, passed)
    (repository / "new").rename(repository / "before")
    break_the_tagger(repository)
    predict(repository, "new", (10, 11, 12))
    assert bash(repository, compare) == (1, failed)
    (repository / "new/12.bio").unlink()
    assert bash(repository, compare)[1].startswith("INCOMPLETE: test.bio entity_f1: 2 new runs, 3 needed")

    shutil.rmtree(repository / "new")
    predict(repository, "new", range(10, 15))
    status, text = bash(repository, renew)
    assert (status, text.splitlines()[-1]) == (1, "reference.json: not saved, because the new runs do not pass")
    without_reference = renew.replace("--reference reference.json ", "")
    assert bash(repository, without_reference) == (0, saved)
    status, text = bash(repository, renew)
    assert (status, text.splitlines()[0]) == (0, "pass: 2 pass; 2 remarks below")
    assert saved in text


def test_the_workflow_compares_with_the_reference_of_the_base_branch(repository: Path, tmp_path: Path) -> None:
    loader: Any = YAML(typ="safe", pure=True)
    [workflow] = map(loader.load, BLOCKS["yaml"])
    [checkout, training, base, gate] = workflow["jobs"]["gate"]["steps"]
    inputs = loader.load(ROOT / "action.yml")["inputs"]
    assert gate["with"].keys() <= inputs.keys()
    assert {name for name, about in inputs.items() if about.get("required")} <= gate["with"].keys()
    assert workflow["permissions"] == {"contents": "read"}
    workflows = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    assert checkout["uses"] in workflows
    assert bash(repository, training["run"])[0] == 0
    assert len(list(repository.glob(gate["with"]["new"]))) == gate["with"]["runs"]

    bash(repository, BLOCKS["sh"][0])
    reference = (repository / "reference.json").read_bytes()
    commit = "git -c user.name=a -c user.email=a@example.org commit --quiet --all --message reference"
    assert bash(repository, f"git init --quiet --initial-branch main && git add . && {commit}")[0] == 0
    branch = tmp_path / "branch"
    assert bash(tmp_path, f"git clone --quiet --depth 1 'file://{repository}' {branch}")[0] == 0
    (branch / "reference.json").write_text("{}")
    assert bash(branch, f"export GITHUB_BASE_REF=main; {base['run']}")[0] == 0
    assert (branch / gate["with"]["reference"]).read_bytes() == reference


def table(header: str) -> list[list[str]]:
    """Return the cells of the rows of a table on the page."""
    rows = PAGE.split(f"| {header} |", 1)[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_every_outcome_is_explained() -> None:
    ours = {"pass": "0", "improved": "0", "fail": "1", "incomplete": "1", "not comparable": "1"}
    assert {name: status for name, status, _ in table("outcome | exit status | meaning")} == ours
    listed = [name for name, _ in table("outcome | meaning")]
    assert set(listed) == set(Outcome)
    assert set(listed[-5:]) == BAD


def test_every_input_of_the_action_is_explained() -> None:
    inputs = YAML(typ="safe", pure=True).load(ROOT / "action.yml")["inputs"]
    listed = {name.strip("`"): default.strip("`") for name, _, default in table("input | content | default")}
    assert listed == {
        name: "required" if about.get("required") else about["default"] or "none" for name, about in inputs.items()
    }
