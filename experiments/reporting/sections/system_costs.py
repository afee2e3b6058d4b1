"""The cost and the quality of each system, and the benchmarks."""

import math
from functools import partial

from harness.params import REFERENCE

import pandas as pd

from claims.paper import PAPER_CORPUS
from reporting.blocks import Block, Plot, Table, Text
from reporting.formats import MINUS, TIMES, count, interval, mean_and_spread, p_value, points, short
from reporting.plots import Line, Point, lines_plot
from reporting.results import Results, by_system, first_rows

LEAST_SECONDS = 0.1  # where the axis of training time begins
UNITS = {"parameters": 1e6, "train_seconds": 1, "words_per_second": 1, "model_bytes": 1e6}


def system_blocks(results: Results, costs: pd.DataFrame) -> list[Block]:
    """Return a row per system with its cost and scores, and the systems that were not run, with the reason."""
    intervals = first_rows(results.table("intervals"), "system", metric="entity_f1", source="sentences")
    gaps = first_rows(results.table("comparisons"), "system_a", metric="entity_f1", system_b=REFERENCE)
    rows = []
    for system, scores in by_system(results.needed("scores")):
        cost, ends, gap = costs[costs["system"] == system], intervals.get(system), gaps.get(system)
        rows.append(
            [
                system,
                *(short(cost[name].mean() / unit) for name, unit in UNITS.items()),
                mean_and_spread(scores["token_micro_f1"]),
                mean_and_spread(scores["entity_f1"]),
                "" if ends is None else interval(ends["low"], ends["high"]),
                *(["", ""] if gap is None else [points(gap["difference"]), p_value(gap["p_holm"])]),
            ]
        )
    header = [
        "system", "M parameters", "training s", "words/s", "MB", "token micro-F1", "entity F1", "interval",
        f"{MINUS} {REFERENCE}", "Holm p",
    ]  # fmt: skip
    blocks: list[Block] = [Table("Cost and quality of each system", header, rows)]
    if absent := _not_run(results.table("not_run"), {row[0] for row in rows}):
        blocks.append(Table("Systems that were not run", ["system", "encoder", "reason"], absent, text_columns=3))
    machines = ", ".join(dict.fromkeys(costs["machine"]))
    return [*blocks, *_cost_plot(costs, intervals), Text(
        "Means over runs; the interval is over sentences. The last columns are the difference in entity F1 to "
        f"{REFERENCE} in points, and p of the paired test, corrected for the number of comparisons. Times were taken "
        f"while the results were made, on {machines}, where other work may have run; make bench measures with nothing "
        "else running. A model's size is that of its folder."
    )]  # fmt: skip


def _not_run(table: pd.DataFrame | None, known: set[str]) -> list[list[str]]:
    """Return a row for each system without any run."""
    if table is None:
        return []
    return [
        [system, rows["encoder"].iloc[0], f"not run: {'; '.join(dict.fromkeys(rows['reason']))}"]
        for system, rows in by_system(table)
        if system not in known
    ]


def _cost_plot(costs: pd.DataFrame, intervals: dict[str, pd.Series]) -> list[Plot]:
    """Return entity F1 over training time, a point for each system."""
    seconds = {system: float(rows["train_seconds"].mean()) for system, rows in by_system(costs)}
    lines = [
        Line(system, system, [Point(max(time, LEAST_SECONDS), *intervals[system][["value", "low", "high"]])])
        for system, time in seconds.items()
        if system in intervals and not math.isnan(time)
    ]
    draw = partial(lines_plot, lines, "seconds of training", "entity F1", percent=True, log=True)
    title = "Entity F1 and training time; whiskers are intervals over sentences"
    return [Plot(title, "quality_and_cost", draw)] if lines else []


def benchmark_blocks(_: Results, table: pd.DataFrame) -> list[Block]:
    """Return time and memory as `make bench` measured them."""
    rows = [
        [row["task"], row["system"], row["setting"], count(row["sentences"]), count(row["tokens"]),
         short(row["seconds"]), short(row["tokens_per_second"]), count(row["peak_memory_mb"]),
         f"{short(row['ratio'])} {TIMES} {row['ratio_to']}" if row["ratio_to"] else ""]
        for _, row in table.iterrows()
    ]  # fmt: skip
    header = ["task", "system", "setting", "sentences", "tokens", "seconds", "tokens/s", "peak MB", "ratio"]
    return [
        Text(
            f"Measured on: {'; '.join(dict.fromkeys(table['machine']))}. Training is one epoch over the sentences "
            f"given; latency is that of one sentence. The trained systems are those of {PAPER_CORPUS}."
        ),
        Table("Time and memory", header, rows, text_columns=3),
    ]
