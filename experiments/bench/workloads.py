"""All workloads that `make bench` measures, by name; each comes after those that it is compared with."""

from __future__ import annotations

from bench.scoring_workloads import LIMIT, SCORING
from bench.tagging_workloads import TAGGING
from bench.training_workloads import TRAINING

WORKLOADS = {**LIMIT, **TRAINING, **TAGGING, **SCORING}
