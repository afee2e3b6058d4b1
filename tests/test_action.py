"""action.yml: its steps, run with bash as GitHub runs them, in a repository that has a toy tagger of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from installation import ROOT, copy_sources
from ruamel.yaml import YAML
from toy_repository import break_the_tagger, make_repository, predict, write_program

ACTION: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "action.yml")
INSTALL, COMPARE = ACTION["runs"]["steps"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "caller")


def run_step(step: dict[str, Any], folder: Path, **inputs: str) -> tuple[int, str]:
    """Run a step as `shell: bash` does, with inputs in place of GitHub's expressions; return status and output."""
    defaults = {name: str(content.get("default", "")) for name, content in ACTION["inputs"].items()}
    values = {f"${{{{ inputs.{name} }}}}": value for name, value in (defaults | inputs).items()}
    temporary = folder.parent / "runner"
    temporary.mkdir(exist_ok=True)
    values["${{ github.action_path }}"] = str(folder.parent / "action")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(temporary),
        "RUNNER_TEMP": str(temporary),
        "GITHUB_STEP_SUMMARY": str(temporary / "summary.md"),
        **{name: values[expression] for name, expression in step["env"].items()},
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def installed(repository: Path) -> Path:
    """Put this checkout in place of an installation, which takes a package registry."""
    write_program(repository.parent / "runner/bert-ner/bin/bert-ner")
    return repository


def test_no_input_becomes_part_of_a_script() -> None:
    assert ACTION["runs"]["using"] == "composite"
    for step in ACTION["runs"]["steps"]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]


def test_a_broken_tagger_is_named_first_and_in_the_summary(installed: Path) -> None:
    predict(installed, "new", range(10, 13))
    inputs = {"gold": "test.bio", "reference": "reference/*.bio\n", "new": "new/*.bio", "runs": "3"}
    status, text = run_step(COMPARE, installed, **inputs)
    assert (status, text.splitlines()[0]) == (0, "pass: 2 pass")

    break_the_tagger(installed)
    predict(installed, "broken", range(10, 13))
    status, text = run_step(COMPARE, installed, **inputs | {"new": "broken/*.bio"})
    assert status == 1
    assert text.startswith("FAIL: test.bio entity_f1: reference ")
    assert "; fell most: CITY from 93.38 to 80.94; 3 runs, 5 in the reference (2 fail)" in text.splitlines()[0]
    assert "| test.bio | entity_f1 | FAIL | fell most: CITY" in text
    assert (installed.parent / "runner/summary.md").read_text().endswith(text)


@pytest.mark.slow
def test_names_and_inputs_of_any_kind_are_only_names(installed: Path) -> None:
    predict(installed, "new", range(10, 11))
    names = ("--save=x.bio", "a b $(touch pwned).bio", "[1].bio")
    for name in names:
        shutil.copy(installed / "new/10.bio", installed / name)
    shutil.copy(installed / "test.bio", installed / "-gold.bio")
    inputs = {"gold": "-gold.bio", "reference": "reference/*.bio", "metric": "entity_f1\n span_f1"}
    for new in ("a b*.bio", "*x.bio", *names):
        status, text = run_step(COMPARE, installed, new=new, **inputs)
        assert (status, text.splitlines()[0]) == (0, "pass: 2 pass"), text
    for hostile in ("$(touch pwned)", "'; touch pwned; '", "--save=pwned", "x[$(touch pwned)]"):
        for name in ("gold", "reference", "new", "runs", "metric", "options"):
            status, _ = run_step(COMPARE, installed, **{"new": "new/*.bio", **inputs, name: hostile})
            assert status or hostile == "--save=pwned"
    (installed / "pwned").unlink()  # written by --save among the options
    assert not {"pwned", "x.bio"} & {path.name for path in installed.iterdir()}


RIGHT = {"gold": "test.bio", "reference": "reference/*.bio", "new": "new/*.bio"}


@pytest.mark.parametrize(
    "inputs",
    [
        {"new": "  new/10.bio\r\n\r\n\tnew/11.bio \r\n", "runs": " 2\r\n"},
        {"gold": " test.bio\r\n", "metric": " entity_f1\r\n token_micro_f1\r\n", "runs": "2"},
        {"options": "--tag-column first\r\n--word-column last", "runs": "2"},
    ],
)
def test_blanks_and_line_ends_around_an_input_do_not_count(installed: Path, inputs: dict[str, str]) -> None:
    predict(installed, "new", (10, 11))
    status, text = run_step(COMPARE, installed, **RIGHT | inputs)
    assert (status, text.splitlines()[0]) == (0, "pass: 2 pass"), text
    assert "2 runs, 5 in the reference" in text


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        *(({name: "no/*.bio"}, f"Input {name}: no file matches no/*.bio") for name in RIGHT),
        *(({name: "no.bio"}, f"Input {name}: no file matches no.bio") for name in RIGHT),
        *(({name: " \n "}, f"Input {name}: it is empty; write a file or a pattern in each line") for name in RIGHT),
        ({"new": "new/*.bio\nno.bio"}, "Input new: no file matches no.bio"),
        ({"new": "\x1b[2J"}, "Input new: no file matches ?[2J"),
        ({"gold": "reference/*.bio"}, "Input gold: 5 files match; name one"),
        *(({"runs": text}, f"Input runs: '{text}' is no whole number from 1 on") for text in ("", "0", "-1", "two")),
        ({"metric": ""}, "Input metric: it is empty; write the names of metrics, or leave the input out"),
        ({"metric": "entity_f1,span_f1"}, "no metric is named entity_f1,span_f1; the metrics are "),
        ({"new": "new/10.bio\nnew/*.bio"}, "have the same tags: a run counts once"),
        ({"new": "tagger.py"}, "bert-ner: tagger.py:4: 6 columns, not a word and a tag"),
        ({"options": "--sceme IO"}, "unrecognized arguments: --sceme IO"),
        ({"options": "--comments '#'"}, "Input options: quotes are not read; leave them out"),
    ],
)
def test_a_mistake_is_in_the_summary_and_names_the_input(installed: Path, inputs: dict[str, str], message: str) -> None:
    predict(installed, "new", (10, 11))
    status, text = run_step(COMPARE, installed, **RIGHT | inputs)
    assert status == 2
    assert message in text
    assert text.startswith("```text\n")
    assert text.endswith("\n```\n")
    assert (installed.parent / "runner/summary.md").read_text() == text


def test_an_installation_without_a_python(repository: Path) -> None:
    for python in (" ", "no-python", "false"):
        status, text = run_step(INSTALL, repository, python=python)
        assert status == 2
        message = f"Input python: '{python.strip()}' is no Python 3.11 or newer\n"
        assert text.endswith(message)
        assert (repository.parent / "runner/summary.md").read_text().endswith(message)


@pytest.mark.slow
def test_the_installation_of_the_action(repository: Path) -> None:
    copy_sources(repository.parent / "action")
    status, text = run_step(INSTALL, repository, python=sys.executable)
    if "No matching distribution found" in text or "Could not fetch" in text:
        pytest.skip("needs a package registry")
    assert status == 0, text
    predict(repository, "new", range(10, 13))
    inputs = {"gold": "test.bio", "reference": "reference/*.bio", "new": "new/*.bio"}
    assert run_step(COMPARE, repository, **inputs)[0] == 0
