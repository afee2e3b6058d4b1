"""The audit of data and alignment; the provenance of the results, and the signature of every score."""

from typing import Any

from harness.tables import as_written_by

import pandas as pd

from bert_ner.scoring import METRICS
from reporting.blocks import Block, Code, Missing, Table
from reporting.layouts import layout_table
from reporting.results import Results


def audit_blocks(results: Results) -> list[Block]:
    audit, command = results.facts("audit.json"), f"python experiments/audit.py --corpus {results.corpus.name}"
    if audit is None:
        return [Missing("Data and alignment are not audited yet.", command)]
    with as_written_by(command, results.folder / "audit.json"):
        alignment = [
            {"part": part, **facts}
            for part, facts in audit["alignment"].items()
            if isinstance(facts, dict) and "differ" in facts
        ]
        types = [(name, found or "not in the corpus") for name, found in audit["paper_types"].items()]
        types += [("not named", name) for name in audit["types_not_in_paper"]]
        duplicates = [{"parts": parts, **facts} for parts, facts in audit["duplicates"]["across"].items()]
        encoder = [(key.replace("_", " "), value) for key, value in audit["encoder"].items()]
        return [
            layout_table("alignment", pd.DataFrame(alignment)),
            layout_table("queries", pd.DataFrame(audit["queries"])),
            layout_table("types", pd.DataFrame(types, columns=["paper", "corpus"])),
            layout_table("duplicates", pd.DataFrame(duplicates)),
            layout_table("encoder", pd.DataFrame(encoder, columns=["property", "value"])),
        ]


def provenance_blocks(results: Results) -> list[Block]:
    corpus, record = results.corpus.name, (results.facts("../provenance.json") or {}).get(results.corpus.name)
    commands = [f"dvc repro pipeline/dvc.yaml:report@{corpus}", f"python experiments/report.py --corpus {corpus}"]
    found: Block = results.missing("scores", "The provenance of these results is not on record.")
    if record is not None:
        with as_written_by(results.command("scores"), results.root / "provenance.json"):
            found = Table("Provenance of these results", ["", ""], _facts(record), text_columns=2)
    return [
        Code("To reproduce the results, and to write only this report again", commands),
        found,
        Code("Signatures", signatures(results.needed("scores"))),
    ]


def _facts(record: dict[str, Any]) -> list[list[str]]:
    """Return rows of name and value; facts that an older record lacks are left out."""
    evaluated = record.get("evaluated", {})
    runs = {name: run for name, run in record.get("runs", {}).items() if isinstance(run, dict)}
    rows = [
        ("code revision", evaluated.get("revision")),
        ("uncommitted changes", ", ".join(evaluated.get("uncommitted_changes") or [])),
        *dict.fromkeys(
            (f"weights of {run['settings']['name']}", f"{weights['source']}, SHA-256 {weights['sha256']}")
            for run in runs.values()
            if (weights := run.get("weights"))
        ),
        *((f"SHA-256 of {name}", digest) for name, digest in record.get("files", {}).items()),
        *((name, evaluated.get(name)) for name in ("platform", "processor", "cores", "threads", "device", "python")),
        ("packages", ", ".join(f"{name} {version}" for name, version in evaluated.get("packages", {}).items())),
        ("evaluated", evaluated.get("time")),
    ]
    return [[name, str(value)] for name, value in rows if value not in (None, "")]


def signatures(scores: pd.DataFrame) -> list[str]:
    """Return the signature of each metric; the table has entity_f1's, and only name and convention differ."""
    source = scores["signature"].iloc[0].partition("|scheme:")[2]
    return [f"{name}|{metric.convention}|scheme:{source}" for name, metric in METRICS.items() if name in scores]
