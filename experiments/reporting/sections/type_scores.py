"""Entity F1 of each type, and the confusions between types."""

from __future__ import annotations

from harness.params import REFERENCE

import pandas as pd

from claims.evidence import ALPHA
from claims.paper import PAPER_CORPUS
from reporting.blocks import Block, Missing, Plot, Section, Table, Text
from reporting.formats import count, interval, mean_and_spread, p_value, percent, points
from reporting.plots import Dot, confusion_plot, dots_plot
from reporting.results import Results, by_system

COMMONEST = 12  # confusions that the report lists


def type_section(results: Results) -> Section:
    """Return entity F1 of each type, the most frequent type first."""
    table = results.needed("scores_by_type")
    support = table.groupby("type")["support"].max().sort_values(ascending=False)
    labels = {str(name): f"{name} ({count(n)})" for name, n in support.items()}
    systems = by_system(table)
    blocks: list[Block] = [
        _type_plot(results, table, labels),
        *_comparison(results, labels),
        Table("Entity F1 by type", ["type", "test entities", *(name for name, _ in systems)], [
            [str(name), count(n), *(mean_and_spread(rows[rows["type"] == name]["f1"]) for _, rows in systems)]
            for name, n in support.items()
        ]),
    ]  # fmt: skip
    if results.corpus.name == PAPER_CORPUS:
        blocks += [Text("The paper calls its results strong for every type, but gives no figure for any.")]
    return Section("types", "Entity F1 by type", blocks)


def _type_plot(results: Results, table: pd.DataFrame, labels: dict[str, str]) -> Plot:
    intervals, featured = results.table("intervals_by_group"), results.featured()
    dots = []
    for name, label in labels.items():
        for system, rows in by_system(table[(table["type"] == name) & table["system"].isin(featured)]):
            value, low, high = float(rows["f1"].mean()), float(rows["f1"].min()), float(rows["f1"].max())
            if intervals is not None:
                is_type = (intervals["by"] == "type") & (intervals["group"] == name)
                for _, row in intervals[is_type & (intervals["system"] == system)].iterrows():
                    value, low, high = row["value"], row["low"], row["high"]
            dots.append(Dot(label, system, value, low, high))
    whiskers = "span the seeds" if intervals is None else "are intervals over sentences"
    title = f"Entity F1 by type (test entities); whiskers {whiskers}"
    return Plot(title, "f1_by_type", dots_plot(dots, pairs=True))


def _comparison(results: Results, labels: dict[str, str]) -> list[Block]:
    """Return on which types the featured encoder is better than the CRF, on which worse, and where neither is shown."""
    table = results.table("comparisons_by_type")
    if table is None:
        return [Missing("The systems are not compared by type yet.", results.command("comparisons_by_type"))]
    rows = table[table["system_a"].isin(results.featured())].set_index("type")
    if rows.empty:
        return []
    system = rows["system_a"].iloc[0]
    rows = rows.loc[[name for name in labels if name in rows.index]]
    is_significant, gap = rows["p_holm"] <= ALPHA, rows["difference"]
    outcome = pd.Series("not shown", index=rows.index)
    outcome = outcome.mask(is_significant & (gap > 0), "better").mask(is_significant & (gap < 0), "worse")
    named = "; ".join(
        f"{word} on {', '.join(map(str, outcome.index[outcome == word])) or 'none'}" for word in ("better", "worse")
    )
    return [
        Text(f"Compared with {REFERENCE}, {system} is {named}. On the other types neither is shown to be better "
             "(paired test over sentences, Holm's correction over the types, level 0.05)."),
        Table(f"Entity F1 by type: {system} compared with {REFERENCE}",
              ["type", REFERENCE, system, "difference", "interval", "Holm p", f"{system} is"], [
            [labels[str(name)], percent(row["b"]), percent(row["a"]), points(row["difference"]),
             interval(row["low"], row["high"], points), p_value(row["p_holm"]), word]
            for (name, row), word in zip(rows.iterrows(), outcome, strict=True)
        ]),
    ]  # fmt: skip


def confusion_section(results: Results) -> Section:
    """Return the confusions between types, counted by words."""
    table = results.needed("confusion")
    blocks: list[Block] = [Text("Of the words of each gold type, the percentage tagged with each type; all seeds.")]
    for system, rows in by_system(table[table["system"].isin(results.featured())]):
        title, name = f"Confusion matrix of {system}", f"confusion_{system}"
        blocks.append(Plot(title, name, confusion_plot(_matrix(rows), system)))
    wrong = table[(table["gold"] != table["predicted"]) & (table["gold"] != "O") & (table["predicted"] != "O")]
    runs = {system: rows["seed"].nunique() for system, rows in by_system(table)}
    # Words per run, so that systems with several seeds can be compared with those with one.
    pairs = (
        wrong.assign(words=wrong["words"] / wrong["system"].map(runs))
        .pivot_table(index=["gold", "predicted"], columns="system", values="words", aggfunc="sum", fill_value=0)
        .reindex(columns=list(runs), fill_value=0)
    )
    commonest = pairs.loc[pairs.sum(axis=1).sort_values(ascending=False, kind="stable").index[:COMMONEST]]
    shown = [
        [*map(str, pair), *(f"{n:,.1f}".removesuffix(".0") for n in row)]
        for pair, row in zip(commonest.index, commonest.to_numpy().tolist(), strict=True)
    ]
    caption = "The commonest confusions between types: words, mean over seeds"
    blocks.append(Table(caption, ["gold", "tagged as", *runs], shown, text_columns=2))
    return Section("confusion", "Confusion between types", blocks)


def _matrix(rows: pd.DataFrame) -> pd.DataFrame:
    """Return words by gold and predicted type, summed over seeds; both in the same order, O last."""
    words = rows.pivot_table(index="gold", columns="predicted", values="words", aggfunc="sum", fill_value=0)
    names = sorted(set(words.index) | set(words.columns), key=lambda name: (name == "O", name))
    return words.reindex(index=names, columns=names, fill_value=0)
