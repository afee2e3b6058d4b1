"""The former place of the export and its tagger, now in bert_ner.export."""

from bert_ner.deprecated import moved

_MOVED = {
    "NotExportable": "bert_ner.errors:NotExportable",
    "OnnxTagger": "bert_ner.export.tagger:OnnxTagger",
    "WeightType": "bert_ner.export.export:WeightType",
    "export": "bert_ner.export.export:export",
}
__getattr__ = moved(__name__, _MOVED)
