"""The paragraph about speed, and the shares of the limit, from rows with figures chosen by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reporting.blocks import Table
from reporting.speed import speed_blocks, speed_text

RUN = {"machine": "a machine, 2 cores", "threads": 2, "torch": "2.0", "date": "2026-01-02"}
PIPELINE = "transformers' pipeline"


def row(name: str, ratio_to: str, ratio: float, share: float | None = None, seconds: float = 1.0) -> dict[str, Any]:
    task, system, setting = name.split("|")
    measured = {"limit": "products", "limit_share": share, "seconds": seconds}
    return {"task": task, "system": system, "setting": setting, "ratio_to": ratio_to, "ratio": ratio, **measured, **RUN}


def table() -> pd.DataFrame:
    rows = []
    for system, share, ratios in (
        ("all-MiniLM-L6-v2", 0.394, (1.8, 2.5, 6.0)),
        ("BERT-base with random weights", 0.51, (1.6, 3.1, 6.9)),
    ):
        peers = zip(("Trainer, tuned", "Trainer, defaults", "paper recipe"), ratios, strict=True)
        rows += [row(f"train|{system}|ours", peer, ratio, share) for peer, ratio in peers]
    for how, ratio in (("tuned", 3.2), ("defaults, batches of 32", 6.9)):
        rows.append(row("tag|minilm|load_tagger", f"{PIPELINE}, {how}", ratio, 0.41))
    rows.append(row("tag|minilm|load_tagger, float", f"{PIPELINE}, tuned", 1.3))
    rows.append(row("latency|minilm|load_tagger, float median", f"{PIPELINE}, tuned", 0.9))
    for how, ratio in (("tuned", 3.3), ("defaults", 4.3)):
        rows.append(row("latency|minilm|load_tagger median", f"{PIPELINE}, {how}", ratio, seconds=0.002))
        rows.append(row("latency|minilm|load_tagger p99", f"{PIPELINE}, {how}", ratio + 0.5, seconds=0.0065))
    return pd.DataFrame(rows)


def test_the_paragraph_has_the_limit_first_then_tuned_programs() -> None:
    assert speed_text(table()) == (
        "Training runs at 39 % (22.6 M parameters) and 51 % (BERT-base with random weights) of the speed of its "
        "matrix products alone. That is 1.8 and 1.6 times as fast as transformers' Trainer tuned, 2.5 and 3.1 times"
        " its defaults, 6.0 and 6.9 times a plain float32 loop that pads to 55, as the paper describes. 8-bit "
        "tagging runs at 41 % of that limit: 3.2 times as fast as transformers' pipeline tuned, 6.9 times its "
        "defaults in batches of 32. A single query takes 2.0 ms, at the 99th percentile 6.5 ms: 3.3 and 3.8 times "
        "as fast as the pipeline tuned, 4.3 and 4.8 times its defaults. Unquantised, tagging is 1.3 times as fast "
        "as the tuned pipeline, a single query 0.9 times. Measured on a machine, 2 cores (2 threads, PyTorch 2.0), "
        "on 2026-01-02."
    )


def test_without_one_of_its_rows_there_is_no_paragraph() -> None:
    rows = table()
    for i in range(len(rows)):
        assert speed_text(rows.drop(index=i)) == ""


def test_each_program_has_one_share() -> None:
    _, _, shares = speed_blocks(table())
    assert isinstance(shares, Table)
    assert [(cells[1], cells[-1]) for cells in shares.rows] == [
        ("all-MiniLM-L6-v2", "39.4%"),
        ("BERT-base with random weights", "51.0%"),
        ("minilm", "41.0%"),
    ]


def test_without_shares_there_is_no_table() -> None:
    assert speed_blocks(table().assign(limit_share=None).drop(index=0)) == []
