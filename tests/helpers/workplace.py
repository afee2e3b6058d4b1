"""A copy of the repository to run commands in, and folders that are built once for all test processes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import pytest
from filelock import FileLock
from ruamel.yaml import YAML

from bert_ner.corpus import sample
from bert_ner.corpus.catalog import corpus_named

ROOT = Path(__file__).resolve().parents[2]
TRAIN_SENTENCES, TEST_SENTENCES = 200, 60  # of the generated corpus in a workplace


class Workplace:
    """A copy of the repository without results, whose commands see neither the network nor the real corpora.

    Args:
        parent: the folder that holds the copy and its caches; `create` and `copy` fill it.
    """

    def __init__(self, parent: Path) -> None:
        self.folder = parent / "repository"
        self.environment = {name: value for name, value in os.environ.items() if name != "BERT_NER_CORPORA"} | {
            "PYTHONPATH": str(self.folder),  # else the installed code would run
            "XDG_CACHE_HOME": str(parent / "cache"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "https_proxy": "http://127.0.0.1:9",  # nothing listens there, so there is no network
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    @classmethod
    def create(cls, parent: Path, parameters: Mapping[str, Any]) -> Self:
        """Copy the repository, with a short generated corpus and some other parameters, and commit the copy."""
        place = cls(parent)
        names = place.git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
        for name in filter(None, names):
            is_result = name.startswith("results/") or Path(name).name == "dvc.lock"
            if (ROOT / name).is_file() and not is_result:
                (place.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, place.folder / name)
        place.shorten_sample()
        place.set_parameters(parameters)
        place.git("init", "--quiet")
        place.commit("start")
        return place

    def copy(self, parent: Path) -> Workplace:
        """Return a copy in another folder, with everything that commands made here."""
        shutil.copytree(self.folder, parent / "repository", symlinks=True)
        return Workplace(parent)

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Change params.yaml: whole values, or the named settings of a section."""
        yaml, path = YAML(), self.folder / "params.yaml"
        params = yaml.load(path)
        for section, values in parameters.items():
            if isinstance(values, dict):
                params[section].update(values)
            else:
                params[section] = values
        yaml.dump(params, path)

    def shorten_sample(self) -> None:
        """Let the generated corpus have fewer sentences, so that trainings take a second."""
        sizes = {"TRAIN_SENTENCES": TRAIN_SENTENCES, "TEST_SENTENCES": TEST_SENTENCES}
        with pytest.MonkeyPatch.context() as patch:
            for name, size in sizes.items():
                self.replace(
                    "bert_ner/corpus/sample.py", f"\n{name} = {getattr(sample, name):_}\n", f"\n{name} = {size}\n"
                )
                patch.setattr(sample, name, size)
            sample.write_sample(self.folder)
        for file in corpus_named("sample").files.values():
            path = self.folder / file.name
            self.replace("corpora/sample.yaml", str(file.sha256), hashlib.sha256(path.read_bytes()).hexdigest())
            path.unlink()
        self.replace("corpora/sample.yaml", "min_steps: 800", "min_steps: 12")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text that a file has exactly once."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} does not have {old!r} exactly once"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=cwd or self.folder, check=True, capture_output=True, text=True
        ).stdout

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        self.git(*identity, "commit", "--quiet", f"--message={message}")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=900
        )

    def succeed(self, *command: str) -> str:
        """Run a command and return what it printed; the test fails if the command does."""
        done = self.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """Return a folder that one test process builds, and that all processes share.

    These are the processes of this run; with BERT_NER_TEST_FOLDER in the environment, also those of other runs. The
    folder must not be changed afterwards: a test that does harm takes a copy.
    """
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root = Path(os.environ.get("BERT_NER_TEST_FOLDER", shared))
    folder, ready = root / name, root / f"{name}.ready"
    with FileLock(root / f"{name}.lock"):
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            ready.touch()
    return folder
