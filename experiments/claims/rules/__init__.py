"""The rules that claims are judged by: measured values in, a verdict and its evidence out.

To add a rule: a function in one of these files, and its line in RULES with the keys that it takes in claims.yaml.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from claims.evidence import Case, Finding
from claims.rules.examples import confused, lower_recall, queries
from claims.rules.figures import (
    all_exist,
    arithmetic,
    bound,
    bounds,
    equals,
    is_true,
    no_failures,
    stated,
    within_factor,
)
from claims.rules.scores import (
    best_published,
    every_type,
    few_published,
    outperforms,
    score_at_least,
    transfers,
    which_metric,
)
from claims.rules.training import ablation, converged, few_shot, losses, recipe, reduction, saturates
from claims.schema import (
    ARGUMENTS,
    DIRECTION,
    METRIC,
    METRIC_LIST,
    NUMBER,
    SETTINGS,
    SHARE,
    SOURCE,
    SOURCES,
    TEXT,
    TEXTS,
    VERDICT,
    Key,
)


class Rule(NamedTuple):
    """A rule, and the keys that it takes beside `rule`."""

    judge: Callable[[Case], Finding]
    keys: dict[str, Key]


def _optional(kind: Any) -> Key:
    return Key(kind, is_optional=True)


_TOLERANCES = {"tolerance": _optional(NUMBER), "relative": _optional(SHARE)}
_OTHERWISE = {"otherwise": Key(VERDICT)}
LIMITS = SOURCES._replace(wanted="a list of sources", is_valid=lambda v: isinstance(v, list) and SOURCES.is_valid(v))
NUMBERS = ARGUMENTS._replace(
    wanted="a list of numbers", is_valid=lambda v: isinstance(v, list) and all(map(NUMBER.is_valid, v))
)

NUMBER_OR_SOURCE = SOURCE._replace(
    wanted=f"a number, or {SOURCE.wanted}", is_valid=lambda v: NUMBER.is_valid(v) or SOURCE.is_valid(v)
)

RULES = {
    "equals": Rule(equals, {"measured": Key(SOURCES), **_TOLERANCES, **_OTHERWISE, "above": _optional(VERDICT)}),
    "bound": Rule(
        bound,
        {"measured": Key(SOURCE), "direction": Key(DIRECTION), "value": Key(NUMBER), "per": _optional(NUMBER_OR_SOURCE)}
        | {"partly": _optional(NUMBER), **_OTHERWISE},
    ),
    "arithmetic": Rule(
        arithmetic,
        {"formula": Key(TEXT), "arguments": Key(ARGUMENTS), "rounding": _optional(NUMBER), **_TOLERANCES}
        | {"value": _optional(SOURCE)},
    ),
    "no_failures": Rule(no_failures, {"on": Key(SOURCES), "beyond": _optional(SOURCES), **_OTHERWISE}),
    "all_exist": Rule(all_exist, {"measured": Key(SOURCE), **_OTHERWISE}),
    "is_true": Rule(is_true, {"measured": Key(SOURCES)}),
    "recipe": Rule(recipe, {"settings": Key(SETTINGS)}),
    "losses": Rule(losses, {"tolerance": Key(NUMBER)}),
    "reduction": Rule(reduction, {"tolerance": Key(NUMBER)}),
    "converged": Rule(converged, {"study": Key(TEXT), "margin": Key(NUMBER), "loss_margin": Key(NUMBER)}),
    "ablation": Rule(ablation, {"studies": Key(TEXTS), "margin": Key(NUMBER)}),
    "saturates": Rule(saturates, {"study": Key(TEXT), "fraction": Key(SHARE), "margin": Key(NUMBER)}),
    "few_shot": Rule(few_shot, {"study": Key(TEXT), "per_type": Key(NUMBER), "share": Key(SHARE)}),
    "which_metric": Rule(which_metric, {"meant": Key(METRIC)}),
    "score_at_least": Rule(score_at_least, {"metric": Key(METRIC), "value": Key(SHARE)}),
    "outperforms": Rule(outperforms, {"metrics": Key(METRIC_LIST)}),
    "best_published": Rule(best_published, {"metric": Key(METRIC)}),
    "few_published": Rule(few_published, {"at_most": Key(NUMBER)}),
    "every_type": Rule(every_type, {"strong": Key(SHARE), "weak": Key(SHARE)}),
    "transfers": Rule(transfers, {"corpora": Key(TEXTS), "metric": Key(METRIC)}),
    "confused": Rule(confused, {"types": Key(TEXTS), "top": Key(NUMBER)}),
    "lower_recall": Rule(lower_recall, {"by": Key(TEXT), "hard": Key(TEXT), "easy": Key(TEXT), "margin": Key(SHARE)}),
    "queries": Rule(queries, {"measured": Key(SOURCE)}),
    "within_factor": Rule(
        within_factor,
        {"measured": Key(SOURCE), "factor": Key(NUMBER), "per": _optional(SOURCE), "times": _optional(NUMBER)},
    ),
    "bounds": Rule(bounds, {"measured": Key(LIMITS), "at_most": Key(NUMBERS)}),
    "stated": Rule(stated, {"verdict": Key(VERDICT), "reason": Key(TEXT)}),
}
KEYS = {name: rule.keys for name, rule in RULES.items()}
