"""Validation against test sentences: shares and differences by hand, and an AUC that is where it must be."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bert_ner.corpus.bio import Sentence
from claims import split_checks
from claims.split_checks import auc, check_split, contrasts, entities_of, known_items, pattern, redraw

MEL = Sentence(("films", "with", "Mel", "Gibson", "please"), ("O", "O", "B-ACTOR", "I-ACTOR", "O"))
UMA = Sentence(("films", "with", "uma", "please"), ("O", "O", "B-ACTOR", "O"))
HEIST = Sentence(("heist", "films"), ("B-GENRE", "O"))


class Silent:
    """A tagger that finds nothing."""

    def tag(self, sentences: list[tuple[str, ...]]) -> list[list[str]]:
        return [["O"] * len(words) for words in sentences]


class Gold(Silent):
    """A tagger that knows the sentences above."""

    def tag(self, sentences: list[tuple[str, ...]]) -> list[list[str]]:
        known = {sentence.words: list(sentence.tags) for sentence in (MEL, UMA, HEIST)}
        return [known[words] for words in sentences]


class Run:
    """A run in name only."""

    def __init__(self, system: str) -> None:
        self.system = system


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_checks, "SAMPLES", 50)
    monkeypatch.setattr(split_checks, "DRAWS", 5)


def test_a_pattern_has_types_in_place_of_entities() -> None:
    assert pattern(MEL) == pattern(UMA) == ("films", "with", "ACTOR", "please")
    assert entities_of(MEL) == [("ACTOR", ("mel", "gibson"))]


def test_an_item_is_known_if_training_has_it() -> None:
    assert known_items([["a", "b"], ["c"]], [["a", "x"], [], ["c"]]) == [[True, False], [], [True]]


def test_the_difference_is_validation_minus_test() -> None:
    found = contrasts(
        {"crf": [([(1, 2)] * 4, [(1, 4)] * 8), ([(2, 2)] * 4, [(1, 4)] * 8)]},
        split_checks._share,
        ["validation"] * 4 + ["test"] * 8,
    )["crf"]
    # The mean of two runs; equal sentences leave nothing to resample.
    assert [tuple(found[name].values()) for name in ("validation", "test", "difference")] == [
        (0.75, 0.75, 0.75), (0.25, 0.25, 0.25), (0.5, 0.5, 0.5),
    ]  # fmt: skip


def test_auc_is_a_half_of_equal_words_and_one_of_different_ones() -> None:
    draw = random.Random(0)
    one, other = ([[draw.choice("abcdef") for _ in range(6)] for _ in range(300)] for _ in range(2))
    same = auc(one, other)
    assert same is not None
    assert same["low"] < 0.5 < same["high"] + 0.03
    apart = auc(one, [[*words, "z", "z"] for words in other])
    assert apart is not None
    assert apart["value"] > 0.95
    assert auc(one[:4], other) is None


def test_auc_and_its_interval_equal_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores 3, 2 against 2, 1, 0: of six pairs five are won and one is a tie."""
    scores = np.array([[0, 3], [0, 2], [0, 2], [0, 1], [0, 0]], float)
    monkeypatch.setattr(split_checks, "FOLDS", 2)
    monkeypatch.setattr(split_checks, "cross_val_predict", lambda *_, **__: scores)
    found = auc([["a"]] * 2, [["b"]] * 3)
    assert found is not None
    assert found["value"] == pytest.approx(5.5 / 6)
    # Wins 1 and 5/6 have the variance 1/72; losses 1/4, 0 and 0 the variance 1/48.
    assert found["high"] - found["value"] == pytest.approx(1.959964 * (1 / 144 + 1 / 144) ** 0.5)


def test_other_splits_of_a_file_with_one_entity_know_everything() -> None:
    file = [entities_of(UMA)] * 20
    found = redraw(file, 2, [entities_of(UMA), entities_of(HEIST)])
    assert found["validation"] == {"value": 1, "low": 1, "high": 1}
    assert found["test"]["value"] == 0.5


def test_the_whole_and_each_part_are_compared() -> None:
    sentences = {
        "train": [MEL, UMA] * 5 + [HEIST] * 10,
        "validation": [MEL] * 6 + [HEIST] * 6,
        "test": [UMA] * 6 + [HEIST] * 6,
    }
    part_of = {"train": ["1"] * 10 + ["2"] * 10, "validation": ["1"] * 6 + ["2"] * 6, "test": ["1"] * 6 + ["2"] * 6}
    trained = {Run("crf"): Silent(), Run("minilm"): Gold()}
    found = check_split(sentences, part_of, trained)  # type: ignore[arg-type]
    assert found["auc_of_parts"]["1 and 2"]["value"] == 1
    assert list(found["by_part"]) == ["all", "1", "2"]
    first = found["by_part"]["1"]
    assert first["sentences"] == {"train": 10, "validation": 6, "test": 6}
    assert first["known_in_train"]["patterns"]["difference"]["value"] == 0
    assert first["known_in_train"]["entities"]["test"]["value"] == 1
    assert first["entity_f1"]["minilm"]["validation"]["value"] == 1
    assert first["entity_f1"]["crf"]["difference"]["value"] == 0


def test_a_corpus_of_one_piece_has_only_the_whole() -> None:
    sentences = {split: [MEL, UMA, HEIST] * 3 for split in ("train", "validation", "test")}
    found = check_split(sentences, {split: ["1"] * 9 for split in sentences}, {})
    assert found["auc_of_parts"] == {}
    assert list(found["by_part"]) == ["all"]
    assert found["by_part"]["all"]["entity_f1"] == {}
