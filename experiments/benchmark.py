"""Measure speed and memory, also of other programs: results/benchmarks.csv, .md, .png and .svg.

    make bench
    python experiments/benchmark.py --only tag latency --rounds 5

Each measurement runs in a new process, whose peak memory comes from the operating system. The workloads of a task take
turns (A B C A B C), so that a machine that slows down slows them all. Figures are medians over the rounds. Run
nothing else meanwhile: two busy processes on two cores spoil every figure. `make repro` must have trained the systems.
"""

from harness.run_main import command_line, run_main

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from harness.artifacts import model_folder
from harness.paths import RESULTS, ROOT
from harness.provenance import processor
from harness.tables import read_table, write_table

import pandas as pd
from tqdm import tqdm

from bench.benchmark_page import as_markdown
from bench.measuring import CORPUS, CRF, Figures, encoder_folder, peak_memory
from bench.tagging_workloads import exported
from bench.workloads import WORKLOADS
from bert_ner.errors import BertNerError
from bert_ner.files import write_whole


def main() -> None:
    tasks = list(dict.fromkeys(workload.task for name, workload in WORKLOADS.items() if name != "limit"))
    parser = command_line(__doc__)
    parser.add_argument("--only", nargs="+", choices=tasks, default=tasks, metavar="TASK", help=", ".join(tasks))
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--child", choices=WORKLOADS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        figures = WORKLOADS[options.child].run()  # one that measures another process has the memory of that
        print(json.dumps({"memory": peak_memory(), **figures}))
        return
    for folder in (model_folder(CORPUS, CRF), encoder_folder()):
        if not folder.is_dir():
            raise BertNerError(f"{folder.name} is not trained on {CORPUS}; run 'make repro' first")

    [[rates]] = measure(["limit"], 1).values()
    del rates["memory"]
    machine = ", ".join([processor(), f"{os.cpu_count()} cores", *(f"{k} {v:.2f} TFLOP/s" for k, v in rates.items())])
    exported()  # now, so that no measurement includes it
    rows = []
    for task in options.only:
        names = [name for name, workload in WORKLOADS.items() if workload.task == task]
        rows += table_rows(measure(names, options.rounds), machine, max(rates.values()))
    save_table(merged(read_table(RESULTS, "", "benchmarks"), pd.DataFrame(rows)))


def measure(names: Sequence[str], rounds: int) -> dict[str, list[Figures]]:
    """Run workloads in turn, each time in a process of its own; return the figures and the `memory` in MB of each."""
    measured: dict[str, list[Figures]] = {name: [] for name in names}
    turns = [*names, *[name for name in names if not WORKLOADS[name].once] * (rounds - 1)]
    for name in tqdm(turns, desc=WORKLOADS[names[0]].task, unit="run", disable=None):
        command = [sys.executable, __file__, "--child", name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BertNerError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        measured[name].append(json.loads(done.stdout.splitlines()[-1]))
    return measured


def table_rows(measured: Mapping[str, Sequence[Figures]], machine: str, rate: float) -> list[dict[str, Any]]:
    """Return a row for each workload, each of its settings, and each workload that it is compared with.

    A ratio compares medians: seconds per sentence of the other workload over those of this one. Above 1, this one is
    faster. `rate` is the limit of the machine in TFLOP/s.
    """
    rows: list[dict[str, Any]] = []
    pace: dict[tuple[str, str], float] = {}
    for name, rounds in measured.items():
        workload = WORKLOADS[name]
        for setting in [key for key in rounds[0] if key != "memory"]:
            first, seconds = rounds[0][setting], [figures[setting]["seconds"] for figures in rounds]
            median, tflop = statistics.median(seconds), first.get("tflop")
            pace[name, setting] = median / first["sentences"]
            row = {
                "task": workload.task, "system": workload.system, "setting": f"{workload.how} {setting}".strip(),
                **{key: first.get(key, math.nan) for key in ("sentences", "tokens", "tflop", "entity_f1")},
                "seconds": median, "seconds_low": min(seconds), "seconds_high": max(seconds), "rounds": len(seconds),
                "tokens_per_second": first["tokens"] / median, "machine": machine, "ratio_to": "", "ratio": None,
                "peak_memory_mb": statistics.median(figures["memory"] for figures in rounds),
                "limit_share": tflop / median / rate if tflop else None,
            }  # fmt: skip
            ratios = {WORKLOADS[other].how: pace[other, setting] / pace[name, setting] for other in workload.ratio_to}
            rows += [{**row, "ratio_to": how, "ratio": ratio} for how, ratio in ratios.items()] or [row]
    return rows


def merged(old: pd.DataFrame | None, new: pd.DataFrame) -> pd.DataFrame:
    """Append the new rows to the old ones of tasks that were not measured this time."""
    kept = None if old is None else old[~old["task"].isin(new["task"])]
    return new if kept is None or kept.empty else pd.concat([kept, new])


def save_table(table: pd.DataFrame) -> None:
    """Write the table as CSV, Markdown and pictures, and print it."""
    from reporting.plots import ratio_plot, save  # matplotlib takes a second to import

    write_table(RESULTS, "", "benchmarks", table)
    text = as_markdown(table)
    write_whole(RESULTS / "benchmarks.md", text)
    save(ratio_plot(table), RESULTS, "benchmarks")
    print(text)


if __name__ == "__main__":
    run_main(main)
