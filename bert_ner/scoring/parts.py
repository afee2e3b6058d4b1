"""The former name of `bert_ner.scoring.subgroups`."""

from bert_ner.deprecated import moved

_NAMES = ("compare_types", "confusion_ranks", "f1_by_type", "recall_gaps")
__getattr__ = moved(__name__, {name: f"bert_ner.scoring.subgroups:{name}" for name in _NAMES})
