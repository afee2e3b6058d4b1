"""Entity F1 as systems that generate entities are scored: by type and text, without the place in the sentence."""

from collections.abc import Sequence

import numpy as np

from bert_ner.corpus.bio import Sentence, spans_of
from comparisons.recounting import Recount, Rows, Tags


def text_matches(test: Sequence[Sentence], found: Recount) -> Rows:
    """Return a row per system: its mean entity F1 over its runs, with entities matched by place and by text."""
    rows: Rows = []
    for system, runs in found.tags.items():
        by_place = float(np.mean([run["entity_f1"] for run in found.scores[system]]))
        by_text = float(np.mean([f1_of_texts(test, run) for run in runs]))
        rows.append({"system": system, "by_place": by_place, "by_text": by_text, "difference": by_text - by_place})
    return rows


def f1_of_texts(test: Sequence[Sentence], tags: Tags) -> float:
    """Return the micro F1 of the sets of types and texts that the sentences have; 0 where there is none."""
    right = wanted = given = 0
    for (words, gold), predicted in zip(test, tags, strict=True):
        expected, answered = (
            {(span.type, tuple(words[span.start : span.end])) for span in spans_of(each)} for each in (gold, predicted)
        )
        right += len(expected & answered)
        wanted += len(expected)
        given += len(answered)
    return 2 * right / (wanted + given) if wanted + given else 0.0
