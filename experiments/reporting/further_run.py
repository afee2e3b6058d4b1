"""The sentence that says where one further run of a system would be, and where the paper's figure lies."""

import pandas as pd

from bert_ner.scoring import Interval
from claims.evidence import further_runs
from claims.paper import PAPER_MICRO_F1
from reporting.formats import interval, percent


def further_run_text(intervals: pd.DataFrame, system: str, name: str) -> str:
    """Return it for a system, by its `name` in the text; an empty text if it has a single run."""
    runs = further_runs(intervals, system)
    if not {"token_micro_f1", "entity_f1"} <= runs.keys():
        return ""
    accuracy, entity = runs["token_micro_f1"], runs["entity_f1"]
    return (
        f"As accuracy, {percent(PAPER_MICRO_F1)} is {_where(accuracy)} the range of one further run of {name}, "
        f"{interval(accuracy.low, accuracy.high)}; as entity F1 it is {_where(entity)} it, "
        f"{interval(entity.low, entity.high)}."
    )


def _where(run: Interval) -> str:
    """Return where the paper's figure lies, inside a range or so many points outside."""
    above, below = PAPER_MICRO_F1 - run.high, run.low - PAPER_MICRO_F1
    if max(above, below) <= 0:
        return "inside"
    return f"{percent(above)} points above" if above > 0 else f"{percent(below)} points below"
