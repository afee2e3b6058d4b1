"""Workloads of many trainings: on the nodes of a Ray cluster, which are all on this machine."""

import math
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.dvc_runs import DVC, PIPELINE
from harness.paths import ROOT

from ruamel.yaml import YAML

from bench.measuring import Figures, measure_seconds
from bert_ner.corpus.sample import generate

CHANGES = {"epochs": 1, "min_steps": 0}  # so that a training takes about a minute


def runs(nodes: int, trainings: int) -> Figures:
    """Train an encoder on the corpus `sample` some times, on nodes of one core each, and commit each to DVC."""
    from harness.cluster_runs import copy_checkout

    from ray.cluster_utils import Cluster

    seeds = list(range(trainings))
    stages = [f"{PIPELINE}:train_encoder@sample-minilm-{seed}" for seed in seeds]
    room = {"num_cpus": 1, "memory": 2 * 10**9, "object_store_memory": 2 * 10**8}
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        copy_checkout(ROOT, folder)
        change_parameters(folder / "params.yaml", seeds)
        paths = os.pathsep.join(map(str, (folder, folder / "experiments")))
        environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}

        def call(*command: str) -> None:
            subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)

        call(*DVC, "repro", "--quiet", f"{PIPELINE}:prepare@sample")
        cluster = Cluster(initialize_head=True, head_node_args={**room, "include_dashboard": False})
        try:
            for _ in range(nodes - 1):
                cluster.add_node(**room)
            command = (sys.executable, "-m", "bench.cluster_trainings", cluster.address, *stages)
            seconds = measure_seconds(call, *command)
        finally:
            cluster.shutdown()
    train, _ = generate()
    tokens = sum(len(words) for words, _ in train)
    found = {"sentences": trainings * len(train), "tokens": trainings * tokens, "seconds": seconds}
    return {"": found, "memory": math.nan}  # that of the trainings is in other processes


def change_parameters(file: Path, seeds: list[int]) -> None:
    """Let the encoder train briefly, once with each seed."""
    yaml = YAML(typ="rt")  # keeps the file's order
    params = yaml.load(file)
    params["seeds"] = seeds
    params["minilm"].update(CHANGES)
    yaml.dump(params, file)
