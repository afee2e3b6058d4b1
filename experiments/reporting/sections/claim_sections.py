"""Sections that judge: every claim with its verdict, published results, the audit of data and alignment."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.paths import ROOT
from harness.tables import as_written_by

from claims.schema import VERDICTS, read_published
from reporting.blocks import Block, Cell, Missing, Section, Table, Text
from reporting.formats import METRIC_NAMES, PAPER_CORPUS, as_found, percent
from reporting.results import Results

PUBLISHED = ROOT / "experiments/claims/published.yaml"


def claim_section(results: Results) -> Section:
    """How many claims hold, and each with what was measured."""
    claims, title = results.table("claims"), "The paper's claims"
    if claims is None and results.corpus.name != PAPER_CORPUS:
        return Section("claims", title, [Text("The paper makes no claim about this corpus.")])
    if claims is None:
        what = "The paper's claims are not judged yet."
        return Section("claims", title, [Missing(what, results.command("claims"))])
    tally = Counter(claims["verdict"])
    names = [*(name for name in VERDICTS if name in tally), *sorted(set(tally) - set(VERDICTS))]
    counts = ", ".join(f"{tally[name]} {name}" for name in names)
    rows = [
        [row["id"], Cell(row["verdict"], "verdict"), row["claim"], as_found(row["paper_value"]), _measured(row),
         row["evidence"], row["section"], row["system"]]
        for _, row in claims.iterrows()
    ]  # fmt: skip
    return Section("claims", title, [
        Text(f"{len(claims)} claims: {counts}. Scores are fractions here, as in claims.csv."),
        Table(
            "Claims with verdicts", ["id", "verdict", "claim", "paper", "measured", "evidence", "section", "system"],
            rows, text_columns=8, filter_by=1, choices=VERDICTS,
        ),
    ])  # fmt: skip


def _measured(row: Any) -> str:
    ends = f" ({as_found(row['low'])} to {as_found(row['high'])})" if row["low"] and row["high"] else ""
    return as_found(row["measured"]) + ends


def published_section(results: Results) -> Section:
    """Results that others report on the same test sentences, and which of them compare."""
    title = "Published results"
    rows = [entry for entry in read_published(PUBLISHED) if entry["corpus"] == results.corpus.name]
    if not rows:
        return Section("published", title, [Text("No published result on this corpus is on file.")])
    return Section("published", title, [
        Text("As their sources give them. Only those compare that are on the same test sentences, by the same metric."),
        Table(
            "Published results", ["system", "parameters", "score", "metric", "comparable", "remark", "source"],
            [
                [
                    entry["system"], entry["parameters"], percent(entry["score"]), METRIC_NAMES[entry["metric"]],
                    _yes(entry["comparable"]), entry.get("reason", ""), entry["source"],
                ]
                for entry in rows
            ],
            text_columns=7, filter_by=4,
        ),
    ])  # fmt: skip


def audit_section(results: Results) -> Section:
    """What was checked in the data and in the paper's alignment of words and word pieces."""
    audit, title = results.facts("audit"), "Audit of data and alignment"
    command = f"python experiments/audit.py --corpus {results.corpus.name}"
    if audit is None:
        return Section("audit", title, [Missing("Data and alignment are not audited yet.", command)])
    with as_written_by(command, results.folder / "audit.json"):
        blocks: list[Block] = [_alignment(audit["alignment"]), _queries(audit["queries"]), _types(audit)]
        blocks += [_leakage(audit), _encoder(audit["encoder"])]
    return Section("audit", title, blocks)


def _alignment(parts: dict[str, Any]) -> Table:
    rows = [
        [part, *(f"{facts[key]:,}" for key in ("sentences", "differ", "raise"))]
        for part, facts in parts.items()
        if isinstance(facts, dict) and "differ" in facts
    ]
    return Table(
        "The paper's alignment beside one by word index: sentences whose labels differ, and that it can't align",
        ["sentences", "number", "differ", "raise"], rows,
    )  # fmt: skip


def _queries(queries: list[dict[str, Any]]) -> Table:
    return Table("The queries that the paper shows", ["query", "in test", "in train", "gold", "paper", "ours"], [
        [query["query"], _yes(query["in_test"]), _yes(query["in_train"]), _entities(query["gold"]),
         _entities(query["paper"]), "; ".join(f"{name}: {_entities(of)}" for name, of in query["predicted"].items())
         or "not tagged"]
        for query in queries
    ], text_columns=6)  # fmt: skip


def _plain(value: Any) -> str:
    return _yes(value) if isinstance(value, bool) else f"{value:,}" if isinstance(value, int) else str(value)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _entities(pairs: list[list[str]] | None) -> str:
    if pairs is None:
        return "not in the corpus"
    return ", ".join(f"{name} '{text}'" for name, text in pairs) or "none"


def _types(audit: dict[str, Any]) -> Table:
    rows = [[str(name), str(ours) if ours else "not in the corpus"] for name, ours in audit["paper_types"].items()]
    rows += [["not named", str(name)] for name in audit["types_not_in_paper"]]
    return Table("The types that the paper names, and the corpus's", ["paper", "corpus"], rows, text_columns=2)


def _leakage(audit: dict[str, Any]) -> Table:
    rows = [[f"sentences of {name}", *(f"{n:,}" for n in facts.values())] for name, facts in
            audit["duplicates"]["across"].items()]  # fmt: skip
    return Table(
        "Sentences that occur in two parts, word for word", ["part", "with the same tags", "with other tags"], rows
    )


def _encoder(encoder: dict[str, Any]) -> Table:
    rows = [[str(key).replace("_", " "), _plain(value)]
            for key, value in encoder.items()]  # fmt: skip
    return Table("The encoder measured here", ["property", "value"], rows)
