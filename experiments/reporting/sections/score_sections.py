"""Sections on how good the systems are: the headline, every metric, its doubt, and the comparisons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from harness.tables import as_written_by

import pandas as pd

from bert_ner.corpus.catalog import Corpus
from reporting.blocks import Block, Cell, Dot, Dots, Facts, Missing, Section, Table, Text, Warn
from reporting.formats import (
    BANNER,
    METRIC_NAMES,
    MINUS,
    PAPER_CORPUS,
    PAPER_MICRO_F1,
    count,
    interval,
    mean_and_spread,
    p_value,
    percent,
    points,
)
from reporting.results import Results

SEE = "the evidence is in the table of claims"
SHOWN = ("token_micro_f1", "token_micro_f1_no_o", "entity_f1", "entity_f1_strict", "span_f1")  # in the plot
SHOWN_OF_MANY = ("token_micro_f1", "entity_f1")
FEW = 3  # systems of which a plot has all of SHOWN, and pairs of which the table has every metric


def headline(results: Results) -> Section:
    """The claim, what was measured, and the verdict."""
    scores, corpus = results.needed("scores"), results.corpus
    featured = results.featured()
    systems = [(name, rows) for name, rows in systems_of(scores) if name in featured]
    measured = [
        (METRIC_NAMES[metric], "; ".join(f"{name} {mean_and_spread(rows[metric])} %" for name, rows in systems), "")
        for metric in ("token_micro_f1", "entity_f1")
    ]
    blocks: list[Block] = [Warn("Generated corpus.", BANNER)] if corpus.is_generated else []
    if corpus.name == PAPER_CORPUS:
        claim = (
            "The paper's claim",
            f"{percent(PAPER_MICRO_F1)} % micro-F1",
            "BERT-base-uncased, 110 M parameters; over tokens, it says, but not whether O counts",
        )
        blocks += [Facts([claim, *measured, *_verdicts(results)])]
        if results.table("claims") is None:
            blocks += [Missing("There is no verdict on that claim yet.", results.command("claims"))]
    else:
        blocks += [Facts(measured)]
    facts = results.facts("corpus")
    with as_written_by(f"python experiments/prepare.py --corpus {corpus.name}", results.folder / "corpus.json"):
        blocks += [Text(about(corpus, facts, scores))]
    return Section("headline", "", blocks)


def _verdicts(results: Results) -> list[tuple[str, str, str]]:
    """The verdict on claim R1, of which there may be parts: R1a, R1b."""
    claims = results.table("claims")
    if claims is None:
        return []
    rows = claims[claims["id"].map(lambda name: bool(re.fullmatch(r"R1\D*", name)))]
    return [(f"Verdict on {row['id']}: {row['claim']}", row["verdict"], SEE) for _, row in rows.iterrows()]


def about(corpus: Corpus, facts: dict[str, Any] | None, scores: pd.DataFrame) -> str:
    """What was trained and tested on what."""
    size = ""
    if facts is not None:
        parts = ", ".join(
            f"{facts[part]['sentences']:,} {name}"
            for part, name in (("train", "training"), ("validation", "validation"), ("test", "test"))
        )
        size = f"{parts} sentences, {facts['types']} entity types, {facts['tags']} tags. "
    described = "; ".join(_describe(name, rows) for name, rows in systems_of(scores))
    return (
        f"{corpus.title}: {size}{described}. Values are percentages on the test sentences, mean ± sample standard "
        "deviation over seeds where there are several."
    )


def _describe(system: str, rows: pd.DataFrame) -> str:
    encoder = f" ({rows['encoder'].iloc[0]})" if rows["encoder"].iloc[0] else ""
    seeds = f", seeds {', '.join(map(str, rows['seed']))}" if len(rows) > 1 else ""
    return f"{system}{encoder}{seeds}"


def systems_of(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Each system with its rows, in the table's order."""
    return [(str(name), rows) for name, rows in table.groupby("system", sort=False)]


def metrics_in(table: pd.DataFrame) -> list[str]:
    return [metric for metric in METRIC_NAMES if metric in table]


def score_table(
    corpus: Corpus, scores: pd.DataFrame, featured: Sequence[str], all_o: dict[str, float] | None = None
) -> Table:
    """A row per metric, each system's score nearest to the paper's marked; of the featured ones the distance, too."""
    systems, is_papers = systems_of(scores), corpus.name == PAPER_CORPUS
    apart = featured if is_papers else []
    means = {name: {metric: float(rows[metric].mean()) for metric in metrics_in(scores)} for name, rows in systems}
    nearest = {name: min(of, key=lambda metric: abs(of[metric] - PAPER_MICRO_F1)) for name, of in means.items()}
    header, rows = ["metric"], []
    for name, _ in systems:
        header += [name, f"{name} {MINUS} paper"] if name in apart else [name]
    for metric in metrics_in(scores):
        strong = metric == "entity_f1"
        row: list[str | Cell] = [Cell(METRIC_NAMES[metric], "strong") if strong else METRIC_NAMES[metric]]
        for name, of in systems:
            cells = [mean_and_spread(of[metric])]
            if name in apart:
                cells.append(points(means[name][metric] - PAPER_MICRO_F1))
            is_nearest = is_papers and nearest[name] == metric
            row += [*cells[:-1], Cell(cells[-1], "nearest") if is_nearest else cells[-1]]
        if all_o:
            row.append(percent(all_o[metric]) if metric in all_o else "")
        rows.append(row)
    caption = "Scores on the test sentences under every metric"
    if is_papers:
        caption += f", and their distance from the paper's {percent(PAPER_MICRO_F1)} in points"
    return Table(caption, [*header, *(["O everywhere"] if all_o else [])], rows)


