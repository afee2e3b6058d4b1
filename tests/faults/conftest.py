"""A small pipeline that ran once, copies of it to do harm to, and scripts that meet with faults."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from harm import Publisher

from bert_ner.corpus import read_bio
from bert_ner.corpus.bio import write_bio
from bert_ner.files import write_sums

Workplace = Any  # the one in tests/conftest.py
SENTENCES = {"train": 160, "validation": 40, "test": 60}


@pytest.fixture(scope="session")
def small(encoder_folder: Path) -> dict[str, Any]:
    """Parameters of a pipeline of the same shape whose trainings take a second each."""
    recipe = {"name": str(encoder_folder), "epochs": 2, "learning_rate": 0.005}
    return {
        "corpora": ["sample"],
        "seeds": [13],
        "crf": {"c1": [0.1], "c2": [0.1], "max_iterations": 10},
        "minilm": recipe,
        "minilm_crf": recipe,
    }


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, workplaces: type[Workplace], small: dict[str, Any]) -> Workplace:
    """The pipeline after a run on the first sentences of the generated corpus: models and results as they should be."""
    place = workplaces(tmp_path_factory.mktemp("whole"), small)
    for script in ("fingerprint.py", "acquire.py", "prepare.py"):
        place.succeed(
            "python", f"experiments/{script}", *(() if script == "fingerprint.py" else ("--corpus", "sample"))
        )
    prepared = place.folder / "data/prepared/sample"
    for part, count in SENTENCES.items():
        write_bio(prepared / f"{part}.bio", read_bio(prepared / f"{part}.bio")[:count])
    write_sums(prepared)
    for stage in STAGES[2:]:
        place.succeed("python", *stage.split())
    return place


STAGES = [
    f"experiments/{script} --corpus sample"
    for script in (
        "acquire.py",
        "prepare.py",
        "train.py --system crf --seed 0",
        "train.py --system minilm --seed 13",
        "evaluate.py",
        "compare.py",
        "audit.py",
        "judge.py",
        "report.py",
    )
]


@pytest.fixture(scope="session")
def copied() -> Callable[[Workplace, Path], Workplace]:
    """Copies a place into a folder."""

    def copy(place: Workplace, folder: Path) -> Workplace:
        new = object.__new__(type(place))
        new.folder = folder / "repository"
        new.environment = place.environment | {"PYTHONPATH": str(new.folder), "XDG_CACHE_HOME": str(folder / "cache")}
        shutil.copytree(place.folder, new.folder, symlinks=True)
        return new

    return copy


@pytest.fixture
def place(whole: Workplace, copied: Callable[[Workplace, Path], Workplace], tmp_path: Path) -> Workplace:
    """A copy of that pipeline."""
    return copied(whole, tmp_path)


Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def faulty() -> Callable[[Workplace, str], Any]:
    """Makes of a workplace and a stage's command a function that runs it with a fault; see child.py."""

    @contextmanager
    def start(place: Workplace, stage: str) -> Iterator[Run]:
        command = [sys.executable, str(Path(__file__).with_name("child.py")), *stage.split()]
        environment = place.environment | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        with subprocess.Popen(
            command, cwd=place.folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:

            def run(**fault: int) -> dict[str, Any]:
                assert process.stdin
                assert process.stdout
                process.stdin.write(json.dumps(fault) + "\n")
                process.stdin.flush()
                outcome: dict[str, Any] = json.loads(process.stdout.readline())
                return outcome

            yield run

    return start


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.is_over.set()
        server.shutdown()
