"""Numbers as the report writes them, and what the paper reports."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

# What the paper reports (abstract, sections 3.4.2 and 5.2). It says micro-F1 over tokens, not whether O counts.
PAPER_CORPUS, PAPER_ENCODER = "mit_movie_eng", "bert-base-uncased"
PAPER_MICRO_F1 = 0.9447
PAPER_LOSSES = (0.43, 0.17, 0.13, 0.10)

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"

BANNER = (
    "Its sentences were written by a program, not by people. None of the paper's claims is judged on it, and no number "
    "of it may be set beside a published one."
)

METRIC_NAMES = {
    "token_micro_f1": "token micro-F1, every word (= accuracy)",
    "token_micro_f1_no_o": "token micro-F1, without O",
    "token_macro_f1": "token macro-F1",
    "token_weighted_f1": "token weighted F1, O included",
    "entity_precision": "entity precision",
    "entity_recall": "entity recall",
    "entity_f1": "entity F1 (conlleval)",
    "entity_f1_strict": "entity F1, strict IOB2",
    "span_f1": "span F1, types ignored",
    "partial_f1": "partial F1, an overlap with the same type counts half",
    "type_macro_f1": "entity F1, unweighted mean over types",
}


def percent(value: float) -> str:
    return "" if math.isnan(value) else f"{100 * value:.2f}"


def points(difference: float) -> str:
    """A difference in percentage points, with its sign."""
    return "" if math.isnan(difference) else f"{100 * difference:+.2f}".replace("-", MINUS)


def interval(low: float, high: float, form: Callable[[float], str] = percent) -> str:
    return "" if math.isnan(low) or math.isnan(high) else f"{form(low)} to {form(high)}"


def decimals(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"


def count(value: float) -> str:
    return "" if math.isnan(value) else f"{value:,.0f}"


def short(value: float) -> str:
    """A quantity of any size: thousands as whole numbers, small ones with three digits that count."""
    if math.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def p_value(value: float) -> str:
    """A p-value; a very small one as the bound that ten thousand resamples allow."""
    return "" if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def as_found(text: str) -> str:
    """Values whose unit their claim names: the digits of a fraction cut to four, thousands parted."""
    return "; ".join(_as_found(part) for part in text.split("; "))


def _as_found(text: str) -> str:
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        return text
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.4f}".rstrip("0").rstrip(".")


def mean_and_spread(values: pd.Series, form: Callable[[float], str] = percent) -> str:
    """The mean and, of several values, the sample standard deviation."""
    values = values.dropna()
    if not len(values):
        return ""
    return form(float(values.mean())) + (f" ± {form(float(values.std()))}" if len(values) > 1 else "")
