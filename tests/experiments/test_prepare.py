"""prepare.py: statistics of a corpus, and its messages."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
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
from bert_ner.files import read_sums
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

    def run(train: str, test: str = "films\tO\n", **keys: Any) -> None:
        raw = tmp_path / "raw"
        raw.mkdir(exist_ok=True)
        (raw / "train.txt").write_text(train, encoding="utf-8")
        (raw / "test.txt").write_text(test, encoding="utf-8")
        corpus = Corpus.model_validate(
            {"name": "mine", "title": "Mine", "train": "train.txt", "test": "test.txt", **keys}
        )
        for name, value in (
            ("corpus_named", lambda _: corpus),
            ("raw_folder", lambda _: raw),
            ("prepared_file", lambda _, name: tmp_path / "prepared" / name),
            ("parts_file", lambda _, split: tmp_path / "parts" / f"{split}.txt"),
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


def test_a_least_number_of_steps_that_is_no_longer_asked_for_is_gone(
    prepared: Callable[..., None], tmp_path: Path
) -> None:
    path = tmp_path / "prepared/min_steps.txt"
    prepared("films\tO\n\nheist\tB-GENRE\n\n" * 5, min_steps=8)
    assert path.read_text() == "8\n"
    prepared("films\tO\n\nheist\tB-GENRE\n\n" * 5)
    assert not path.exists()
    assert path.name not in read_sums(path.parent)


def one_word(words: Sequence[str]) -> str:
    """Return sentences of one word each."""
    return "".join(f"{word}\tO\n\n" for word in words)


UNSORTED, SORTED = ["ant", "zoo"] * 30, [f"k{i}" for i in range(100, 200)]


def test_the_part_of_each_sentence_goes_through_the_split(prepared: Callable[..., None], tmp_path: Path) -> None:
    prepared(one_word(UNSORTED + SORTED), one_word(UNSORTED[:40] + SORTED))
    for name in ("train", "validation", "test"):
        words = (tmp_path / "prepared" / f"{name}.bio").read_text().split("\n\n")
        parts = (tmp_path / "parts" / f"{name}.txt").read_text().split()
        assert parts == ["2" if "\tk" in line else "1" for line in words if line]
    facts = json.loads((tmp_path / "results/mine/corpus.json").read_text())["parts"]
    assert facts["files_agree"]
    assert {name: [each["after"] for each in found] for name, found in facts["breaks"].items()} == {
        "train": [60], "test": [40],
    }  # fmt: skip
    sizes = facts["sentences"]
    assert sizes["test"] == {"1": 40, "2": 100}
    assert sizes["train"]["1"] + sizes["validation"]["1"] == 60
    assert sorted(path.name for path in (tmp_path / "prepared").iterdir()) == [
        "SHA256SUMS", "labels.txt", "test.bio", "train.bio", "validation.bio",
    ]  # fmt: skip


def test_files_that_differ_in_their_parts_count_as_one(
    prepared: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared(one_word(UNSORTED + SORTED), one_word(UNSORTED))
    facts = json.loads((tmp_path / "results/mine/corpus.json").read_text())["parts"]
    assert not facts["files_agree"]
    assert len(facts["breaks"]["train"]) == 1
    assert facts["sentences"]["test"] == {"1": 60}
    assert set((tmp_path / "parts/train.txt").read_text().split()) == {"1"}
    assert "mine: its files differ in their parts, so it counts as one" in capsys.readouterr().out
