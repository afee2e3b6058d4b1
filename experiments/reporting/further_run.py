"""The sentence that says where one further run of a system would be, and whether the paper's figure is there."""

import pandas as pd

from claims.evidence import further_runs
from claims.paper import PAPER_MICRO_F1
from reporting.formats import interval, percent


def further_run_text(intervals: pd.DataFrame, system: str, name: str) -> str:
    """Return it for a system, by its `name` in the text; an empty text if it has a single run."""
    runs = further_runs(intervals, system)
    if not {"token_micro_f1", "entity_f1"} <= runs.keys():
        return ""
    inside = {metric for metric, run in runs.items() if run.low <= PAPER_MICRO_F1 <= run.high}
    (accurate, accuracy), (found, entity) = (
        ("plausible" if metric in inside else "not plausible", interval(runs[metric].low, runs[metric].high))
        for metric in ("token_micro_f1", "entity_f1")
    )
    weighted = " (weighted F1 with O fits as well, but the paper says micro)" if "token_weighted_f1" in inside else ""
    return (
        f"As accuracy, {percent(PAPER_MICRO_F1)} is {accurate}{weighted}: one further run of {name} would have "
        f"{accuracy}; as entity F1 it is {found}: {entity}."
    )
