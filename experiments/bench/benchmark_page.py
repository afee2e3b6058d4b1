"""The page of the benchmarks: results/benchmarks.md."""

import pandas as pd

from reporting import markdown
from reporting.layouts import layout_table


def as_markdown(table: pd.DataFrame) -> str:
    """Return a page with the table, in a section for each machine."""
    parts = ["# Benchmarks", "Written by `make bench`: medians, with the lowest and highest of the rounds."]
    for machine, group in table.groupby("machine", sort=False):
        parts += [f"## {machine}", markdown.table(layout_table("benchmarks_page", group))]
    return "\n\n".join(parts) + "\n"
