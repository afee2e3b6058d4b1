"""The check of scores against other programs."""

from __future__ import annotations

import pytest

from bert_ner.scoring import METRICS, Score, score
from bert_ner.scoring.cross_check import cross_check

GOLD = [["O", "B-ACTOR", "I-ACTOR", "B-GENRE"], ["O", "O", "O", "B-YEAR", "O"]]


def test_correct_scores_pass() -> None:
    cross_check(GOLD, GOLD, score(GOLD, GOLD))


@pytest.mark.parametrize("metric", sorted(set(METRICS) - {"partial_f1"}))
def test_a_wrong_score_is_found_in_every_metric_that_has_a_reference(metric: str) -> None:
    scores = score(GOLD, GOLD)
    scores[metric] = Score(0.9, scores[metric].signature)
    with pytest.raises(AssertionError, match=rf"^{metric}\|.*: 0\.9, but the reference says 1\.0$"):
        cross_check(GOLD, GOLD, scores)


def test_spans_of_adjacent_entities_stay_separate() -> None:
    gold, predicted = [["B-A", "I-B", "B-B", "I-B"]], [["B-A", "B-A", "I-A", "I-A"]]
    cross_check(gold, predicted, score(gold, predicted))
