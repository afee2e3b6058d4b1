"""The verdict on the claim, the scores with their uncertainty and differences, and the cost of the systems."""

import math
from functools import partial
from typing import Any

from harness.params import REFERENCE
from harness.tables import as_written_by

import pandas as pd

from bert_ner.corpus.catalog import Corpus
from bert_ner.wording import counted
from claims.paper import PAPER_CORPUS, PAPER_MICRO_F1
from reporting.blocks import Block, Cell, Facts, Plot, Table, Text
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
from reporting.layouts import layout_table, spreads
from reporting.plots import Dot, Line, dots_plot, lines_plot
from reporting.results import Results, by_system, matching, records
from reporting.speed import speed_blocks

FEW = 3  # of so many systems, the figure and the table of pairs show more metrics
SHOWN = ("token_micro_f1", "token_micro_f1_no_o", "entity_f1", "entity_f1_strict", "span_f1")
SHOWN_OF_MANY = ("token_micro_f1", "entity_f1")
LEAST_SECONDS = 0.1  # where the axis of training time begins
UNITS = {"parameters": 1e6, "train_seconds": 1, "words_per_second": 1, "model_bytes": 1e6}


def headline_blocks(results: Results) -> list[Block]:
    scores, corpus, claims = results.needed("scores"), results.corpus, results.table("claims")
    shown = [(name, rows) for name, rows in by_system(scores) if name in results.featured()]
    facts = [
        (METRIC_NAMES[metric], "; ".join(f"{name} {mean_and_spread(rows[metric])} %" for name, rows in shown), "")
        for metric in SHOWN_OF_MANY
    ]
    if corpus.name == PAPER_CORPUS:
        remark = "BERT-base-uncased, 110 M parameters; over tokens, without saying whether O counts"
        facts.insert(0, ("The paper's claim", f"{percent(PAPER_MICRO_F1)} % micro-F1", remark))
        verdicts = claims[claims["id"].str.fullmatch(r"R1\D*")]  # claim R1 may have parts: R1a, R1b
        see = "see the table of claims for the evidence"
        facts += [(f"Verdict on {row.id}: {row.claim}", row.verdict, see) for row in records(verdicts)]
    blocks: list[Block] = [Text(NOTES["generated"], warning="Generated corpus.")] if corpus.is_generated else []
    blocks.append(Facts(facts))
    if corpus.name == PAPER_CORPUS and claims.empty:
        blocks.append(results.missing("claims", "There is no verdict on that claim yet."))
    with as_written_by(f"python experiments/prepare.py --corpus {corpus.name}", results.folder / "corpus.json"):
        return [*blocks, _describe(corpus, results.facts("corpus.json"), scores)]


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
    """Return each score with its interval over test sentences and its interval over training seeds."""
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
                sources = records(found[found["source"].isin(["sentences", "seeds"])])
                dots += [Dot(title, name, r.value, r.low, r.high, r.source == "seeds") for r in sources]
    is_papers = results.corpus.name == PAPER_CORPUS
    reference = (f"the paper's {percent(PAPER_MICRO_F1)}", PAPER_MICRO_F1) if is_papers else None
    title = "Scores with their intervals; solid: over sentences, dashed: over seeds"
    methods = dict.fromkeys(zip(table["source"], table["method"], strict=True))
    header = ["metric", "system", "score", "over sentences", "over seeds", "over both", "seed sd"]
    return [
        note("intervals", level=level, methods="; ".join(map(": ".join, methods))),
        Plot(title, "intervals", partial(dots_plot, dots, reference)),
        Table(f"Scores with intervals at {level}", header, rows, text_columns=2, filter_by=0),
    ]


def comparison_blocks(_: Results, table: pd.DataFrame) -> list[Block]:
    """Return the differences between systems, with intervals and p-values corrected for their number."""
    is_few = len(table[["system_a", "system_b"]].drop_duplicates()) <= FEW
    rows = pd.concat([table[table["metric"] == metric] for metric in (METRIC_NAMES if is_few else SHOWN)])
    return [
        note("comparisons", more="" if is_few else " comparisons.csv has the other metrics."),
        layout_table("comparisons", with_p_texts(rows)),
        note("tests", tests="; ".join(dict.fromkeys(table["test"])), n=count(table["n"].max())),
    ]


def system_blocks(results: Results, costs: pd.DataFrame) -> list[Block]:
    """Return a row per system with its cost and scores, and the systems that were not run, with the reason."""
    means = costs.groupby("system", as_index=False)[list(UNITS)].mean()
    means[list(UNITS)] /= list(UNITS.values())
    intervals = matching(results.table("intervals"), metric="entity_f1", source="sentences")
    gaps = matching(results.table("comparisons"), metric="entity_f1", system_b=REFERENCE)
    gaps = gaps[["system_a", "difference", "low", "high"]]
    gaps.columns = pd.Index(["system", "difference", "low_difference", "high_difference"])
    systems = spreads(results.needed("scores"), ["system"], {"token_micro_f1": percent, "entity_f1": percent})
    for found in (means, intervals[["system", "value", "low", "high"]], gaps):
        systems = systems.merge(found, on="system", how="left")
    blocks: list[Block] = [layout_table("systems", systems, reference=REFERENCE)]
    absent = results.table("not_run")
    absent = absent[~absent["system"].isin(systems["system"])].drop_duplicates(["system", "reason"])
    if len(absent):
        reasons = absent.groupby("system", sort=False, as_index=False).agg({"encoder": "first", "reason": "; ".join})
        blocks.append(layout_table("not_run", reasons))
    lines = [
        Line(row.system, row.system, [(max(row.train_seconds, LEAST_SECONDS), row.value, row.low, row.high)])
        for row in records(systems.dropna(subset=["train_seconds", "value"]))
    ]
    if lines:
        title = "Entity F1 and training time; whiskers are intervals over sentences"
        draw = partial(lines_plot, lines, "seconds of training", "entity F1", scores=True)
        blocks.append(Plot(title, "quality_and_cost", draw))
    return [*blocks, note("costs", reference=REFERENCE, machines=", ".join(dict.fromkeys(costs["machine"])))]


def benchmark_blocks(_: Results, table: pd.DataFrame) -> list[Block]:
    """Return time and memory as `make bench` measured them: in short, then everything."""
    machines = "; ".join(dict.fromkeys(table["machine"]))
    facts = note("benchmarks", machines=machines, corpus=PAPER_CORPUS)
    return [*speed_blocks(table), facts, layout_table("benchmarks", table)]
