"""The arithmetic of the benchmark, and one workload that needs no trained system, in a process of its own."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from harness.paths import RESULTS
from harness.tables import as_csv, read_table, write_table

import pandas as pd
import pytest

import benchmark
from benchmark import WORKLOADS, as_markdown, measure, merged, table_rows


def rounds(*seconds: float, memory: float = 100.0, **more: Any) -> list[dict[str, Any]]:
    return [{"": {"sentences": 10, "tokens": 50, "seconds": s, **more}, "memory": memory} for s in seconds]


def test_medians_ratios_and_the_share_of_the_limit() -> None:
    measured = {"train 22.7 M paper": rounds(9.0, 8.0, 30.0, tflop=1.0), "train 22.7 M ours": rounds(2.0, tflop=1.0)}
    measured["train 22.7 M Trainer"] = rounds(4.0)
    order = ["train 22.7 M paper", "train 22.7 M Trainer", "train 22.7 M ours"]
    rows = table_rows({name: measured[name] for name in order}, "a machine", rate=2.0)
    paper, trainer, ours_to_paper, ours_to_trainer = rows
    assert (paper["seconds"], paper["seconds_low"], paper["seconds_high"], paper["rounds"]) == (9.0, 8.0, 30.0, 3)
    assert (paper["ratio"], paper["ratio_to"], paper["tokens_per_second"]) == (None, "", 50 / 9)
    assert trainer["limit_share"] is None
    assert (trainer["ratio"], trainer["ratio_to"]) == (9 / 4, "paper recipe")
    assert (ours_to_paper["ratio"], ours_to_trainer["ratio"]) == (4.5, 2.0)
    assert ours_to_trainer["ratio_to"] == "Trainer"
    assert ours_to_paper["limit_share"] == 1.0 / 2.0 / 2.0


def test_ratios_are_per_sentence() -> None:
    ten_times = [{"": {"sentences": 100, "tokens": 500, "seconds": 5.0}, "memory": 1.0}]
    [_, row] = table_rows({"tag crf": rounds(1.0), "tag crf x10": ten_times}, "a machine", 1.0)
    assert row["ratio"] == 2.0


def test_each_percentile_has_its_own_row() -> None:
    figures = {
        name: {"sentences": 1, "tokens": 10, "seconds": s} for name, s in (("median", 1), ("p95", 2), ("p99", 4))
    }
    twice = {name: {**row, "seconds": 2 * row["seconds"]} for name, row in figures.items()}
    rows = table_rows(
        {"latency pipeline": [{**twice, "memory": 1}], "latency crf": [{**figures, "memory": 1}]}, "a machine", 1.0
    )
    assert [row["setting"] for row in rows[3:]] == ["load_tagger median", "load_tagger p95", "load_tagger p99"]
    assert [row["ratio"] for row in rows[3:]] == [2.0, 2.0, 2.0]


def test_every_workload_is_compared_with_an_earlier_one_of_its_task() -> None:
    names = list(WORKLOADS)
    for name, workload in WORKLOADS.items():
        for other in workload.ratio_to:
            assert names.index(other) < names.index(name)
            assert WORKLOADS[other].task == workload.task


def test_every_workload_has_the_arguments_of_its_function() -> None:
    for workload in WORKLOADS.values():
        inspect.signature(workload.run.func).bind(**workload.run.keywords)


def test_other_tasks_keep_their_rows(tmp_path: Path) -> None:
    old = pd.DataFrame(table_rows({"tag crf": rounds(1.0), "start crf": rounds(1.0)}, "old machine", 1.0))
    write_table(tmp_path, "", "benchmarks", old)
    new = pd.DataFrame(table_rows({"tag crf": rounds(2.0)}, "new machine", 1.0))
    table = merged(read_table(tmp_path, "", "benchmarks"), new)
    assert list(table["task"]) == ["start", "tag"]
    text = as_markdown(table)
    assert text.count("## ") == 2
    assert "| tag | crf | load_tagger |  | 10 | 2 (2 to 2) | 25 | 100 |  |  |" in text
    assert merged(None, new) is new


def test_the_committed_table_has_the_format_of_the_registry() -> None:
    table = read_table(RESULTS, "", "benchmarks")
    assert table is not None
    assert as_csv("benchmarks", table) == (RESULTS / "benchmarks.csv").read_text()
    assert as_markdown(table) == (RESULTS / "benchmarks.md").read_text()


def test_a_workload_runs_in_a_process_of_its_own() -> None:
    [[limit]] = measure(["limit"], 1).values()
    assert limit["float32"] > 0
    assert 50 < limit["memory"] < 20_000


def test_untrained_systems_are_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", ["benchmark.py"])
    monkeypatch.setattr("harness.artifacts.MODELS", tmp_path)
    with pytest.raises(benchmark.BertNerError, match="run 'make repro' first"):
        benchmark.main()


def test_the_limit_is_measured_once_and_every_task_in_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def measured(names: list[str], times: int) -> dict[str, Any]:
        asked.append((list(dict.fromkeys(WORKLOADS[name].task for name in names)), times))
        if names == ["limit"]:
            return {"limit": [{"float32": 2.0, "bfloat16": 0.5, "memory": 1.0}]}
        return dict.fromkeys(names, rounds(1.0, tflop=1.0))

    saved: list[pd.DataFrame] = []
    monkeypatch.setattr("sys.argv", ["benchmark.py", "--rounds", "5"])
    monkeypatch.setattr(benchmark, "model_folder", lambda *run: tmp_path)
    for name, double in (
        ("encoder_folder", lambda: tmp_path),
        ("exported", lambda: None),
        ("measure", measured),
        ("save_table", saved.append),
    ):
        monkeypatch.setattr(benchmark, name, double)
    benchmark.main()
    tasks = ["train", "tag", "latency", "start", "stream", "score"]
    assert asked == [(["limit"], 1), *(([task], 5) for task in tasks)]
    [table] = saved
    assert list(dict.fromkeys(table["task"])) == tasks
    assert set(table["limit_share"]) == {0.5}
    assert "float32 2.00 TFLOP/s, bfloat16 0.50 TFLOP/s" in table["machine"][0]
