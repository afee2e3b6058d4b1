"""Corpora in BIO: reading them, the ones that are known, and their split."""

from __future__ import annotations

import os
from pathlib import Path

from bert_ner.corpus.acquire import acquire as _acquire  # so that the module keeps its name
from bert_ner.corpus.bio import Sentence, read_bio, write_bio
from bert_ner.corpus.catalog import corpus_named

__all__ = ["Sentence", "load_corpus", "read_bio", "write_bio"]


def load_corpus(name: str, folder: str | os.PathLike[str]) -> dict[str, list[Sentence]]:
    """Fetch a corpus of the catalog into a folder, verified, and read it.

    Returns:
        Its sentences under `train` and `test`; bert_ner.corpus.split parts the former.

    Raises:
        InvalidValue: the catalog has no corpus of that name.
        CorpusUnavailable: it can't be had here.
        ChecksumMismatch: what was found is not that corpus.
    """
    corpus = corpus_named(name)
    _acquire(corpus, Path(folder))
    return {
        "train": read_bio(Path(folder, corpus.train.name), corpus.labels),
        "test": read_bio(Path(folder, corpus.test.name), corpus.labels),
    }
