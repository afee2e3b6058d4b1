"""Blinded lists, and what the verdicts on them say."""

from __future__ import annotations

import pandas as pd
import pytest

from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError
from labels.reading import describe, draw_questions, list_text, marked, read_verdicts, shuffled

TEST = [Sentence((f"movie{i}", "now"), ("B-TITLE", "O")) for i in range(8)]
GOLD, OTHER, WEAK = ("B-TITLE", "O"), ("B-TITLE", "I-TITLE"), ("O", "O")
COMMON = [OTHER, OTHER, OTHER, None, GOLD, GOLD, GOLD, GOLD]
WEAKER = [WEAK, WEAK, WEAK, WEAK, GOLD, WEAK, WEAK, None]


def questions() -> list[dict[str, object]]:
    return draw_questions(TEST, COMMON, WEAKER, n=2, seed=1)


def test_half_as_many_controls_as_suspicious_sentences() -> None:
    kinds = [(question["kind"], question["sentence"], question["other"]) for question in questions()]
    assert [kind for kind, _, _ in kinds] == ["suspicious", "suspicious", "control"]
    assert all(i in (0, 1, 2) and other == OTHER for kind, i, other in kinds if kind == "suspicious")
    assert all(i in (5, 6) and other == WEAK for kind, i, other in kinds if kind == "control")
    assert len(draw_questions(TEST, COMMON, WEAKER, n=100, seed=1)) == 5  # all that there are


def test_the_list_says_neither_whose_tags_are_whose_nor_what_is_suspicious() -> None:
    text = list_text(TEST, shuffled(questions(), 1, seed=1))
    assert text.count("verdict: \n") == 3
    assert "[TITLE movie" in text
    for word in ("gold", "other", "suspicious", "control", "crf"):
        assert word not in text.lower()
    assert marked(("a", "b", "c"), ("O", "B-X", "I-X")) == "a [X b c]"


def test_readings_differ_in_their_order_and_their_sides() -> None:
    many = [{"kind": "control", "sentence": i, "other": WEAK} for i in range(30)]
    first, second = (shuffled(many, reading, seed=1) for reading in (1, 2))
    assert sorted(each["sentence"] for each in first) == list(range(30))
    assert [each["sentence"] for each in first] != [each["sentence"] for each in second]
    sides = [{each["sentence"]: each["gold_is"] for each in reading} for reading in (first, second)]
    assert sides[0] != sides[1]
    assert set(sides[0].values()) == {"A", "B"}


def test_a_verdict_is_translated_by_the_key() -> None:
    key = [{"kind": "control", "reading": 1, "sentence": i, "gold_is": side} for i, side in enumerate("ABAB")]
    text = "".join(
        f"# {i}\nA: x\nB: y\nverdict: {answer}\n\n" for i, answer in enumerate(["A", "A", "both", "neither"])
    )
    rows = read_verdicts("list", text, key)
    assert [row["verdict"] for row in rows] == ["gold", "other", "both", "neither"]
    assert [row["sentence"] for row in rows] == [1, 2, 3, 4]
    assert "words" not in rows[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("verdict: A\n", "has 1 verdict, its key 2"),
        ("verdict: A\nverdict: \n", "the verdict of # 2 is ''; it must be A, B, both, neither"),
    ],
)
def test_an_unfinished_list_is_an_error(text: str, message: str) -> None:
    key = [{"kind": "control", "reading": 1, "sentence": i, "gold_is": "A"} for i in range(2)]
    with pytest.raises(BertNerError, match=message):
        read_verdicts("list", text, key)


def test_shares_by_reading_and_kind_and_the_agreement_of_both() -> None:
    first = {"suspicious": ["other", "other", "gold"], "control": ["gold"]}
    second = {"suspicious": ["other", "gold", "gold"], "control": ["gold"]}
    verdicts = pd.DataFrame([
        {"reading": reading, "kind": kind, "sentence": i, "verdict": verdict, "reader": "a tester"}
        for reading, by_kind in ((1, first), (2, second))
        for kind, given in by_kind.items()
        for i, verdict in enumerate(given)
    ])  # fmt: skip
    facts = describe(verdicts.assign(sentence=verdicts["sentence"] + 1), {"1": [0, 1], "2": [2]})
    assert facts["read_by"] == "a tester"
    assert facts["readings"]["1"]["suspicious"]["other"]["count"] == 2
    assert facts["readings"]["2"]["suspicious"]["other"]["share"] == round(1 / 3, 6)
    assert facts["readings"]["1"]["control"]["gold"]["share"] == 1
    by_part = {part: found["1"]["suspicious"]["other"] for part, found in facts["readings_by_part"].items()}
    assert {part: (share["count"], share["of"]) for part, share in by_part.items()} == {"1": (2, 2), "2": (0, 1)}
    assert list(facts["readings_by_part"]["2"]["1"]) == ["suspicious"]  # no control is in that part
    assert (facts["same_verdict_twice"]["count"], facts["same_verdict_twice"]["of"]) == (3, 4)
    assert facts["same_verdict_twice"]["kappa"] == 0.5
