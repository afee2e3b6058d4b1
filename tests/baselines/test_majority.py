"""The majority baseline."""

from __future__ import annotations

from pathlib import Path

import pytest

from baselines.majority import MajorityTagger
from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence
from bert_ner.files import Damaged
from bert_ner.scoring import entity_f1
from bert_ner.settings import Settings

TRAIN = [
    Sentence(("star", "wars"), ("B-TITLE", "I-TITLE")),
    Sentence(("Star", "trek", "wars"), ("B-TITLE", "I-TITLE", "O")),
    Sentence(("star", "wars", "films"), ("O", "I-TITLE", "O")),
]


@pytest.fixture
def trained() -> MajorityTagger:
    tagger = MajorityTagger(Settings(), scoring=entity_f1)
    assert tagger.fit(TRAIN, []) == []
    return tagger


def test_each_word_has_its_most_frequent_tag_and_an_unknown_one_none(trained: MajorityTagger) -> None:
    assert trained.tag([["STAR", "wars", "films"], ["the", "wars"]]) == [["B-TITLE", "I-TITLE", "O"], ["O", "I-TITLE"]]
    assert trained.parameters == 4


def test_of_equally_frequent_tags_the_first_seen() -> None:
    tagger = MajorityTagger(Settings(), scoring=entity_f1)
    tagger.fit([Sentence(("a", "a"), ("B-X", "O")), Sentence(("b", "b"), ("O", "B-X"))], [])
    assert tagger.tag([["a", "b"]]) == [["B-X", "O"]]


def test_a_saved_tagger_tags_the_same(trained: MajorityTagger, tmp_path: Path) -> None:
    trained.tag_of["\ud800"] = "B-TITLE"
    trained.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"majority.json", "tagger.json"}
    assert load_tagger(tmp_path).tag([["star", "\ud800"]]) == [["B-TITLE", "B-TITLE"]]


def test_a_damaged_file_is_named(trained: MajorityTagger, tmp_path: Path) -> None:
    trained.save(tmp_path)
    path = tmp_path / "majority.json"
    path.write_text(path.read_text().replace("TITLE", "ACTOR"))
    with pytest.raises(
        Damaged, match=r"majority\.json is not the file .*: its SHA-256 is .*, expected [0-9a-f]{64}; train it"
    ):
        load_tagger(tmp_path)
    path.unlink()
    with pytest.raises(Damaged, match=r"majority\.json is missing, but its SHA-256 is on record; train it again"):
        load_tagger(tmp_path)


def test_as_many_tags_as_words_whatever_the_words(trained: MajorityTagger) -> None:
    odd = [[], [""], [" "], ["\ud800"], ["\x00", "🎬", "مرحبا", "İ"], ["star"] * 5000]
    assert [len(tags) for tags in trained.tag(odd)] == [len(words) for words in odd]
