"""Tables and the check against the reference programs."""

from __future__ import annotations

import pandas as pd
import pytest

from bert_ner.scoring import METRICS, score
from evaluate import COLUMNS, cross_check, summary

GOLD = [["B-A", "I-A", "O"]]


def test_summary_gives_a_deviation_only_where_there_are_several_seeds() -> None:
    rows = [{"system": "crf", **dict.fromkeys(METRICS, 0.5)}]
    rows += [{"system": "encoder", **dict.fromkeys(METRICS, value)} for value in (0.8, 0.9)]
    result = summary(pd.DataFrame(rows))
    assert result["crf"]["entity_f1"] == {"mean": 0.5}
    assert result["encoder"]["entity_f1"] == {"mean": 0.85, "sd": pytest.approx(0.070711)}


def test_cross_check_passes_right_scores_and_catches_wrong_ones() -> None:
    scores = score(GOLD, GOLD)
    cross_check(GOLD, GOLD, scores)
    wrong = {**scores, "entity_f1": scores["entity_f1"]._replace(value=0.9)}
    with pytest.raises(AssertionError, match=r"entity_f1.*0\.9, but the reference says 1\.0"):
        cross_check(GOLD, GOLD, wrong)


def test_the_columns_are_the_ones_other_programs_read() -> None:
    assert COLUMNS["scores"] == [
        "corpus", "system", "encoder", "seed", "split", "n_sentences", "token_micro_f1", "token_micro_f1_no_o",
        "token_macro_f1", "entity_precision", "entity_recall", "entity_f1", "entity_f1_strict", "signature",
    ]  # fmt: skip
    assert COLUMNS["scores_by_type"] == ["system", "seed", "type", "support", "precision", "recall", "f1"]
    assert COLUMNS["history"] == [
        "system", "encoder", "seed", "epoch", "train_loss", "validation_loss", "validation_entity_f1", "seconds",
    ]  # fmt: skip
