"""The rules that claims are judged by: measured values in, a verdict and its evidence out.

To add a rule: a model with its keys and a method `judge` in one of these files, and its name in AnyRule.
"""

from typing import Annotated

from pydantic import Field

from claims.rules import examples, figures, scores, training

AnyRule = Annotated[
    training.Ablation | figures.AllExist | figures.Arithmetic | scores.BestPublished | figures.Bound | figures.Bounds
    | examples.Confused | training.Converged | figures.Equals | scores.EveryType | scores.FewPublished
    | training.FewShot | figures.IsTrue | training.Losses | examples.LowerRecall | figures.NoFailures
    | scores.Outperforms | examples.Queries | training.Recipe | training.Reduction | training.Saturates
    | scores.ScoreAtLeast | figures.Stated | scores.Transfers | scores.WhichMetric | figures.WithinFactor,
    Field(discriminator="rule"),
]  # fmt: skip
