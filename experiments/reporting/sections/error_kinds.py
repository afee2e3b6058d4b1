"""Wrong entities by kind, and recall by group of entities."""

from __future__ import annotations

import pandas as pd

from bert_ner.scoring.errors import KINDS
from reporting.blocks import Block, Missing, Section, Table, Text
from reporting.formats import count, mean_and_spread
from reporting.results import Results, by_system

RECALL_CAPTIONS = {
    "seen": "Recall on entities seen and unseen in training",
    "length": "Recall by length in words",
    "type": "Recall by type",
}


def error_section(results: Results) -> Section:
    kinds, recall = results.table("error_kinds"), results.table("recall")
    blocks: list[Block] = []
    if kinds is None:
        blocks += [Missing("The errors are not sorted by kind yet.", results.command("error_kinds"))]
    else:
        blocks += [
            Text(
                "A wrong entity is one of: boundary (right type, overlapping words), type (right words), boundary and "
                "type (neither, but overlapping), missed, spurious. Counts are means over seeds."
            ),
            _kind_table(kinds),
            _kinds_by_type(kinds),
        ]
    if recall is None:
        blocks += [Missing("Recall by group of entities is not computed yet.", results.command("recall"))]
    else:
        blocks += [Text(
            "Recall of groups of entities. Seen: the same words, in lower case, are an entity of that type in the "
            "training sentences. Length: words."
        ), *_recall_tables(recall)]  # fmt: skip
    text = (
        "errors.html, in the folder of this report, shows every test sentence that some system gets wrong. It contains "
        "text of the corpus, so it is not in the repository."
    )
    command = f"python experiments/report.py --corpus {results.corpus.name}"
    return Section("errors", "Kinds of errors", [*blocks, Missing(text, command)])


def _per_run(table: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of one run on average, by type (rows) and kind (columns)."""
    counts = table.groupby(["type", "kind"])["count"].sum().astype(float) / table["seed"].nunique()
    return counts.unstack("kind", fill_value=0).reindex(columns=list(KINDS), fill_value=0)


def _kind_table(table: pd.DataFrame) -> Table:
    sums = {system: _per_run(rows).sum() for system, rows in by_system(table)}
    rows = [
        [kind, *(f"{total[kind]:,.0f} ({100 * total[kind] / (total.sum() or 1):.0f} %)" for total in sums.values())]
        for kind in KINDS
    ]
    return Table("Entity errors by kind, and their share of a system's errors", ["kind", *sums], rows)


def _kinds_by_type(table: pd.DataFrame) -> Table:
    rows = []
    for system, errors in by_system(table):
        counts = _per_run(errors)
        for name in counts.sum(axis=1).sort_values(ascending=False, kind="stable").index:
            rows.append([system, str(name), *(f"{n:,.0f}" for n in counts.loc[name])])
    caption = "Entity errors by type: gold's type, or the predicted one where there is no gold entity"
    return Table(caption, ["system", "type", *KINDS], rows, text_columns=2, filter_by=0)


def _recall_tables(table: pd.DataFrame) -> list[Block]:
    systems = list(dict.fromkeys(table["system"]))
    blocks: list[Block] = []
    for by, caption in RECALL_CAPTIONS.items():
        rows = [
            [str(group), count(found["support"].max()),
             *(mean_and_spread(found[found["system"] == system]["recall"]) for system in systems)]
            for group, found in table[table["by"] == by].groupby("group")
        ]  # fmt: skip
        if rows:
            blocks.append(Table(caption, ["entities", "in the test sentences", *systems], rows))
    return blocks
