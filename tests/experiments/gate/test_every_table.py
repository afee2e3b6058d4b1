"""One changed cell in any committed file of results/, in README or in requirements.lock makes `make check` name it.

All files are changed at once, because a check takes ten seconds. What it says of a file names that file.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from harness.paths import ROOT

import pytest

from gate.figure_blocks import BLOCK
from gate.references import FAST, unlisted


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder), "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of this checkout with one commit."""
    names = run(ROOT, "git", "ls-files", "-z").stdout.split("\0")
    for name in filter(None, names):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        assert run(tmp_path, *git, *command).returncode == 0
    return tmp_path


def change(path: Path, end: int | None = None) -> None:
    """Add one to a digit of the last number with two decimals before `end`; without one, to the last digit."""
    text = path.read_text(encoding="utf-8")
    numbers = [*re.finditer(r"\d\.\d\d", text[:end])] or [*re.finditer(r"\d", text)]
    place = numbers[-1].end() - 1
    path.write_text(f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}", encoding="utf-8")


def has_rows(path: Path) -> bool:
    return path.read_text(encoding="utf-8").count("\n") > 1


def check(checkout: Path) -> str:
    """Return what the failing check prints."""
    done = run(checkout, sys.executable, "experiments/check.py")
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_each_file_of_results_is_named(checkout: Path) -> None:
    results = checkout / "results"
    names = [path.relative_to(results).as_posix() for path in results.rglob("*") if path.suffix in (".csv", ".json")]
    others = ("reference/", "code/")  # the code is compared, not its record
    names = [name for name in names if not name.startswith(others) and has_rows(results / name)]
    for name in names:
        change(results / name)
    text = check(checkout)

    def is_named(name: str) -> bool:
        whole = f"results/{Path(name).parent.as_posix()}"  # metrics/ is one output of a stage
        problems = (f"results/{name} is modified", f"{whole} is modified", f"{name} is not the file in results/SHA256S")
        return any(f"\n- {problem}" in text for problem in problems)

    assert len(names) > 50
    assert [name for name in names if not is_named(name)] == []


def test_each_reference_and_readme_and_the_lock_of_requirements_are_named(checkout: Path) -> None:
    reference, readme, lock = checkout / "results/reference", checkout / "README.md", checkout / "requirements.lock"
    files = sorted(reference.rglob("*.json"))
    for path in files:
        change(path)
    blocks = [block for block in BLOCK.finditer(readme.read_text(encoding="utf-8")) if block[2] != "claims"]
    for block in blocks:
        change(readme, block.end())
    lock.write_text(lock.read_text().replace("\npydantic==2", "\npydantic==1"))
    text = check(checkout)
    short = [f"{FAST}/{'/'.join(key)}.json" for key in unlisted(reference, FAST)]
    for path in files:
        name = path.relative_to(reference).as_posix()
        assert name in short or f"the reference {name} is not the one in SHA256SUMS" in text
    for block in blocks:
        assert f"README.md has other figures than the tables: {block[2]}" in text
    assert "requirements.lock has 1." in text
