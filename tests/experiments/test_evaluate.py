"""Tables and the check against the reference programs."""

from __future__ import annotations

import pandas as pd
import pytest

from bert_ner.corpus.bio import Sentence
from bert_ner.scoring import METRICS, UnlikeScores, score, signature
from evaluate import COLUMNS, cross_check, entities_of, summary, tables_of

GOLD = [["B-A", "I-A", "O"]]
ROWS = [
    {"system": system, "signature": signature("entity_f1"), **dict.fromkeys(METRICS, value)}
    for system, value in (("crf", 0.5), ("encoder", 0.8), ("encoder", 0.9))
]
TEST = [
    Sentence(("Any", "Mel", "Gibson", "films"), ("O", "B-ACTOR", "I-ACTOR", "O")),
    Sentence(("the", "best", "of", "nineteen", "eighty"), ("O", "O", "O", "B-YEAR", "I-YEAR")),
]
PREDICTED = [["O", "B-ACTOR", "I-ACTOR", "B-GENRE"], ["O", "O", "O", "B-YEAR", "O"]]


def test_summary_gives_a_deviation_only_where_there_are_several_seeds() -> None:
    result = summary(pd.DataFrame(ROWS))
    assert result["crf"]["entity_f1"] == {"mean": 0.5}
    assert result["encoder"]["entity_f1"] == {"mean": 0.85, "sd": pytest.approx(0.070711)}


def test_cross_check_passes_right_scores_and_catches_wrong_ones() -> None:
    scores = score(GOLD, GOLD)
    cross_check(GOLD, GOLD, scores)
    wrong = {**scores, "entity_f1": scores["entity_f1"]._replace(value=0.9)}
    with pytest.raises(AssertionError, match=r"entity_f1.*0\.9, but the reference says 1\.0"):
        cross_check(GOLD, GOLD, wrong)


def test_summary_refuses_scores_on_unlike_data() -> None:
    rows = [*ROWS, {**ROWS[0], "signature": signature("entity_f1", data="2ba7c6da")}]
    with pytest.raises(UnlikeScores, match=r"they differ in data:\n"):
        summary(pd.DataFrame(rows))


def test_cross_check_covers_every_metric_that_has_a_reference() -> None:
    scores = score(PREDICTED, PREDICTED)
    for metric in set(METRICS) - {"partial_f1"}:
        wrong = {**scores, metric: scores[metric]._replace(value=0.9)}
        with pytest.raises(AssertionError, match=rf"^{metric}\|"):
            cross_check(PREDICTED, PREDICTED, wrong)


def test_cross_check_of_spans_tells_neighbours_apart() -> None:
    gold, predicted = [["B-A", "I-B", "B-B", "I-B"]], [["B-A", "B-A", "I-A", "I-A"]]
    cross_check(gold, predicted, score(gold, predicted))


def test_the_tables_of_a_run_need_no_model() -> None:
    known = entities_of([Sentence(("mel", "gibson"), ("B-ACTOR", "I-ACTOR")), Sentence(("eighty",), ("B-YEAR",))])
    tables = tables_of(TEST, PREDICTED, known, split="test", corpus="c", data="0")
    assert tables["scores"][0]["n_sentences"] == 2
    assert tables["scores"][0]["entity_f1"] == pytest.approx(0.4)
    assert [tuple(row.values()) for row in tables["error_kinds"]] == [("boundary", "YEAR", 1), ("spurious", "GENRE", 1)]
    assert [tuple(row.values()) for row in tables["recall"]] == [
        ("seen", "seen", 1, 1, 1.0),
        ("seen", "unseen", 1, 0, 0.0),
        ("length", "2", 2, 1, 0.5),
        ("type", "ACTOR", 1, 1, 1.0),
        ("type", "YEAR", 1, 0, 0.0),
    ]
    for name, rows in tables.items():
        for row in rows:
            assert set(COLUMNS[name]) <= {*row, "system", "seed", "encoder"}


def test_an_entity_is_seen_if_words_and_type_are_and_long_ones_are_one_group() -> None:
    words = ("a", "B", "c", "d", "e")
    sentence = Sentence(words, ("B-TITLE", "I-TITLE", "I-TITLE", "I-TITLE", "I-TITLE"))
    for known in (("B-SONG", *["I-SONG"] * 4), ("B-TITLE", *["I-TITLE"] * 3, "O")):
        rows = tables_of([sentence], [sentence.tags], entities_of([Sentence(words, known)]))["recall"]
        assert [(row["by"], row["group"]) for row in rows] == [("seen", "unseen"), ("length", "4+"), ("type", "TITLE")]


def test_the_columns_are_the_ones_other_programs_read() -> None:
    assert COLUMNS["scores"] == [
        "corpus", "system", "encoder", "seed", "split", "n_sentences", "token_micro_f1", "token_micro_f1_no_o",
        "token_macro_f1", "token_weighted_f1", "entity_precision", "entity_recall", "entity_f1", "entity_f1_strict",
        "span_f1", "partial_f1", "type_macro_f1", "signature",
    ]  # fmt: skip
    assert COLUMNS["scores_by_type"] == ["system", "seed", "type", "support", "precision", "recall", "f1"]
    assert COLUMNS["error_kinds"] == ["system", "seed", "kind", "type", "count"]
    assert COLUMNS["recall"] == ["system", "seed", "by", "group", "support", "found", "recall"]
    assert COLUMNS["history"] == [
        "system", "encoder", "seed", "epoch", "train_loss", "validation_loss", "validation_entity_f1", "seconds",
    ]  # fmt: skip
