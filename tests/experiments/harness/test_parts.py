"""The parts of sentences: read whole or not at all, and cut into places."""

from __future__ import annotations

from pathlib import Path

from harness import paths
from harness.parts import places_by_part, read_parts, source_of_part

import pytest

from bert_ner.errors import BertNerError
from bert_ner.files import write_sums


def test_places_by_part() -> None:
    assert places_by_part(["1", "1", "2", "1"]) == {"1": [0, 1, 3], "2": [2]}
    assert places_by_part(["1", "1"]) == {}


def test_scores_of_a_part_have_a_signature_of_their_own() -> None:
    assert source_of_part({"split": "test", "corpus": "c"}, "2") == {"split": "test/2", "corpus": "c"}


def test_missing_and_damaged_parts_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "DATA", tmp_path)
    with pytest.raises(BertNerError, match=r"parts/sample/test.txt is missing; run python experiments/prepare.py"):
        read_parts("sample", "test")
    path = paths.parts_file("sample", "test")
    path.parent.mkdir(parents=True)
    path.write_text("1\n1\n2\n")
    write_sums(path.parent)
    assert read_parts("sample", "test") == ["1", "1", "2"]
    path.write_text("1\n1\n1\n")
    with pytest.raises(BertNerError, match="is not the file that was written"):
        read_parts("sample", "test")
