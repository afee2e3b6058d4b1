"""How a script takes its options, and how it ends."""

from __future__ import annotations

from harness.run_main import count, seed

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parents[3] / "experiments"
PROGRAM = "from harness.run_main import run_main\nrun_main(lambda: print('a line'))"


def test_a_reader_that_closes_the_pipe_ends_it_silently() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        child = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=EXPERIMENTS, stdout=output, stderr=subprocess.PIPE, check=False
        )
    assert (child.returncode, child.stderr) == (141, b"")


def test_ctrl_c_while_python_ends_is_one_line() -> None:
    late = "import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
    ending = [sys.executable, "-c", f"{late}{PROGRAM}"]
    child = subprocess.run(ending, cwd=EXPERIMENTS, capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout, child.stderr) == (130, "a line\n", "\n-c: interrupted\n")


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "", "²", "many"])
def test_a_count_is_one_or_more(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{text!r} is not a whole number from 1$"):
        count(text)
    assert count("12") == 12


@pytest.mark.parametrize("text", ["-1", "4294967296", "²", "x"])
def test_a_seed_is_one_that_every_generator_takes(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is not a whole number from 0 to 4294967295$"):
        seed(text)
    assert seed("4294967295") == 4294967295


@pytest.mark.parametrize(
    ("script", "option", "value"),
    [("benchmark", "--rounds", "0"), ("benchmark", "--rounds", "-3"), ("read_labels", "--list", "0")],
)
def test_scripts_refuse_a_wrong_count(script: str, option: str, value: str) -> None:
    command = [sys.executable, f"{script}.py", f"{option}={value}"]
    child = subprocess.run(command, cwd=EXPERIMENTS, capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout) == (2, "")
    assert f"argument {option}: '{value}' is not a whole number from 1\n" in child.stderr


def test_a_list_of_threads_in_the_environment_is_no_traceback() -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
    code = "from harness.cluster_runs import CORES; print(CORES)"
    environment = os.environ | {"OMP_NUM_THREADS": "4,2"}
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=EXPERIMENTS, env=environment, capture_output=True, check=True
    )
    assert child.stdout == b"4\n"
