"""A publisher on this machine, and the folders of an acquisition from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from acquisition import Place, sha256
from publisher import TEST, TRAIN, Server, publishing

from bert_ner.corpus import download
from bert_ner.corpus.catalog import Corpus, CorpusFile


@pytest.fixture
def server() -> Iterator[Server]:
    with publishing() as server:
        yield server


@pytest.fixture
def place(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Place:
    for variable in ("BERT_NER_CORPORA", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "READ_TIMEOUT", 0.2)
    corpus = Corpus(
        name="films",
        title="Films",
        folder=str(tmp_path / "films"),
        train=CorpusFile(file="train.bio", sha256=sha256(TRAIN), url=f"{server.url}/train.bio"),
        test=CorpusFile(file="test.bio", sha256=sha256(TEST), url=f"{server.url}/test.bio"),
        types=["YEAR"],
    )
    return Place(tmp_path, corpus)
