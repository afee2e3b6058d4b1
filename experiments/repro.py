"""Run the pipeline on the paper's corpus, or on the generated one where that can't be had, and show the result.

make repro
make repro-all                                 all of params.yaml: every corpus, system, seed and study; hours
python experiments/repro.py --corpus sample
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from graphlib import TopologicalSorter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.params import read_params
from harness.paths import RESULTS, ROOT
from harness.provenance import recorded
from harness.run_main import run_main
from harness.systems import SYSTEMS

from bert_ner.corpus.acquire import CorpusUnavailable, acquire
from bert_ner.corpus.catalog import CORPORA, Corpus, corpus_named
from bert_ner.encoder.weights import ENCODERS, availability
from bert_ner.errors import BertNerError
from reporting.formats import BANNER, PAPER_CORPUS, PAPER_MICRO_F1, percent
from reporting.markdown import table
from reporting.results import Results
from reporting.sections.score_sections import score_table

FALLBACK = "sample"
MORE = "results/dvc.yaml"
LOCK = ROOT / ".dvc" / "tmp" / "repro.lock"  # Git ignores the folder

# The environment's own Python first, so that DVC's stages run on it whether or not it is activated.
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
DVC = (sys.executable, "-m", "dvc")

# Trainings at once, on a share of the cores each, are done sooner than one after the other on all of them (LOG.md).
AT_ONCE = 4
TRAINS = re.compile(r"@.+-\d+$")  # a stage that trains ends with its run, <system>-<seed>
THREADS = max(1, (os.cpu_count() or 1) // AT_ONCE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", choices=CORPORA, help=f"run on this one alone; default: {PAPER_CORPUS}, or else")
    parser.add_argument("--all", action="store_true", help="run all of params.yaml, the studies included")
    options = parser.parse_args()
    params = read_params()
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C, so that DVC ends too
        signal.signal(number, signal.default_int_handler)
    with alone():
        if options.all:
            repro_all(params)
        else:
            repro_one(options.corpus, params)


def repro_one(name: str | None, params: dict[str, Any]) -> None:
    """Run the pipeline on the corpus of that name; without one on the paper's, or else on the generated one."""
    corpus = corpus_named(name or PAPER_CORPUS)
    if corpus.name not in params["corpora"]:
        raise BertNerError(f"{corpus.name} is not among the corpora in params.yaml; add it there")
    target = f"report@{corpus.name}"
    stages = stages_to_run(target)
    # DVC keeps what it has, but removes an output before it makes it anew.
    is_needed = not name and f"acquire@{corpus.name}" in stages
    if is_needed and (reason := why_unreachable(corpus)):
        corpus = corpus_named(FALLBACK)
        target = f"report@{corpus.name}"
        stages = stages_to_run(target)
        rule = "!" * 100
        print(f"{rule}\n{reason}\n\nGOING ON WITH THE CORPUS '{FALLBACK}'. {BANNER}\n{rule}\n", flush=True)

    if stages:
        print(plan(corpus, stages, params), flush=True)
        train(stages, f"prepare@{corpus.name}")
        repro(target)
    else:
        print("Nothing to do: the results belong to this code, these parameters and this data.")
    folder = RESULTS / corpus.name
    results = Results(RESULTS, corpus)
    print(f"\n{table(score_table(corpus, results.needed('scores'), results.featured()))}\n")
    if corpus.name == PAPER_CORPUS:
        print(
            f"The paper reports {percent(PAPER_MICRO_F1)} % micro-F1 over tokens for BERT-base-uncased, "
            "without saying whether O counts."
        )
    print(f"Report: {folder / 'report.html'}, or {folder / 'report.md'}")


def repro_all(params: dict[str, Any]) -> None:
    """Run the pipeline on every corpus, what `more` and `studies` add, and what puts it into the tables and reports."""
    names = [line.split()[0] for line in dvc("stage", "list", MORE).splitlines()]
    missing = {system: name for system in SYSTEMS if (name := unavailable(params.get(system)))}
    for system, name in missing.items():
        print(f"{system} is left out: the weights of {name} can't be had ('bert-ner encoders' says why)", flush=True)

    def can_be_had(stage: str) -> bool:
        return not any(f"-{system}-" in stage for system in missing)

    train(list(filter(can_be_had, stages_to_run())), *(f"prepare@{corpus}" for corpus in params["corpora"]))
    repro()
    repro(*filter(can_be_had, names))
    # DVC does not know that these read what was found there; the judge and the report read other corpora's scores, too.
    after = ("evaluate", "compare", "judge", "report")
    repro("--force", "--single-item", *(f"{stage}@{corpus}" for stage in after for corpus in params["corpora"]))


def unavailable(section: Any) -> str | None:
    """The encoder that a system's section names, if its weights can't be had."""
    name = section.get("name") if isinstance(section, dict) else None
    return name if name in ENCODERS and not availability(ENCODERS[name])[0] else None


