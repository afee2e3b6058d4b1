"""Entity F1 of each type, confusions between types, wrong entities by kind, and recall by group of entities."""

from functools import partial

from harness.params import REFERENCE
from harness.parts import WHOLE
from harness.tables import matching

import numpy as np
import pandas as pd

from bert_ner.scoring.errors import KINDS
from claims.evidence import ALPHA
from claims.paper import PAPER_CORPUS
from reporting.blocks import Block, Missing, Plot
from reporting.formats import NOTES, count, note, with_p_texts
from reporting.layouts import crossed, frame_table, layout_table
from reporting.plots import Dot, confusion_plot, dots_plot
from reporting.results import Results, by_system, records

IN_PART = "type in part "  # a grouping of intervals_by_group.csv, with the part's name
COMMONEST = 12  # confusions that the report lists


def type_blocks(results: Results) -> list[Block]:
    """Return entity F1 of each type, the most frequent type first."""
    table = results.needed("scores_by_type")
    support = table.groupby("type")["support"].max().sort_values(ascending=False)
    labels = {str(name): f"{name} ({count(n)})" for name, n in support.items()}
    f1s = crossed(table, "type", "system", "f1").loc[support.index]
    f1s.insert(0, "test entities", support.map(count))
    return [
        _type_plot(results, table, labels),
        *_type_plots_by_part(results),
        *results.show("comparisons_by_type", partial(_comparison, labels)),
        frame_table("Entity F1 by type", f1s),
        *([note("paper_types")] if results.corpus.name == PAPER_CORPUS else []),
    ]


def _type_plot(results: Results, table: pd.DataFrame, labels: dict[str, str]) -> Plot:
    """Draw each F1 with its interval over sentences; where there is none, with its range over seeds."""
    shown = table[table["system"].isin(results.featured())]
    f1s = shown.groupby(["type", "system"], sort=False)["f1"].agg(["mean", "min", "max"])
    intervals = matching(results.table("intervals_by_group"), by="type").drop_duplicates(["group", "system"])
    f1s.update(intervals.set_index(["group", "system"])[["value", "low", "high"]].set_axis(f1s.columns, axis=1))
    known = [name for name in labels if name in f1s.index]
    dots = [Dot(labels[name], row.Index[1], *row[1:]) for name in known for row in records(f1s.loc[[name]])]
    whiskers = "span the seeds" if intervals.empty else "are intervals over sentences"
    title = f"Entity F1 by type (test entities); whiskers {whiskers}"
    return Plot(title, "f1_by_type", partial(dots_plot, dots, pairs=True))


def _type_plots_by_part(results: Results) -> list[Block]:
    """Draw the F1 of each type in each part of the corpus, the most frequent type first."""
    rows = results.table("intervals_by_group")
    rows = rows[rows["system"].isin(results.featured()) & rows["by"].str.startswith(IN_PART)]
    plots: list[Block] = []
    for by, found in rows.groupby("by"):
        ordered = found.sort_values(["support", "group"], ascending=[False, True], kind="stable")
        dots = [
            Dot(f"{row.group} ({count(row.support)})", row.system, row.value, row.low, row.high)
            for row in records(ordered)
        ]
        part = str(by).removeprefix(IN_PART)
        title = f"Entity F1 by type in part {part} (test entities); whiskers are intervals over sentences"
        plots.append(Plot(title, f"f1_by_type_part_{part}", partial(dots_plot, dots, pairs=True)))
    return plots


def _comparison(labels: dict[str, str], results: Results, table: pd.DataFrame) -> list[Block]:
    """Return on which types the featured encoder is better than the CRF, on which worse, and where neither is shown."""
    rows = table[table["system_a"].isin(results.featured())].drop_duplicates("type").set_index("type")
    if rows.empty:
        return []
    rows = rows.loc[[name for name in labels if name in rows.index]]
    # Near the level, the permutation test and the interval may disagree.
    is_shown = (rows["p_holm"] <= ALPHA) & (rows["low"] * rows["high"] > 0)
    signs = np.sign(rows["difference"]).where(is_shown, 0)
    rows = rows.assign(label=rows.index.map(labels), outcome=signs.map({1: "better", -1: "worse", 0: "not shown"}))
    types = {word: ", ".join(rows.index[rows["outcome"] == word]) or "none" for word in ("better", "worse")}
    names = {"reference": REFERENCE, "system": rows["system_a"].iloc[0]}
    return [
        note("types", named="; ".join(f"{word} on {found}" for word, found in types.items()), **names),
        layout_table("comparisons_by_type", with_p_texts(rows), **names),
    ]


