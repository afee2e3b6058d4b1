"""Measure speed and memory, also of other programs: results/benchmarks.csv, .md, .png and .svg.

    make bench
    python experiments/benchmark.py --only tag latency --rounds 5

Each measurement runs in a new process, whose peak memory comes from the operating system. The workloads of a task take
turns (A B C A B C), so that a machine that slows down slows them all. Figures are medians over the rounds. Run
nothing else meanwhile: two busy processes on two cores spoil every figure. `make repro` must have trained the systems.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from harness.artifacts import model_folder
from harness.paths import RESULTS, ROOT
from harness.provenance import processor
from harness.run_main import run_main
from harness.tables import read_table, write_table

import pandas as pd
from tqdm import tqdm

from bench.tagging_workloads import exported
from bench.workload import CORPUS, CRF, encoder_run, peak_memory
from bench.workloads import WORKLOADS
from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from reporting import markdown
from reporting.blocks import Table


class Measurement(NamedTuple):
    """The figures of a workload in one round by setting, and the peak memory of its process in MB."""

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
    for run in (CRF, encoder_run()):
        if not model_folder(CORPUS, run).is_dir():
            raise BertNerError(f"{run.name} is not trained on {CORPUS}; run 'make repro' first")

    [[limit]] = measure(["limit"], 1).values()
    rates = limit.figures
    machine = ", ".join([processor(), f"{os.cpu_count()} cores", *(f"{k} {v:.2f} TFLOP/s" for k, v in rates.items())])
    exported()  # now, so that no measurement includes it
    rows = []
    for task in options.only:
        names = [name for name, workload in WORKLOADS.items() if workload.task == task and name != "limit"]
        rows += table_rows(measure(names, options.rounds), machine, max(rates.values()))
    save_table(merged(read_table(RESULTS, "", "benchmarks"), pd.DataFrame(rows)))


def measure(names: Sequence[str], rounds: int) -> dict[str, list[Measurement]]:
    """Run workloads in turn, each time in a process of its own.

    Raises:
        BertNerError: a workload failed; the message has the end of its output.
    """
    measured: dict[str, list[Measurement]] = {name: [] for name in names}
    turns = [*names, *[name for name in names if not WORKLOADS[name].once] * (rounds - 1)]
    for name in tqdm(turns, desc=WORKLOADS[names[0]].task, unit="run", disable=None):
        command = [sys.executable, __file__, "--child", name]
        with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
            status = subprocess.run(command, cwd=ROOT, stdout=output, stderr=errors, check=False).returncode
            output.seek(0)
            errors.seek(0)
            if status:
                raise BertNerError(f"{' '.join(command)} failed:\n{errors.read()[-2000:]}")
            figures = json.loads(output.read().splitlines()[-1])
        measured[name].append(Measurement(figures, figures.pop("memory")))
    return measured


def table_rows(measured: Mapping[str, Sequence[Measurement]], machine: str, rate: float) -> list[dict[str, Any]]:
    """Return a row for each workload, each of its settings, and each workload that it is compared with.

    Args:
        measured: the rounds of each workload.
        machine: its description.
        rate: the limit of the machine in TFLOP/s.

    A ratio compares medians: seconds per sentence of the other workload over those of this one. Above 1, this one is
    faster.
    """
    rows: list[dict[str, Any]] = []
    pace: dict[tuple[str, str], float] = {}
    for name, rounds in measured.items():
        workload = WORKLOADS[name]
        for setting in workload.settings:
            runs = [round.figures[setting] for round in rounds]
            seconds = [run["seconds"] for run in runs]
            median, first = statistics.median(seconds), runs[0]
            pace[name, setting] = median / first["sentences"]
            tflop = first.get("tflop")
            rows += [
                {
                    "task": workload.task,
                    "system": workload.system,
                    "setting": f"{workload.how} {setting}".strip(),
                    "sentences": first["sentences"],
                    "tokens": first["tokens"],
                    "seconds": median,
                    "tokens_per_second": first["tokens"] / median,
                    "peak_memory_mb": statistics.median(round.memory for round in rounds),
                    "ratio_to": WORKLOADS[other].how if other else "",
                    "ratio": pace[other, setting] / pace[name, setting] if other else None,
                    "machine": machine,
                    "seconds_low": min(seconds),
                    "seconds_high": max(seconds),
                    "rounds": len(seconds),
                    "tflop": tflop,
                    "limit_share": tflop / median / rate if tflop else None,
                    "entity_f1": first.get("entity_f1"),
                }
                for other in workload.ratio_to or ("",)
            ]
    return rows


def merged(old: pd.DataFrame | None, new: pd.DataFrame) -> pd.DataFrame:
    """Append the new rows to the old ones of tasks that were not measured this time."""
    if old is None or old["task"].isin(new["task"]).all():
        return new
    return pd.concat([old[~old["task"].isin(new["task"])], new])


def save_table(table: pd.DataFrame) -> None:
    """Write the table as CSV, Markdown and pictures, and print it."""
    from reporting.plots import ratio_plot, save  # matplotlib takes a second to import

    write_table(RESULTS, "", "benchmarks", table)
    text = as_markdown(table)
    write_whole(RESULTS / "benchmarks.md", text)
    save(ratio_plot(table), RESULTS, "benchmarks")
    print(text)


def as_markdown(table: pd.DataFrame) -> str:
    """Return a page with the table, in a section for each machine."""
    header = [
        "task",
        "system",
        "setting",
        "times as fast",
        "sentences",
        "seconds",
        "words/s",
        "peak MB",
        "of the limit",
    ]
    parts = ["# Benchmarks", "Written by `make bench`: medians, with the lowest and highest of the rounds."]
    for machine, group in table.groupby("machine", sort=False):
        rows = [
            [
                row["task"],
                row["system"],
                row["setting"],
                f"{row['ratio']:.2f} times {row['ratio_to']}" if row["ratio_to"] else "",
                f"{row['sentences']:,}",
                f"{row['seconds']:.4g} ({row['seconds_low']:.4g} to {row['seconds_high']:.4g})",
                f"{row['tokens_per_second']:,.0f}",
                "" if pd.isna(row["peak_memory_mb"]) else f"{row['peak_memory_mb']:,.0f}",
                "" if pd.isna(row["limit_share"]) else f"{row['limit_share']:.0%}",
                "" if pd.isna(row["entity_f1"]) else f"{100 * row['entity_f1']:.2f}",
            ]
            for row in group.to_dict("records")
        ]
        parts += [f"## {machine}", markdown.table(Table("", [*header, "entity F1"], rows, text_columns=4))]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    run_main(main)
