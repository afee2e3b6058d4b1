"""Sections that set all systems side by side: what each costs and gives on one corpus, and on the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from bert_ner.corpus.catalog import CORPORA
from claims.schema import read_published
from reporting.blocks import Block, Cell, Dot, Dots, Line, Lines, Missing, Point, Section, Table, Text
from reporting.formats import MINUS, count, interval, mean_and_spread, p_value, percent, points, short
from reporting.results import REFERENCE, Results
from reporting.sections.claim_sections import PUBLISHED
from reporting.sections.score_sections import systems_of

SECONDS = (0.1, 1, 10, 100, 1000, 10_000, 100_000)  # where the axis of training time has its ticks


def system_section(results: Results) -> Section:
    """What each system costs and gives, one row each; below it those that were not run, with the reason."""
    scores, costs = results.needed("scores"), results.table("costs")
    title = "Systems"
    if costs is None:
        return Section("systems", title, [Missing("What the systems cost is not on record.", results.command("costs"))])
    doubt = _by(results.table("intervals"), "system", metric="entity_f1", source="sentences")
    beside = _by(results.table("comparisons"), "system_a", metric="entity_f1", system_b=REFERENCE)
    rows: list[list[str | Cell]] = []
    for system, of in systems_of(scores):
        cost, ends, gap = costs[costs["system"] == system], doubt.get(system), beside.get(system)
        rows.append([
            system, *(
                short(float(cost[name].mean()) / unit) for name, unit in
                (("parameters", 1e6), ("train_seconds", 1), ("words_per_second", 1), ("model_bytes", 1e6))
            ),
            mean_and_spread(of["token_micro_f1"]), mean_and_spread(of["entity_f1"]),
            interval(ends["low"], ends["high"]) if ends else "",
            points(gap["difference"]) if gap else "", p_value(gap["p_holm"]) if gap else "",
        ])  # fmt: skip
    header = [
        "system", "M parameters", "training s", "words/s", "MB", "token micro-F1", "entity F1", "interval",
        f"{MINUS} {REFERENCE}", "Holm p",
    ]  # fmt: skip
    blocks: list[Block] = [Table("What each system costs and gives", header, rows)]
    if absent := _not_run(results.table("not_run"), {str(row[0]) for row in rows}):
        blocks.append(Table("What was not run", ["system", "encoder", "reason"], absent, text_columns=3))
    if plot := cost_plot(results):
        blocks.append(plot)
    machines = ", ".join(dict.fromkeys(costs["machine"]))
    blocks.append(Text(
        "Means over runs; the interval is over sentences. The last columns have the difference in entity F1 to "
        f"{REFERENCE} in points, and p of the paired test, corrected for the number of comparisons. Times were taken "
        f"while the results were made, on {machines}, beside whatever else ran there; make bench measures apart. A "
        "model's size is that of its folder."
    ))  # fmt: skip
    return Section("systems", title, blocks)


def _by(table: pd.DataFrame | None, key: str, **values: str) -> dict[str, Mapping[Any, Any]]:
    """The rows that have these values, by the value of a column."""
    if table is None:
        return {}
    for column, value in values.items():
        table = table[table[column] == value]
    return {str(row[key]): row for row in table.to_dict("records")}


def _not_run(table: pd.DataFrame | None, known: set[str]) -> list[list[str]]:
    """A row for each system of which no run is there."""
    if table is None:
        return []
    return [
        [system, of["encoder"].iloc[0], f"not run: {'; '.join(dict.fromkeys(of['reason']))}"]
        for system, of in systems_of(table)
        if system not in known
    ]


def cost_plot(results: Results) -> Lines | None:
    """Entity F1 over training time, a point for each system."""
    costs, doubt = results.table("costs"), _by(results.table("intervals"), "system", metric="entity_f1",
                                               source="sentences")  # fmt: skip
    if costs is None:
        return None
    seconds = costs.groupby("system", sort=False)["train_seconds"].mean()
    lines = [
        Line(
            str(system), [Point(max(time, SECONDS[0]), *(doubt[str(system)][end] for end in ("value", "low", "high")))]
        )
        for system, time in seconds.items()
        if str(system) in doubt and not math.isnan(time)
    ]
    if not lines:
        return None
    longest = max(line.points[0].x for line in lines)
    shortest = min(line.points[0].x for line in lines)
    last = next((i for i, tick in enumerate(SECONDS) if tick >= longest), len(SECONDS) - 1)
    first = max(i for i, tick in enumerate(SECONDS) if tick <= shortest)
    return Lines(
        "Entity F1 and training time; whiskers are intervals over sentences", "seconds of training", "entity F1", lines,
        share=True, log_x=True, picture="quality_and_cost", x_ticks=SECONDS[first : max(last, first + 1) + 1],
    )  # fmt: skip


def domain_section(results: Results) -> Section:
    """Every system on every corpus that was not generated, beside the best published result."""
    others = {name: Results(results.root, corpus) for name, corpus in CORPORA.items() if not corpus.is_generated}
    scores = {name: table for name, other in others.items() if (table := other.table("scores")) is not None}
    systems = list(dict.fromkeys(system for table in scores.values() for system, _ in systems_of(table)))
    rows = []
    for system in systems:
        of = [table[table["system"] == system]["entity_f1"] for table in scores.values()]
        rows.append([system, *(mean_and_spread(values) if len(values) else "not run" for values in of)])
    best = {name: _best_published(name) for name in scores}
    if any(best.values()):
        rows.append(["best published", *(f"{percent(entry['score'])}" if entry else "" for entry in best.values())])
    named = "; ".join(f"{name}: {entry['system']} ({entry['source']})" for name, entry in best.items() if entry)
    blocks: list[Block] = []
    if plot := domain_plot(results):
        blocks.append(plot)
    blocks.append(Table("Entity F1 on each corpus", ["system", *scores], rows))
    if named:
        blocks.append(Text(f"The best of the published results that compare, {named}."))
    missing = [name for name in others if name not in scores]
    if missing:
        blocks.append(Missing(f"No results on {', '.join(missing)} yet.", "make repro-all"))
    return Section("domains", "Other domains", blocks)


def domain_plot(results: Results) -> Dots | None:
    """Entity F1 with its interval over sentences, corpus by corpus; none if there is but one."""
    dots = []
    for corpus in CORPORA.values():
        table = None if corpus.is_generated else Results(results.root, corpus).table("intervals")
        dots += [
            Dot(f"{corpus.title.partition(' (')[0]} ({count(row['n'])} sentences)", system, "", row["value"],
                row["low"], row["high"])
            for system, row in _by(table, "system", metric="entity_f1", source="sentences").items()
        ]  # fmt: skip
    title = "Entity F1 by corpus; whiskers are intervals over sentences"
    return Dots(title, dots, picture="domains") if len({dot.group for dot in dots}) > 1 else None


def _best_published(corpus: str) -> dict[str, Any] | None:
    found = [
        entry for entry in read_published(PUBLISHED)
        if entry["test_set"] == corpus and entry["comparable"] and entry["metric"] == "entity_f1"
    ]  # fmt: skip
    return max(found, key=lambda entry: entry["score"], default=None)
