"""acquire.py: the line that it prints for each file."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

import acquire
from bert_ner.corpus.catalog import Corpus

TRAIN, TEST = b"O\tfilms\n", b"O\tsongs\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_only_a_sum_that_was_given_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.bio").write_bytes(TRAIN)
    (tmp_path / "test.bio").write_bytes(TEST)
    test = {"file": "test.bio", "sha256": sha256(TEST)}
    corpus = Corpus.model_validate({"title": "Mine", "folder": str(tmp_path), "train": "train.bio", "test": test})
    monkeypatch.setattr(acquire, "corpus_named", lambda name: corpus.model_copy(update={"name": name}))
    monkeypatch.setattr(acquire, "raw_folder", lambda name: tmp_path / "raw" / name)
    monkeypatch.setattr(sys, "argv", ["acquire.py", "--corpus", "sample"])
    acquire.main()
    assert capsys.readouterr().out.splitlines() == [
        f"sample/train.bio: {tmp_path}, SHA-256 {sha256(TRAIN)}, not in corpora/sample.yaml",
        f"sample/test.bio: {tmp_path}, SHA-256 verified",
    ]
