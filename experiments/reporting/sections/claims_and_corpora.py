"""The paper's claims with their verdicts, the published results, and the systems on every corpus."""

from functools import partial
from pathlib import Path

from harness.paths import DOMAINS
from harness.tables import matching, producer_of, read_table

import pandas as pd

from bert_ner.corpus.catalog import corpus_named, corpus_names
from claims.fields import VERDICTS, PublishedScore
from claims.judging import PUBLISHED, tally
from claims.paper import PAPER_CORPUS
from claims.schema import read_published
from reporting.blocks import Block, Missing, Plot, Section, Text
from reporting.formats import claim_value, count, note, percent
from reporting.layouts import crossed, frame_table, layout_table
from reporting.plots import Dot, dots_plot
from reporting.results import Results, records


def claim_blocks(results: Results) -> list[Block]:
    if results.corpus.name != PAPER_CORPUS:
        return [Text("The paper makes no claim about this corpus.")]
    return results.show("claims", lambda _, claims: [*_verdict_blocks(claims), note("other_claims")])


def _verdict_blocks(claims: pd.DataFrame) -> list[Block]:
    """Return how many claims hold, and each with its evidence."""
    low, high = claims["low"].map(claim_value), claims["high"].map(claim_value)
    ends = (" (" + low + " to " + high + ")").where((low != "") & (high != ""), "")
    rows = claims.assign(measured=claims["measured"].map(claim_value) + ends)
    return [
        Text(f"{tally(claims)}. Scores are fractions here, as in claims.csv."),
        layout_table("claims", rows)._replace(choices=VERDICTS),
    ]


def published_blocks(corpus: str) -> list[Block]:
    """Return results that others report on the corpus, and which of them are comparable."""
    rows = matching(_published(), corpus=corpus)
    if rows.empty:
        return [Text("No published result on this corpus is known.")]
    return [note("published"), layout_table("published", rows)]


def _published() -> pd.DataFrame:
    entries = [entry.model_dump() for entry in read_published(PUBLISHED)]
    return pd.DataFrame(entries, columns=list(PublishedScore.model_fields))


def domain_sections(root: Path) -> list[Section]:
    """Return entity F1 on every corpus that was not generated, and the claims about other corpora."""
    claims = read_table(root, DOMAINS, "claims")
    missing = Missing("They are not judged yet.", producer_of("claims", DOMAINS))
    blocks = [missing] if claims is None or claims.empty else _verdict_blocks(claims)
    return [
        Section("scores", "Entity F1", _score_blocks(root)),
        Section("claims", "The paper's claims about other corpora", blocks),
    ]


def _score_blocks(root: Path) -> list[Block]:
    corpora = [Results(root, corpus) for corpus in map(corpus_named, corpus_names()) if not corpus.is_generated]
    scores = pd.concat([results.table("scores") for results in corpora])
    cells = crossed(scores, "system", "corpus", "entity_f1", absent="not run")
    best = _published().query("comparable and metric == 'entity_f1' and test_set in @cells.columns")
    best = best.sort_values("score", ascending=False, kind="stable").drop_duplicates("test_set").set_index("test_set")
    if len(best):
        cells.loc["best comparable published"] = best["score"].map(percent).reindex(cells.columns, fill_value="")
    runs = scores.groupby(["system", "corpus"], sort=False).size().rename("n").reset_index()
    most = runs["n"].max()
    fewer = [f"{row.system} on {row.corpus} ({row.n})" for row in records(runs) if 1 < row.n < most]
    blocks: list[Block] = [*_plots(corpora), frame_table("Entity F1 on each corpus", cells, is_whole=True)]
    if most > 1:
        blocks.append(note("seeds", most=str(most), fewer=f", fewer of {', '.join(fewer)}" if fewer else ""))
    parts = pd.concat([_by_part(results) for results in corpora])
    if len(parts):
        by_part = crossed(parts, "system", "part", "value", absent="not run")
        blocks.append(frame_table("Entity F1 in each part of a corpus, mean over seeds", by_part, is_whole=True))
    if len(best):
        found = records(best.loc[[name for name in cells if name in best.index]])
        named = "; ".join(f"{entry.Index}: {entry.system} ({entry.source})" for entry in found)
        blocks.append(Text(f"The best comparable published results, {named}."))
    if missing := [results.corpus.name for results in corpora if results.corpus.name not in cells]:
        blocks.append(Missing(f"No results on {', '.join(missing)} yet.", "make repro-all"))
    return blocks


def _by_part(results: Results) -> pd.DataFrame:
    rows = results.f1_by_part()
    return rows.assign(part=f"{results.corpus.name}, part " + rows["part"].astype(str))


def _plots(corpora: list[Results]) -> list[Block]:
    """Return entity F1 with its interval over sentences on each corpus, if there is more than one."""
    intervals = [(results.corpus.title.partition(" (")[0], results.table("intervals")) for results in corpora]
    dots = [
        Dot(f"{title} ({count(row.n)} sentences)", row.system, row.value, row.low, row.high)
        for title, table in intervals
        for row in records(matching(table, metric="entity_f1", source="sentences"))
    ]
    if len({dot.group for dot in dots}) < 2:
        return []
    return [Plot("Entity F1 by corpus; whiskers are intervals over sentences", "domains", partial(dots_plot, dots))]
