"""Measure speed and memory beside those of other programs: results/benchmarks.csv, .md, .png and .svg.

    make bench
    python experiments/benchmark.py --only tag latency --rounds 5

Each measurement runs in a fresh process, whose peak memory the operating system tells. The members of a group take
turns (A B C A B C), so that a machine that slows down slows them all; figures are medians over the rounds. Time it
alone: two busy processes on two cores make every figure worthless. The systems are those that `make repro` trained.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from harness.artifacts import model_folder
from harness.params import Run, read_params
from harness.paths import RESULTS, ROOT
from harness.provenance import processor
from harness.run_main import run_main

import pandas as pd
from tqdm import tqdm

from bench.workloads import WORKLOADS, exported, peak_memory
from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from reporting.plots import ratio_plot, save

COLUMNS = [
    "task", "system", "setting", "sentences", "tokens", "seconds", "tokens_per_second", "peak_memory_mb", "ratio_to",
    "ratio", "machine", "seconds_low", "seconds_high", "rounds", "tflop", "limit_share", "entity_f1",
]  # fmt: skip


class Measured(NamedTuple):
    """What a workload reported in one round, and its process's peak memory in MB."""

    figures: dict[str, Any]
    memory: float


def main() -> None:
    tasks = list(dict.fromkeys(workload.task for workload in WORKLOADS.values()))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=tasks, default=tasks, metavar="TASK", help=", ".join(tasks))
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--child", choices=WORKLOADS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        figures = WORKLOADS[options.child].run()
        print(json.dumps({"memory": peak_memory(), **figures}))
        return
    seed = read_params()["seeds"][0]
    for run in (Run("crf", 0), Run("minilm", seed)):
        if not model_folder("mit_movie_eng", run).is_dir():
            raise BertNerError(f"{run.name} is not trained on mit_movie_eng; run 'make repro' first")

    [limit] = measure(["limit"], 1).values()
    rates = limit[0].figures
    machine = f"{processor()}, {os.cpu_count()} cores, " + ", ".join(f"{k} {v:.2f} TFLOP/s" for k, v in rates.items())
    exported()  # now, so that no measurement pays for it
    rows = []
    for task in options.only:
        names = [name for name, workload in WORKLOADS.items() if workload.task == task and name != "limit"]
        rows += rows_of(measure(names, options.rounds), machine, max(rates.values()))
    path = RESULTS / "benchmarks.csv"
    table = merged(path, pd.DataFrame(rows, columns=COLUMNS))
    write_whole(path, table.to_csv(index=False, float_format="%.6g"))
    write_whole(RESULTS / "benchmarks.md", as_markdown(table))
    save(ratio_plot(table), RESULTS, "benchmarks")
    print(as_markdown(table))


def measure(names: list[str], rounds: int) -> dict[str, list[Measured]]:
    """Run workloads in turn, each time in a process of its own."""
    measured: dict[str, list[Measured]] = {name: [] for name in names}
    turns = names + [name for name in names if not WORKLOADS[name].once] * (rounds - 1)
    for name in tqdm(turns, desc=WORKLOADS[names[0]].task, unit="run", disable=None):
        command = [sys.executable, __file__, "--child", name]
        with TemporaryFile("w+") as answer, TemporaryFile("w+") as complaint:
            child = subprocess.Popen(command, cwd=ROOT, stdout=answer, stderr=complaint)
            child.wait()
            answer.seek(0)
            complaint.seek(0)
            if child.returncode:
                raise BertNerError(f"{' '.join(command)} failed:\n{complaint.read()[-2000:]}")
            figures = json.loads(answer.read().splitlines()[-1])
        measured[name].append(Measured(figures, figures.pop("memory")))
    return measured


def rows_of(rounds: dict[str, list[Measured]], machine: str, rate: float) -> list[dict[str, Any]]:
    """A row for each workload, each of its settings, and each workload that it is compared with.

    `rate` is the machine's limit in TFLOP/s. A ratio is that of the medians, the other's seconds per sentence over
    its own: above 1 it is faster.
    """
    rows: list[dict[str, Any]] = []
    pace: dict[tuple[str, str], float] = {}
    for name, measured in rounds.items():
        workload = WORKLOADS[name]
        for setting in workload.settings:
            runs = [round.figures[setting] for round in measured]
            seconds = [run["seconds"] for run in runs]
            middle, first = statistics.median(seconds), runs[0]
            pace[name, setting] = middle / first["sentences"]
            tflop = first.get("tflop")
            rows += [
                {
                    "task": workload.task,
                    "system": workload.system,
                    "setting": f"{workload.how} {setting}".strip(),
                    "sentences": first["sentences"],
                    "tokens": first["tokens"],
                    "seconds": middle,
                    "tokens_per_second": first["tokens"] / middle,
                    "peak_memory_mb": statistics.median(round.memory for round in measured),
                    "ratio_to": WORKLOADS[other].how if other else "",
                    "ratio": pace[other, setting] / pace[name, setting] if other else None,
                    "machine": machine,
                    "seconds_low": min(seconds),
                    "seconds_high": max(seconds),
                    "rounds": len(seconds),
                    "tflop": tflop,
                    "limit_share": tflop / middle / rate if tflop else None,
                    "entity_f1": first.get("entity_f1"),
                }
                for other in workload.ratio_to or ("",)
            ]
    return rows


def merged(path: Any, new: pd.DataFrame) -> pd.DataFrame:
    """The new rows, after those of tasks that were not measured this time."""
    if not path.is_file():
        return new
    old = pd.read_csv(path)
    kept = old[~old["task"].isin(new["task"])]
    return pd.concat([kept, new]) if len(kept) else new


def as_markdown(table: pd.DataFrame) -> str:
    """The table for people, one section for each machine."""
    lines = ["# Benchmarks", "", "Written by `make bench`; medians, with the lowest and highest of the rounds."]
    for machine, rows in table.groupby("machine", sort=False):
        lines += ["", f"## {machine}", ""]
        lines += [
            "| task | system | setting | sentences | seconds | words/s | peak MB | times as fast | of the limit "
            "| entity F1 |"
        ]
        lines += ["| --- | --- | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |"]
        for row in rows.to_dict("records"):
            ratio = f"{row['ratio']:.2f} times {row['ratio_to']}" if pd.notna(row["ratio"]) else ""
            share = f"{row['limit_share']:.0%}" if pd.notna(row["limit_share"]) else ""
            memory = f"{row['peak_memory_mb']:,.0f}" if pd.notna(row["peak_memory_mb"]) else ""
            f1 = f"{100 * row['entity_f1']:.2f}" if pd.notna(row["entity_f1"]) else ""
            spread = f"{row['seconds']:.4g} ({row['seconds_low']:.4g} to {row['seconds_high']:.4g})"
            lines.append(
                f"| {row['task']} | {row['system']} | {row['setting']} | {row['sentences']:,} | {spread} "
                f"| {row['tokens_per_second']:,.0f} | {memory} | {ratio} | {share} | {f1} |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    run_main(main)
