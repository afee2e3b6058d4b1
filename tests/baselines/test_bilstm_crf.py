"""The BiLSTM-CRF baseline."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from baselines.bilstm_crf import BiLSTMCRFTagger, BiLSTMSettings, Vocabulary
from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence, labels_of
from bert_ner.errors import BertNerError, InvalidValue
from bert_ner.files import Damaged, sha256_of
from bert_ner.model_folder import TaggerUnavailable
from bert_ner.scoring import entity_f1
from bert_ner.settings import parse_settings
from bert_ner.tagger import ScoringTagger

LABELS = labels_of(["GENRE", "PERSON"])
SMALL = BiLSTMSettings(
    word_size=16,
    character_size=8,
    filters=8,
    hidden=16,
    dropout=0.1,
    word_dropout=0.05,
    learning_rate=0.02,
    batch_size=4,
    epochs=30,
)
ODD = [
    [],
    [""],
    ["", "film", ""],
    [" ", "\t", "\n"],
    ["\ud800", "fi\udfffm"],
    ["\x00", "🎬", "مرحبا", "\U0010ffff"],
    ["x" * 1_000_000, "film"],
    ["film"] * 3000,
]


def parsed(*lines: str) -> list[Sentence]:
    pairs = [[entry.split("/") for entry in line.split()] for line in lines]
    return [Sentence(tuple(word for word, _ in row), tuple(tag for _, tag in row)) for row in pairs]


SENTENCES = parsed(
    "any/O good/O heist/B-GENRE comedy/I-GENRE with/O ada/B-PERSON brook/I-PERSON",
    "ada/B-PERSON brook/I-PERSON westerns/B-GENRE please/O",
    "what/O did/O olaf/B-PERSON direct/O last/O winter/O",
    "something/O scary/B-GENRE for/O tonight/O",
    "who/O wrote/O that/O heist/B-GENRE comedy/I-GENRE",
    "olaf/B-PERSON and/O ada/B-PERSON brook/I-PERSON in/O one/O film/O",
    "show/O me/O westerns/B-GENRE",
    "is/O olaf/B-PERSON still/O making/O musicals/B-GENRE ?/O",
)
WORDS = [words for words, _ in SENTENCES]


def tagger_of(seed: int = 1, **changes: Any) -> BiLSTMCRFTagger:
    return BiLSTMCRFTagger(SMALL.model_copy(update=changes), labels=LABELS, seed=seed, scoring=entity_f1)


@pytest.fixture(scope="module")
def history() -> list[dict[str, Any]]:
    return []


@pytest.fixture(scope="module")
def trained(history: list[dict[str, Any]]) -> BiLSTMCRFTagger:
    tagger = tagger_of()
    history += tagger.fit(SENTENCES, SENTENCES)
    return tagger


def test_learns_eight_sentences_by_heart(trained: BiLSTMCRFTagger, history: list[dict[str, Any]]) -> None:
    assert trained.tag(WORDS) == [list(tags) for _, tags in SENTENCES]
    assert [row["epoch"] for row in history] == list(range(1, 31))
    assert {tuple(row) for row in history} == {
        ("epoch", "train_loss", "seconds", "validation_loss", "validation_entity_f1")
    }
    assert history[-1]["train_loss"] < 0.1 * history[0]["train_loss"]
    json.dumps(history)  # plain numbers


def test_before_it_has_learnt_its_loss_is_that_of_a_guess() -> None:
    [row] = tagger_of(epochs=1, learning_rate=1e-9).fit(SENTENCES, SENTENCES)
    assert row["train_loss"] == pytest.approx(torch.tensor(5.0).log().item(), abs=0.2)  # of five tags, a word
    assert row["validation_loss"] == pytest.approx(torch.tensor(5.0).log().item(), abs=0.2)


def test_the_validation_sentences_choose_the_epoch() -> None:
    scores = iter([0.1, 0.7, 0.7, 0.2])
    tagger = BiLSTMCRFTagger(
        SMALL.model_copy(update={"epochs": 4}), labels=LABELS, seed=1, scoring=lambda gold, predicted: next(scores)
    )
    losses = [row["validation_loss"] for row in tagger.fit(SENTENCES, SENTENCES)]
    assert tagger._mean_loss(SENTENCES) == pytest.approx(losses[1], rel=1e-6)
    assert losses[1] != losses[2] != losses[3]


def test_parameters_counts_every_number(trained: BiLSTMCRFTagger) -> None:
    words, characters = len({word for words in WORDS for word in words}), len(trained.vocabulary.characters)
    lstm = 2 * (4 * 16 * (16 + 8) + 4 * 16 * 16 + 2 * 4 * 16)
    layers = (words + 2) * 16 + (characters + 2) * 8 + (8 * 3 * 8 + 8) + lstm + (2 * 16 * 5 + 5)
    assert trained.parameters == layers + (5 + 5 + 25)


def test_vocabulary_has_characters_of_two_words() -> None:
    sentences = parsed("Ab/O ac/O", "AB/O ac/O zz/O")
    assert Vocabulary.from_sentences(sentences) == (
        ["ab", "ac", "zz"],
        ["A"],
    )  # 'a' is in one word, however often it occurs


def test_what_a_sentence_is_tagged_with_does_not_matter(trained: BiLSTMCRFTagger) -> None:
    texts = [words[i:] for words in WORDS for i in range(len(words))] + [["ada", "unheard-of"] * 40]
    alone = [trained.tag_scored([words])[0] for words in texts]
    for ours, theirs in zip(trained.tag_scored(texts), alone, strict=True):
        assert [tag for tag, _ in ours] == [tag for tag, _ in theirs]
        assert [score for _, score in ours] == pytest.approx([score for _, score in theirs], abs=1e-4)


def test_scores_are_the_shares_of_all_paths(trained: BiLSTMCRFTagger) -> None:
    assert isinstance(trained, ScoringTagger)
    words = ["ada", "unheard", "westerns"]
    chain = trained.network.chain
    with torch.no_grad():
        emissions = trained.network.eval()(trained._batch([words]))[0].tolist()
    start, end, moved = chain.start.tolist(), chain.end.tolist(), chain.transitions.tolist()
    weight = {
        (a, b, c): math.exp(
            start[a] + emissions[0][a] + moved[a][b] + emissions[1][b] + moved[b][c] + emissions[2][c] + end[c]
        )
        for a, b, c in product(range(5), repeat=3)
    }
    best, total = max(weight, key=weight.__getitem__), sum(weight.values())
    expected = [sum(w for path, w in weight.items() if path[i] == best[i]) / total for i in range(3)]
    empty, scored = trained.tag_scored([[], words])
    assert empty == []
    assert [tag for tag, _ in scored] == [LABELS[tag] for tag in best] == trained.tag([words])[0]
    assert [score for _, score in scored] == pytest.approx(expected, abs=1e-5)


def test_case_is_seen_in_characters_only(trained: BiLSTMCRFTagger) -> None:
    lower, upper = trained._batch([["ada"]]), trained._batch([["ADA"]])
    assert torch.equal(lower.words, upper.words)
    assert not torch.equal(lower.characters, upper.characters)


def test_arrays_and_columns_of_pandas_are_sequences(trained: BiLSTMCRFTagger) -> None:
    sentences = [["heist", "comedy"], [], ["by", "ada", "brook"]]
    arrays = [np.array(words, dtype=object) for words in sentences]
    for same in (arrays, pd.Series(arrays, index=[7, 3, 9])):
        assert trained.tag(same) == trained.tag(sentences)


def test_as_many_tags_as_words(trained: BiLSTMCRFTagger, tmp_path: Path) -> None:
    trained.save(tmp_path)
    for tagger in (trained, load_tagger(tmp_path)):
        tagged = tagger.tag(ODD)
        assert [len(tags) for tags in tagged] == [len(words) for words in ODD]
        assert {tag for tags in tagged for tag in tags} <= set(LABELS)
        assert tagger.tag([]) == []


def test_hundred_thousand_words(trained: BiLSTMCRFTagger) -> None:
    [tags] = trained.tag([["ada", "brook", "westerns", "please"] * 25_000])
    assert tags[40_000:40_004] == ["B-PERSON", "I-PERSON", "B-GENRE", "O"]
    assert len(tags) == 100_000


def test_same_seed_same_file(tmp_path: Path) -> None:
    sums = []
    for run, seed in enumerate((5, 5, 6)):
        tagger = tagger_of(seed, epochs=2)
        torch.seed()  # what was drawn before must not matter
        tagger.fit(SENTENCES, SENTENCES)
        (tmp_path / str(run)).mkdir()
        tagger.save(tmp_path / str(run))
        sums.append([sha256_of(path) for path in sorted((tmp_path / str(run)).iterdir())])
    assert sums[0] == sums[1] != sums[2]


def test_odd_words_can_be_learnt(tmp_path: Path) -> None:
    odd = [Sentence(tuple(words), ("O",) * len(words)) for words in ODD if len(words) < 5]
    tagger = tagger_of(epochs=2)
    tagger.fit(odd, odd)
    tagger.save(tmp_path)
    assert load_tagger(tmp_path).vocabulary == tagger.vocabulary


def test_saved_and_loaded(trained: BiLSTMCRFTagger, tmp_path: Path) -> None:
    trained.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "model.safetensors", "tagger.json", "vocabulary.json",
    }  # fmt: skip
    loaded = load_tagger(tmp_path)
    assert loaded.tag_scored(WORDS) == trained.tag_scored(WORDS)
    assert loaded.parameters == trained.parameters


@pytest.mark.parametrize("name", ["model.safetensors", "vocabulary.json"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "missing"])
def test_a_damaged_file_is_named(trained: BiLSTMCRFTagger, tmp_path: Path, name: str, damage: str) -> None:
    trained.save(tmp_path)
    path = tmp_path / name
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.unlink()
    if damage != "missing":
        path.write_bytes(data[:-5] if damage == "cut" else data)
    with pytest.raises(Damaged, match=rf"{name} is (missing|not the file that was written).*; train it again"):
        load_tagger(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "vocabulary.json", "tagger.json"])
def test_a_broken_file_is_an_error_without_checksums_too(trained: BiLSTMCRFTagger, tmp_path: Path, name: str) -> None:
    trained.save(tmp_path)
    manifest = json.loads((tmp_path / "tagger.json").read_text())
    (tmp_path / "tagger.json").write_text(json.dumps({**manifest, "sha256": None}))
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-5])
    with pytest.raises(TaggerUnavailable, match="train it again"):
        load_tagger(tmp_path)


def test_what_can_t_be_learnt() -> None:
    with pytest.raises(BertNerError, match="not among the labels: B-PLOT"):
        tagger_of().fit(parsed("a/B-PLOT"), SENTENCES)
    with pytest.raises(BertNerError, match="nothing to learn from"):
        tagger_of().fit([Sentence((), ())], SENTENCES)
    assert len(tagger_of(epochs=2).fit(SENTENCES, [])) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": 0}, "hidden must be a whole number of at least 1, not 0"),
        ({"epochs": True}, "epochs must be a whole number of at least 1, not True"),
        ({"batch_size": 1.5}, "batch_size must be a whole number of at least 1, not 1.5"),
        ({"dropout": 1}, "dropout must be a number of at least 0 and below 1, not 1"),
        ({"word_dropout": "0.1"}, "word_dropout must be a number of at least 0 and below 1, not '0.1'"),
        ({"word_dropout": float("nan")}, "word_dropout must be a number .*, not nan"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0 and below 1, not 0"),
    ],
)
def test_a_wrong_setting_is_named_with_its_range(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        parse_settings(BiLSTMSettings, {**vars(SMALL), **change})
