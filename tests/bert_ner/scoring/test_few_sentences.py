"""Too few sentences give scores, but no interval and no p-value: nan in Python, null in JSON, and a remark."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from bert_ner.scoring import bootstrap, compare, compare_all, count, holm, holm_by_metric
from bert_ner.scoring.files import File, as_text, score_files
from bert_ner.scoring.gate import Outcome
from bert_ner.scoring.gate_files import gate_files
from bert_ner.scoring.resampling import MIN_SENTENCES
from bert_ner.scoring.subgroups import confusion_ranks, f1_by_type, recall_gaps

GOLD, WRONG = [["B-A", "O"], ["O", "B-B"]] * 3, [["B-A", "O"], ["B-A", "B-A"]] * 3


def intervals(n: int) -> list[Any]:
    """Return every kind of interval over the first n sentences."""
    gold, wrong = GOLD[:n], WRONG[:n]
    a, b = count(gold, gold), count(gold, wrong)
    gaps = recall_gaps(gold, {"": [wrong]}, lambda _, span: span.type)[""]
    return [
        *bootstrap(b).values(),
        *compare(a, b).values(),
        *f1_by_type({"": [b]})[""].values(),
        *gaps.values(),
        *confusion_ranks(gold, {"": [wrong]})[""].values(),
    ]


def test_every_interval_takes_six_sentences() -> None:
    assert MIN_SENTENCES == 6
    for n in (1, 2, 5):
        for found in intervals(n):
            assert math.isnan(found.low)
            assert math.isnan(found.high)
            assert not math.isnan(found[0])
    for found in intervals(6):
        assert not math.isnan(found.low)


@pytest.mark.parametrize("n", [2, 5])
def test_p_values_are_nan_also_when_corrected(n: int) -> None:
    a, b = count(GOLD[:n], GOLD[:n]), count(GOLD[:n], WRONG[:n])
    compared = compare_all({"a": a, "b": b}, [("a", "b"), ("b", "a")])
    assert compared["a", "b"]["entity_f1"].difference > 0
    assert math.isnan(compared["a", "b"]["entity_f1"].p_value)
    assert all(math.isnan(p) for by_pair in holm_by_metric(compared).values() for p in by_pair.values())


def test_holm_refuses_a_single_nan() -> None:
    with pytest.raises(ValueError, match="p-values lie in"):
        holm([0.5, math.nan])


def file(name: str, tags: list[list[str]]) -> File:
    return File(name, "\n".join("".join(f"w {tag}\n" for tag in each) for each in tags).encode())


def test_files_with_few_sentences() -> None:
    for n in (1, 5, 6):
        gold, wrong, right = (file(name, tags[:n]) for name, tags in zip("gwr", (GOLD, WRONG, GOLD), strict=True))
        record = score_files(gold, [wrong, right])
        text = as_text(json.loads(json.dumps(record, allow_nan=False)))
        scores = [found for system in record["systems"] for found in system["scores"].values()]
        assert {found["low"] is None for found in scores} == {n < 6}
        assert {row["p_value"] is None for row in record["comparisons"]} == {n < 6}
        assert {row["p_holm"] is None for row in record["comparisons"]} == {n < 6}
        remark = f"no intervals and no p-values: they take at least 6 sentences; this file has {n}"
        assert record["remark"] == (remark if n < 6 else None)
        assert (remark in text) == (n < 6)
        assert "nan" not in text


def test_a_gate_without_enough_sentences_does_not_pass() -> None:
    gold, same, worse = file("g", GOLD[:5]), file("s", GOLD[:5]), file("w", WRONG[:5])
    for verdict in gate_files(gold, [same], [worse]).verdicts:
        assert verdict.outcome == Outcome.NOT_COMPARABLE
        assert verdict.note == "5 sentences; a test over sentences takes 6 or more"
