"""A command has its own exit status, and ends with the process that started it."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIFELINE = [sys.executable, "-m", "bert_ner.scale.lifeline"]


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137)])
def test_the_status_is_that_of_the_command(script: str, status: int) -> None:
    command = [*LIFELINE, "sh", "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        assert process.wait(timeout=60) == status


def test_the_command_and_its_children_end_with_the_parent() -> None:
    command = [*LIFELINE, "sh", "-c", "sh -c 'echo ready; sleep 600; true'; true"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.stdin.close()  # as the system does when the parent is killed
        assert process.stdout.read() == b""  # ends when no process holds it any more
        assert process.wait(timeout=60) == -9
