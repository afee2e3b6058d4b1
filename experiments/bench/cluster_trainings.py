"""Train stages on a Ray cluster, as `repro.py --all` does: `python -m bench.cluster_trainings ADDRESS STAGE...`."""

from harness.run_main import run_main

import sys
from functools import partial

from harness.cluster_runs import all_inputs, outcome_table, runs_on_cluster, train_on_cluster
from harness.dvc_runs import run_pipeline
from harness.params import read_params

from bert_ner.scale.cluster import connected
from bert_ner.scale.runs import Outcome


def main() -> None:
    address, *stages = sys.argv[1:]
    outcomes: list[Outcome] = []
    train = partial(train_on_cluster, params=read_params(), outcomes=outcomes)
    with connected(address):
        run_pipeline(stages, all_inputs(stages), train=train, trains=runs_on_cluster)
    print(outcome_table(outcomes))


if __name__ == "__main__":
    run_main(main)
