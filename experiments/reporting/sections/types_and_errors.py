"""Entity F1 of each type, confusions between types, wrong entities by kind, and recall by group of entities."""

from functools import partial

from harness.params import REFERENCE

import pandas as pd

from bert_ner.scoring.errors import KINDS
from claims.evidence import ALPHA
from claims.paper import PAPER_CORPUS
from reporting.blocks import Block, Missing, Plot, Table
from reporting.formats import NOTES, count, interval, mean_and_spread, note, p_value, percent, points
from reporting.plots import Dot, confusion_plot, dots_plot
from reporting.results import Results, by_system, first_rows, records

COMMONEST = 12  # confusions that the report lists
RECALL_CAPTIONS = {
    "seen": "Recall on entities seen and unseen in training",
    "length": "Recall by length in words",
    "type": "Recall by type",
}


def type_blocks(results: Results) -> list[Block]:
    """Return entity F1 of each type, the most frequent type first."""
    table = results.needed("scores_by_type")
    support = table.groupby("type")["support"].max().sort_values(ascending=False)
    labels = {str(name): f"{name} ({count(n)})" for name, n in support.items()}
    f1s = {system: runs.groupby("type")["f1"].apply(mean_and_spread) for system, runs in by_system(table)}
    rows = [[name, count(support[name]), *(f1.get(name, "") for f1 in f1s.values())] for name in labels]
    blocks = [_type_plot(results, table, labels), *_comparison(results, labels)]
    blocks.append(Table("Entity F1 by type", ["type", "test entities", *f1s], rows))
    return [*blocks, note("paper_types")] if results.corpus.name == PAPER_CORPUS else blocks


def _type_plot(results: Results, table: pd.DataFrame, labels: dict[str, str]) -> Plot:
    intervals, featured = results.table("intervals_by_group"), results.featured()
    dots = []
    for name, label in labels.items():
        found = first_rows(intervals, "system", by="type", group=name)
        for system, rows in by_system(table[(table["type"] == name) & table["system"].isin(featured)]):
            ends = [float(end) for end in (rows["f1"].mean(), rows["f1"].min(), rows["f1"].max())]
            dots.append(Dot(label, system, *(found[system][["value", "low", "high"]] if system in found else ends)))
    whiskers = "span the seeds" if intervals is None else "are intervals over sentences"
    title = f"Entity F1 by type (test entities); whiskers {whiskers}"
    return Plot(title, "f1_by_type", partial(dots_plot, dots, pairs=True))


def _comparison(results: Results, labels: dict[str, str]) -> list[Block]:
    """Return on which types the featured encoder is better than the CRF, on which worse, and where neither is shown."""
    table = results.table("comparisons_by_type")
    if table is None:
        return [results.missing("comparisons_by_type", "The systems are not compared by type yet.")]
    compared = table[table["system_a"].isin(results.featured())].drop_duplicates("type").set_index("type")
    if compared.empty:
        return []
    outcomes: dict[str, list[str]] = {"better": [], "worse": [], "not shown": []}
    system, rows = compared["system_a"].iloc[0], []
    for row in records(compared.loc[[name for name in labels if name in compared.index]]):
        is_shown = row.p_holm <= ALPHA and row.difference
        outcome = "not shown" if not is_shown else "better" if row.difference > 0 else "worse"
        outcomes[outcome].append(row.Index)
        gap = [points(row.difference), interval(row.low, row.high, points)]
        rows.append([labels[row.Index], percent(row.b), percent(row.a), *gap, p_value(row.p_holm), outcome])
    named = "; ".join(f"{word} on {', '.join(outcomes[word]) or 'none'}" for word in ("better", "worse"))
    header = ["type", REFERENCE, system, "difference", "interval", "Holm p", f"{system} is"]
    return [
        note("types", reference=REFERENCE, system=system, named=named),
        Table(f"Entity F1 by type: {system} compared with {REFERENCE}", header, rows),
    ]


