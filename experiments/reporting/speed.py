"""The paragraph about speed in README and in the report, from results/benchmarks.csv.

The share of the limit comes first, then other programs with tuned settings, then those with their defaults.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reporting.blocks import Block, Text
from reporting.formats import note
from reporting.layouts import layout_table

Rows = Mapping[tuple[str, str, str, str], Any]  # by task, system, setting, and what it is compared with

SIZES = ("all-MiniLM-L6-v2", "BERT-base with random weights")
PIPELINE = "transformers' pipeline"


def speed_blocks(table: pd.DataFrame) -> list[Block]:
    """Return the paragraph, and a table of the shares of the limit with one row for each program."""
    blocks: list[Block] = [Text(text)] if (text := speed_text(table)) else []
    shares = table[table["limit_share"].notna()].drop_duplicates(["task", "system", "setting"])
    return blocks if shares.empty else [*blocks, note("limit"), layout_table("limit_shares", shares)]


def speed_text(table: pd.DataFrame) -> str:
    """Return the paragraph; an empty text if something that it mentions was not measured."""
    names = zip(table["task"], table["system"], table["setting"], table["ratio_to"], strict=True)
    rows = dict(zip(names, table.to_dict("records"), strict=True))
    try:
        return " ".join([_training(rows), _tagging(rows), _single_query(rows)])
    except KeyError:
        return ""


def _training(rows: Rows) -> str:
    def times(peer: str) -> str:
        return " and ".join(f"{rows['train', size, 'ours', peer]['ratio']:.1f}" for size in SIZES)

    small, large = (_share(rows["train", size, "ours", "Trainer, tuned"]) for size in SIZES)
    return (
        f"Training runs at {small} (22.6 M parameters) and {large} (BERT-base with random weights) of the speed of its "
        f"matrix products alone. That is {times('Trainer, tuned')} times as fast as transformers' Trainer tuned, "
        f"{times('Trainer, defaults')} times its defaults, {times('paper recipe')} times a plain float32 loop that "
        "pads to 55, as the paper describes."
    )


def _tagging(rows: Rows) -> str:
    def row(how: str) -> Any:
        return rows["tag", "minilm", "load_tagger", f"{PIPELINE}, {how}"]

    tuned = row("tuned")
    return (
        f"8-bit tagging runs at {_share(tuned)} of that limit: {tuned['ratio']:.1f} times as fast as "
        f"{PIPELINE} tuned, {row('defaults, batches of 32')['ratio']:.1f} times its defaults in batches of 32."
    )


def _single_query(rows: Rows) -> str:
    def both(how: str, column: str, form: str) -> list[str]:
        found = (rows["latency", "minilm", f"load_tagger {share}", f"{PIPELINE}, {how}"] for share in ("median", "p99"))
        return [format(row[column], form) for row in found]

    median, p99 = (f"{1000 * float(seconds):.1f} ms" for seconds in both("tuned", "seconds", ""))
    run = rows["latency", "minilm", "load_tagger median", f"{PIPELINE}, tuned"]
    float_rows = (("tag", "load_tagger, float"), ("latency", "load_tagger, float median"))
    floats = [rows[task, "minilm", how, f"{PIPELINE}, tuned"]["ratio"] for task, how in float_rows]
    return (
        f"A single query takes {median}, at the 99th percentile {p99}: {' and '.join(both('tuned', 'ratio', '.1f'))} "
        f"times as fast as the pipeline tuned, {' and '.join(both('defaults', 'ratio', '.1f'))} times its defaults. "
        f"Unquantised, tagging is {floats[0]:.1f} times as fast as the tuned pipeline, a single query "
        f"{floats[1]:.1f} times. Measured on {run['machine']} ({run['threads']} threads, PyTorch {run['torch']}), on "
        f"{run['date']}."
    )


def _share(row: Any) -> str:
    return f"{100 * row['limit_share']:.0f} %"
