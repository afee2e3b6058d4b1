"""The workloads of the benchmark, as workloads.yaml lists them."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bench import bulk_workloads, run_workloads, scoring_workloads, tagging_workloads, training_workloads
from bench.measuring import Figures
from bert_ner.yaml_files import load_yaml

FUNCTIONS: dict[str, Callable[..., Figures]] = {
    "train": training_workloads.train, "training products": training_workloads.products,
    "checkpoint": training_workloads.checkpoint,
    "tag": tagging_workloads.tag, "tagging products": tagging_workloads.products, "latency": tagging_workloads.latency,
    "start": tagging_workloads.start, "stream": tagging_workloads.stream,
    "tag_files": bulk_workloads.tag_files, "runs": run_workloads.runs,
    "score": scoring_workloads.score, "uncertainty": scoring_workloads.uncertainty,
}  # fmt: skip


class Workload(NamedTuple):
    """One thing to measure; `task`, `system` and `how` are its names in the table."""

    task: str
    system: str
    how: str
    run: partial[Figures]
    ratio_to: Sequence[str]
    limit: str
    once: bool
    long: bool
    needs: str
    processes: int


def _workload(
    task: str, how: str, system: str, ratio_to: Sequence[str] = (), limit: str = "", once: bool = False,
    long: bool = False, needs: str = "", processes: int = 1, function: str = "", **arguments: Any,
) -> Workload:  # fmt: skip
    run = partial(FUNCTIONS[function or task], **arguments)
    return Workload(task, system, how, run, ratio_to, limit, once, long, needs, processes)


WORKLOADS = {
    name: _workload(name.partition(" ")[0], **entry)
    for name, entry in load_yaml(Path(__file__).with_name("workloads.yaml")).items()
}
