"""The audit of the data and of the paper's alignment of words and word pieces."""

from __future__ import annotations

from typing import Any

from harness.tables import as_written_by

from reporting.blocks import Block, Missing, Section, Table
from reporting.results import Results


def audit_section(results: Results) -> Section:
    audit, title = results.facts("audit"), "Audit of data and alignment"
    command = f"python experiments/audit.py --corpus {results.corpus.name}"
    if audit is None:
        return Section("audit", title, [Missing("Data and alignment are not audited yet.", command)])
    with as_written_by(command, results.folder / "audit.json"):
        blocks: list[Block] = [_alignment(audit["alignment"]), _queries(audit["queries"]), _types(audit)]
        blocks += [_duplicates(audit["duplicates"]["across"]), _encoder(audit["encoder"])]
    return Section("audit", title, blocks)


def _alignment(parts: dict[str, Any]) -> Table:
    rows = [
        [part, *(f"{facts[key]:,}" for key in ("sentences", "differ", "raise"))]
        for part, facts in parts.items()
        if isinstance(facts, dict) and "differ" in facts
    ]
    caption = (
        "The paper's alignment compared with alignment by word index: sentences with other labels (differ), and "
        "sentences on which it fails (raise)"
    )
    return Table(caption, ["sentences", "number", "differ", "raise"], rows)


def _queries(queries: list[dict[str, Any]]) -> Table:
    rows = []
    for query in queries:
        predicted = "; ".join(f"{name}: {_entities(found)}" for name, found in query["predicted"].items())
        in_parts = [_show(query[part]) for part in ("in_test", "in_train")]
        entities = [_entities(query[key]) for key in ("gold", "paper")]
        rows.append([query["query"], *in_parts, *entities, predicted or "not tagged"])
    header = ["query", "in test", "in train", "gold", "paper", "our systems"]
    return Table("The queries that the paper shows", header, rows, text_columns=6)


def _entities(pairs: list[list[str]] | None) -> str:
    if pairs is None:
        return "not in the corpus"
    return ", ".join(f"{name} '{text}'" for name, text in pairs) or "none"


def _types(audit: dict[str, Any]) -> Table:
    rows = [[str(name), str(found) if found else "not in the corpus"] for name, found in audit["paper_types"].items()]
    rows += [["not named", str(name)] for name in audit["types_not_in_paper"]]
    return Table("The types that the paper names, and the corpus's", ["paper", "corpus"], rows, text_columns=2)


def _duplicates(across: dict[str, dict[str, int]]) -> Table:
    rows = [[f"sentences of {name}", *(f"{n:,}" for n in facts.values())] for name, facts in across.items()]
    caption = "Sentences that occur in two parts, word for word"
    return Table(caption, ["part", "with the same tags", "with other tags"], rows)


def _encoder(encoder: dict[str, Any]) -> Table:
    rows = [[str(key).replace("_", " "), _show(value)] for key, value in encoder.items()]
    return Table("The encoder measured here", ["property", "value"], rows)


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
