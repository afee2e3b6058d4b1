"""The scores under every metric, and their distance from the paper's figure."""

from __future__ import annotations

import pandas as pd

from bert_ner.corpus.catalog import Corpus
from claims.paper import PAPER_CORPUS, PAPER_MICRO_F1
from reporting.blocks import Block, Cell, Section, Table, Text
from reporting.formats import METRIC_NAMES, MINUS, mean_and_spread, percent, points
from reporting.results import Results, by_system


def metric_section(results: Results) -> Section:
    scores, audit, featured = results.needed("scores"), results.facts("audit"), results.featured()
    all_o = audit.get("all_o") if audit else None
    all_o = all_o if isinstance(all_o, dict) else None
    blocks: list[Block] = [score_table(results.corpus, scores, featured, all_o)]
    is_papers = results.corpus.name == PAPER_CORPUS
    if is_papers:
        blocks += [Text(_nearest(scores[scores["system"].isin(featured)]))]
    if all_o:
        blocks += [Text("The last column is a tagger that says O for every word and finds no entity.")]
    return Section("metrics", "Which metric?" if is_papers else "Scores", blocks)


def score_table(
    corpus: Corpus, scores: pd.DataFrame, featured: list[str], all_o: dict[str, float] | None = None
) -> Table:
    """Return a row per metric. A system's score nearest to the paper's is marked; featured ones have the distance."""
    systems = by_system(scores)
    means = {name: _means(rows) for name, rows in systems}
    with_distance = featured if corpus.name == PAPER_CORPUS else []
    header = ["metric"]
    for name, _ in systems:
        header += [name, f"{name} {MINUS} paper"] if name in with_distance else [name]
    table = []
    for metric in means[systems[0][0]]:
        row: list[str | Cell] = [Cell(METRIC_NAMES[metric], "strong" if metric == "entity_f1" else "")]
        for name, rows in systems:
            cells: list[str | Cell] = [mean_and_spread(rows[metric])]
            if name in with_distance:
                cells.append(points(means[name][metric] - PAPER_MICRO_F1))
            if corpus.name == PAPER_CORPUS and _nearest_metric(means[name]) == metric:
                cells[-1] = Cell(str(cells[-1]), "nearest")
            row += cells
        table.append(row + ([percent(all_o[metric]) if metric in all_o else ""] if all_o else []))
    caption = "Scores on the test sentences under every metric"
    if corpus.name == PAPER_CORPUS:
        caption += f", and their distance from the paper's {percent(PAPER_MICRO_F1)} in points"
    return Table(caption, [*header, *(["O everywhere"] if all_o else [])], table)


def _means(rows: pd.DataFrame) -> dict[str, float]:
    return {metric: float(rows[metric].mean()) for metric in METRIC_NAMES if metric in rows}


def _nearest_metric(means: dict[str, float]) -> str:
    return min(means, key=lambda metric: abs(means[metric] - PAPER_MICRO_F1))


def _nearest(scores: pd.DataFrame) -> str:
    found = []
    for name, rows in by_system(scores):
        means = _means(rows)
        metric = _nearest_metric(means)
        found.append(f"{METRIC_NAMES[metric]} for {name} ({percent(means[metric])})")
    return (
        f"The paper reports {percent(PAPER_MICRO_F1)} % as micro-F1 over tokens (section 4.2), without saying whether "
        f"O counts. Nearest to it, in bold: {'; '.join(found)}. The paper's encoder is BERT-base-uncased (110 M "
        "parameters); the encoders measured here are named above."
    )
