"""The rule for the search of settings: search.csv has each trial's scores by fold of the training file."""

import math
from typing import Any

import pandas as pd
from pydantic import Field

from bert_ner.scoring import seed_interval
from bert_ner.wording import counted
from claims.evidence import Evidence, Finding, NotMeasuredError, show

NORMAL = 1.959964  # the 97.5 % quantile


def tuned(
    evidence: Evidence,
    settings: dict[str, Any] = Field(min_length=1, description="the paper's settings, of those that were searched"),
    margin: float = Field(ge=0, description="a gain in validation entity F1 that counts as none"),
) -> Finding:
    """Check that no trial is better than the paper's settings by more than a margin, by its interval over folds.

    Of a single fold, the interval comes from the standard errors over sentences of the two scores. It is too wide,
    because both trials tagged the same sentences.
    """
    system = evidence.system.name
    rows = evidence.table("search", system=system)
    scores = rows.pivot_table(index="fold", columns="settings", values="validation_entity_f1").dropna(axis="columns")
    papers = [trial for trial in scores if _has(str(trial), settings)]
    if not papers:
        raise NotMeasuredError(f"search.csv has no trial of {system} with the paper's settings")
    papers_trial, best = (scores[trials].mean().idxmax() for trials in (papers, list(scores)))
    gains, source = (scores[best] - scores[papers_trial]).tolist(), f"over {len(scores)} folds"
    if len(gains) > 1:
        gain, low, high = seed_interval(gains)
    else:
        errors = dict(zip(rows["settings"], rows["standard_error"], strict=True))
        half, gain = NORMAL * math.hypot(errors[best], errors[papers_trial]), gains[0]
        low, high, source = gain - half, gain + half, "over the sentences of one fold, the two trials not paired"
    verdict = "reproduced" if high <= margin else "not reproduced" if low > margin else "partly"
    shown = (
        f"the best of {counted(len(scores.columns), 'trial')}, {best}, is {show(gain)} ({show(low)} to "
        f"{show(high)} {source}) above {papers_trial}; wanted: at most {show(margin)}. The best of several is chosen "
        "on the same sentences, so its gain is somewhat too high"
    )
    return Finding(verdict, gain, shown, low, high)


def _has(text: str, settings: dict[str, Any]) -> bool:
    """Return whether a trial, `name=value name=value`, has these settings; numbers are compared as numbers."""
    found = dict(part.split("=", 1) for part in text.split())
    values = {name: pd.to_numeric(found[name], errors="coerce") for name in settings if name in found}
    return all(values.get(name) == value or found.get(name) == str(value) for name, value in settings.items())
