"""The page of the benchmarks: results/benchmarks.md."""

import pandas as pd

from reporting import markdown
from reporting.blocks import Table


def as_markdown(table: pd.DataFrame) -> str:
    """Return a page with the table, in a section for each machine."""
    parts = ["# Benchmarks", "Written by `make bench`: medians, with the lowest and highest of the rounds."]
    for machine, group in table.groupby("machine", sort=False):
        rows = [
            {
                **{key: row[key] for key in ("task", "system", "setting")},
                "times as fast": f"{row['ratio']:.2f} times {row['ratio_to']}" if row["ratio_to"] else "",
                "sentences": f"{row['sentences']:,}",
                "seconds": f"{row['seconds']:.4g} ({row['seconds_low']:.4g} to {row['seconds_high']:.4g})",
                "words/s": f"{row['tokens_per_second']:,.0f}",
                "peak MB": "" if pd.isna(row["peak_memory_mb"]) else f"{row['peak_memory_mb']:,.0f}",
                "of the limit": "" if pd.isna(row["limit_share"]) else f"{row['limit_share']:.0%}",
                "entity F1": "" if pd.isna(row["entity_f1"]) else f"{100 * row['entity_f1']:.2f}",
            }
            for row in group.to_dict("records")
        ]
        cells = [list(row.values()) for row in rows]
        parts += [f"## {machine}", markdown.table(Table("", list(rows[0]), cells, text_columns=4))]
    return "\n\n".join(parts) + "\n"
