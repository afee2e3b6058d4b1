"""The scores under every metric, and their distance from the paper's figure."""

from __future__ import annotations

import math

import pandas as pd

from bert_ner.corpus.catalog import Corpus
from claims.paper import PAPER_CORPUS, PAPER_MICRO_F1
from reporting.blocks import Block, Cell, Table, Text
from reporting.formats import METRIC_NAMES, MINUS, mean_and_spread, percent, points
from reporting.results import Results, by_system


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
