"""Wrong entities by kind, and recall by group of entities."""

from __future__ import annotations

import pandas as pd

from bert_ner.scoring.errors import KINDS
from reporting.blocks import Block, Missing, Table, Text
from reporting.formats import count, mean_and_spread
from reporting.results import Results, by_system

RECALL_CAPTIONS = {
    "seen": "Recall on entities seen and unseen in training",
    "length": "Recall by length in words",
    "type": "Recall by type",
}


def error_blocks(results: Results) -> list[Block]:
    kinds, recall = results.table("error_kinds"), results.table("recall")
    text = (
        "errors.html, in the folder of this report, shows every test sentence that some system gets wrong. It contains "
        "text of the corpus, so it is not in the repository."
    )
    return [
        *([results.missing("error_kinds", "The errors are not sorted by kind yet.")] if kinds is None
          else _kind_blocks(kinds)),
        *([results.missing("recall", "Recall by group of entities is not computed yet.")] if recall is None
          else _recall_blocks(recall)),
        Missing(text, f"python experiments/report.py --corpus {results.corpus.name}"),
    ]  # fmt: skip


def _kind_blocks(table: pd.DataFrame) -> list[Block]:
    """Return the errors of each system by kind, and by kind and type; the mean over its runs."""
    errors = {}
    for system, rows in by_system(table):
        counts = rows.groupby(["type", "kind"])["count"].sum().astype(float) / rows["seed"].nunique()
        errors[system] = counts.unstack("kind", fill_value=0).reindex(columns=list(KINDS), fill_value=0)
    sums = {system: counts.sum() for system, counts in errors.items()}
    by_kind = [
        [kind, *(f"{total[kind]:,.0f} ({100 * total[kind] / (total.sum() or 1):.0f} %)" for total in sums.values())]
        for kind in KINDS
    ]
    by_type = [
        [system, str(name), *(f"{n:,.0f}" for n in counts.loc[name])]
        for system, counts in errors.items()
        for name in counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
    ]
    return [
        Text(
            "A wrong entity is one of: boundary (right type, overlapping words), type (right words), boundary and "
            "type (neither, but overlapping), missed, spurious. Counts are means over seeds."
        ),
        Table("Entity errors by kind, and their share of a system's errors", ["kind", *sums], by_kind),
        Table(
            "Entity errors by type: gold's type, or the predicted one where there is no gold entity",
            ["system", "type", *KINDS], by_type, text_columns=2, filter_by=0,
        ),
    ]  # fmt: skip


def _recall_blocks(table: pd.DataFrame) -> list[Block]:
    systems = list(dict.fromkeys(table["system"]))
    blocks: list[Block] = [Text(
        "Recall of groups of entities. Seen: the same words, in lower case, are an entity of that type in the "
        "training sentences. Length: words."
    )]  # fmt: skip
    for by, caption in RECALL_CAPTIONS.items():
        rows = [
            [str(group), count(found["support"].max()),
             *(mean_and_spread(found[found["system"] == system]["recall"]) for system in systems)]
            for group, found in table[table["by"] == by].groupby("group")
        ]  # fmt: skip
        if rows:
            blocks.append(Table(caption, ["entities", "in the test sentences", *systems], rows))
    return blocks
