"""Many runs on the machines of a Ray cluster. A run is a few commands in a copy of a folder.

If a worker or a node dies, Ray tries its runs again elsewhere; the others go on.
"""

import asyncio
import io
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from bert_ner.errors import BertNerError
from bert_ner.unfinished import unfinished_folder

TRIES = 4  # of a run whose worker dies
INTERVAL = 0.3  # seconds between two looks at the runs
STARTED = None  # stands for the first line of a try

Line = tuple[str, str | None, str]  # a run, a line of its output, and its node


class Run(NamedTuple):
    """Commands that run one after the other, until one fails, in a copy of a folder; and what they need."""

    name: str
    commands: Sequence[Sequence[str]]
    environment: Mapping[str, str] = {}
    cores: int = 1
    memory: int = 0  # bytes
    gpus: int = 0
    files: Sequence[str] = ()  # paths in the folder of what comes back with the outcome


class Outcome(NamedTuple):
    """How a run ended. `node` and `seconds` are those of its last try.

    If all commands succeeded, `error` is empty and `files` has the contents of the run's files.
    """

    run: str
    node: str
    tries: int
    seconds: float
    error: str
    files: Mapping[str, bytes] = {}


def pack(folder: Path) -> bytes:
    """Return a folder as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(folder, ".")
    return buffer.getvalue()


async def run_all(
    runs: Sequence[Run], archive: bytes, on_line: Callable[[str, str | None], None]
) -> AsyncIterator[Outcome]:
    """Run all on the connected cluster, as many at once as it has room for, and yield each outcome as a run ends.

    Args:
        runs: with names that differ.
        archive: the folder, from `pack`.
        on_line: is called with a run's name and each line of its output; with None when a try starts.

    Raises:
        BertNerError: no node is large enough for one of the runs.
    """
    _check_room(runs, [node["Resources"] for node in ray.nodes() if node["Alive"]])
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    mailbox = ray.remote(_Mailbox).options(num_cpus=0, scheduling_strategy=here).remote()
    task, folder = ray.remote(_run), ray.put(archive)
    waiting = {}
    for run in runs:
        needs = {"num_cpus": run.cores, "memory": run.memory, "num_gpus": run.gpus}
        options = task.options(**needs, name=run.name, max_retries=TRIES - 1)
        waiting[options.remote(run, folder, mailbox)] = run.name
    tries: Counter[str] = Counter()
    nodes: dict[str, str] = {}
    try:
        while waiting:
            ended, _ = ray.wait([*waiting], num_returns=len(waiting), timeout=0)
            for name, line, node in await mailbox.take.remote():  # after `wait`, so that no line of them is missing
                if line is STARTED:
                    tries[name] += 1
                    nodes[name] = node
                on_line(name, line)
            for result in ended:
                name = waiting.pop(result)
                try:
                    seconds, error, files = await result
                except RayError as lost:
                    seconds, error, files = 0.0, f"lost {tries[name]} times ({type(lost).__name__})", {}
                yield Outcome(name, nodes.get(name, ""), tries[name], seconds, error, files)
            await asyncio.sleep(INTERVAL)
    finally:
        for result in waiting:
            ray.cancel(result, force=True)


def _check_room(runs: Sequence[Run], nodes: Sequence[Mapping[str, float]]) -> None:
    for run in runs:
        needs = {"CPU": run.cores, "memory": run.memory, "GPU": run.gpus}
        if not any(all(node.get(kind, 0) >= amount for kind, amount in needs.items()) for node in nodes):
            raise BertNerError(
                f"{run.name} needs {run.cores} cores, {run.memory / 1e9:.1f} GB of memory and {run.gpus} GPUs, but no "
                "node of the Ray cluster has as much; add a larger one"
            )


class _Mailbox:
    """An actor on the node of the program that calls `run_all`: it holds the lines of all runs until they are taken."""

    def __init__(self) -> None:
        self._lines: list[Line] = []

    def put(self, run: str, line: str | None, node: str) -> None:
        self._lines.append((run, line, node))

    def take(self) -> list[Line]:
        lines, self._lines = self._lines, []
        return lines


def _run(run: Run, archive: bytes, mailbox: Any) -> tuple[float, str, dict[str, bytes]]:
    """Run the commands on this node; return the seconds, the error, and the files by their names."""
    node = f"{socket.gethostname()} {ray.get_runtime_context().get_node_id()[:6]}"

    def post(line: str | None) -> Any:
        return mailbox.put.remote(run.name, line, node)

    post(STARTED)
    started, error, files = time.perf_counter(), "", {}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # where `python` is this one
    environment = {**os.environ, **run.environment, "PATH": path}
    last = None
    with unfinished_folder(Path(tempfile.gettempdir(), f"bert-ner-runs-{os.getuid()}")) as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, filter="fully_trusted")  # it has links to other folders
        for command in run.commands:
            with _started(command, folder, environment) as process:
                assert process.stdout
                for line in process.stdout:
                    last = post(line.rstrip("\n"))
            if process.returncode:
                error = f"`{' '.join(command)}` ended with status {process.returncode}"
                break
        else:
            files = {name: (folder / name).read_bytes() for name in run.files}
    if last is not None:
        ray.get(last)  # so that the caller finds every line
    return time.perf_counter() - started, error, files


def _started(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a command. If this process is killed, the command and its children are, too."""
    return subprocess.Popen(
        [sys.executable, "-m", "bert_ner.scale.lifeline", *command], cwd=folder, env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        text=True, errors="replace",
    )  # fmt: skip
