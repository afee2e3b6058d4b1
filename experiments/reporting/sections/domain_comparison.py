"""The systems on every corpus: the page of results/domains."""

from functools import partial
from pathlib import Path

from harness.paths import DOMAINS
from harness.tables import producer_of, read_table

from bert_ner.corpus.catalog import corpus_named, corpus_names
from claims.fields import PublishedScore
from claims.judging import PUBLISHED
from claims.schema import read_published
from reporting.blocks import Block, Missing, Plot, Section, Table, Text
from reporting.formats import count, mean_and_spread, percent
from reporting.plots import Dot, dots_plot
from reporting.results import Results, first_rows
from reporting.sections.claim_table import verdict_blocks


def domain_sections(root: Path) -> list[Section]:
    """Return entity F1 on every corpus that was not generated, and the claims about other corpora."""
    claims = read_table(root, DOMAINS, "claims")
    absent = [Missing("They are not judged yet.", producer_of("claims", DOMAINS))]
    return [
        Section("scores", "Entity F1", _score_blocks(root)),
        Section(
            "claims", "The paper's claims about other corpora",
            absent if claims is None or claims.empty else verdict_blocks(claims),
        ),
    ]  # fmt: skip


def _score_blocks(root: Path) -> list[Block]:
    corpora = [Results(root, corpus) for corpus in map(corpus_named, corpus_names()) if not corpus.is_generated]
    tables = {results.corpus.name: results.table("scores") for results in corpora}
    scored = {name: scores for name, scores in tables.items() if scores is not None}
    systems = dict.fromkeys(system for scores in scored.values() for system in scores["system"])
    rows = []
    for system in systems:
        found = [scores[scores["system"] == system]["entity_f1"] for scores in scored.values()]
        rows.append([system, *(mean_and_spread(values) if len(values) else "not run" for values in found)])
    best = {name: _best_published(name) for name in scored}
    if any(best.values()):
        rows.append(["best published", *(percent(entry.score) if entry else "" for entry in best.values())])
    blocks: list[Block] = _plots([results for results in corpora if results.corpus.name in scored])
    blocks.append(Table("Entity F1 on each corpus", ["system", *scored], rows))
    if named := "; ".join(f"{name}: {entry.system} ({entry.source})" for name, entry in best.items() if entry):
        blocks.append(Text(f"The best comparable published results, {named}."))
    if missing := [name for name in tables if name not in scored]:
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
    title = "Entity F1 by corpus; whiskers are intervals over sentences"
    return [Plot(title, "domains", partial(dots_plot, dots))]


def _best_published(corpus: str) -> PublishedScore | None:
    found = [
        entry
        for entry in read_published(PUBLISHED)
        if entry.test_set == corpus and entry.comparable and entry.metric == "entity_f1"
    ]
    return max(found, key=lambda entry: entry.score, default=None)
