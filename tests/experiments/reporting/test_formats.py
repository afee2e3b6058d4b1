"""Numbers and names as the report writes them."""

from __future__ import annotations

import pandas as pd
import pytest

from bert_ner.corpus.catalog import corpus_named
from bert_ner.scoring import METRICS
from claims.paper import PAPER_CORPUS
from reporting.formats import METRIC_NAMES, claim_value, count, decimals, interval, p_value, percent, points, short
from reporting.sections.audit_and_provenance import signatures


def test_every_metric_has_a_name_and_a_signature() -> None:
    assert set(METRICS) <= set(METRIC_NAMES)
    row = {"signature": "entity_f1|avg:micro|mode:conlleval|scheme:IOB2|unit:word|split:test"}
    lines = signatures(pd.DataFrame([row | dict.fromkeys(METRICS, 0.5)]))
    assert [line.partition("|")[0] for line in lines] == list(METRICS)


def test_the_paper_corpus_is_one_of_the_catalog() -> None:
    assert corpus_named(PAPER_CORPUS).name == PAPER_CORPUS


@pytest.mark.parametrize(
    ("text", "shown"),
    [("0.944700", "0.9447"), ("8797", "8,797"), ("440.000000", "440"), ("0.430000; 12", "0.43; 12"), ("0.00001", "0"),
     ("6 of 6", "6 of 6"), ("nan", "nan"), ("", "")],
)  # fmt: skip
def test_values_of_claims_are_shown_short(text: str, shown: str) -> None:
    assert claim_value(text) == shown


@pytest.mark.parametrize("absent", [float("nan"), pd.NA])
def test_an_absent_number_is_an_empty_cell(absent: float) -> None:
    assert percent(None) == ""  # as JSON has it
    assert {form(absent) for form in (percent, points, decimals, count, short, p_value)} == {""}
    assert interval(absent, absent) == ""
