"""Results in the shapes that others expect: numbers, pandas tables, seqeval's report; and tags in place of counts."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import seqeval.metrics
from hypothesis import given
from hypothesis import strategies as st

from bert_ner.errors import InvalidValue
from bert_ner.scoring import bootstrap, classification_report, compare, count, score, score_by_type
from bert_ner.scoring.scores import Score

GOLD = [["B-ACTOR", "I-ACTOR", "O", "B-YEAR"], ["O", "O"]]
A = [["B-ACTOR", "O", "O", "B-YEAR"], ["O", "B-ACTOR"]]
B = [["B-ACTOR", "I-ACTOR", "O", "O"], ["O", "O"]]


def test_a_score_is_a_number() -> None:
    a, b = (score(GOLD, tags)["entity_f1"] for tags in (A, B))  # 2 x 1 / (2 + 3) and 2 x 1 / (2 + 1)
    assert (a.value, float(a), a) == (0.4, 0.4, 0.4)
    assert a < b
    assert a > 0.3
    assert max(a, b) is b
    assert (b - a, 100 * a, sum([a, a])) == pytest.approx((2 / 3 - 0.4, 40, 0.8))
    assert (f"{b:.2%}", f"{b:6.3f}", str(a), f"{a}", round(b, 2)) == ("66.67%", " 0.667", "0.4", "0.4", 0.67)
    assert json.dumps({"f1": a}) == '{"f1": 0.4}'
    assert np.mean([a, b]) == pytest.approx((0.4 + 2 / 3) / 2)
    assert pd.DataFrame([score(GOLD, A)])["entity_f1"].dtype == float
    assert a in {0.4}


def test_a_score_keeps_its_fields() -> None:
    a = score(GOLD, A)["entity_f1"]
    assert repr(a) == f"Score(value=0.4, signature={a.signature!r})"
    assert a._asdict() == {"value": 0.4, "signature": a.signature}
    for other in (copy.deepcopy(a), pickle.loads(pickle.dumps(a)), Score(value=0.4, signature=a.signature)):
        assert isinstance(other, Score)
        assert (other.value, other.signature) == (a.value, a.signature)


def test_scores_by_type_as_a_table() -> None:
    table = score_by_type(GOLD, A).to_frame()
    assert list(table.columns) == ["support", "precision", "recall", "f1"]
    assert table.loc["ACTOR"].tolist() == [1, 0, 0, 0]
    assert table.loc["YEAR"].tolist() == [1, 1, 1, 1]
    assert score_by_type([["O"]], [["O"]]).to_frame().empty


def test_intervals_and_comparisons_as_tables() -> None:
    compared = compare(A, B, 100, gold=GOLD)
    table = compared.to_frame()
    assert list(table.columns) == ["a", "b", "difference", "low", "high", "p_value", "a_sd", "b_sd"]
    assert table.index.tolist() == list(compared)
    assert table.loc["entity_f1", "difference"] == pytest.approx(0.4 - 2 / 3)
    assert list(bootstrap(A, 100, gold=GOLD).to_frame().columns) == ["value", "low", "high"]


def test_scoring_loads_no_pandas() -> None:
    code = (
        "import sys; from bert_ner.scoring import compare; compare([['O']], [['O']], 10, gold=[['O']]);"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("few_sentences")
def test_tags_give_the_results_of_their_counts() -> None:
    assert bootstrap(A, 100, gold=GOLD) == bootstrap(count(GOLD, A), 100)
    assert str(compare(A, B, 100, gold=GOLD)) == str(compare(count(GOLD, A), count(GOLD, B), 100))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap(GOLD, 100), "expected counts, or tags together with gold="),
        (lambda: bootstrap(GOLD, A), "expected counts, or tags together with gold="),
        (lambda: compare(GOLD, A, B), "expected counts, or tags together with gold="),
        (lambda: bootstrap(count(GOLD, A), gold=GOLD), "counts include the gold tags already"),
        (lambda: compare(A, [count(GOLD, B)], gold=GOLD), "counts include the gold tags already"),
    ],
)
def test_counts_and_tags_are_not_mixed(call, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        call()


tags = st.sampled_from(["O", "O", "B-A", "I-A", "B-B", "I-C", "B-A_type_that_has_a_long_name"])


@given(st.lists(st.lists(st.tuples(tags, tags), max_size=8), min_size=1, max_size=6), st.sampled_from([1, 2, 4, 15]))
def test_the_report_is_seqeval_s(sentences: list[list[tuple[str, str]]], digits: int) -> None:
    gold, predicted = ([[pair[side] for pair in pairs] for pairs in sentences] for side in (0, 1))
    ours = classification_report(gold, predicted, digits)
    if {tag for sequence in (*gold, *predicted) for tag in sequence} <= {"O"}:  # seqeval fails
        assert [line.split()[-4:] for line in ours.splitlines()[-3:]] == [[f"{0:.{digits}f}"] * 3 + ["0"]] * 3
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns where a ratio has no denominator
        assert ours == seqeval.metrics.classification_report(gold, predicted, digits=digits)


def test_the_report_by_hand() -> None:
    assert classification_report(GOLD, A) == (
        "              precision    recall  f1-score   support\n\n"
        "       ACTOR       0.00      0.00      0.00         1\n"
        "        YEAR       1.00      1.00      1.00         1\n\n"
        "   micro avg       0.33      0.50      0.40         2\n"
        "   macro avg       0.50      0.50      0.50         2\n"
        "weighted avg       0.50      0.50      0.50         2\n"
    )
