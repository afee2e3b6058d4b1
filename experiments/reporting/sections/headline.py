"""The head of the report: the claim, the scores and the verdict; and the scores under every metric."""

import math
from typing import Any

from harness.tables import as_written_by

import pandas as pd

from bert_ner.corpus.catalog import Corpus
from claims.paper import PAPER_CORPUS, PAPER_MICRO_F1
from reporting.blocks import Block, Cell, Facts, Table, Text, Warn
from reporting.formats import BANNER, METRIC_NAMES, MINUS, mean_and_spread, percent, points
from reporting.results import Results, by_system


def headline_blocks(results: Results) -> list[Block]:
    scores, corpus, featured = results.needed("scores"), results.corpus, results.featured()
    shown = [(name, rows) for name, rows in by_system(scores) if name in featured]
    facts = [
        (METRIC_NAMES[metric], "; ".join(f"{name} {mean_and_spread(rows[metric])} %" for name, rows in shown), "")
        for metric in ("token_micro_f1", "entity_f1")
    ]
    blocks: list[Block] = [Warn("Generated corpus.", BANNER)] if corpus.is_generated else []
    if corpus.name != PAPER_CORPUS:
        blocks.append(Facts(facts))
    else:
        remark = "BERT-base-uncased, 110 M parameters; over tokens, without saying whether O counts"
        facts.insert(0, ("The paper's claim", f"{percent(PAPER_MICRO_F1)} % micro-F1", remark))
        if (claims := results.table("claims")) is None:
            blocks += [Facts(facts), results.missing("claims", "There is no verdict on that claim yet.")]
        else:
            blocks.append(Facts(facts + _verdicts(claims)))
    with as_written_by(f"python experiments/prepare.py --corpus {corpus.name}", results.folder / "corpus.json"):
        blocks.append(Text(_describe(corpus, results.facts("corpus"), scores)))
    return blocks


def _verdicts(claims: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return the verdict on claim R1, which may have parts: R1a, R1b."""
    rows = claims[claims["id"].str.fullmatch(r"R1\D*")]
    see = "see the table of claims for the evidence"
    return [(f"Verdict on {row['id']}: {row['claim']}", row["verdict"], see) for _, row in rows.iterrows()]


def _describe(corpus: Corpus, facts: dict[str, Any] | None, scores: pd.DataFrame) -> str:
    """Return the sizes of the corpus, and the systems with their encoders and seeds."""
    size = ""
    if facts is not None:
        names = {"train": "training", "validation": "validation", "test": "test"}
        parts = ", ".join(f"{facts[part]['sentences']:,} {name}" for part, name in names.items())
        size = f"{parts} sentences, {facts['types']} entity types, {facts['tags']} tags. "
    systems = []
    for name, rows in by_system(scores):
        encoder = f" ({rows['encoder'].iloc[0]})" if rows["encoder"].iloc[0] else ""
        seeds = f", seeds {', '.join(map(str, rows['seed']))}" if len(rows) > 1 else ""
        systems.append(f"{name}{encoder}{seeds}")
    return (
        f"{corpus.title}: {size}Systems: {'; '.join(systems)}. Values are percentages on the test sentences; with "
        "several seeds, mean ± sample standard deviation."
    )


def metric_blocks(results: Results) -> list[Block]:
    scores, featured = results.needed("scores"), results.featured()
    all_o = (results.facts("audit") or {}).get("all_o")
    all_o = all_o if isinstance(all_o, dict) else {}
    blocks: list[Block] = [score_table(results.corpus, scores, featured, all_o)]
    if results.corpus.name == PAPER_CORPUS:
        means = {name: _means(rows) for name, rows in by_system(scores) if name in featured}
        nearest = {name: _nearest_metric(values) for name, values in means.items()}
        found = [
            f"{METRIC_NAMES[metric]} for {name} ({percent(means[name][metric])})" for name, metric in nearest.items()
        ]
        blocks.append(Text(
            f"The paper reports {percent(PAPER_MICRO_F1)} % as micro-F1 over tokens (section 4.2), without saying "
            f"whether O counts. Nearest to it, in bold: {'; '.join(found)}. The paper's encoder is BERT-base-uncased "
            "(110 M parameters); the encoders measured here are named above."
        ))  # fmt: skip
    if all_o:
        blocks.append(Text("The last column is a tagger that says O for every word and finds no entity."))
    return blocks


def score_table(
    corpus: Corpus, scores: pd.DataFrame, featured: list[str], all_o: dict[str, float] | None = None
) -> Table:
    """Return a row per metric. A system's score nearest to the paper's is marked; featured ones have the distance."""
    is_papers = corpus.name == PAPER_CORPUS
    systems = [(name, rows, _means(rows)) for name, rows in by_system(scores)]
    header = ["metric"]
    for name, _, _ in systems:
        header += [name, f"{name} {MINUS} paper"] if is_papers and name in featured else [name]
    table = []
    for metric in _means(scores):
        row: list[str | Cell] = [Cell(METRIC_NAMES[metric], "strong" if metric == "entity_f1" else "")]
        for name, rows, means in systems:
            row.append(mean_and_spread(rows[metric]))
            if is_papers and name in featured:
                row.append(points(means[metric] - PAPER_MICRO_F1))
            if is_papers and _nearest_metric(means) == metric:
                row[-1] = Cell(str(row[-1]), "nearest")
        table.append(row + ([percent(all_o.get(metric, math.nan))] if all_o else []))
    caption = "Scores on the test sentences under every metric"
    if is_papers:
        caption += f", and their distance from the paper's {percent(PAPER_MICRO_F1)} in points"
    return Table(caption, [*header, *(["O everywhere"] if all_o else [])], table)


def _means(rows: pd.DataFrame) -> dict[str, float]:
    return {metric: float(rows[metric].mean()) for metric in METRIC_NAMES if metric in rows}


def _nearest_metric(means: dict[str, float]) -> str:
    return min(means, key=lambda metric: abs(means[metric] - PAPER_MICRO_F1))
