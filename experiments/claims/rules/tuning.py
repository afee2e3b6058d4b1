"""The rule for the search of settings: search.csv has each trial's scores by fold of the training file."""

import math
from statistics import NormalDist
from typing import Any

from harness.params import read_params
from harness.trials import asked_folds, asked_rows, changed, settings_in

import pandas as pd
from pydantic import Field

from bert_ner.scoring import seed_interval
from bert_ner.wording import counted
from claims.evidence import Evidence, Finding, NotMeasuredError, show

NORMAL = NormalDist().inv_cdf(0.975)


def tuned(
    evidence: Evidence,
    settings: dict[str, Any] = Field(min_length=1, description="the paper's settings, of those that were searched"),
    margin: float = Field(ge=0, description="a gain in validation entity F1 that counts as none"),
) -> Finding:
    """Check that no trial is better than the paper's settings by more than a margin, by its interval over folds.

    Of a single fold, the interval comes from the standard errors over sentences of the two scores. It is too wide,
    because both trials tagged the same sentences.
    """
    system, params = evidence.system.name, read_params()
    found = asked_rows(evidence.table("search", system=system).to_dict("records"), params)
    if not found:
        raise NotMeasuredError(f"search.csv has no trial of {system} that params.yaml asks for")
    if left := len(asked_folds(system, params)) - len(found):
        raise NotMeasuredError(f"the search of {system} is not finished: {counted(left, 'fold')} to go")
    rows = pd.DataFrame(found)
    scores = rows.pivot_table(index="fold", columns="settings", values="validation_entity_f1")
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
        f"the best of {counted(len(scores.columns), 'trial')} has {_differing(str(best), str(papers_trial))}. It is "
        f"{show(gain)} ({show(low)} to {show(high)} {source}) above the trial with the paper's settings; wanted: at "
        f"most {show(margin)}. The best of several is chosen on the same sentences, so its gain is somewhat too high"
    )
    return Finding(verdict, gain, shown, low, high)


def _differing(trial: str, other: str) -> str:
    """Return in which settings a trial differs from another one."""
    others = settings_in(other)
    changes = [f"{name} {value}, not {others.get(name)}" for name, value in changed(settings_in(trial), others).items()]
    return "; ".join(changes) or "the paper's settings"


def _has(text: str, settings: dict[str, Any]) -> bool:
    """Return whether a trial, `name=value name=value`, has these settings; numbers are compared as numbers."""
    found = settings_in(text)
    values = {name: pd.to_numeric(found[name], errors="coerce") for name in settings if name in found}
    return all(values.get(name) == value or found.get(name) == str(value) for name, value in settings.items())
