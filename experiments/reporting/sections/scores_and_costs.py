"""The corpus and its systems, their scores with uncertainty and differences, and what they cost."""

import math
from functools import partial
from typing import Any

from harness.params import REFERENCE
from harness.parts import WHOLE
from harness.tables import as_written_by, matching

import pandas as pd

from bert_ner.corpus.catalog import Corpus
from bert_ner.wording import counted
from claims.paper import PAPER_CORPUS, PAPER_MICRO_F1
from reporting.blocks import Block, Cell, Plot, Table, Text
from reporting.formats import (
    METRIC_NAMES,
    MINUS,
    NOTES,
    count,
    interval,
    mean_and_spread,
    note,
    percent,
    points,
    with_p_texts,
)
from reporting.layouts import frame_table, layout_table
from reporting.plots import Dot, dots_plot
from reporting.results import Results, by_system, records
from reporting.speed import speed_blocks

FEW = 3  # of so many systems, the figure and the table of pairs show more metrics
SHOWN = ("token_micro_f1", "token_micro_f1_no_o", "entity_f1", "entity_f1_strict", "span_f1")
SHOWN_OF_MANY = ("token_micro_f1", "entity_f1")


def corpus_blocks(results: Results) -> list[Block]:
    corpus = results.corpus
    with as_written_by(f"python experiments/prepare.py --corpus {corpus.name}", results.folder / "corpus.json"):
        return [_describe(corpus, results.facts("corpus.json"), results.needed("scores"))]


def _describe(corpus: Corpus, facts: dict[str, Any] | None, scores: pd.DataFrame) -> Text:
    """Return the sizes of the corpus, and the systems with their encoders and seeds."""
    size = ""
    if facts is not None:
        names = {"train": "training", "validation": "validation", "test": "test"}
        parts = ", ".join(f"{facts[part]['sentences']:,} {name}" for part, name in names.items())
        size = f"{parts} sentences, {counted(facts['types'], 'entity type')}, {counted(facts['tags'], 'tag')}. "
    systems = []
    for name, rows in by_system(scores):
        encoder = f" ({rows['encoder'].iloc[0]})" if rows["encoder"].iloc[0] else ""
        seeds = f", seeds {', '.join(map(str, rows['seed']))}" if len(rows) > 1 else ""
        systems.append(f"{name}{encoder}{seeds}")
    return note("systems", title=corpus.title, size=size, systems="; ".join(systems))


def metric_blocks(results: Results) -> list[Block]:
    scores, featured = results.needed("scores"), results.featured()
    all_o = (results.facts("audit.json") or {}).get("all_o")
    all_o = all_o if isinstance(all_o, dict) else {}
    blocks: list[Block] = [score_table(results.corpus, scores, featured, all_o)]
    if results.corpus.name == PAPER_CORPUS:
        means = _means(scores).loc[featured]
        found = [
            f"{METRIC_NAMES[metric]} for {name} ({percent(means[metric][name])})"
            for name, metric in _nearest_metrics(means).items()
        ]
        blocks.append(note("metrics", paper=percent(PAPER_MICRO_F1), nearest="; ".join(found)))
    return [*blocks, note("all_o")] if all_o else blocks


def score_table(
    corpus: Corpus, scores: pd.DataFrame, featured: list[str], all_o: dict[str, float] | None = None
) -> Table:
    """Return a row per metric. A system's score nearest to the paper's is marked; featured ones have the distance."""
    is_papers, means = corpus.name == PAPER_CORPUS, _means(scores)
    metrics, nearest = list(map(str, means)), _nearest_metrics(means)
    names = [Cell(METRIC_NAMES[metric], "strong" if metric == "entity_f1" else "") for metric in metrics]
    columns: dict[str, list[str]] = {"metric": [*names]}
    for name, rows in by_system(scores):
        cells = columns[name] = [mean_and_spread(rows[metric]) for metric in metrics]
        if is_papers and name in featured:
            cells = columns[f"{name} {MINUS} paper"] = list(map(points, means.loc[name] - PAPER_MICRO_F1))
        if is_papers:
            place = metrics.index(nearest[name])
            cells[place] = Cell(cells[place], "nearest")
    if all_o:
        columns["O everywhere"] = [percent(all_o.get(metric, math.nan)) for metric in metrics]
    distance = f", and their distance from the paper's {percent(PAPER_MICRO_F1)} in points" if is_papers else ""
    caption = f"Scores on the test sentences under every metric{distance}"
    return Table(caption, list(columns), list(zip(*columns.values(), strict=True)))


