"""The uncertainty of the scores, and the differences between systems."""

from functools import partial

import pandas as pd

from claims.paper import PAPER_CORPUS, PAPER_MICRO_F1
from reporting.blocks import Block, Plot, Table, Text
from reporting.formats import METRIC_NAMES, MINUS, count, interval, p_value, percent, points
from reporting.plots import Dot, dots_plot
from reporting.results import Results, by_system

FEW = 3  # of so many systems, the figure and the table of pairs show more metrics
SHOWN = ("token_micro_f1", "token_micro_f1_no_o", "entity_f1", "entity_f1_strict", "span_f1")
SHOWN_OF_MANY = ("token_micro_f1", "entity_f1")


def interval_blocks(results: Results, table: pd.DataFrame) -> list[Block]:
    """Return each score with its interval over test sentences and its interval over training seeds."""
    table = table[table["metric"].isin(METRIC_NAMES)]
    level = f"{100 * table['level'].max():g} %"
    rows = [
        [METRIC_NAMES[metric], name, percent(found["value"].iloc[0]), _ends(found, "sentences"),
         _ends(found, "seeds") or "one run", percent(found["sd"].max())]
        for metric in METRIC_NAMES
        for name, found in by_system(table[table["metric"] == metric])
    ]  # fmt: skip
    dots = [
        Dot(METRIC_NAMES[metric], name, row["value"], row["low"], row["high"], row["source"] == "seeds")
        for metric in (SHOWN if table["system"].nunique() <= FEW else SHOWN_OF_MANY)
        for name, found in by_system(table[table["metric"] == metric])
        for _, row in found.iterrows()
    ]
    is_papers = results.corpus.name == PAPER_CORPUS
    reference = (f"the paper's {percent(PAPER_MICRO_F1)}", PAPER_MICRO_F1) if is_papers else None
    title = "Scores with their intervals; solid: over sentences, dashed: over seeds"
    methods = dict.fromkeys(zip(table["source"], table["method"], strict=True))
    header = ["metric", "system", "score", "over sentences", "over seeds", "seed sd"]
    return [
        Text(
            "There are two sources of uncertainty. The interval over sentences is where the mean of these runs may be "
            "on other test sentences of this kind. The interval over seeds is where the mean of many runs may be on "
            f"these sentences. Both have a level of {level}. {'; '.join(': '.join(pair) for pair in methods)}."
        ),
        Plot(title, "intervals", partial(dots_plot, dots, reference)),
        Table(f"Scores with intervals at {level}", header, rows, text_columns=2, filter_by=0),
    ]


def _ends(rows: pd.DataFrame, source: str) -> str:
    found = rows[rows["source"] == source]
    return interval(found["low"].iloc[0], found["high"].iloc[0]) if len(found) else ""


def comparison_blocks(_: Results, table: pd.DataFrame) -> list[Block]:
    """Return the differences between systems, with intervals and p-values corrected for their number."""
    is_few = len(table[["system_a", "system_b"]].drop_duplicates()) <= FEW
    rows = [
        [f"{row['system_a']} {MINUS} {row['system_b']}", METRIC_NAMES[metric], percent(row["a"]), percent(row["b"]),
         points(row["difference"]), interval(row["low"], row["high"], points), p_value(row["p_value"]),
         p_value(row["p_holm"])]
        for metric in (METRIC_NAMES if is_few else SHOWN)
        for _, row in table[table["metric"] == metric].iterrows()
    ]  # fmt: skip
    more = "" if is_few else " comparisons.csv has the other metrics."
    header = ["systems", "metric", "first", "second", "difference", "interval", "p", "Holm p"]
    return [
        Text(f"Both systems tagged the same test sentences. Differences are in percentage points.{more}"),
        Table("Differences between systems", header, rows, text_columns=2, filter_by=1),
        Text(
            f"Test: {'; '.join(dict.fromkeys(table['test']))}; {count(table['n'].max())} sentences. p is the "
            "probability of a difference at least as large if the systems were equally good. Holm p is corrected for "
            "the number of systems compared under the metric."
        ),
    ]
