"""Sections on what the results cost and where they come from."""

from __future__ import annotations

from typing import Any

from harness.tables import as_written_by

import pandas as pd

from bert_ner.scoring import METRICS
from reporting.blocks import Block, Code, Missing, Section, Table, Text
from reporting.formats import PAPER_CORPUS, TIMES, count, short
from reporting.results import Results


def cost_section(results: Results) -> Section:
    """Time and memory, as benchmarked."""
    table = results.table("benchmarks")
    if table is None:
        return Section(
            "cost", "Cost", [Missing("Time and memory are not measured yet.", results.command("benchmarks"))]
        )
    rows = [
        [row["task"], row["system"], row["setting"], count(row["sentences"]), count(row["tokens"]),
         short(row["seconds"]), short(row["tokens_per_second"]), count(row["peak_memory_mb"]),
         f"{short(row['ratio'])} {TIMES} {row['ratio_to']}" if row["ratio_to"] else ""]
        for _, row in table.iterrows()
    ]  # fmt: skip
    machines = "; ".join(dict.fromkeys(table["machine"]))
    header = ["task", "system", "setting", "sentences", "tokens", "seconds", "tokens/s", "peak MB", "ratio"]
    return Section("cost", "Cost", [
        Text(f"Measured on: {machines}. Training is one epoch over the sentences given; latency is of one "
             f"sentence. The trained systems are those of {PAPER_CORPUS}."),
        Table("Time and memory", header, rows, text_columns=3),
    ])  # fmt: skip


def origin_section(results: Results) -> Section:
    """The commands that reproduce the results, what made them, and the signature of every score."""
    corpus, origin = results.corpus.name, results.origin()
    commands = [f"dvc repro report@{corpus}", f"python experiments/report.py --corpus {corpus}"]
    blocks: list[Block] = [
        Code("To reproduce the results, and to write this report again from them", commands),
    ]
    if origin is None:
        blocks += [Missing("What made these results is not on record.", results.command("scores"))]
    else:
        with as_written_by(results.command("scores"), results.root / "provenance.json"):
            blocks += [Table("What made these results", ["", ""], _facts(origin), text_columns=2)]
    return Section("provenance", "Provenance", [
        *blocks, Code("Signatures", signatures(results.needed("scores")))
    ])  # fmt: skip


def _facts(origin: dict[str, Any]) -> list[list[str]]:
    """Rows of name and value; what an older version of evaluate.py did not note is left out."""
    evaluated = origin.get("evaluated", {})
    runs = {name: run for name, run in origin.get("runs", {}).items() if isinstance(run, dict)}
    rows = [
        ("code revision", evaluated.get("revision")),
        ("uncommitted changes", ", ".join(evaluated.get("uncommitted_changes") or []) or None),
        *dict.fromkeys(
            (f"weights of {run['settings']['name']}", f"{weights['source']}, SHA-256 {weights['sha256']}")
            for run in runs.values()
            if (weights := run.get("weights"))
        ),
        *((f"SHA-256 of {name}", digest) for name, digest in origin.get("files", {}).items()),
        *((name, evaluated.get(name)) for name in ("platform", "processor", "cores", "threads", "device")),
        ("python", evaluated.get("python")),
        ("packages", ", ".join(f"{name} {version}" for name, version in evaluated.get("packages", {}).items())),
        ("training time", ", ".join(f"{name} {run.get('seconds', '?')} s" for name, run in runs.items())),
        ("evaluated", evaluated.get("time")),
    ]
    return [[name, str(value)] for name, value in rows if value not in (None, "")]


def signatures(scores: pd.DataFrame) -> list[str]:
    """The signature of each metric; the table holds entity_f1's, of which only the name and convention differ."""
    source = scores["signature"].iloc[0].partition("|scheme:")[2]
    return [f"{name}|{metric.convention}|scheme:{source}" for name, metric in METRICS.items() if name in scores]
