"""Run the pipeline on the paper's corpus and show the result; if that corpus is unavailable, on the generated one.

make repro
make repro-all                                 everything in params.yaml: all corpora, systems, seeds, studies; hours
python experiments/repro.py --all --address auto        the same on the machines of a Ray cluster (docs/scaling.md)
python experiments/repro.py --corpus sample
"""

from harness.run_main import command_line, run_main

import fcntl
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.dvc_runs import AT_ONCE, PIPELINE, REPRO, run_pipeline, stages_to_run
from harness.params import Params, read_params
from harness.paths import DOMAINS, RESULTS, ROOT, SHARED
from harness.provenance import recorded
from harness.stage_names import parse_stage
from harness.teachers import is_available

import psutil

from bert_ner.corpus.acquire import CorpusUnavailable, acquire
from bert_ner.corpus.catalog import Corpus, corpus_named, corpus_names
from bert_ner.errors import BertNerError, install_command
from claims.paper import PAPER_CORPUS, PAPER_MICRO_F1
from reporting.formats import NOTES, percent
from reporting.markdown import table
from reporting.results import Results
from reporting.sections.scores_and_costs import score_table

FALLBACK = "sample"
FILM_CORPORA = {PAPER_CORPUS, "mit_movie_trivia"}  # transfer.py needs both
AGAIN = (*REPRO, "--force", "--single-item")
LOCK = ROOT / ".dvc" / "tmp" / "repro.lock"  # Git ignores the folder
DVC_LOCKS = LOCK.with_name("rwlock")
RULE = "!" * 100


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--corpus", choices=corpus_names(), help=f"run on this corpus only; default: {PAPER_CORPUS}")
    parser.add_argument("--all", action="store_true", help="run everything in params.yaml, studies included")
    parser.add_argument("--address", help="with --all: train on the Ray cluster there; 'auto': on this machine's")
    options = parser.parse_args()
    if options.address and not options.all:
        parser.error("--address needs --all")
    params = read_params()
    for number in (signal.SIGTERM, signal.SIGHUP):  # handled like Ctrl-C, so that DVC ends too
        signal.signal(number, signal.default_int_handler)
    with only_run():
        if options.all:
            repro_all(params, options.address)
        else:
            repro_one(options.corpus, params)


def repro_one(name: str | None, params: Params) -> None:
    """Run the pipeline on a corpus; without a name on the paper's, or on the generated one if that is unavailable."""
    corpus = corpus_named(name or PAPER_CORPUS)
    if corpus.name not in params.corpora:
        raise BertNerError(f"{corpus.name} is not among the corpora in params.yaml; add it there")
    stages = stages_to_run(*commands(corpus)[0])
    if name is None and f"{PIPELINE}:acquire@{corpus.name}" in stages:
        try:
            with TemporaryDirectory() as scratch:
                acquire(corpus, Path(scratch, corpus.name), shared=SHARED)
        except CorpusUnavailable as error:
            corpus = corpus_named(FALLBACK)
            stages = stages_to_run(*commands(corpus)[0])
            print(
                f"{RULE}\n{error}\n\nCONTINUING WITH THE CORPUS '{FALLBACK}'. {NOTES['generated']}\n{RULE}\n",
                flush=True,
            )

    if stages:
        expected = training_seconds(corpus, params)
        print(plan(corpus, stages, expected), flush=True)
        last = [[*REPRO, *arguments] for arguments in commands(corpus)]
        run_pipeline(stages, [f"{PIPELINE}:prepare@{corpus.name}"], *last, expected=expected)
    else:
        print("Nothing to do: the results match this code, these parameters and this data.")
    results = Results(RESULTS, corpus)
    print(f"\n{table(score_table(corpus, results.needed('scores'), results.featured()))}\n")
    if corpus.name == PAPER_CORPUS:
        figure = f"{percent(PAPER_MICRO_F1)} % micro-F1 over tokens"
        print(f"The paper reports {figure} for BERT-base-uncased, without saying whether O counts.")
    print(f"Report: {results.folder / 'report.html'}, or {results.folder / 'report.md'}")


def commands(corpus: Corpus) -> list[list[str]]:
    """Return the arguments of each `dvc repro`; the first has the last stage to run for a corpus."""
    if corpus.name == PAPER_CORPUS:
        return [[DOMAINS]]
    # DVC does not know that the stage `domains` reads the tables of other corpora. It needs the report on the paper's.
    is_compared = not corpus.is_generated and (RESULTS / PAPER_CORPUS / "report.md").is_file()
    again = [["--force", "--single-item", DOMAINS]] if is_compared else []
    return [[f"{PIPELINE}:report@{corpus.name}"], *again]


