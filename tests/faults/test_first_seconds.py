"""Ctrl-C in the first seconds of a program, while it imports its libraries, ends it with one line and status 130."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from workplace import Workplace

pytestmark = pytest.mark.slow  # each case starts a process that imports transformers

MOMENTS = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0)  # seconds after Python has started
# Python itself needs some hundredths of a second until it reads the first line of a program.
START = (
    "import runpy, signal, sys; signal.signal(signal.SIGINT, {handler}); sys.argv[:] = sys.argv[1:];"
    "sys.path.insert(0, 'experiments'); print(flush=True); {run}"
)
SCRIPT = "runpy.run_path(sys.argv[0], run_name='__main__')"
COMMAND = "from bert_ner.__main__ import main; main()"
PROGRAMS = [
    ("repro.py", "experiments/repro.py --corpus sample"),
    ("train.py", "experiments/train.py --corpus sample --system minilm --seed 13"),
    ("train.py", "experiments/train.py --corpus sample --system hmm"),
    ("judge.py", "experiments/judge.py --corpus sample"),
    ("check.py", "experiments/check.py"),
    ("fingerprint.py", "experiments/harness/fingerprint.py"),
    ("bert-ner", "bert-ner tag --model models/sample/minilm-13 --float"),
    ("bert-ner", "bert-ner score - -"),
    ("bert-ner", "bert-ner export models/sample/minilm-13 models/new"),
]


def start(place: Workplace, program: str, handler: str = "signal.default_int_handler") -> subprocess.Popen[str]:
    """Start a program, and return once Python is about to read its first line."""
    code = START.format(handler=handler, run=COMMAND if program.startswith("bert-ner") else SCRIPT)
    process = subprocess.Popen(
        [sys.executable, "-c", code, *program.split()], cwd=place.folder, env=place.environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    process.stdout.readline()
    return process


@pytest.mark.parametrize(("name", "program"), PROGRAMS)
def test_one_line_and_130(name: str, program: str, place: Workplace) -> None:
    for moment in MOMENTS:
        with start(place, program) as process:
            try:
                process.wait(moment)
                break  # it has done its work
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        said_its_error = program == "bert-ner score - -" and errors.rstrip().endswith("the second -")
        if (said_its_error and process.returncode in (1, -signal.SIGINT)) or (
            process.returncode in (0, -signal.SIGINT) and not errors
        ):
            break  # it had done its work: at its very end, Python handles no signal any more
        assert (process.returncode, errors.strip()) == (130, f"{name}: interrupted"), moment


def test_a_parent_may_have_it_ignored(finished: Workplace) -> None:
    with start(finished, "experiments/judge.py --help", handler="signal.SIG_IGN") as process:
        for _ in range(20):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "usage:" in output
