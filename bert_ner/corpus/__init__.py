"""Read corpora in BIO and in the formats of others, fetch those of corpora/, and split them."""

import os
from pathlib import Path

from bert_ner.corpus.acquire import acquire as _acquire  # the name `acquire` is the module's
from bert_ner.corpus.bio import Sentence, read_bio, write_bio
from bert_ner.corpus.catalog import corpus_named
from bert_ner.corpus.columns import Layout
from bert_ner.corpus.formats import Reading, read_sentences

__all__ = ["Layout", "Reading", "Sentence", "load_corpus", "read_bio", "read_sentences", "write_bio"]


def load_corpus(name: str, folder: str | os.PathLike[str]) -> dict[str, list[Sentence]]:
    """Put a corpus into a folder, as `acquire` does, and read its sentences by part: train, validation, test.

    Without a validation file there is no such part; `bert_ner.corpus.split` makes one of the training file.

    Args:
        name: that of a file in corpora/, without its suffix.

    Raises:
        InvalidValue: no corpus has that name.
        CorpusUnavailable, ChecksumMismatch, BertNerError: as `acquire`.
    """
    corpus = corpus_named(name)
    _acquire(corpus, Path(folder))
    return corpus.read(Path(folder))
