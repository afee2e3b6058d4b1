"""Read corpora in BIO, fetch those of corpora/, and split them."""

import os
from pathlib import Path

from bert_ner.corpus.acquire import acquire as _acquire  # the name `acquire` is the module's
from bert_ner.corpus.bio import Sentence, read_bio, write_bio
from bert_ner.corpus.catalog import corpus_named

__all__ = ["Sentence", "load_corpus", "read_bio", "write_bio"]


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
    return {part: read_bio(Path(folder, file.name), corpus.labels) for part, file in corpus.files.items()}
