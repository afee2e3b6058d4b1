"""Keep the former name of `bert_ner.scoring.subgroups` for one release."""

import warnings

from bert_ner.scoring.subgroups import compare_types, confusion_ranks, f1_by_type, recall_gaps

__all__ = ["compare_types", "confusion_ranks", "f1_by_type", "recall_gaps"]

warnings.warn(
    "bert_ner.scoring.parts is now bert_ner.scoring.subgroups; the old name goes with the next release",
    DeprecationWarning,
    stacklevel=2,
)
