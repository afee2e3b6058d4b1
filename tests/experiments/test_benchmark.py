"""The arithmetic of the benchmark; no figure of a machine is checked."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from harness.paths import RESULTS
from harness.tables import as_csv, read_table, write_table

import pandas as pd
import pytest

import benchmark
from bench.tagging_workloads import PERCENTILES
from benchmark import WORKLOADS, as_markdown, machine, measure, merged, table_rows
from bert_ner.errors import BertNerError
from reporting.speed import speed_text


def rounds(*seconds: float, memory: float = 100.0, **more: Any) -> list[dict[str, Any]]:
    return [{"": {"sentences": 10, "tokens": 50, "seconds": s, **more}, "memory": memory} for s in seconds]


def latencies() -> list[dict[str, Any]]:
    return [{name: {"sentences": 1, "tokens": 10, "seconds": 1.0} for name in PERCENTILES} | {"memory": 100.0}]


def test_medians_ratios_and_the_share_of_the_limit() -> None:
    measured = {
        "train 22.7 M products": rounds(1.0, 0.5, 4.0, tflop=3.0),
        "train 22.7 M Trainer tuned": rounds(4.0),
        "train 22.7 M Trainer": rounds(5.0),
        "train 22.7 M paper": rounds(9.0, 8.0, 30.0),
        "train 22.7 M ours": rounds(2.0),
    }
    products, tuned, default, paper, *ours = table_rows(measured)
    assert (paper["seconds"], paper["seconds_low"], paper["seconds_high"], paper["rounds"]) == (9.0, 8.0, 30.0, 3)
    assert (paper["ratio"], paper["ratio_to"], paper["tokens_per_second"]) == (None, "", 50 / 9)
    assert [row["setting"] for row in (tuned, default, paper)] == [
        "Trainer, tuned",
        "Trainer, defaults",
        "paper recipe",
    ]
    assert [(row["ratio_to"], row["ratio"]) for row in ours] == [
        ("Trainer, tuned", 2.0),
        ("Trainer, defaults", 2.5),
        ("paper recipe", 4.5),
    ]
    assert (products["tflop_per_second"], products["limit"], products["limit_share"]) == (3.0, "", None)
    shares = [row["limit_share"] for row in (tuned, default, paper, ours[0])]
    assert shares == pytest.approx([1 / 4, 1 / 5, 1 / 9, 1 / 2])
    assert (tuned["limit"], tuned["tflop_per_second"]) == ("matrix products alone", None)


def test_ratios_are_per_sentence() -> None:
    ten_times = [{"": {"sentences": 100, "tokens": 500, "seconds": 5.0}, "memory": 1.0}]
    [_, row] = table_rows({"tag crf": rounds(1.0), "tag crf x10": ten_times})
    assert row["ratio"] == 2.0


def test_each_percentile_has_its_own_row() -> None:
    figures = {
        name: {"sentences": 1, "tokens": 10, "seconds": s} for name, s in (("median", 1), ("p95", 2), ("p99", 4))
    }
    twice = {name: {**row, "seconds": 2 * row["seconds"]} for name, row in figures.items()}
    peers = {name: [{**twice, "memory": 1}] for name in ("latency pipeline tuned", "latency pipeline")}
    rows = table_rows({**peers, "latency crf": [{**figures, "memory": 1}]})
    assert [row["setting"] for row in rows[6::2]] == ["load_tagger median", "load_tagger p95", "load_tagger p99"]
    assert [row["ratio"] for row in rows[6:]] == [2.0] * 6


def test_every_workload_is_compared_with_an_earlier_one_of_its_task() -> None:
    names = list(WORKLOADS)
    for name, workload in WORKLOADS.items():
        for other in (*workload.ratio_to, *filter(None, [workload.limit])):
            assert names.index(other) < names.index(name)
            assert WORKLOADS[other].task == workload.task


def test_every_workload_has_the_arguments_of_its_function() -> None:
    for workload in WORKLOADS.values():
        inspect.signature(workload.run.func).bind(**workload.run.keywords)


def test_what_was_not_measured_keeps_its_rows(tmp_path: Path) -> None:
    earlier = table_rows(
        {name: rounds(1.0) for name in ("tag crf", "tag crf x10", "tag crf x100", "start crf", "train 22.7 M products")}
    )
    old = pd.DataFrame(earlier).assign(**{**machine(), "machine": "old machine"})
    write_table(tmp_path, "", "benchmarks", old)
    new = pd.DataFrame(table_rows({"tag crf": rounds(2.0)})).assign(**machine())
    table = merged(read_table(tmp_path, "", "benchmarks"), new)
    names = ["load_tagger, 100 times the test set", "bert-ner tag", "matrix products alone", "load_tagger"]
    assert list(table["setting"]) == names  # the tenfold row is gone: its task was measured without it
    assert list(table["machine"] == "old machine") == [True, True, True, False]
    text = as_markdown(table)
    assert text.count("## ") == 2
    assert "| tag | crf | load_tagger |  | 10 | 2 (2 to 2) | 25 | 100 |  |  |  |" in text
    assert merged(None, new) is new


def test_each_row_says_where_and_when_it_was_measured() -> None:
    facts = machine()
    assert re.fullmatch(r".+, \d+ cores", facts["machine"])
    assert re.fullmatch(r".+ with [\w ]+", facts["processor"])
    assert facts["threads"] >= 1
    assert re.fullmatch(r"2\.\S+", facts["torch"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", facts["date"])


def test_the_committed_table_has_the_format_of_the_registry() -> None:
    table = read_table(RESULTS, "", "benchmarks")
    assert table is not None
    assert as_csv("benchmarks", table) == (RESULTS / "benchmarks.csv").read_text()
    assert as_markdown(table) == (RESULTS / "benchmarks.md").read_text()


def test_a_workload_runs_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "__file__", str(Path(__file__).with_name("bench") / "child.py"))
    [[figures]] = measure(["tag crf x10"], 5).values()  # once, whatever the rounds
    assert figures == {"arguments": ["--child", "tag crf x10"], "threads": str(benchmark.CORES)}


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "__file__", str(Path(__file__).with_name("bench") / "child.py"))
    monkeypatch.setattr(benchmark, "CORES", 6)
    [[figures]] = measure(["torchrun 22.7 M two"], 1).values()
    assert figures == {"arguments": ["--child", "torchrun 22.7 M two"], "threads": "3"}


def test_untrained_systems_are_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", ["benchmark.py"])
    monkeypatch.setattr("harness.artifacts.MODELS", tmp_path)
    with pytest.raises(benchmark.BertNerError, match="run 'make repro' first"):
        benchmark.main()


def test_a_task_that_takes_minutes_needs_the_option(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("model_folder", "encoder_folder"):
        monkeypatch.setattr(benchmark, name, lambda *_: tmp_path)
    monkeypatch.setattr("sys.argv", ["benchmark.py", "--only", "stream"])
    with pytest.raises(BertNerError, match="every workload of stream takes minutes; add --long"):
        benchmark.main()


def test_the_page_follows_from_the_rounded_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(benchmark, "RESULTS", tmp_path)
    rows = table_rows({"tag crf": rounds(1.00050049)})  # 1.001 on the page; 1.0005 in the table, which is 1
    benchmark.save_table(pd.DataFrame(rows).assign(**machine()))
    table = read_table(tmp_path, "", "benchmarks")
    assert table is not None
    text = (tmp_path / "benchmarks.md").read_text()
    assert text == as_markdown(table)
    assert "1 (1 to 1)" in text


def test_a_task_that_takes_ray_is_refused_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("model_folder", "encoder_folder"):
        monkeypatch.setattr(benchmark, name, lambda *_: tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("sys.argv", ["benchmark.py", "--only", "tag_files"])
    with pytest.raises(BertNerError, match=r"tag_files needs Ray; install it with: pip install 'bert-ner\[cluster\]'"):
        benchmark.main()


@pytest.mark.parametrize("long", [False, True])
def test_every_task_is_measured_in_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, long: bool) -> None:
    asked: list[tuple[str, int]] = []

    def measured(names: list[str], times: int) -> dict[str, Any]:
        asked.extend((name, times) for name in names)
        return {name: latencies() if name.startswith("latency") else rounds(1.0) for name in names}

    saved: list[pd.DataFrame] = []
    monkeypatch.setattr("sys.argv", ["benchmark.py", "--rounds", "5", *(["--long"] if long else [])])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    monkeypatch.setattr(benchmark, "model_folder", lambda *run: tmp_path)
    for name, double in (
        ("encoder_folder", lambda: tmp_path),
        ("exported", lambda: None),
        ("measure", measured),
        ("read_table", lambda *table: saved[-1] if saved else None),
        ("save_table", saved.append),
    ):
        monkeypatch.setattr(benchmark, name, double)
    benchmark.main()
    assert asked == [(name, 5) for name, workload in WORKLOADS.items() if long or not workload.long]
    table = saved[-1]
    tasks = ["train", "torchrun", "tag", "latency", "start", "stream", "tag_files", "runs", "score"]
    assert list(dict.fromkeys(table["task"])) == [task for task in tasks if long or task not in {"stream", "runs"}]
    assert set(table["threads"]) == {benchmark.CORES}
    assert ("1,000,000 lines" in set(table["setting"])) == long
    assert speed_text(table).startswith("Training runs at 100 % (22.6 M parameters) and 100 % (109 M) of the speed of")


def test_a_task_that_fails_loses_no_figure_of_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def measured(names: list[str], _: int) -> dict[str, Any]:
        if WORKLOADS[names[0]].task == "start":
            raise BertNerError("it failed")
        return {name: rounds(1.0) for name in names}

    monkeypatch.setattr("sys.argv", ["benchmark.py", "--only", "tag", "start", "score"])
    monkeypatch.setattr(benchmark, "RESULTS", tmp_path)
    for name, double in (
        ("model_folder", lambda *run: tmp_path), ("encoder_folder", lambda: tmp_path), ("exported", lambda: None),
        ("measure", measured),
    ):  # fmt: skip
        monkeypatch.setattr(benchmark, name, double)
    with pytest.raises(BertNerError, match="it failed"):
        benchmark.main()
    table = read_table(tmp_path, "", "benchmarks")
    assert table is not None
    assert set(table["task"]) == {"tag"}
    assert (tmp_path / "benchmarks.md").read_text() == as_markdown(table)