def _means(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each metric (columns) of each system."""
    return scores.groupby("system", sort=False)[[metric for metric in METRIC_NAMES if metric in scores]].mean()


def _nearest_metrics(means: pd.DataFrame) -> dict[str, str]:
    nearest: Any = (means - PAPER_MICRO_F1).abs().idxmin(axis=1)
    return dict(nearest)


def interval_blocks(results: Results, table: pd.DataFrame) -> list[Block]:
    """Return each score with its intervals: over test sentences, over seeds, and over both."""
    table = table[table["metric"].isin(METRIC_NAMES)]
    level = f"{100 * table['level'].max():g} %"
    shown = SHOWN if table["system"].nunique() <= FEW else SHOWN_OF_MANY
    rows, dots = [], []
    for metric, title in METRIC_NAMES.items():
        for name, found in by_system(table[table["metric"] == metric]):
            ends = {row.source: interval(row.low, row.high) for row in records(found)}
            over = [ends.get("sentences", ""), ends.get("seeds") or "one run", ends.get("seeds+sentences", "")]
            rows.append([title, name, percent(found["value"].iloc[0]), *over, percent(found["sd"].max())])
            if metric in shown:
                dots += _dots(title, found)
    by_part = matching(results.table("intervals_by_part"), metric="entity_f1")
    for part, found in by_part[by_part["part"] != WHOLE].groupby("part", sort=False):
        dots += _dots(f"{METRIC_NAMES['entity_f1']}, part {part}", found)
    is_papers = results.corpus.name == PAPER_CORPUS
    reference = (f"the paper's {percent(PAPER_MICRO_F1)}", PAPER_MICRO_F1) if is_papers else None
    title = "Scores with their intervals; solid: over sentences, dashed: over seeds"
    methods = dict.fromkeys(zip(table["source"], table["method"], strict=True))
    header = ["metric", "system", "score", "over sentences", "over seeds", "over both", "seed sd"]
    return [
        note("intervals", level=level, methods="; ".join(map(": ".join, methods))),
        Plot(title, "intervals", partial(dots_plot, dots, reference)),
        Table(f"Scores with intervals at {level}", header, rows, text_columns=2, filters=["metric"]),
    ]


def _dots(title: str, rows: pd.DataFrame) -> list[Dot]:
    """Return the dots of a metric: of each system, over sentences and over seeds."""
    shown = records(rows[rows["source"].isin(["sentences", "seeds"])])
    return [Dot(title, row.system, row.value, row.low, row.high, row.source == "seeds") for row in shown]


def comparison_blocks(results: Results, table: pd.DataFrame) -> list[Block]:
    """Return the differences between systems, with intervals and p-values; Holm's correction is over one family."""
    is_few = len(table[["system_a", "system_b"]].drop_duplicates()) <= FEW
    corrected = NOTES["confirmatory" if "confirmatory" in set(table["family"]) else "exploratory"]
    rows = pd.concat([table[table["metric"] == metric] for metric in (METRIC_NAMES if is_few else SHOWN)])
    return [
        note("comparisons", more="" if is_few else " comparisons.csv has the other metrics."),
        layout_table("comparisons", with_p_texts(rows)),
        note("tests", tests=_tests(table["test"]), n=count(table["n"].max()), corrected=corrected),
        *_part_blocks(matching(results.table("comparisons_by_part"), metric="entity_f1", system_b=REFERENCE)),
    ]


def _tests(texts: pd.Series) -> str:
    """Return the tests without the numbers of runs, which the table of systems has."""
    return "; ".join(dict.fromkeys(text.partition("; runs averaged, a=")[0] for text in texts))


def _part_blocks(leads: pd.DataFrame) -> list[Block]:
    """Return the difference of each system to the reference in each part of the corpus."""
    if leads.empty:
        return []
    ends = [f"{points(row.difference)} ({interval(row.low, row.high, points)})" for row in records(leads)]
    cells = leads.assign(cell=ends).pivot(index="system_a", columns="part", values="cell")
    cells = cells.loc[leads["system_a"].unique(), leads["part"].unique()].rename_axis("system")
    return [note("parts"), frame_table(f"Entity F1 by part: the difference to {REFERENCE} in points", cells)]


def benchmark_blocks(_: Results, table: pd.DataFrame) -> list[Block]:
    """Return time and memory as `make bench` measured them: in short, then everything."""
    machines = "; ".join(dict.fromkeys(table["machine"]))
    facts = note("benchmarks", machines=machines, corpus=PAPER_CORPUS)
    return [*speed_blocks(table), facts, layout_table("benchmarks", table)]