def why_unreachable(corpus: Corpus) -> str | None:
    """None if the corpus can be fetched; else what was tried."""
    try:
        with TemporaryDirectory() as scratch:
            acquire(corpus, Path(scratch, corpus.name), shared=ROOT.parent / "shared")
    except CorpusUnavailable as error:
        return str(error)
    return None


@contextmanager
def alone() -> Iterator[None]:
    """Keep a second run out of this folder. The system gives the lock back however the process ends.

    Raises:
        BertNerError: another one is at work.
    """
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise BertNerError(
                f"the pipeline is running in {ROOT} already (process {file.read().strip()}); wait until it is done, "
                "or stop it: what it finished is kept"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        os.set_inheritable(file.fileno(), True)  # DVC keeps it, should it outlive this process
        yield


def train(stages: Sequence[str], *prepared: str) -> None:
    """Run those of the stages that train, when these that prepare the data are up to date."""
    if trainings := [stage for stage in stages if TRAINS.search(stage)]:
        repro(*prepared)
        asyncio.run(side_by_side(trainings))


async def side_by_side(stages: Sequence[str]) -> None:
    """Run stages that do not need each other, AT_ONCE of them at a time; if one fails, the others are stopped."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def run(stage: str) -> None:
        async with slots:
            # DVC has its lock while it looks for changes and while it stores what came out.
            await run_dvc("--wait-for-lock", "repro", "--single-item", stage, is_alone=False)

    await asyncio.gather(*map(run, stages))


def repro(*arguments: str) -> None:
    """Run `dvc repro`; raises as `run_dvc`."""
    asyncio.run(run_dvc("repro", *arguments))


async def run_dvc(*arguments: str, is_alone: bool = True) -> None:
    """Run DVC. What interrupts this, Ctrl-C for one, ends DVC and its stage at once: a kill harms nothing.

    Args:
        is_alone: whether it has the terminal, for progress bars, and all cores; else it has lines and THREADS.

    Raises:
        BertNerError: a stage failed.
    """
    options: dict[str, Any] = {"env": ENVIRONMENT}
    if not is_alone:
        environment = {"OMP_NUM_THREADS": str(THREADS), "PYTHONUNBUFFERED": "1", **ENVIRONMENT}
        options = {"env": environment, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
    # In a session of its own, so that Ctrl-C reaches this process alone and one line is all that it leads to.
    process = await asyncio.create_subprocess_exec(
        *DVC, *arguments, cwd=ROOT, close_fds=False, start_new_session=True, **options
    )
    try:
        if process.stdout:
            async for line in process.stdout:
                print(line.decode(errors="replace"), end="", flush=True)
        status = await process.wait()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if status:
        raise BertNerError("the pipeline stopped. What it finished is kept: the same command goes on from there")


def stages_to_run(*target: str) -> list[str]:
    """The stages that changed since they ran last, and all that come after them, in order; of one target or of all."""
    changed = set(json.loads(dvc("status", "--json", *(["--with-deps"] if target else []), *target)))
    graph = dvc("dag", "--dot", *target)
    parents: dict[str, set[str]] = {stage: set() for stage in re.findall(r'^"(.+)";$', graph, re.MULTILINE)}
    for parent, stage in re.findall(r'"(.+)" -> "(.+)";', graph):
        parents[stage].add(parent)
    stale: list[str] = []
    for stage in TopologicalSorter(parents).static_order():
        if stage in changed or parents[stage] & set(stale):
            stale.append(stage)
    return stale


def plan(corpus: Corpus, stages: list[str], params: dict[str, Any]) -> str:
    """What will run, with the time that each training took when it was last recorded."""
    known = recorded(corpus.name)
    seconds = {stage_of(corpus, facts, params): facts["seconds"] for facts in known["runs"].values()} if known else {}
    lines = [f"  {stage}" + (f"  ({seconds[stage]:.0f} s)" if stage in seconds else "") for stage in stages]
    trainings = [seconds[stage] for stage in stages if stage in seconds]
    needed = max(sum(trainings) / AT_ONCE, *trainings) if trainings else 0
    about = f", about {needed / 60 + 2:.0f} minutes on {known['evaluated']['processor']}" if trainings else ""
    return "\n".join([f"To run: {len(stages)} stages{about}", *lines, ""])


def stage_of(corpus: Corpus, run: dict[str, str], params: dict[str, Any]) -> str:
    """The stage that trains a run of `dvc repro`."""
    kind = "train_encoder" if run["system"] in params["encoders"] else "train_baseline"
    return f"{kind}@{corpus.name}-{run['system']}-{run['seed']}"


def dvc(*arguments: str) -> str:
    """What a DVC command prints.

    Raises:
        BertNerError: it failed.
    """
    answer = subprocess.run([*DVC, *arguments], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise BertNerError(f"dvc {' '.join(arguments)} failed:\n{answer.stdout}{answer.stderr}")
    return answer.stdout


if __name__ == "__main__":
    run_main(main)