def confusion_blocks(results: Results) -> list[Block]:
    """Return the confusions between types, counted by words, over all and in each part of the corpus."""
    table = _with_parts(results, "confusion", results.needed("confusion"))
    by_part = {str(part): rows for part, rows in table.groupby("part", sort=False)}
    runs = results.needed("scores").groupby("system", sort=False).size()
    commonest = pd.concat({part: _commonest(rows, runs) for part, rows in by_part.items()})
    caption = "The commonest confusions between types: words, mean over seeds"
    cells = commonest.rename_axis(["part", "gold", "tagged as"])
    return [
        note("confusion"),
        *(plot for part, rows in by_part.items() for plot in _confusion_plots(results, part, rows)),
        frame_table(caption, cells, text_columns=3, filters=["part"]),
    ]


def _confusion_plots(results: Results, part: str, table: pd.DataFrame) -> list[Block]:
    """Draw the confusion matrix of each featured system in a part of the corpus."""
    scope, suffix = ("", "") if part == WHOLE else (f" in part {part}", f"_part_{part}")
    return [
        Plot(
            f"Confusion matrix of {name}{scope}",
            f"confusion_{name}{suffix}",
            partial(confusion_plot, _matrix(found), name),
        )
        for name, found in by_system(table[table["system"].isin(results.featured())])
    ]


def _commonest(table: pd.DataFrame, runs: pd.Series) -> pd.DataFrame:
    """Return the words of the commonest confusions by system: the mean over its runs."""
    wrong = table[(table["gold"] != table["predicted"]) & (table["gold"] != "O") & (table["predicted"] != "O")]
    words = wrong.groupby(["gold", "predicted", "system"])["words"].sum()
    pairs = words.unstack("system", fill_value=0).reindex(columns=runs.index, fill_value=0) / runs
    first = pairs.sum(axis=1).sort_values(ascending=False, kind="stable").index[:COMMONEST]
    return pairs.loc[first].map(lambda n: f"{n:,.1f}".removesuffix(".0"))


def _matrix(rows: pd.DataFrame) -> pd.DataFrame:
    """Return words by gold and predicted type, summed over seeds; both in the same order, O last."""
    words = rows.groupby(["gold", "predicted"])["words"].sum().unstack(fill_value=0)
    names = sorted(set(words.index) | set(words.columns), key=lambda name: (name == "O", name))
    return words.reindex(index=names, columns=names, fill_value=0)


def error_blocks(results: Results) -> list[Block]:
    return [
        *results.show("error_kinds", _kind_blocks),
        *results.show("recall", _recall_blocks),
        Missing(NOTES["errors"], f"python experiments/report.py --corpus {results.corpus.name}"),
    ]


def _kind_blocks(results: Results, table: pd.DataFrame) -> list[Block]:
    """Return the errors of each system by kind, and by kind and type; the mean over its runs."""
    counts, runs = _with_parts(results, "error_kinds", table), results.needed("scores").groupby("system").size()
    # Of all runs: those without an error of some kind and type have no row of it.
    counts = counts.assign(count=counts["count"] / counts["system"].map(runs).astype(float))
    by_part = {
        system: pd.concat({part: _shares(_kinds(of_part)) for part, of_part in rows.groupby("part", sort=False)})
        for system, rows in by_system(counts)
    }
    by_type = {}
    for system, rows in by_system(matching(counts, part=WHOLE)):
        errors = pd.DataFrame({name: _kinds(of_type) for name, of_type in rows.groupby("type")}).T
        order = errors.sum(axis=1).sort_values(ascending=False, kind="stable").index
        by_type[system] = errors.loc[order].map(count).rename_axis("type")
    title = "Entity errors by kind, and their share of a system's errors"
    return [
        note("kinds"),
        frame_table(title, pd.DataFrame(by_part).rename_axis(["part", "kind"]), text_columns=2, filters=["part"]),
        frame_table(NOTES["errors_by_type"], pd.concat(by_type, names=["system"]), text_columns=2, filters=["system"]),
    ]


def _kinds(rows: pd.DataFrame) -> pd.Series:
    """Return the number of errors of each kind."""
    return rows.groupby("kind")["count"].sum().reindex(list(KINDS), fill_value=0)


def _shares(errors: pd.Series) -> pd.Series:
    return errors.map(count) + (100 * errors / (errors.sum() or 1)).map(" ({:.0f} %)".format)


def _recall_blocks(results: Results, table: pd.DataFrame) -> list[Block]:
    blocks: list[Block] = [note("recall")]
    table = _with_parts(results, "recall", table)
    for by, caption in NOTES["recall_captions"].items():
        cells = {str(part): _recalls(rows) for part, rows in table[table["by"] == by].groupby("part", sort=False)}
        if cells:
            blocks.append(frame_table(caption, pd.concat(cells, names=["part"]), text_columns=2))
    return blocks


def _recalls(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the recall of each group of entities by system, and the number of its entities."""
    cells = crossed(rows, "group", "system", "recall").sort_index().rename_axis("entities")
    cells.insert(0, "in the test sentences", rows.groupby("group")["support"].max().map(count))
    return cells


def _with_parts(results: Results, name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table, and those of its table by part, with a column for the part."""
    return pd.concat([table.assign(part=WHOLE), results.table(f"{name}_by_part")])