def confusion_blocks(results: Results) -> list[Block]:
    """Return the confusions between types, counted by words."""
    table, featured = results.needed("confusion"), results.featured()
    runs = {system: rows["seed"].nunique() for system, rows in by_system(table)}
    wrong = table[(table["gold"] != table["predicted"]) & (table["gold"] != "O") & (table["predicted"] != "O")]
    # Words per run, so that systems with several seeds can be compared with those with one.
    wrong = wrong.assign(words=wrong["words"] / wrong["system"].map(runs).astype(float))
    pairs = _word_sums(wrong, ["gold", "predicted"], "system").reindex(columns=list(runs), fill_value=0)
    commonest = pairs.loc[pairs.sum(axis=1).sort_values(ascending=False, kind="stable").index[:COMMONEST]]
    rows = [
        [*map(str, pair), *(f"{n:,.1f}".removesuffix(".0") for n in words)]
        for pair, words in zip(commonest.index, commonest.to_numpy().tolist(), strict=True)
    ]
    caption = "The commonest confusions between types: words, mean over seeds"
    return [
        note("confusion"),
        *(
            Plot(f"Confusion matrix of {name}", f"confusion_{name}", partial(confusion_plot, _matrix(found), name))
            for name, found in by_system(table[table["system"].isin(featured)])
        ),
        Table(caption, ["gold", "tagged as", *runs], rows, text_columns=2),
    ]


def _matrix(rows: pd.DataFrame) -> pd.DataFrame:
    """Return words by gold and predicted type, summed over seeds; both in the same order, O last."""
    words = _word_sums(rows, "gold", "predicted")
    names = sorted(set(words.index) | set(words.columns), key=lambda name: (name == "O", name))
    return words.reindex(index=names, columns=names, fill_value=0)


def _word_sums(rows: pd.DataFrame, index: str | list[str], columns: str) -> pd.DataFrame:
    return rows.pivot_table(index=index, columns=columns, values="words", aggfunc="sum", fill_value=0)


def error_blocks(results: Results) -> list[Block]:
    kinds, recall = results.table("error_kinds"), results.table("recall")
    no_kinds = results.missing("error_kinds", "The errors are not sorted by kind yet.")
    no_recall = results.missing("recall", "Recall by group of entities is not computed yet.")
    return [
        *([no_kinds] if kinds is None else _kind_blocks(kinds)),
        *([no_recall] if recall is None else _recall_blocks(recall)),
        Missing(NOTES["errors"], f"python experiments/report.py --corpus {results.corpus.name}"),
    ]


def _kind_blocks(table: pd.DataFrame) -> list[Block]:
    """Return the errors of each system by kind, and by kind and type; the mean over its runs."""
    sums, by_type = {}, []
    for system, rows in by_system(table):
        counts = rows.groupby(["type", "kind"])["count"].sum().astype(float) / rows["seed"].nunique()
        errors = counts.unstack("kind", fill_value=0).reindex(columns=list(KINDS), fill_value=0)
        sums[system] = errors.sum()
        order = errors.sum(axis=1).sort_values(ascending=False, kind="stable").index
        by_type += [[system, str(name), *map(count, errors.loc[name])] for name in order]
    by_kind = [
        [kind, *(f"{count(total[kind])} ({100 * total[kind] / (total.sum() or 1):.0f} %)" for total in sums.values())]
        for kind in KINDS
    ]
    header = ["system", "type", *KINDS]
    return [
        note("kinds"),
        Table("Entity errors by kind, and their share of a system's errors", ["kind", *sums], by_kind),
        Table(NOTES["errors_by_type"], header, by_type, text_columns=2, filter_by=0),
    ]


def _recall_blocks(table: pd.DataFrame) -> list[Block]:
    systems = list(dict.fromkeys(table["system"]))
    blocks: list[Block] = [note("recall")]
    for by, caption in RECALL_CAPTIONS.items():
        rows = [
            [str(group), count(found["support"].max()),
             *(mean_and_spread(found[found["system"] == system]["recall"]) for system in systems)]
            for group, found in table[table["by"] == by].groupby("group")
        ]  # fmt: skip
        if rows:
            blocks.append(Table(caption, ["entities", "in the test sentences", *systems], rows))
    return blocks
