"""A small pipeline that ran once, copies of it to do harm to, and scripts that meet with faults."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from publisher import Server, publishing

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
    place.succeed("python", "experiments/fingerprint.py")
    for stage in ("acquire.py", "prepare.py"):
        place.succeed("python", f"experiments/{stage}", "--corpus", "sample")
    prepared = place.folder / "data/prepared/sample"
    for part, count in SENTENCES.items():
        write_bio(prepared / f"{part}.bio", read_bio(prepared / f"{part}.bio")[:count])
    write_sums(prepared)
    for stage in (
        "train.py --system crf --seed 0",
        "train.py --system minilm --seed 13",
        "evaluate.py",
        "compare.py",
        "audit.py",
        "judge.py",
        "report.py",
    ):
        place.succeed("python", *f"experiments/{stage} --corpus sample".split())
    return place


@pytest.fixture
def place(whole: Workplace, tmp_path: Path) -> Workplace:
    """A copy of that pipeline."""
    return whole.copy(tmp_path)


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
def publisher() -> Iterator[Server]:
    with publishing() as server:
        yield server
