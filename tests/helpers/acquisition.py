"""The folders that an acquisition of a corpus reads and writes, for the tests of acquire and download."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from publisher import TEST, TRAIN

from bert_ner.corpus.acquire import acquire
from bert_ner.corpus.catalog import Corpus

NAMES = ["test.bio", "train.bio"]
WRONG = b"<html>please log in</html>"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@dataclass
class Place:
    """The folders of one acquisition."""

    root: Path
    corpus: Corpus
    variable: Path = field(init=False)  # the folder in $BERT_NER_CORPORA, if a test sets it
    shared: Path = field(init=False)
    cache: Path = field(init=False)
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.variable = self.root / "mirror"
        self.shared = self.root / "shared"
        self.cache = self.root / "cache" / "bert-ner" / "corpora" / self.corpus.name
        self.folder = self.root / "data" / "raw" / self.corpus.name

    def acquire(self) -> dict[str, str]:
        return acquire(self.corpus, self.folder, self.shared)

    def fill(self, folder: Path, train: bytes = TRAIN, test: bytes = TEST) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "train.bio").write_bytes(train)
        (folder / "test.bio").write_bytes(test)

    def assert_whole(self) -> None:
        assert listing(self.folder) == NAMES
        assert (self.folder / "train.bio").read_bytes() == TRAIN
        assert (self.folder / "test.bio").read_bytes() == TEST
        assert listing(self.folder.parent) == [self.corpus.name]

    def assert_untouched(self) -> None:
        assert not listing(self.folder)
        assert not listing(self.folder.parent)

    def sources(self, source: str) -> dict[str, str]:
        return {"train.bio": source, "test.bio": source}
