"""The processes that train a CRF: what they return, and that they end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from baselines import crf_workers
from baselines.crf_workers import compute
from bert_ner.errors import BertNerError

FOREVER = """
from bert_ner.interrupts import exit_interrupted, handle_interrupts, interrupt
handle_interrupts(interrupt)
import baselines.crf as crf
from bert_ner.corpus.sample import generate
from bert_ner.scoring import entity_f1

train, test = generate()
settings = crf.CRFSettings(c1=[1e-9], c2=[i * 1e-9 for i in range(40)], max_iterations=2_000_000)
tagger = crf.CRFTagger(settings, scoring=entity_f1, labels=[], seed=1)
try:
    tagger.fit(train, test)
except KeyboardInterrupt:
    exit_interrupted()
"""


def test_results_come_in_the_order_of_the_calls() -> None:
    seconds = [0.3, 0.0, 0.1, 0.0]
    calls = [(f"__import__('time').sleep({wait}) or {i}",) for i, wait in enumerate(seconds)]
    assert list(compute(eval, calls)) == [0, 1, 2, 3]
    assert list(compute(eval, [])) == []


@pytest.mark.parametrize("cores", [1, 3])
def test_there_are_as_many_processes_as_cores(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make repro` gives each training a share of the cores, by OMP_NUM_THREADS."""
    counts, start, end = [0], crf_workers._start, crf_workers._end

    def counted(step: int, change: Callable[..., Any], argument: Any) -> Any:
        counts.append(counts[-1] + step)
        return change(argument)

    monkeypatch.setenv("OMP_NUM_THREADS", str(cores))
    monkeypatch.setattr(crf_workers, "_start", partial(counted, 1, start))
    monkeypatch.setattr(crf_workers, "_end", partial(counted, -1, end))
    assert list(compute(eval, [(str(i),) for i in range(5)])) == [0, 1, 2, 3, 4]
    assert (max(counts), counts[-1]) == (cores, 0)


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("1 / 0", ZeroDivisionError, "division by zero"),
        ("__import__('os')._exit(7)", BertNerError, "a process that trained a CRF ended with status 7"),
        ("__import__('os').kill(__import__('os').getpid(), 9)", BertNerError, "ended with status -9; there may be too"),
    ],
)
def test_errors_of_a_process(code: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        list(compute(eval, [(code,)]))


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.5, 4.0])  # seconds from the first process on
@pytest.mark.parametrize(
    ("number", "status", "printed"), [(signal.SIGINT, 130, "\n-c: interrupted\n"), (signal.SIGKILL, -9, "")]
)
def test_processes_end_with_their_parent(number: int, status: int, printed: str, delay: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FOREVER], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        while not children(parent.pid):
            assert parent.poll() is None
            time.sleep(0.01)
        time.sleep(delay)
        started = children(parent.pid)
        os.killpg(parent.pid, number)  # as a terminal does
        _, text = parent.communicate()  # until nobody holds standard error any more
    assert (parent.returncode, text) == (status, printed)
    assert not [child for child in started if Path("/proc", child, "exe").exists()]


def children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()
