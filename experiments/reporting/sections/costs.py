"""The cost and the quality of each system, and the benchmarks."""

from functools import partial

from harness.params import REFERENCE

import pandas as pd

from claims.paper import PAPER_CORPUS
from reporting.blocks import Block, Plot, Table
from reporting.formats import MINUS, TIMES, count, interval, mean_and_spread, note, p_value, points, short
from reporting.plots import Line, lines_plot
from reporting.results import Results, by_system, first_rows, records

LEAST_SECONDS = 0.1  # where the axis of training time begins
UNITS = {"parameters": 1e6, "train_seconds": 1, "words_per_second": 1, "model_bytes": 1e6}


def system_blocks(results: Results, costs: pd.DataFrame) -> list[Block]:
    """Return a row per system with its cost and scores, and the systems that were not run, with the reason."""
    intervals = first_rows(results.table("intervals"), "system", metric="entity_f1", source="sentences")
    gaps = first_rows(results.table("comparisons"), "system_a", metric="entity_f1", system_b=REFERENCE)
    rows, lines = [], []
    for system, scores in by_system(results.needed("scores")):
        cost = costs[costs["system"] == system][list(UNITS)].mean()
        row = [system, *(short(cost[name] / unit) for name, unit in UNITS.items())]
        row += [mean_and_spread(scores[metric]) for metric in ("token_micro_f1", "entity_f1")]
        ends, gap = intervals.get(system), gaps.get(system)
        row.append("" if ends is None else interval(ends["low"], ends["high"]))
        row += ["", ""] if gap is None else [points(gap["difference"]), p_value(gap["p_holm"])]
        rows.append(row)
        if ends is not None and cost["train_seconds"] >= 0:
            point = (max(cost["train_seconds"], LEAST_SECONDS), ends["value"], ends["low"], ends["high"])
            lines.append(Line(system, system, [point]))
    header = [
        "system", "M parameters", "training s", "words/s", "MB", "token micro-F1", "entity F1", "interval",
        f"{MINUS} {REFERENCE}", "Holm p",
    ]  # fmt: skip
    blocks: list[Block] = [Table("Cost and quality of each system", header, rows)]
    absent = results.table("not_run")
    if absent is not None:
        why = [
            [system, found["encoder"].iloc[0], f"not run: {'; '.join(dict.fromkeys(found['reason']))}"]
            for system, found in by_system(absent[~absent["system"].isin([row[0] for row in rows])])
        ]
        if why:
            blocks.append(Table("Systems that were not run", ["system", "encoder", "reason"], why, text_columns=3))
    if lines:
        title = "Entity F1 and training time; whiskers are intervals over sentences"
        draw = partial(lines_plot, lines, "seconds of training", "entity F1", percent=True, log=True)
        blocks.append(Plot(title, "quality_and_cost", draw))
    machines = ", ".join(dict.fromkeys(costs["machine"]))
    return [*blocks, note("costs", reference=REFERENCE, machines=machines)]  # fmt: skip


def benchmark_blocks(_: Results, table: pd.DataFrame) -> list[Block]:
    """Return time and memory as `make bench` measured them."""
    rows = [
        [row.task, row.system, row.setting, count(row.sentences), count(row.tokens), short(row.seconds),
         short(row.tokens_per_second), count(row.peak_memory_mb),
         f"{short(row.ratio)} {TIMES} {row.ratio_to}" if row.ratio_to else ""]
        for row in records(table)
    ]  # fmt: skip
    header = ["task", "system", "setting", "sentences", "tokens", "seconds", "tokens/s", "peak MB", "ratio"]
    return [
        note("benchmarks", machines="; ".join(dict.fromkeys(table["machine"])), corpus=PAPER_CORPUS),
        Table("Time and memory", header, rows, text_columns=3),
    ]
