"""Scores in each part of a corpus that has several, and the lead of each system over the CRF there."""

from collections.abc import Callable

from harness.params import REFERENCE
from harness.parts import WHOLE

import pandas as pd

from reporting.blocks import Block, Section, Table
from reporting.formats import count, interval, note, percent, points
from reporting.layouts import frame_table
from reporting.results import Results, matching

METRIC = "entity_f1"


def part_sections(results: Results) -> list[Section]:
    """Return a section for a corpus that has parts."""
    intervals = matching(results.table("intervals_by_part"), metric=METRIC, source="sentences")
    if intervals.empty:
        return []
    sizes = intervals.drop_duplicates("part").set_index("part")["n"].drop(WHOLE).map(count)
    blocks: list[Block] = [
        note("parts", parts="; ".join(f"part {part}: {n}" for part, n in sizes.items()), reference=REFERENCE),
        _table("Entity F1 by part", intervals, "system", "value", percent),
    ]
    leads = matching(results.table("comparisons_by_part"), metric=METRIC, system_b=REFERENCE)
    if len(leads):
        caption = f"Entity F1 by part: the difference to {REFERENCE} in points"
        blocks.append(_table(caption, leads, "system_a", "difference", points))
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
