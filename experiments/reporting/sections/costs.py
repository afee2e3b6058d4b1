"""The cost and the quality of each system, and the benchmarks."""

from functools import partial

from harness.params import REFERENCE

import pandas as pd

from claims.paper import PAPER_CORPUS
from reporting.blocks import Block, Plot
from reporting.formats import note, percent
from reporting.layouts import layout_table, spreads
from reporting.plots import Line, lines_plot
from reporting.results import Results, matching, records

LEAST_SECONDS = 0.1  # where the axis of training time begins
UNITS = {"parameters": 1e6, "train_seconds": 1, "words_per_second": 1, "model_bytes": 1e6}


def system_blocks(results: Results, costs: pd.DataFrame) -> list[Block]:
    """Return a row per system with its cost and scores, and the systems that were not run, with the reason."""
    means = costs.groupby("system", as_index=False)[list(UNITS)].mean()
    means[list(UNITS)] /= list(UNITS.values())
    intervals = matching(results.table("intervals"), metric="entity_f1", source="sentences")
    gaps = matching(results.table("comparisons"), metric="entity_f1", system_b=REFERENCE)
    gaps = gaps.rename(columns={"system_a": "system"})[["system", "difference", "p_holm"]]
    systems = spreads(results.needed("scores"), ["system"], {"token_micro_f1": percent, "entity_f1": percent})
    for found in (means, intervals[["system", "value", "low", "high"]], gaps):
        systems = systems.merge(found, on="system", how="left")
    blocks: list[Block] = [layout_table("systems", systems, reference=REFERENCE)]
    absent = results.table("not_run")
    absent = absent[~absent["system"].isin(systems["system"])].drop_duplicates(["system", "reason"])
    if len(absent):
        reasons = absent.groupby("system", sort=False, as_index=False).agg({"encoder": "first", "reason": "; ".join})
        blocks.append(layout_table("not_run", reasons))
    lines = [
        Line(row.system, row.system, [(max(row.train_seconds, LEAST_SECONDS), row.value, row.low, row.high)])
        for row in records(systems.dropna(subset=["train_seconds", "value"]))
    ]
    if lines:
        title = "Entity F1 and training time; whiskers are intervals over sentences"
        draw = partial(lines_plot, lines, "seconds of training", "entity F1", percent=True, log=True)
        blocks.append(Plot(title, "quality_and_cost", draw))
    return [*blocks, note("costs", reference=REFERENCE, machines=", ".join(dict.fromkeys(costs["machine"])))]


def benchmark_blocks(_: Results, table: pd.DataFrame) -> list[Block]:
    """Return time and memory as `make bench` measured them."""
    machines = "; ".join(dict.fromkeys(table["machine"]))
    return [note("benchmarks", machines=machines, corpus=PAPER_CORPUS), layout_table("benchmarks", table)]
