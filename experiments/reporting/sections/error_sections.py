"""Sections on where the systems go wrong: types, confusions, kinds of errors, recall."""

from __future__ import annotations

import pandas as pd

from bert_ner.scoring.errors import KINDS
from claims.evidence import ALPHA
from reporting.blocks import Block, Dot, Dots, Heat, Missing, Section, Table, Text
from reporting.formats import PAPER_CORPUS, count, interval, mean_and_spread, p_value, percent, points
from reporting.results import REFERENCE, Results
from reporting.sections.score_sections import systems_of

COMMONEST = 12  # confusions that the report lists


def type_section(results: Results) -> Section:
    """Entity F1 of each type, the most frequent type first."""
    table = results.needed("scores_by_type")
    support = table.groupby("type")["support"].max().sort_values(ascending=False)
    systems = systems_of(table)
    named = {str(name): f"{name} ({count(n)})" for name, n in support.items()}
    featured, doubt = results.featured(), results.table("intervals_by_group")
    shown = [(system, of) for system, of in systems if system in featured]
    whiskers = "span the seeds" if doubt is None else "are intervals over sentences"
    blocks: list[Block] = [
        Dots(f"Entity F1 by type (test entities); whiskers {whiskers}", [
            Dot(label, system, "", *_ends(doubt, system, name, of[of["type"] == name]["f1"]))
            for name, label in named.items()
            for system, of in shown
            if (of["type"] == name).any()
        ], picture="f1_by_type"),
        *_beside_reference(results, named),
        Table("Entity F1 by type", ["type", "test entities", *(name for name, _ in systems)], [
            [str(name), count(n), *(mean_and_spread(of[of["type"] == name]["f1"]) for _, of in systems)]
            for name, n in support.items()
        ]),
    ]  # fmt: skip
    if results.corpus.name == PAPER_CORPUS:
        blocks += [Text("The paper calls its results strong for every type, but gives no figure for any.")]
    return Section("types", "Entity F1 by type", blocks)


def _ends(doubt: pd.DataFrame | None, system: str, name: str, f1: pd.Series) -> tuple[float, float, float]:
    """A type's mean F1 and the ends of its interval over sentences; without one, of its range over seeds."""
    if doubt is not None:
        found = doubt[(doubt["system"] == system) & (doubt["by"] == "type") & (doubt["group"] == name)]
        if len(found):
            return float(found["value"].iloc[0]), float(found["low"].iloc[0]), float(found["high"].iloc[0])
    return float(f1.mean()), float(f1.min()), float(f1.max())


def _beside_reference(results: Results, named: dict[str, str]) -> list[Block]:
    """On which types the featured encoder is better than the CRF, on which worse, and on which neither is shown."""
    table = results.table("comparisons_by_type")
    pair = [system for system in results.featured() if system != REFERENCE]
    if table is None:
        return [Missing("The systems are not compared by type yet.", results.command("comparisons_by_type"))]
    rows = table[table["system_a"].isin(pair)].set_index("type")
    if rows.empty:
        return []
    system = rows["system_a"].iloc[0]
    rows = rows.loc[[name for name in named if name in rows.index]]
    is_sure = rows["p_holm"] <= ALPHA
    found = [("better", is_sure & (rows["difference"] > 0)), ("worse", is_sure & (rows["difference"] < 0))]
    outcome = pd.Series("not shown", index=rows.index).mask(found[0][1], "better").mask(found[1][1], "worse")
    told = "; ".join(f"{how} on {', '.join(map(str, rows.index[which])) or 'none'}" for how, which in found)
    return [
        Text(f"Beside {REFERENCE}, {system} is {told}; on the other types neither is shown to be better (paired test "
             "over sentences, Holm's correction over the types, level 0.05)."),
        Table(f"Entity F1 by type: {system} beside {REFERENCE}",
              ["type", REFERENCE, system, "difference", "interval", "Holm p", f"{system} is"], [
            [named[str(name)], percent(row["b"]), percent(row["a"]), points(row["difference"]),
             interval(row["low"], row["high"], points), p_value(row["p_holm"]), how]
            for (name, row), how in zip(rows.iterrows(), outcome, strict=True)
        ]),
    ]  # fmt: skip


