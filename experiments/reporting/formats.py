"""Numbers, names and paragraphs as the report writes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.parts import WHOLE

import pandas as pd

from bert_ner.scoring.resampling import SAMPLES, p_text
from bert_ner.yaml_files import load_yaml
from claims.evidence import show
from reporting.blocks import Text

NOTES = load_yaml(Path(__file__).with_name("notes.yaml"))
MINUS = "\N{MINUS SIGN}"
METRIC_NAMES: dict[str, str] = NOTES["metric_names"]


def note(name: str, **values: Any) -> Text:
    """Return a paragraph of notes.yaml."""
    return Text(NOTES[name].format(**values))


def percent(value: float | None) -> str:
    return "" if pd.isna(value) else number(100 * value, ".2f")


def points(difference: float) -> str:
    """Format a difference in percentage points, with its sign."""
    return number(100 * difference, "+.2f").replace("-", MINUS)


def interval(low: float, high: float, form: Callable[[float], str] = percent) -> str:
    return "" if pd.isna(low) or pd.isna(high) else f"{form(low)} to {form(high)}"


def with_interval(row: Any) -> str:
    """Format a score and, if it has one, its interval: 85.69 (84.77 to 86.57)."""
    ends = interval(row["low"], row["high"])
    return percent(row["value"]) + (f" ({ends})" if ends else "")


def in_part(part: str) -> str:
    return "on the whole" if part == WHOLE else f"in part {part}"


def decimals(value: float) -> str:
    return number(value, ".3f")


def count(value: float) -> str:
    return number(value, ",.0f")


def short(value: float) -> str:
    """Format a quantity of any size: thousands as whole numbers, smaller ones with three significant digits."""
    return count(value) if pd.isna(value) or abs(value) >= 1000 else number(value, ".3g")


def number(value: Any, form: str) -> str:
    """Format a number; one that is absent, NaN or NA, as an empty cell."""
    return "" if pd.isna(value) else f"{value:{form}}"


def p_value(value: float, corrected: float | None = None) -> str:
    """Format a p-value, or what a correction makes of it; at the floor of the trials as a bound."""
    return "" if pd.isna(value) else p_text(value, SAMPLES, corrected)


def with_p_texts(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the texts `p` and `corrected`; a comparison that was not corrected has none, and is exploratory."""
    pairs = list(zip(rows["p_value"], rows["p_holm"], strict=True))
    corrected = ["" if pd.isna(holm) else p_value(value, holm) for value, holm in pairs]
    return rows.assign(p=[p_value(value) for value, _ in pairs], corrected=corrected)


def claim_value(text: str) -> str:
    """Format the numbers in a cell of claims.csv: four decimals, thousands separated."""
    return "; ".join(_claim_number(part) for part in text.split("; "))


def _claim_number(text: str) -> str:
    try:
        return show(float(text))
    except ValueError:
        return text


def mean_and_spread(values: pd.Series, form: Callable[[float], str] = percent) -> str:
    """Format the mean and, of several values, the sample standard deviation."""
    values = values.dropna()
    if not len(values):
        return ""
    return form(float(values.mean())) + (f" ± {form(float(values.std()))}" if len(values) > 1 else "")


def entities(pairs: list[list[str]] | None) -> str:
    if pairs is None:
        return "not in the corpus"
    return ", ".join(f"{name} '{text}'" for name, text in pairs) or "none"


def plain(value: Any) -> str:
    """Format a value of any type: a truth value as a word, a whole number with its thousands separated."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
