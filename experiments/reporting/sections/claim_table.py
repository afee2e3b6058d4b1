"""The paper's claims with their verdicts, and the published results."""

from __future__ import annotations

from typing import Any

import pandas as pd

from claims.fields import VERDICTS
from claims.judging import PUBLISHED, tally
from claims.paper import PAPER_CORPUS
from claims.schema import read_published
from reporting.blocks import Block, Cell, Missing, Section, Table, Text
from reporting.formats import METRIC_NAMES, claim_value, percent
from reporting.results import Results


def claim_section(results: Results) -> Section:
    """Return how many claims hold, and each with its evidence."""
    claims, title = results.table("claims"), "The paper's claims"
    if results.corpus.name != PAPER_CORPUS:
        return Section("claims", title, [Text("The paper makes no claim about this corpus.")])
    if claims is None:
        missing = Missing("The paper's claims are not judged yet.", results.command("claims"))
        return Section("claims", title, [missing])
    other = Text("The claims about other corpora are in ../domains/report.md.")
    return Section("claims", title, [*claim_blocks(claims), other])


def claim_blocks(claims: pd.DataFrame) -> list[Block]:
    rows = [
        [row["id"], Cell(row["verdict"], "verdict"), row["claim"], claim_value(row["paper_value"]), _measured(row),
         row["evidence"], row["section"], row["system"]]
        for _, row in claims.iterrows()
    ]  # fmt: skip
    return [
        Text(f"{tally(claims['verdict'])}. Scores are fractions here, as in claims.csv."),
        Table(
            "Claims with verdicts", ["id", "verdict", "claim", "paper", "measured", "evidence", "section", "system"],
            rows, text_columns=8, filter_by=1, choices=VERDICTS,
        ),
    ]  # fmt: skip


def _measured(row: Any) -> str:
    ends = f" ({claim_value(row['low'])} to {claim_value(row['high'])})" if row["low"] and row["high"] else ""
    return claim_value(row["measured"]) + ends


def published_section(results: Results) -> Section:
    """Return results that others report on the corpus, and which of them are comparable."""
    title = "Published results"
    rows = [
        [
            entry.system, entry.parameters, percent(entry.score), METRIC_NAMES[entry.metric],
            "yes" if entry.comparable else "no", entry.reason or "", entry.source,
        ]
        for entry in read_published(PUBLISHED)
        if entry.corpus == results.corpus.name
    ]  # fmt: skip
    if not rows:
        return Section("published", title, [Text("No published result on this corpus is known.")])
    return Section("published", title, [
        Text("As their sources give them. A score is comparable on the same test sentences and by the same metric."),
        Table(
            "Published results", ["system", "parameters", "score", "metric", "comparable", "remark", "source"], rows,
            text_columns=7, filter_by=4,
        ),
    ])  # fmt: skip
