"""Measure speed and memory, also of other programs at their best: results/benchmarks.csv, .md, .png and .svg.

    make bench
    python experiments/benchmark.py --only tag latency --rounds 3
    python experiments/benchmark.py --long            also what takes minutes: 100 times the test set, a million lines

Each measurement runs in a new process, whose peak memory comes from the operating system, and warms up first. The
workloads of a task take turns (A B C A B C), so that a machine that slows down slows them all. Figures are medians over
the rounds. The share of the limit compares a program with its matrix products alone (bench/products.py). Run nothing
else meanwhile: two busy processes on two cores spoil every figure. `make repro` must have trained the systems.
"""

from harness.run_main import command_line, count, run_main

import argparse
import importlib.metadata
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from harness.artifacts import model_folder
from harness.paths import RESULTS, ROOT
from harness.provenance import processor, processor_name
from harness.tables import read_table, require_table, write_table

import pandas as pd
from tqdm import tqdm

from bench.benchmark_page import as_markdown
from bench.measuring import CRF, Figures, encoder_folder, peak_memory
from bench.tagging_workloads import exported
from bench.workloads import WORKLOADS
from bert_ner.cores import available_cores
from bert_ner.encoder.ranks import launched_ranks
from bert_ner.errors import BertNerError, install_command
from bert_ner.files import write_whole
from claims.paper import PAPER_CORPUS

CORES = available_cores()


def main() -> None:
    tasks = list(dict.fromkeys(workload.task for workload in WORKLOADS.values()))
    parser = command_line(__doc__)
    parser.add_argument("--only", nargs="+", choices=tasks, default=tasks, metavar="TASK", help=", ".join(tasks))
    parser.add_argument("--rounds", type=count, default=5, help="default: %(default)s")
    parser.add_argument("--long", action="store_true", help="run the workloads that take minutes, too")
    parser.add_argument("--child", choices=WORKLOADS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        figures = WORKLOADS[options.child].run()  # one that measures another process has the memory of that
        if launched_ranks().is_first:
            print(json.dumps({"memory": peak_memory(), **figures}))
        return
    for folder in (model_folder(PAPER_CORPUS, CRF), encoder_folder()):
        if not folder.is_dir():
            raise BertNerError(f"{folder.name} is not trained on {PAPER_CORPUS}; run 'make repro' first")

    possible = [name for name, one in WORKLOADS.items() if not one.needs or importlib.util.find_spec(one.needs)]
    chosen = {
        task: [name for name in possible if WORKLOADS[name].task == task and (options.long or not WORKLOADS[name].long)]
        for task in options.only
    }
    if not any(WORKLOADS[name].task in chosen for name in possible):
        raise BertNerError(f"{', '.join(chosen)} needs Ray; install it with: {install_command('ray')}")
    if not any(chosen.values()):
        raise BertNerError(f"every workload of {', '.join(chosen)} takes minutes; add --long to run it")
    exported()  # now, so that no measurement includes it
    facts, page = machine(), ""
    for names in filter(None, chosen.values()):
        rows = pd.DataFrame(table_rows(measure(names, options.rounds))).assign(**facts)
        # Saved now, so that what was measured is kept if a later task fails.
        page = save_table(merged(read_table(RESULTS, "", "benchmarks"), rows))
    print(page)


def machine() -> dict[str, Any]:
    """Return the columns that say where and when all rows of a run were measured."""
    return {
        "machine": f"{processor_name()}, {CORES} cores",
        "processor": processor(),
        "threads": CORES,
        "torch": importlib.metadata.version("torch"),
        "date": datetime.now(UTC).date().isoformat(),
    }


def measure(names: Sequence[str], rounds: int) -> dict[str, list[Figures]]:
    """Run workloads in turn, each time in a process of its own; return the figures and the `memory` in MB of each."""
    measured: dict[str, list[Figures]] = {name: [] for name in names}
    again = [name for name in names if not (WORKLOADS[name].once or WORKLOADS[name].long)]
    for name in tqdm([*names, *again * (rounds - 1)], desc=WORKLOADS[names[0]].task, unit="run", disable=None):
        processes = WORKLOADS[name].processes
        environment = {**os.environ, "OMP_NUM_THREADS": str(max(1, CORES // processes))}  # in all, one for each core
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        command = [sys.executable, *(torchrun if processes > 1 else []), __file__, "--child", name]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BertNerError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        measured[name].append(json.loads(done.stdout.splitlines()[-1]))
    return measured


def table_rows(measured: Mapping[str, Sequence[Figures]]) -> list[dict[str, Any]]:
    """Return a row for each workload, each of its settings, and each workload that it is compared with.

    Ratios compare medians. `ratio` is seconds per sentence of the other workload over those of this one: above 1, this
    one is faster. `limit_share` is seconds of the matrix products alone over those of this one, at most 1.
    """
    rows: list[dict[str, Any]] = []
    pace: dict[tuple[str, str], float] = {}  # seconds per sentence
    for name, rounds in measured.items():
        workload = WORKLOADS[name]
        for setting in [key for key in rounds[0] if key != "memory"]:
            first, seconds = rounds[0][setting], [figures[setting]["seconds"] for figures in rounds]
            median = statistics.median(seconds)
            pace[name, setting] = median / first["sentences"]
            row = {
                "task": workload.task, "system": workload.system, "setting": f"{workload.how} {setting}".strip(),
                **{key: first.get(key, math.nan) for key in ("sentences", "tokens", "entity_f1")},
                "seconds": median, "seconds_low": min(seconds), "seconds_high": max(seconds), "rounds": len(seconds),
                "tokens_per_second": first["tokens"] / median, "ratio_to": "", "ratio": None,
                "peak_memory_mb": statistics.median(figures["memory"] for figures in rounds),
                "tflop_per_second": first["tflop"] / median if "tflop" in first else None,
                "limit": WORKLOADS[workload.limit].how if workload.limit else "",
                "limit_share": pace[workload.limit, setting] / pace[name, setting] if workload.limit else None,
            }  # fmt: skip
            ratios = {WORKLOADS[other].how: pace[other, setting] / pace[name, setting] for other in workload.ratio_to}
            rows += [{**row, "ratio_to": how, "ratio": ratio} for how, ratio in ratios.items()] or [row]
    return rows


def merged(old: pd.DataFrame | None, new: pd.DataFrame) -> pd.DataFrame:
    """Append the new rows to the old ones of what was not measured this time: other tasks, and long workloads."""
    if old is None:
        return new
    long = {(workload.task, workload.system, workload.how) for workload in WORKLOADS.values() if workload.long}
    measured = set(_names(new))
    stays = [name not in measured and (name in long or name[0] not in set(new["task"])) for name in _names(old)]
    return pd.concat([old[stays], new]) if any(stays) else new


def _names(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(table["task"], table["system"], table["setting"], strict=True))


def save_table(table: pd.DataFrame) -> str:
    """Write the table as CSV, Markdown and pictures; return the Markdown."""
    from reporting.plots import ratio_plot, save  # matplotlib takes a second to import

    write_table(RESULTS, "", "benchmarks", table)
    table = require_table(RESULTS, "", "benchmarks")  # rounded, so that the page follows from the file
    text = as_markdown(table)
    write_whole(RESULTS / "benchmarks.md", text)
    save(ratio_plot(table), RESULTS, "benchmarks")
    return text


if __name__ == "__main__":
    run_main(main)
