"""A reproduction and benchmark harness for named entity recognition."""

__version__ = "0.1.0"

from bert_ner.loading import load_tagger

__all__ = ["__version__", "load_tagger"]