def training_seconds(corpus: Corpus, params: Params) -> dict[str, float]:
    """Return the seconds of each training of a corpus when it was last recorded, by its stage."""
    seconds = {}
    for name, run in recorded(corpus.name).get("runs", {}).items():
        kind = "train_encoder" if run["system"] in params.encoders else "train_baseline"
        if run["seconds"] is not None:
            seconds[f"{PIPELINE}:{kind}@{corpus.name}-{name}"] = run["seconds"]
    return seconds


def plan(corpus: Corpus, stages: list[str], expected: dict[str, float]) -> str:
    """Say how many stages will run and for how long, from the recorded times of the trainings."""
    text, trainings = f"{len(stages)} stages to run on {corpus.name}", [expected[s] for s in stages if s in expected]
    if trainings:
        minutes = max(sum(trainings) / AT_ONCE, *trainings) / 60 + 2
        text += f", about {minutes:.0f} minutes on {recorded(corpus.name)['evaluated']['processor']}"
    return text


def repro_all(params: Params, address: str | None = None) -> None:
    """Run every stage of the pipeline, then again those that put extra runs and studies into tables and reports.

    The trainings and studies run on a Ray cluster: that at the address, or one of this machine's own.
    """
    stages = stages_to_run()
    if PAPER_CORPUS not in params.corpora:
        stages = [stage for stage in stages if stage != DOMAINS]  # it needs the report on that corpus
    for system in params.systems:
        if not is_available(system, params):
            print(f"{system} is left out: weights that it needs are unavailable ('bert-ner encoders' says why)")
            stages = [stage for stage in stages if parse_stage(stage).system != system]
    # DVC does not know that these stages also read the models of extra runs, and the studies.
    names = ("evaluate", "compare", "judge", "report")
    again = [f"{PIPELINE}:{name}@{corpus}" for name in names for corpus in params.corpora]
    last = [[*REPRO, *stages], [*AGAIN, *again]]
    if FILM_CORPORA.issubset(params.corpora):
        last.append([sys.executable, "experiments/transfer.py"])
    if PAPER_CORPUS in params.corpora:
        last.append([*AGAIN, DOMAINS])
    prepare = [f"{PIPELINE}:prepare@{corpus}" for corpus in params.corpora]
    run = partial(run_pipeline, stages, prepare, *last)
    if find_spec("ray"):
        run_on_cluster(run, params, address)
    elif address:
        raise BertNerError(f"--address needs Ray; install it with: {install_command('ray')}")
    else:
        print(f"Training on this machine; to train on many, install Ray: {install_command('ray')}", flush=True)
        run()


def run_on_cluster(run: Callable[..., None], params: Params, address: str | None) -> None:
    """Run the pipeline with its trainings on a Ray cluster, and print what ran where."""
    from harness.cluster_runs import outcome_table, runs_on_cluster, train_on_cluster

    from bert_ner.scale.cluster import connected

    outcomes: list[Any] = []
    try:
        with connected(address):  # before the first stage, so that a wrong address shows at once
            run(train=partial(train_on_cluster, params=params, outcomes=outcomes), trains=runs_on_cluster)
    finally:
        if outcomes:
            print(outcome_table(outcomes))


@contextmanager
def only_run() -> Iterator[None]:
    """Keep a second run out of this checkout. The lock ends with the process."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BertNerError(
                f"the pipeline already runs in {ROOT} (process {LOCK.read_text().strip()}); wait for it, or stop it: "
                "finished stages are kept"
            ) from None
        LOCK.write_text(str(os.getpid()))
        os.set_inheritable(file.fileno(), True)  # DVC keeps the lock if it outlives this process
        release_dead(DVC_LOCKS)
        yield


def release_dead(locks: Path) -> None:
    """Remove DVC's locks if all who hold them are dead. DVC itself waits for a dead process that nobody reaps."""
    pids = {int(pid) for pid in re.findall(r'"pid": (\d+)', locks.read_text())} if locks.is_file() else set()
    alive = (each.pid for each in psutil.process_iter(["status"]) if each.info["status"] != psutil.STATUS_ZOMBIE)
    if pids and pids.isdisjoint(alive):
        locks.unlink()


if __name__ == "__main__":
    run_main(main)
