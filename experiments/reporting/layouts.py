"""Tables made of data frames."""

import re
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bert_ner.yaml_files import load_yaml
from reporting import formats
from reporting.blocks import Table
from reporting.formats import entities, mean_and_spread

LAYOUTS = load_yaml(Path(__file__).with_name("layouts.yaml"))
FIELD = re.compile(r"{(\w+):?([^}]*)}")
FORMATS: dict[str, Callable[[Any], str]] = {
    "percent": formats.percent, "points": formats.points, "count": formats.count, "short": formats.short,
    "p": formats.p_value, "claim": formats.claim_value, "metric": formats.METRIC_NAMES.__getitem__,
    "plain": formats.plain, "entities": entities,
    "tagged": lambda found: "; ".join(f"{name}: {entities(pairs)}" for name, pairs in found.items()) or "not tagged",
}  # fmt: skip


def spreads(rows: pd.DataFrame, by: list[str], columns: Mapping[str, Callable[[float], str]]) -> pd.DataFrame:
    """Return mean and spread of columns, each in its format, for each group; groups in the order of the rows."""
    groups = rows.groupby(by, sort=False)
    return pd.DataFrame({name: groups[name].agg(mean_and_spread, form) for name, form in columns.items()}).reset_index()


def crossed(rows: pd.DataFrame, index: str, columns: str, value: str, absent: str = "") -> pd.DataFrame:
    """Return mean and spread of a column by two others, both in the order of the rows."""
    cells = rows.groupby([index, columns])[value].agg(mean_and_spread).unstack(columns, fill_value=absent)
    return cells.reindex(index=pd.Index(rows[index].unique(), name=index), columns=rows[columns].unique())


def frame_table(caption: str, frame: pd.DataFrame, **options: Any) -> Table:
    """Return a table with the index, the columns and the cells of a data frame."""
    flat = frame.reset_index(allow_duplicates=True)
    return Table(caption, list(map(str, flat)), flat.astype(str).to_numpy().tolist(), **options)


def layout_table(name: str, rows: pd.DataFrame, **values: str) -> Table:
    """Return a table of layouts.yaml with these rows; the values fill in its caption and header."""
    layout = LAYOUTS[name]
    columns = {header.format(**values): cell or f"{{{header}}}" for header, cell in layout["columns"].items()}
    for header in layout.get("optional", ()):
        if header not in rows:
            del columns[header]
    cells = [[_cell(template, row) for template in columns.values()] for row in rows.to_dict("records")]
    options = {key: layout[key] for key in ("text_columns", "filters", "is_whole") if key in layout}
    return Table(layout["caption"].format(**values), list(columns), cells, **options)


def _cell(template: str, row: Mapping[Hashable, Any]) -> str:
    values = [
        FORMATS[form](row[name]) if form in FORMATS else formats.number(row[name], form)
        for name, form in FIELD.findall(template)
    ]
    return FIELD.sub("{}", template).format(*values) if all(values) else ""
