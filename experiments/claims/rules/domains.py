"""Rules for what compares corpora: the same system trained on each, and a tagger of one corpus on another."""

from dataclasses import replace

from harness.params import REFERENCE
from harness.paths import DOMAINS
from harness.tables import matching

import pandas as pd
from pydantic import Field

from bert_ner.wording import counted
from claims.evidence import Evidence, Finding, NotMeasuredError, graded, show, with_ends
from claims.fields import Fraction, Metric, Text


def transfers(
    evidence: Evidence,
    corpora: list[Text] = Field(min_length=1, description="the other corpora"),
    metric: Metric = Field(description="the metric"),
) -> Finding:
    """Check that on other corpora the system is above the reference, by the whole paired interval over sentences."""
    system = evidence.system.name
    tables = [replace(evidence, corpus=corpus).table("comparisons").assign(corpus=corpus) for corpus in corpora]
    rows = matching(pd.concat(tables), system_a=system, system_b=REFERENCE, metric=metric)
    if missing := [corpus for corpus in corpora if corpus not in set(rows["corpus"])]:
        raise NotMeasuredError(f"{', '.join(missing)}: comparisons.csv does not compare {system} with {REFERENCE}")
    notes = [
        f"{row['corpus']}: {row['system_a']} {row['a']:.4f}, {REFERENCE} {row['b']:.4f}, "
        f"{with_ends(row, 'difference', '+', ' over sentences')}: "
        f"{'above' if row['low'] > 0 else 'below' if row['high'] < 0 else 'not shown to differ'}"
        for _, row in rows.iterrows()
    ]
    ends = _only_ends(rows["low"], rows["high"])
    return Finding(graded(rows["low"] > 0), rows["difference"].tolist(), f"{metric}; {'; '.join(notes)}", *ends)


def no_general_tagger(evidence: Evidence) -> Finding:
    """Leave a claim about taggers of general text untested, and say what those of the other film corpus lose."""
    rows = replace(evidence, corpus=DOMAINS).table("transfers")
    losses = f"{100 * rows['difference'].min():.1f} to {100 * rows['difference'].max():.1f}"
    shown = (
        "no tagger of general text was measured. Between the two film corpora, a tagger trained on the other one loses "
        f"{losses} points of entity F1 on the shared types ({counted(len(rows), 'comparison')}, transfers.csv), but "
        "both are of one domain and annotated differently"
    )
    return Finding("not tested", None, shown)


def good_away(
    evidence: Evidence,
    corpus: Text = Field(description="whose test sentences are tagged"),
    share: Fraction = Field(description="the least share of the F1 of a system that was trained there"),
) -> Finding:
    """Check the share of the F1 at home that taggers of other corpora have, by the interval of the difference."""
    rows = replace(evidence, corpus=DOMAINS).table("transfers", system=evidence.system.name, test_corpus=corpus)
    # The interval is that of the difference, and the score at home is given.
    low, high = (1 - rows[end] / rows["at_home"] for end in ("high", "low"))
    verdict = graded([(low >= share).all(), (high >= share).any()])
    shares = ", ".join(f"{show(a)} to {show(b)}" for a, b in zip(low, high, strict=True))
    shown = f"entity F1 of the shared types, wanted: {show(share)} of that at home, measured: {shares}; {_listed(rows)}"
    return Finding(verdict, (rows["away"] / rows["at_home"]).tolist(), shown, *_only_ends(low, high))


def _only_ends(low: pd.Series, high: pd.Series) -> tuple[float | None, float | None]:
    """Return the interval of the measured value; there is none for several values."""
    return (low.iloc[0], high.iloc[0]) if len(low) == 1 else (None, None)


def _listed(rows: pd.DataFrame) -> str:
    return "; ".join(
        f"{row['system']} on {row['test_corpus']} ({row['types']}): trained there {row['at_home']:.4f}, on "
        f"{row['trained_on']} {row['away']:.4f}, {with_ends(row, 'difference', '+')}"
        for _, row in rows.iterrows()
    )
