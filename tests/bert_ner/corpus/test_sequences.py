"""A string, a flat list or something that is no string is refused by name, wherever sentences are expected."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bert_ner.corpus.sequences import check_sequences
from bert_ner.errors import BertNerError
from bert_ner.scoring import bootstrap, classification_report, compare, count, score, score_by_type

WRONG = [
    ("movies", "expected a sequence of sentences, each a sequence of ITEMs, not 'movies'"),
    (7, "expected a sequence of sentences, each a sequence of ITEMs, not 7"),
    ({"O": ["O"]}, "expected a sequence of sentences, each a sequence of ITEMs, not {'O': ['O']}"),
    (iter([["O"]]), "expected a sequence of sentences, each a sequence of ITEMs, not <list_iterator"),
    (["O"], "sentence 1 must be a sequence of ITEMs, not 'O'; a single sentence goes into a list, too: [[ITEM, ITEM]]"),
    ([["O"], ["O"], "movies starring"], "sentence 3 must be a sequence of ITEMs, not 'movies starring'"),
    ([["O"], 7], "sentence 2 must be a sequence of ITEMs, not 7"),
    ([["O"], None], "sentence 2 must be a sequence of ITEMs, not None"),
    ([b"O"], "sentence 1 must be a sequence of ITEMs, not b'O'"),
    ([["O"], ["O", 1]], "ITEM 2 of sentence 2 is 1, not a string"),
    ([["O", None]], "ITEM 2 of sentence 1 is None, not a string"),
    ([["O", b"O"]], "ITEM 2 of sentence 1 is b'O', not a string"),
    ([[["O"]]], "ITEM 1 of sentence 1 is ['O'], not a string"),
    ([["O", float("nan")]], "ITEM 2 of sentence 1 is nan, not a string"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_refused(wrong: Any, message: str) -> None:
    with pytest.raises(BertNerError, match=f"^{re.escape(message.replace('ITEM', 'word'))}"):
        check_sequences(wrong, "word")


@pytest.mark.parametrize(("wrong", "message"), WRONG)
@pytest.mark.parametrize(
    "function",
    [
        count,
        score,
        score_by_type,
        classification_report,
        lambda gold, predicted: bootstrap(predicted, 10, gold=gold),
        lambda gold, predicted: compare(predicted, predicted, 10, gold=gold),
    ],
)
def test_scoring_refuses_it_on_either_side(wrong: Any, message: str, function: Any) -> None:
    expected = re.escape(message.replace("ITEM", "tag"))
    with pytest.raises(BertNerError, match=f"^(gold: )?{expected}") as caught:
        function(wrong, wrong)
    assert isinstance(caught.value, ValueError)
    if isinstance(wrong, list):
        with pytest.raises(BertNerError, match=f"^the prediction: {expected}"):
            function([["O"]] * len(wrong), wrong)


@pytest.mark.parametrize(
    "right",
    [
        [],
        [[]],
        [["O"], []],
        (("O",), ("O", "O")),
        np.array([["O", "O"]]),
        np.array([["O"], ["O", "O"]], dtype=object),
        [np.array(["O", "O"])],
        pd.Series([["O"], ["O", "O"]]),
    ],
)
def test_taken(right: Any) -> None:
    check_sequences(right, "tag")
    assert score(right, right)["entity_f1"] == 0


def test_an_invalid_tag_is_named_with_its_sentence() -> None:
    with pytest.raises(ValueError, match=r"^sentence 2: 'ACTOR' is not a tag; expected O, B-<type> or I-<type>$"):
        score([["O"], ["O", "O"], ["O"]], [["O"], ["O", "ACTOR"], ["ACTOR"]])