def confusion_section(results: Results) -> Section:
    """Which types are taken for which, by words."""
    table = results.needed("confusion")
    blocks: list[Block] = [Text("Of the words of each gold type, the percentage tagged with each type; all seeds.")]
    for system, of in systems_of(table[table["system"].isin(results.featured())]):
        words = confusion_matrix(of)
        share = words.div(words.sum(axis=1).replace(0, 1), axis=0)
        names = [str(name) for name in words.index]
        title = f"Confusion matrix of {system}"
        blocks.append(Heat(title, "gold", names, share.to_numpy().tolist(), f"confusion_{system}"))
    wrong = table[(table["gold"] != table["predicted"]) & (table["gold"] != "O") & (table["predicted"] != "O")]
    runs = {system: of["seed"].nunique() for system, of in systems_of(table)}
    # Words per run, so that systems with several seeds stand beside those with one.
    by_pair = (
        wrong.assign(words=wrong["words"] / wrong["system"].map(runs))
        .pivot_table(index=["gold", "predicted"], columns="system", values="words", aggfunc="sum", fill_value=0)
        .reindex(columns=list(runs), fill_value=0)
    )
    commonest = by_pair.loc[by_pair.sum(axis=1).sort_values(ascending=False, kind="stable").index[:COMMONEST]]
    blocks.append(
        Table(
            "The commonest confusions between types: words, mean over seeds",
            ["gold", "tagged as", *runs],
            [[*map(str, pair), *(f"{n:,.1f}".removesuffix(".0") for n in row)] for pair, row in
             zip(commonest.index, commonest.to_numpy().tolist(), strict=True)],
            text_columns=2,
        )
    )  # fmt: skip
    return Section("confusion", "Confusion between types", blocks)


def confusion_matrix(rows: pd.DataFrame) -> pd.DataFrame:
    """Words by gold and predicted type, summed over seeds; both in the same order, O last."""
    words = rows.pivot_table(index="gold", columns="predicted", values="words", aggfunc="sum", fill_value=0)
    names = sorted(set(words.index) | set(words.columns), key=lambda name: (name == "O", name))
    return words.reindex(index=names, columns=names, fill_value=0)


def error_section(results: Results) -> Section:
    """Every wrong entity by kind, and the entities found by group."""
    kinds, recall = results.table("error_kinds"), results.table("recall")
    blocks: list[Block] = []
    if kinds is None:
        blocks += [Missing("The errors are not sorted by kind yet.", results.command("error_kinds"))]
    else:
        blocks += [
            Text(
                "Each wrong entity is one of: boundary (right type, overlapping words), type (right words), boundary "
                "and type (neither, but overlapping), missed, spurious. Counts are means over seeds."
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
    command = f"python experiments/report.py --corpus {results.corpus.name}"
    blocks += [
        Missing(
            "errors.html, in the folder of this report, shows every test sentence that some system gets wrong. It "
            "holds text of the corpus, so it is not in the repository.", command,
        )
    ]  # fmt: skip
    return Section("errors", "Kinds of errors", blocks)


def _per_run(table: pd.DataFrame) -> pd.Series:
    """Errors by kind and type in one run, on average."""
    by_kind: pd.Series = table.groupby(["kind", "type"])["count"].sum() / table["seed"].nunique()
    return by_kind


def _kind_table(table: pd.DataFrame) -> Table:
    systems = [(system, _per_run(of)) for system, of in systems_of(table)]
    kinds = [*KINDS, *sorted(set(table["kind"]) - set(KINDS))]
    sums = [(system, by.groupby(level="kind").sum().reindex(kinds, fill_value=0)) for system, by in systems]
    rows = [
        [kind, *(f"{of[kind]:,.0f} ({100 * of[kind] / (of.sum() or 1):.0f} %)" for _, of in sums)] for kind in kinds
    ]
    return Table("Entity errors by kind, and their share of a system's", ["kind", *(name for name, _ in sums)], rows)


def _kinds_by_type(table: pd.DataFrame) -> Table:
    rows = []
    for system, of in systems_of(table):
        by = _per_run(of).unstack("kind", fill_value=0).reindex(columns=list(KINDS), fill_value=0)
        by = by.loc[by.sum(axis=1).sort_values(ascending=False, kind="stable").index]
        rows += [[system, str(name), *(f"{n:,.0f}" for n in row)] for name, row in
                 zip(by.index, by.to_numpy().tolist(), strict=True)]  # fmt: skip
    caption = "Entity errors by type: gold's type, or the predicted one where there is no gold entity"
    return Table(caption, ["system", "type", *KINDS], rows, text_columns=2, filter_by=0)


def _recall_tables(table: pd.DataFrame) -> list[Block]:
    names = {"seen": "Recall on entities seen and unseen in training", "length": "Recall by length in words",
             "type": "Recall by type"}  # fmt: skip
    systems = [system for system, _ in systems_of(table)]
    blocks: list[Block] = []
    for by, caption in names.items():
        groups = table[table["by"] == by]
        rows = [
            [str(group), count(of["support"].max()),
             *(mean_and_spread(of[of["system"] == system]["recall"]) for system in systems)]
            for group, of in groups.groupby("group")
        ]  # fmt: skip
        if rows:
            blocks.append(Table(caption, ["entities", "in the test sentences", *systems], rows))
    return blocks
