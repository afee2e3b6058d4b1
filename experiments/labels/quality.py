"""cleanlab's scores of labels, from the probability of every tag of every word.

Source: Wang and Mueller, Detecting Label Errors in Token Classification Data, 2022. A word's score is the probability
of its gold tag, a sentence's the lowest of its words.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bert_ner.corpus.bio import Sentence
from labels.proportions import proportion

MOST_ROWS = 1000  # of a file; more would fill a page that nobody reads to its end


class Quality(NamedTuple):
    """The quality of the labels of some sentences."""

    scores: list[float]  # of each sentence, in [0, 1]; the lower, the more doubtful
    places: list[int]  # the index of each sentence's most doubtful word
    issues: list[tuple[int, int]]  # (sentence, word) of each probable label error, the most doubtful first


def label_quality(
    sentences: Sequence[Sentence], probabilities: Sequence[NDArray[Any]], labels: Sequence[str]
) -> Quality:
    """Score the labels of some sentences.

    Args:
        sentences: with their gold tags.
        probabilities: an array of shape (words, labels) for each sentence, by models that have not seen it.
        labels: the tag set, in the order of the columns.
    """
    from cleanlab.token_classification.filter import find_label_issues
    from cleanlab.token_classification.rank import get_label_quality_scores

    gold = [[labels.index(tag) for tag in tags] for _, tags in sentences]
    tables = [_normalised(table) for table in probabilities]
    scores, by_word = get_label_quality_scores(gold, tables)
    # One process: the others that it would start take longer than the work.
    issues = find_label_issues(gold, tables, n_jobs=1)
    return Quality(scores.tolist(), [int(np.argmin(each)) for each in by_word], [(int(i), int(j)) for i, j in issues])


def describe(sentences: Sequence[Sentence], quality: Quality, source: str) -> dict[str, Any]:
    """Return how many words and sentences have a probable label error; `source` says whose probabilities these are."""
    words = sum(len(words) for words, _ in sentences)
    return {
        "probabilities": source,
        "words": proportion(len(quality.issues), words),
        "sentences": proportion(len({sentence for sentence, _ in quality.issues}), len(sentences)),
    }


def rows(file: str, quality: Quality) -> list[dict[str, Any]]:
    """Return rows of label_audit.csv for the most doubtful of the sentences with a probable label error."""
    doubtful = sorted({sentence for sentence, _ in quality.issues}, key=quality.scores.__getitem__)[:MOST_ROWS]
    found = []
    for i in doubtful:
        row = {"file": file, "sentence": i + 1, "reason": "cleanlab", "score": quality.scores[i]}
        found.append({**row, "word": quality.places[i] + 1})
    return found


def _normalised(table: NDArray[Any]) -> NDArray[np.float64]:
    """Return the rows with a sum of 1, which rounding and the average of several models may miss by a little."""
    exact: NDArray[np.float64] = table.astype(np.float64)
    exact /= exact.sum(axis=-1, keepdims=True)
    return exact
