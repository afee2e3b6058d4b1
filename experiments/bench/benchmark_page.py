"""The page of the benchmarks: results/benchmarks.md."""

import pandas as pd

from reporting import markdown
from reporting.layouts import layout_table
from reporting.speed import speed_blocks

RUN = ["machine", "processor", "threads", "torch", "date"]


def as_markdown(table: pd.DataFrame) -> str:
    """Return a page with the speed in short, and with all figures in a section for each machine and day."""
    parts = ["# Benchmarks", "Written by `make bench`: medians, with the lowest and highest of the rounds."]
    parts += map(markdown.render_block, speed_blocks(table))
    for (machine, processor, threads, torch, date), group in table.groupby(RUN, sort=False, dropna=False):
        parts += [
            f"## {machine}, {date}",
            f"{processor}; {threads} threads; PyTorch {torch}.",
            markdown.table(layout_table("benchmarks_page", group)),
        ]
    return "\n\n".join(parts) + "\n"