def metric_section(results: Results) -> Section:
    scores, audit = results.needed("scores"), results.facts("audit")
    all_o = audit.get("all_o") if audit else None
    featured = results.featured()
    blocks: list[Block] = [score_table(results.corpus, scores, featured, all_o if isinstance(all_o, dict) else None)]
    if results.corpus.name == PAPER_CORPUS:
        blocks += [Text(_nearest(scores[scores["system"].isin(featured)]))]
    if all_o:
        blocks += [Text("The last column is a tagger that says O for every word and finds no entity at all.")]
    return Section("metrics", "Which metric?" if results.corpus.name == PAPER_CORPUS else "Scores", blocks)


def _nearest(scores: pd.DataFrame) -> str:
    found = []
    for name, rows in systems_of(scores):
        means = {metric: float(rows[metric].mean()) for metric in metrics_in(scores)}
        metric = min(means, key=lambda metric: abs(means[metric] - PAPER_MICRO_F1))
        found.append(f"{METRIC_NAMES[metric]} for {name} ({percent(means[metric])})")
    return (
        f"The paper reports {percent(PAPER_MICRO_F1)} % as micro-F1 over tokens (section 4.2), without saying "
        "whether O counts. Nearest to it, in "
        f"bold, are {'; '.join(found)}. Its encoder is BERT-base-uncased (110 M parameters); ours is named above."
    )


def interval_section(results: Results) -> Section:
    """Each score with its doubt: of the test sentences, and, apart from it, of the training seeds."""
    table = results.table("intervals")
    title = "Scores with intervals"
    if table is None:
        return Section("intervals", title, [Missing("There are no intervals yet.", results.command("intervals"))])
    table = table[table["metric"].isin(METRIC_NAMES)]
    level = f"{100 * table['level'].max():g} %"
    rows = [
        [
            METRIC_NAMES[metric],
            name,
            percent(of["value"].iloc[0]),
            *_ends(of, "sentences"),
            *_ends(of, "seeds"),
            _sd(of),
        ]
        for metric in METRIC_NAMES
        for name, of in systems_of(table[table["metric"] == metric])
    ]
    methods = "; ".join(f"{source}: {method}" for source, method in _distinct(table, ["source", "method"]))
    return Section("intervals", title, [
        Text(
            "Two doubts, kept apart. The interval over sentences: what the mean of these runs could be on other test "
            "sentences of this kind. The interval over seeds: what the mean of many runs could be on these sentences. "
            f"Each at "
            f"{level}. {methods}."
        ),
        interval_plot(results.corpus, table),
        Table(
            f"Scores with intervals at {level}",
            ["metric", "system", "score", "over sentences", "over seeds", "seed sd"], rows, text_columns=2, filter_by=0,
        ),
    ])  # fmt: skip


def interval_plot(corpus: Corpus, table: pd.DataFrame) -> Dots:
    dots = [
        Dot(METRIC_NAMES[metric], name, row["source"], row["value"], row["low"], row["high"])
        for metric in (SHOWN if table["system"].nunique() <= FEW else SHOWN_OF_MANY)
        for name, of in systems_of(table[table["metric"] == metric])
        for _, row in of.iterrows()
    ]
    reference = (f"the paper's {percent(PAPER_MICRO_F1)}", PAPER_MICRO_F1) if corpus.name == PAPER_CORPUS else None
    return Dots("Scores with their intervals", dots, reference, "intervals")


def _ends(rows: pd.DataFrame, source: str) -> list[str]:
    of = rows[rows["source"] == source]
    return [interval(of["low"].iloc[0], of["high"].iloc[0]) if len(of) else "one run" if source == "seeds" else ""]


def _sd(rows: pd.DataFrame) -> str:
    values = pd.to_numeric(rows["sd"], errors="coerce").dropna() if "sd" in rows else rows["value"].iloc[:0]
    return percent(float(values.max())) if len(values) else ""


def _distinct(table: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(table[list(columns)].itertuples(index=False, name=None)))


def comparison_section(results: Results) -> Section:
    """Differences between systems: how large, how sure, corrected for their number."""
    table, title = results.table("comparisons"), "Comparisons"
    if table is None:
        what = "The systems are not compared yet."
        return Section("comparisons", title, [Missing(what, results.command("comparisons"))])
    is_few = len(_distinct(table, ["system_a", "system_b"])) <= FEW
    rows = [
        [
            f"{row['system_a']} {MINUS} {row['system_b']}", METRIC_NAMES[row["metric"]],
            percent(row["a"]), percent(row["b"]),
            points(row["difference"]), interval(row["low"], row["high"], points), p_value(row["p_value"]),
            p_value(row["p_holm"]),
        ]
        for metric in (METRIC_NAMES if is_few else SHOWN)
        for _, row in table[table["metric"] == metric].iterrows()
    ]  # fmt: skip
    more = "" if is_few else " comparisons.csv has the other metrics."
    return Section("comparisons", title, [
        Text("Of the same test sentences, tagged by both systems. Differences are in percentage points." + more),
        Table(
            "Differences between systems",
            ["systems", "metric", "first", "second", "difference", "interval", "p", "Holm p"], rows, text_columns=2,
            filter_by=1,
        ),
        Text(
            f"Test: {'; '.join(test for (test,) in _distinct(table, ['test']))}; {count(table['n'].max())} sentences. "
            "p is the chance of a difference at least as large if the systems were equally good. Holm p is corrected "
            "for how many systems are compared under the metric."
        ),
    ])  # fmt: skip
