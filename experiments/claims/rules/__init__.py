"""The rules that claims are judged by: measured values in, a verdict and its evidence out.

To add a rule: a model with its keys and a method `judge` in one of these files, and its name in AnyRule.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from claims.rules.examples import Confused, LowerRecall, Queries
from claims.rules.figures import (
    AllExist,
    Arithmetic,
    Bound,
    Bounds,
    Equals,
    IsTrue,
    NoFailures,
    Stated,
    WithinFactor,
)
from claims.rules.scores import (
    BestPublished,
    EveryType,
    FewPublished,
    Outperforms,
    ScoreAtLeast,
    Transfers,
    WhichMetric,
)
from claims.rules.training import Ablation, Converged, FewShot, Losses, Recipe, Reduction, Saturates

AnyRule = Annotated[
    Ablation | AllExist | Arithmetic | BestPublished | Bound | Bounds | Confused | Converged | Equals | EveryType
    | FewPublished | FewShot | IsTrue | Losses | LowerRecall | NoFailures | Outperforms | Queries | Recipe | Reduction
    | Saturates | ScoreAtLeast | Stated | Transfers | WhichMetric | WithinFactor,
    Field(discriminator="rule"),
]  # fmt: skip
RULES = {get_args(model.model_fields["rule"].annotation)[0]: model for model in get_args(get_args(AnyRule)[0])}
