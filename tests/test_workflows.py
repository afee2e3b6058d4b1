"""The GitHub workflows: pinned actions, few permissions, and no user's text in a script."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def read(path: Path) -> dict[str, Any]:
    content = YAML(typ="safe", pure=True).load(path)
    assert isinstance(content, dict)
    return content


def steps_of(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_all_workflows_are_known() -> None:
    assert {path.stem for path in WORKFLOWS} == {"check", "full", "nightly", "test", "weekly"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_and_name_the_version(path: Path) -> None:
    used = [step["uses"] for step in steps_of(read(path)) if "uses" in step]
    assert used
    lines = re.findall(r"^\s*- uses: (\S+) # v\d+\.\d+\.\d+$", path.read_text(), re.MULTILINE)
    assert lines == used
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", name) for name in used)


def test_an_action_has_one_version_everywhere() -> None:
    names = {step["uses"] for path in WORKFLOWS for step in steps_of(read(path)) if "uses" in step}
    assert len({name.partition("@")[0] for name in names}) == len(names)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_can_only_read_the_code(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in workflow["jobs"].values())
    assert "pull_request_target" not in workflow["on"]
    assert "secrets." not in path.read_text()
    for step in steps_of(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        # The name of a branch or a title must not become part of a script; environment variables are safe.
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_jobs_have_a_time_limit_and_pipes_can_fail(path: Path) -> None:
    workflow = read(path)
    assert all(0 < job["timeout-minutes"] <= 360 for job in workflow["jobs"].values())
    assert workflow["defaults"]["run"]["shell"] == "bash"


def test_tests_run_on_every_python_from_the_oldest_allowed() -> None:
    pythons = read(ROOT / ".github/workflows/test.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert pythons == ["3.11", "3.12", "3.13"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={pythons[0]}"


def test_every_target_that_workflows_make_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    scripts = [step.get("run", "") for path in WORKFLOWS for step in steps_of(read(path))]
    made = {target for script in scripts for target in re.findall(r"\bmake ([\w-]+)", script)}
    assert made == {"lint", "test", "test-all", "check", "check-fast", "repro"} <= targets


def test_slow_tests_run_on_one_python_and_at_full_length_every_night() -> None:
    [pull_request] = [
        job for job in read(ROOT / ".github/workflows/test.yml")["jobs"].values() if "strategy" not in job
    ]
    [nightly] = read(ROOT / ".github/workflows/nightly.yml")["jobs"].values()
    assert pull_request["steps"][-1]["run"] == nightly["steps"][-1]["run"] == "make test-all PYTHON=python"
    assert nightly["steps"][-1]["env"] == {"HYPOTHESIS_PROFILE": "nightly"}
