"""The former place of the export and its tagger, now in bert_ner.export."""

from bert_ner.deprecated import moved

__getattr__ = moved(
    __name__, {"export": "bert_ner.export.export:export", "OnnxTagger": "bert_ner.export.tagger:OnnxTagger"}
)
