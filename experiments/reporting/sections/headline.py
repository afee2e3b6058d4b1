"""The head of the report: the claim, the scores and the verdict."""

from __future__ import annotations

from typing import Any

from harness.tables import as_written_by

import pandas as pd

from bert_ner.corpus.catalog import Corpus
from claims.paper import PAPER_CORPUS, PAPER_MICRO_F1
from reporting.blocks import Block, Facts, Text, Warn
from reporting.formats import BANNER, METRIC_NAMES, mean_and_spread, percent
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
