"""The paper's claims with their verdicts, and the published results."""

import pandas as pd

from claims.fields import VERDICTS
from claims.judging import PUBLISHED, tally
from claims.paper import PAPER_CORPUS
from claims.schema import read_published
from reporting.blocks import Block, Cell, Table, Text
from reporting.formats import METRIC_NAMES, claim_value, percent
from reporting.results import Results


def claim_blocks(results: Results) -> list[Block]:
    """Return how many claims hold, and each with its evidence."""
    claims = results.table("claims")
    if results.corpus.name != PAPER_CORPUS:
        return [Text("The paper makes no claim about this corpus.")]
    if claims is None:
        return [results.missing("claims", "The paper's claims are not judged yet.")]
    return [*verdict_blocks(claims), Text("The claims about other corpora are in ../domains/report.md.")]


def verdict_blocks(claims: pd.DataFrame) -> list[Block]:
    rows = []
    for row in claims.to_dict("records"):
        paper, measured, low, high = (claim_value(row[key]) for key in ("paper_value", "measured", "low", "high"))
        measured += f" ({low} to {high})" if low and high else ""
        evidence = [row["evidence"], row["section"], row["system"]]
        rows.append([row["id"], Cell(row["verdict"], "verdict"), row["claim"], paper, measured, *evidence])
    header = ["id", "verdict", "claim", "paper", "measured", "evidence", "section", "system"]
    return [
        Text(f"{tally(claims['verdict'])}. Scores are fractions here, as in claims.csv."),
        Table("Claims with verdicts", header, rows, text_columns=8, filter_by=1, choices=VERDICTS),
    ]


def published_blocks(corpus: str) -> list[Block]:
    """Return results that others report on the corpus, and which of them are comparable."""
    rows = [
        [entry.system, entry.parameters, percent(entry.score), METRIC_NAMES[entry.metric],
         "yes" if entry.comparable else "no", entry.reason or "", entry.source]
        for entry in read_published(PUBLISHED)
        if entry.corpus == corpus
    ]  # fmt: skip
    if not rows:
        return [Text("No published result on this corpus is known.")]
    header = ["system", "parameters", "score", "metric", "comparable", "remark", "source"]
    return [
        Text("As their sources give them. A score is comparable on the same test sentences and by the same metric."),
        Table("Published results", header, rows, text_columns=7, filter_by=4),
    ]
