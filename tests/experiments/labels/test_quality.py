"""cleanlab's scores of two sentences, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bert_ner.corpus.bio import Sentence
from labels.quality import describe, label_quality, rows

LABELS = ["O", "B-TITLE"]
SENTENCES = [
    Sentence(("who", "directed", "speed"), ("O", "O", "B-TITLE")),
    Sentence(("about", "speed"), ("O", "B-TITLE")),
]
PROBABILITIES = [np.array([[0.9, 0.1], [0.7, 0.3], [0.05, 0.95]]), np.array([[0.8, 0.2], [0.8, 0.2]])]


def test_the_score_of_a_sentence_is_that_of_its_most_doubtful_word() -> None:
    """Gold's tags have 0.9, 0.7, 0.95 and 0.8, 0.2.

    A tag is likely where its probability is at least its mean over the words that have it: 0.8 for O, 0.575 for
    B-TITLE. So the last word is likely O, and no other word is likely to have another tag than gold's.
    """
    pytest.importorskip("cleanlab")
    quality = label_quality(SENTENCES, PROBABILITIES, LABELS)
    assert quality.scores == pytest.approx([0.7, 0.2])
    assert quality.places == [1, 1]
    assert quality.issues == [(1, 1)]
    assert rows("test", quality) == [
        {"file": "test", "sentence": 2, "reason": "cleanlab", "score": pytest.approx(0.2), "word": 2}
    ]
    facts = describe(SENTENCES, quality, "by hand")
    assert (facts["words"]["count"], facts["words"]["of"], facts["sentences"]["share"]) == (1, 5, 0.5)


def test_probabilities_that_were_rounded_sum_to_one_again() -> None:
    pytest.importorskip("cleanlab")
    rounded = [2 * table.astype(np.float32) for table in PROBABILITIES]
    assert label_quality(SENTENCES, rounded, LABELS).scores == pytest.approx([0.7, 0.2])
