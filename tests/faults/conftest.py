"""Scripts that meet with faults, and a corpus with its publisher on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from publisher import Server, publishing
from workplace import Workplace

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def faulty() -> Callable[[Workplace, str], AbstractContextManager[Run]]:
    """Return a context manager that runs a stage's command in a workplace, each time with a fault; see child.py."""

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
