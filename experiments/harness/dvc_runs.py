"""Run stages with DVC and show them live; find the stages that have to run."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import Any

from harness.live_display import CACHED, DONE, FAILED, UNCHANGED, LiveDisplay
from harness.paths import ROOT
from harness.stage_names import is_training, parse_stage

from bert_ner.cores import available_cores
from bert_ner.errors import BertNerError
from bert_ner.interrupts import handle_interrupts
from bert_ner.progress import RECORD_SEPARATOR, VARIABLE

PIPELINE = "pipeline/dvc.yaml"  # it has every stage but the last one, domains
FINGERPRINT = f"{PIPELINE}:fingerprint"
STUDENTS = f"{PIPELINE}:students"  # starts the stages of systems with teachers, which train after the others

# Trainings at once, on a share of the cores each, end sooner than one after the other on all of them (LOG.md).
AT_ONCE = 4
THREADS = max(1, available_cores() // AT_ONCE)

DVC = (sys.executable, "-m", "dvc")
REPRO = (*DVC, "repro")
# This Python comes first on PATH, so that stages run on it without an activated environment.
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
ENVIRONMENT = {**os.environ, "PATH": PATH, "PYTHONUNBUFFERED": "1", VARIABLE: "lines"}
CHANGE = re.compile(r"Running stage '(.+)':$|Stage '(.+)' (?:didn't change, skipping|is (cached) - skipping run)")
# Lines of DVC that a summary at the end replaces.
HINTS = re.compile(
    r"\s*$|> |(Updating|Generating) lock file |To track the changes with git|\tgit add |To enable auto staging"
    r"|\tdvc config core\.autostage|Use `dvc push`|Data and pipelines are up to date"
)
SUMMARY = (
    "To keep the results in Git: git add results dvc.lock pipeline/dvc.lock\n"
    "To share the data and the models, set up a DVC remote and run: dvc push"
)


Trainer = Callable[[LiveDisplay, Sequence[str]], Awaitable[None]]


async def train_here(display: LiveDisplay, stages: Sequence[str]) -> None:
    """Run stages that train side by side on this machine. If one fails, asyncio.run cancels the others."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def train(stage: str) -> None:
        async with limit:
            await run_stage(display, stage, OMP_NUM_THREADS=str(THREADS))

    await asyncio.gather(*map(train, stages))


def run_pipeline(
    stages: Sequence[str],
    prepare: Sequence[str],
    *commands: Sequence[str],
    expected: Mapping[str, float] | None = None,
    train: Trainer = train_here,
    trains: Callable[[str], bool] = is_training,
) -> None:
    """Run the stages that train, then evaluate and audit, then each command.

    `stages` are all that will run, `prepare` those that the trainings need, `expected` the seconds that stages took,
    `train` the way to run those that train, and `trains` says which do.
    """
    trainings = list(filter(trains, stages))
    students = [stage for stage in trainings if stage.startswith(STUDENTS)]
    others = [stage for stage in trainings if stage not in students]

    async def run() -> None:
        reporter = asyncio.create_task(display.report())

        async def run_each(kind: str) -> None:
            for stage in stages:
                if parse_stage(stage).stage == kind:
                    await run_stage(display, stage)

        if trainings:
            await run_dvc(display, "repro", *prepare)
            for group in filter(None, (others, students)):
                await train(display, group)
            # Neither needs the other: at once they save ten seconds (LOG.md).
            await asyncio.gather(run_each("evaluate"), run_each("audit"))
        for command in commands:
            await run_command(display, command)
        reporter.cancel()

    handle_interrupts(signal.default_int_handler)  # which asyncio replaces by its own, so that DVC ends too
    with LiveDisplay(stages, expected or {}) as display:
        asyncio.run(run())
    print(SUMMARY)


async def run_stage(display: LiveDisplay, stage: str, **environment: str) -> None:
    """Run one stage. DVC holds its lock only while it looks for changes and stores outputs."""
    await run_dvc(display, "--wait-for-lock", "repro", "--single-item", stage, **environment)


async def run_dvc(display: LiveDisplay, *arguments: str, **environment: str) -> None:
    await run_command(display, [*DVC, *arguments], **environment)


async def run_command(display: LiveDisplay, command: Sequence[str], **environment: str) -> None:
    """Run DVC or a script and show its output. An exception, Ctrl-C included, kills it; this damages no file."""
    stage = None
    # Popen, because asyncio's own subprocess can hang if it is cancelled while it starts (CPython 3.11). The command
    # gets a session of its own, so that Ctrl-C reaches this process alone.
    with subprocess.Popen(
        command, cwd=ROOT, env={**environment, **ENVIRONMENT}, close_fds=False, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout
        try:
            while line := await asyncio.to_thread(process.stdout.readline):
                stage = show(display, line.decode(errors="replace").rstrip("\n"), stage)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if stage:
        display.end(stage, FAILED if process.returncode else DONE)
    if process.returncode:
        raise BertNerError("the pipeline stopped; finished stages are kept, and the same command continues from there")


def show(display: LiveDisplay, line: str, stage: str | None) -> str | None:
    """Show a line of DVC's output. `stage` is the stage that runs; return the one that runs after this line."""
    if change := CHANGE.match(line):
        begun, skipped, cached = change.groups()
        if stage:
            display.end(stage, DONE)
        if begun:
            display.begin(begun)
        else:
            display.end(skipped, CACHED if cached else UNCHANGED)
        return begun
    if line.startswith(RECORD_SEPARATOR):
        with suppress(ValueError):  # the last line of a killed training may be cut
            if stage:
                display.update(stage, json.loads(line[1:]))
    elif not HINTS.match(line):
        display.print(line)
    return stage


def stages_to_run(*targets: str) -> list[str]:
    """Return the stages to run for some targets or for all, in order; the fingerprint of the code runs first."""
    stages = _changed(targets)
    if FINGERPRINT in stages:
        call(ROOT, *DVC, "repro", "--quiet", FINGERPRINT)
        stages = _changed(targets)
    return stages


def call(folder: Path | str, *command: str) -> None:
    """Run a command without its output; if it fails, raise BertNerError with that."""
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BertNerError(f"`{' '.join(command)}` failed in {folder}:\n{done.stdout}{done.stderr}")


def _changed(targets: Sequence[str]) -> list[str]:
    from dvc.repo.reproduce import plan_repro  # takes half a second to import, as networkx does
    from networkx import lexicographical_topological_sort

    with open_repository(ROOT) as repo:
        changed = repo.status(targets=list(targets) or None, with_deps=bool(targets))
        graph = repo.index.graph
        wanted = [stage for target in targets for stage in repo.stage.collect(target)]
        order = {stage: number for number, stage in enumerate(repo.index.stages)}  # that of the files
        needed_first = graph.subgraph(plan_repro(graph, wanted or None)).reverse()
        stale = []
        for stage in lexicographical_topological_sort(needed_first, key=order.__getitem__):
            if stage.addressing in changed or any(needed in stale for needed in graph.successors(stage)):
                stale.append(stage)
        return [stage.addressing for stage in stale]


@contextmanager
def open_repository(root: Path) -> Iterator[Any]:
    """Use DVC in this process: a command of DVC takes a second to start."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with chdir(root), Repo() as repo:
            yield repo
    except DvcException as error:
        raise BertNerError(f"DVC can't read the pipeline: {error}") from None
