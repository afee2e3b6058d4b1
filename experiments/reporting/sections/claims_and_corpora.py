"""The paper's claims with their verdicts, the published results, and the systems on every corpus."""

from functools import partial
from pathlib import Path

from harness.paths import DOMAINS
from harness.tables import producer_of, read_table

import pandas as pd

from bert_ner.corpus.catalog import CORPORA
from claims.fields import VERDICTS, PublishedScore
from claims.judging import PUBLISHED, tally
from claims.paper import PAPER_CORPUS
from claims.schema import read_published
from reporting.blocks import Block, Cell, Missing, Plot, Section, Table, Text
from reporting.formats import METRIC_NAMES, claim_value, count, mean_and_spread, note, percent
from reporting.plots import Dot, dots_plot
from reporting.results import Results, by_system, first_rows, records


def claim_blocks(results: Results) -> list[Block]:
    """Return how many claims hold, and each with its evidence."""
    claims = results.table("claims")
    if results.corpus.name != PAPER_CORPUS:
        return [Text("The paper makes no claim about this corpus.")]
    if claims is None:
        return [results.missing("claims", "The paper's claims are not judged yet.")]
    return [*_verdict_blocks(claims), Text("The claims about other corpora are in ../domains/report.md.")]


def _verdict_blocks(claims: pd.DataFrame) -> list[Block]:
    rows = []
    for row in records(claims):
        paper, measured, low, high = map(claim_value, (row.paper_value, row.measured, row.low, row.high))
        measured += f" ({low} to {high})" if low and high else ""
        verdict = Cell(row.verdict, "verdict")
        rows.append([row.id, verdict, row.claim, paper, measured, row.evidence, row.section, row.system])
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
        note("published"),
        Table("Published results", header, rows, text_columns=7, filter_by=4),
    ]


def domain_sections(root: Path) -> list[Section]:
    """Return entity F1 on every corpus that was not generated, and the claims about other corpora."""
    claims = read_table(root, DOMAINS, "claims")
    blocks: list[Block] = [Missing("They are not judged yet.", producer_of("claims", DOMAINS))]
    if claims is not None and len(claims):
        blocks = _verdict_blocks(claims)
    return [
        Section("scores", "Entity F1", _score_blocks(root)),
        Section("claims", "The paper's claims about other corpora", blocks),
    ]


def _score_blocks(root: Path) -> list[Block]:
    corpora = [Results(root, corpus) for corpus in CORPORA.values() if not corpus.is_generated]
    scored = {results.corpus.name: scores for results in corpora if (scores := results.table("scores")) is not None}
    cells = {
        name: {system: mean_and_spread(rows["entity_f1"]) for system, rows in by_system(scores)}
        for name, scores in scored.items()
    }
    systems = dict.fromkeys(system for found in cells.values() for system in found)
    rows = [[system, *(found.get(system, "not run") for found in cells.values())] for system in systems]
    best = {name: _best_published(name) for name in scored}
    if any(best.values()):
        rows.append(["best published", *(percent(entry.score) if entry else "" for entry in best.values())])
    blocks: list[Block] = _plots([results for results in corpora if results.corpus.name in scored])
    blocks.append(Table("Entity F1 on each corpus", ["system", *scored], rows))
    if named := "; ".join(f"{name}: {entry.system} ({entry.source})" for name, entry in best.items() if entry):
        blocks.append(Text(f"The best comparable published results, {named}."))
    if missing := [results.corpus.name for results in corpora if results.corpus.name not in scored]:
        blocks.append(Missing(f"No results on {', '.join(missing)} yet.", "make repro-all"))
    return blocks


def _plots(corpora: list[Results]) -> list[Block]:
    """Return entity F1 with its interval over sentences on each corpus, if there is more than one."""
    dots = []
    for results in corpora:
        title = results.corpus.title.partition(" (")[0]
        rows = first_rows(results.table("intervals"), "system", metric="entity_f1", source="sentences")
        dots += [
            Dot(f"{title} ({count(row['n'])} sentences)", system, row["value"], row["low"], row["high"])
            for system, row in rows.items()
        ]
    if len({dot.group for dot in dots}) < 2:
        return []
    return [Plot("Entity F1 by corpus; whiskers are intervals over sentences", "domains", partial(dots_plot, dots))]


def _best_published(corpus: str) -> PublishedScore | None:
    found = [
        entry
        for entry in read_published(PUBLISHED)
        if entry.test_set == corpus and entry.comparable and entry.metric == "entity_f1"
    ]
    return max(found, key=lambda entry: entry.score, default=None)
