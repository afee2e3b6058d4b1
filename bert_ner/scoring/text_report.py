"""Entity scores by type as text, in the layout of seqeval and scikit-learn.

from bert_ner.scoring import classification_report
print(classification_report([["B-ACTOR", "I-ACTOR", "O"]], [["B-ACTOR", "O", "O"]]))
"""

from collections.abc import Iterable

import numpy as np

from bert_ner.scoring.counts import Tags, count
from bert_ner.scoring.scores import precision_recall_f1


def classification_report(gold: Tags, predicted: Tags, digits: int = 2) -> str:
    """Return precision, recall, F1 and support of each type, and their averages, as lines of text.

    The text equals that of seqeval's function of this name in its default mode. Without any entity, where seqeval
    raises an error, the averages are 0.

    Args:
        gold: one sequence of tags per sentence.
        predicted: the same, of the same shape.
        digits: of each fraction, after the point.

    Raises:
        InvalidValue, which is a ValueError: as `score`.
    """
    counts = count(gold, predicted, by_sentence=False)
    support = counts.entities[:, 0]
    by_type = np.stack(precision_recall_f1(counts.entities), axis=-1)  # of shape (types, 3)
    averages = {
        "micro avg": np.ravel(precision_recall_f1(counts.entities.sum(axis=0))),
        "macro avg": np.average(by_type, axis=0) if len(by_type) else np.zeros(3),
        "weighted avg": np.average(by_type, axis=0, weights=support) if support.any() else np.zeros(3),
    }
    width = max(digits, *map(len, [*counts.types, *averages]))

    def line(name: str, fractions: Iterable[float], total: int) -> str:
        return _line(width, name, *(f"{fraction:.{digits}f}" for fraction in fractions), str(total))

    rows = [line(*row) for row in zip(counts.types, by_type, support.astype(int), strict=True)]
    totals = [line(name, fractions, int(support.sum())) for name, fractions in averages.items()]
    header = _line(width, "", "precision", "recall", "f1-score", "support")
    return "\n".join([header, "", *rows, "", *totals, ""])


def _line(width: int, name: str, *cells: str) -> str:
    return f"{name:>{width}} " + "".join(f" {cell:>9}" for cell in cells)
