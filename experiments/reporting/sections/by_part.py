"""Scores in each part of a corpus that has several, and the lead of each system over the CRF there."""

from collections.abc import Callable

from harness.params import REFERENCE
from harness.parts import WHOLE

import pandas as pd

from reporting.blocks import Block, Section, Table
from reporting.formats import METRIC_NAMES, count, interval, note, percent, points
from reporting.layouts import frame_table
from reporting.results import Results, matching

SHOWN = ("entity_f1", "token_micro_f1")


def part_sections(results: Results) -> list[Section]:
    """Return a section for a corpus that has parts."""
    intervals = matching(results.table("intervals_by_part"), source="sentences")
    if intervals.empty:
        return []
    leads = matching(results.table("comparisons_by_part"), system_b=REFERENCE)
    sizes = intervals.drop_duplicates("part").set_index("part")["n"].drop(WHOLE).map(count)
    parts = "; ".join(f"part {part}: {n}" for part, n in sizes.items())
    blocks: list[Block] = [note("parts", parts=parts)]
    for metric in SHOWN:
        title, of_metric = METRIC_NAMES[metric], {"metric": metric}
        blocks.append(_table(f"{title} by part", matching(intervals, **of_metric), "system", "value", percent))
        rows = matching(leads, **of_metric)
        if len(rows):
            caption = f"{title} by part: the difference to {REFERENCE} in points"
            blocks.append(_table(caption, rows, "system_a", "difference", points))
    return [Section("parts", "Parts of the corpus", blocks)]


def _table(caption: str, rows: pd.DataFrame, system: str, value: str, form: Callable[[float], str]) -> Table:
    """Return a row per system and a column per part: the value and its interval."""
    cells = [
        f"{form(v)} ({interval(low, high, form)})"
        for v, low, high in rows[[value, "low", "high"]].itertuples(index=False)
    ]
    table = rows.assign(cell=cells).pivot(index=system, columns="part", values="cell")
    parts = rows["part"].unique()
    return frame_table(caption, table.loc[rows[system].unique(), parts].rename_axis("system"))
