"""prepare.py: statistics of a corpus, and its messages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

import prepare
from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import Corpus
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.weights import find_weights
from bert_ner.errors import BertNerError
from prepare import describe, lengths, shared


def test_lengths_by_hand() -> None:
    assert lengths(range(1, 101)) == {"mean": 50.5, "median": 50.5, "percentile_95": 95, "max": 100}
    assert lengths([7]) == {"mean": 7, "median": 7, "percentile_95": 7, "max": 7}


def test_description_by_hand() -> None:
    sentences = [
        Sentence(("films", "with", "orla", "quist"), ("O", "O", "B-ACTOR", "I-ACTOR")),
        Sentence(("unfilmable",), ("B-GENRE",)),
        Sentence(("unfilmable",), ("B-GENRE",)),
    ]
    pieces = WordPieces.of(AutoTokenizer.from_pretrained(find_weights("all-MiniLM-L6-v2").folder), 1000)
    facts = describe(sentences, pieces)
    assert {name: facts[name] for name in ("sentences", "words", "entities", "multi_word_entities")} == {
        "sentences": 3, "words": 6, "entities": 3, "multi_word_entities": 1,
    }  # fmt: skip
    assert (facts["duplicate_sentences"], facts["illegal_transitions"]) == (1, 0)
    assert facts["words_per_sentence"]["max"] == 4
    # un ##film ##able, [CLS] and [SEP]
    assert facts["pieces_per_sentence"]["median"] == 5
    assert facts["pieces_per_sentence"]["share_within_55"] == 1


def test_shared_sentences_compare_words_not_tags() -> None:
    a, b = Sentence(("x",), ("O",)), Sentence(("x",), ("B-A",))
    assert shared([a, Sentence(("y",), ("O",))], [b]) == 1


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Prepare a corpus of one-word sentences, with some keys of its YAML file."""

    def run(train: str, **keys: Any) -> None:
        raw = tmp_path / "raw"
        raw.mkdir()
        (raw / "train.txt").write_text(train, encoding="utf-8")
        (raw / "test.txt").write_text("films\tO\n", encoding="utf-8")
        corpus = Corpus.model_validate(
            {"name": "mine", "title": "Mine", "train": "train.txt", "test": "test.txt", **keys}
        )
        for name, value in (
            ("corpus_named", lambda _: corpus),
            ("raw_folder", lambda _: raw),
            ("prepared_file", lambda _, name: tmp_path / "prepared" / name),
            ("RESULTS", tmp_path / "results"),
        ):
            monkeypatch.setattr(prepare, name, value)
        monkeypatch.setattr(sys, "argv", ["prepare.py", "--corpus", "sample"])
        prepare.main()

    return run


@pytest.mark.parametrize(("few", "keys", "is_named"), [(20, {}, True), (20, {"min_steps": 8}, False), (3, {}, False)])
def test_a_small_corpus_without_a_least_number_of_steps_is_named(
    few: int,
    keys: dict[str, Any],
    is_named: bool,
    prepared: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(prepare, "FEW_SENTENCES", few)
    prepared("films\tO\n\nheist\tB-GENRE\n\n" * 5, **keys)
    assert ("mine is small: add 'min_steps: 800' to corpora/mine.yaml" in capsys.readouterr().out) == is_named


def test_a_file_in_another_format_names_the_yaml_file(prepared: Callable[..., None]) -> None:
    with pytest.raises(BertNerError, match=r"train\.txt:1: 3 columns(.|\n)*tag_column(.|\n)*\ncorpora/mine\.yaml says"):
        prepared("films NN O\n")
