"""EncoderTagger: it learns, and gives as many tags as words, whatever the words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models import change_config
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    MPNetConfig,
    MPNetModel,
    PreTrainedTokenizerBase,
    RobertaConfig,
    RobertaModel,
)

from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.tagger import EncoderTagger, examples_of
from bert_ner.encoder.training import IGNORED, Recipe
from bert_ner.encoder.weights import WeightsUnavailable
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of
from bert_ner.scoring import entity_f1
from bert_ner.tagger import ProbabilisticTagger

LABELS = ("O", "B-GENRE", "I-GENRE", "B-PERSON", "I-PERSON")
LIMIT = 48


class ByPiece(torch.nn.Module):
    """Stands in for a model: the label of a piece is a function of its id."""

    device = torch.device("cpu")

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        assert input_ids.shape == attention_mask.shape
        assert input_ids.shape[1] <= LIMIT
        return SimpleNamespace(logits=torch.nn.functional.one_hot(input_ids % len(LABELS), len(LABELS)).float())


@pytest.fixture
def by_piece(trained: Any) -> EncoderTagger:
    tagger = EncoderTagger.load(trained.folder)
    tagger.model = ByPiece()
    return tagger


def tags_by_piece(tagger: EncoderTagger, words: list[str]) -> list[str]:
    """Return the model's tag for each word's first piece; without one, the next word's if the entity goes on there."""
    ids = {word: tagger.tokenizer(word, add_special_tokens=False)["input_ids"] for word in set(words)}
    tags = [LABELS[ids[word][0] % len(LABELS)] if ids[word] else None for word in words]
    following = "O"
    for i in range(len(tags) - 1, -1, -1):
        if tags[i]:
            following = tags[i]
            continue
        before = next((tag for tag in reversed(tags[:i]) if tag), "O")
        is_inside = following.startswith("I-") and before in (following, f"B-{following[2:]}")
        tags[i] = following if is_inside else ""
    return [tag or "O" for tag in tags]


# --- training -----------------------------------------------------------------------------------------------------


def test_overfits_eight_sentences(trained: Any, sentences: list[Sentence]) -> None:
    assert trained.tagger.tag([words for words, _ in sentences]) == [list(tags) for _, tags in sentences]
    assert trained.history[-1]["validation_entity_f1"] == 1.0
    assert trained.history[-1]["train_loss"] < 0.1 * trained.history[0]["train_loss"]


def test_history_of_every_epoch(trained: Any) -> None:
    keys = ["epoch", "train_loss", "seconds", "validation_loss", "validation_entity_f1"]
    assert [list(row) for row in trained.history] == [keys] * 40
    assert [row["epoch"] for row in trained.history] == list(range(1, 41))
    json.dumps(trained.history)  # plain numbers


def test_validation_loss_is_the_mean_over_words(trained: Any, sentences: list[Sentence]) -> None:
    tagger, tokenizer = trained.tagger, trained.tagger.tokenizer
    losses = []
    for words, tags in sentences:
        encoding = tokenizer([list(words)], is_split_into_words=True, return_tensors="pt").to(tagger.model.device)
        with torch.inference_mode():
            chances = tagger.model(**encoding).logits[0].log_softmax(-1)
        at = [encoding.word_ids().index(i) for i in range(len(words))]
        losses += [-chances[i, LABELS.index(tag)].item() for i, tag in zip(at, tags, strict=True)]
    assert trained.history[-1]["validation_loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-3)


def test_examples_have_each_word_s_label_on_its_first_piece(tokenizer: PreTrainedTokenizerBase) -> None:
    sentence = Sentence(("unfilmable", "\u200b", "wall-e"), ("B-GENRE", "I-GENRE", "B-PERSON"))
    [example] = examples_of([sentence], WordPieces.of(tokenizer, 48), {"B-GENRE": 1, "I-GENRE": 2, "B-PERSON": 3})
    assert " ".join(tokenizer.convert_ids_to_tokens(example.ids)) == "[CLS] un ##film ##able wall - e [SEP]"
    assert example.labels == [IGNORED, 1, IGNORED, IGNORED, 3, IGNORED, IGNORED, IGNORED]


def test_same_seed_same_file(recipe: Recipe, sentences: list[Sentence], tmp_path: Path) -> None:
    sums = []
    for run, seed in enumerate((5, 5, 6)):
        tagger = EncoderTagger(recipe, labels=LABELS, seed=seed, scoring=entity_f1)
        tagger.fit(sentences, sentences[:2])
        (tmp_path / str(run)).mkdir()
        tagger.save(tmp_path / str(run))
        sums.append([sha256_of(path) for path in sorted((tmp_path / str(run)).rglob("*.*"))])
    assert sums[0] == sums[1]
    assert sums[0] != sums[2]


def test_random_weights_are_the_seed_s_and_not_the_encoder_s(recipe: Recipe, sentences: list[Sentence]) -> None:
    def first_loss(seed: int, **changes: Any) -> tuple[float, torch.Tensor]:
        settings = {**vars(recipe), "epochs": 1, "learning_rate": 1e-9, "weight_decay": 0.0, **changes}
        tagger = EncoderTagger(Recipe(**settings), labels=LABELS, seed=seed, scoring=entity_f1)
        [row] = tagger.fit(sentences, sentences)
        return row["validation_loss"], tagger.model.get_input_embeddings().weight.detach()

    given = AutoModelForTokenClassification.from_pretrained(recipe.name).get_input_embeddings().weight
    (loss, ours), (again, same), (_, other) = (first_loss(seed, pretrained=False) for seed in (1, 1, 2))
    torch.testing.assert_close(first_loss(1)[1], given, rtol=0, atol=1e-6)
    assert loss == again
    assert torch.equal(ours, same)
    for weights in (given, other):
        assert weights.shape == ours.shape
        assert (weights - ours).abs().mean() > 0.01  # both are drawn with a deviation of 0.02


@pytest.mark.parametrize("labels", [LABELS, ("O", "B-PERSON", "I-PERSON", "B-GENRE", "I-GENRE")])
def test_starts_from_a_fine_tuned_folder(
    trained: Any, recipe: Recipe, sentences: list[Sentence], labels: tuple[str, ...]
) -> None:
    """Its classifier is kept only for the same labels, and its encoder for any."""
    settings = {**vars(recipe), "name": str(trained.folder), "epochs": 1, "learning_rate": 1e-9, "weight_decay": 0.0}
    tagger = EncoderTagger(Recipe(**settings), labels=labels, seed=1, scoring=entity_f1)
    tagger.fit(sentences, sentences)
    ours, theirs = dict(tagger.model.named_parameters()), dict(trained.tagger.model.named_parameters())
    is_kept = {name: torch.allclose(ours[name], theirs[name], rtol=0, atol=1e-6) for name in ours}
    assert {name for name in is_kept if not is_kept[name]} <= {"classifier.weight", "classifier.bias"}
    assert is_kept["classifier.weight"] == (labels == LABELS)


def test_half_precision_encoder_trains_in_float32(
    encoder_folder: Path, recipe: Recipe, sentences: list[Sentence], tmp_path: Path
) -> None:
    folder = shutil.copytree(encoder_folder, tmp_path / "half")
    halves = {name: values.half() for name, values in load_file(folder / "model.safetensors").items()}
    save_file(halves, folder / "model.safetensors", {"format": "pt"})
    change_config(folder, dtype="float16")
    tagger = EncoderTagger(Recipe(**{**vars(recipe), "name": str(folder)}), labels=LABELS, seed=1, scoring=entity_f1)
    tagger.fit(sentences, sentences)
    assert {parameter.dtype for parameter in tagger.model.parameters()} == {torch.float32}


def test_classifier_of_another_task_is_replaced(trained: Any, recipe: Recipe, sentences: list[Sentence]) -> None:
    tagger = EncoderTagger(
        Recipe(**{**vars(recipe), "name": str(trained.folder)}), labels=["O", "B-X", "I-X"], seed=1, scoring=entity_f1
    )
    other = [Sentence(words, ("B-X", *["O"] * (len(words) - 1))) for words, _ in sentences]
    tagger.fit(other, other)
    assert tagger.model.classifier.out_features == 3
    assert {tag for tags in tagger.tag([words for words, _ in other]) for tag in tags} <= {"O", "B-X", "I-X"}


def test_words_without_a_piece_do_not_disturb_training(recipe: Recipe) -> None:
    odd = [Sentence(("", "film", "\ud800"), ("O", "B-GENRE", "I-GENRE")), Sentence((" ",), ("O",)), Sentence((), ())]
    tagger = EncoderTagger(recipe, labels=LABELS, seed=1, scoring=entity_f1)
    assert len(tagger.fit(odd, odd)) == recipe.epochs
    assert [len(tags) for tags in tagger.tag([words for words, _ in odd])] == [3, 1, 0]


def test_a_small_corpus_takes_more_passes(recipe: Recipe, sentences: list[Sentence]) -> None:
    steps = -(-len(sentences) // recipe.batch_size)
    for least, epochs in ((1, recipe.epochs), (steps * recipe.epochs + 1, recipe.epochs + 1)):
        settings = recipe.model_copy(update={"min_steps": least})
        tagger = EncoderTagger(settings, scoring=entity_f1, labels=LABELS, seed=3)
        assert len(tagger.fit(sentences, sentences)) == epochs


def test_sentences_longer_than_the_encoder_are_learnt_whole(recipe: Recipe) -> None:
    long = [Sentence(("film",) * 300, ("O",) * 300)]
    tagger = EncoderTagger(recipe, labels=LABELS, seed=1, scoring=entity_f1)
    [first, _] = tagger.fit(long, long)
    assert first["train_loss"] > 0
    assert len(tagger.pieces.encode([words for words, _ in long])[0]) > 300 / LIMIT


def test_unknown_tag(recipe: Recipe, sentences: list[Sentence]) -> None:
    tagger = EncoderTagger(recipe, labels=["O", "B-GENRE", "I-GENRE"], seed=1, scoring=entity_f1)
    with pytest.raises(BertNerError, match="not among the labels: B-PERSON, I-PERSON"):
        tagger.fit(sentences[:1], sentences[:1])


@pytest.mark.parametrize("train", [[], [Sentence(("",), ("O",))]])
def test_nothing_to_train_on(recipe: Recipe, sentences: list[Sentence], train: list[Sentence]) -> None:
    with pytest.raises(BertNerError, match="nothing to learn from"):
        EncoderTagger(recipe, labels=LABELS, seed=1, scoring=entity_f1).fit(train, sentences)


def test_encoder_whose_config_asks_for_more(
    encoder_folder: Path, recipe: Recipe, sentences: list[Sentence], tmp_path: Path
) -> None:
    folder = shutil.copytree(encoder_folder, tmp_path / "deeper")
    change_config(folder, num_hidden_layers=3)
    with pytest.raises(WeightsUnavailable, match=r"lack 16 parameters.*bert\.encoder\.layer\.2\."):
        EncoderTagger(Recipe(**{**vars(recipe), "name": str(folder)}), labels=LABELS, seed=1, scoring=entity_f1).fit(
            sentences, sentences
        )


def test_encoder_cut_off(encoder_folder: Path, recipe: Recipe, sentences: list[Sentence], tmp_path: Path) -> None:
    folder = shutil.copytree(encoder_folder, tmp_path / "cut")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-1000])
    with pytest.raises(WeightsUnavailable, match="its model can't be loaded"):
        EncoderTagger(Recipe(**{**vars(recipe), "name": str(folder)}), labels=LABELS, seed=1, scoring=entity_f1).fit(
            sentences, sentences
        )


# --- tagging ------------------------------------------------------------------------------------------------------

ODD = [
    [],
    [""],
    ["", "", ""],
    [" ", "\t", "\n"],
    ["film", "", "film"],
    ["\u200b", "film", "\u200d", "film"],
    ["😀", "👩\u200d👩\u200d👧", "🏳️\u200d🌈"],
    ["\x00", "\x07", "\x1b[31m", "\x7f", "\u202e"],
    ["\ud800", "fi\udfffm", "\udfff\ud800"],
    ["x" * 100_000, "film"],
    ["." * 5_000, "film", "-".join("abcdef" * 100)],
    ["[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]"],
    ["two words", "three more words", "film\nnext"],
    ["\u0301" * 50, "e\u0301", "ﬁlm", "東京都", "مرحبا", "\U0010ffff"],
]


def test_scores_are_the_softmax_of_each_tag(trained: Any) -> None:
    words = ["olaf", "", "westerns", "\ud800", "unheard"]
    [scored] = trained.tagger.tag_scored([words])
    assert [[tag for tag, _ in scored]] == trained.tagger.tag([words])
    tokenizer, model = trained.tagger.tokenizer, trained.tagger.model
    ids = tokenizer(["olaf", "westerns", "unheard"], is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        expected = model(**ids).logits.softmax(-1)[0].max(-1).values
    first_pieces = [ids.word_ids().index(word) for word in range(3)]
    assert [scored[i][1] for i in (0, 2, 4)] == pytest.approx(expected[first_pieces].tolist(), abs=1e-5)
    assert (scored[1], scored[3]) == (("O", 1.0), ("O", 1.0))
    assert trained.tagger.tag_scored([]) == []
    assert trained.tagger.tag_scored([[], []]) == [[], []]


def test_the_probability_of_every_label_in_the_order_asked_for(trained: Any) -> None:
    words = ["olaf", "", "westerns", "\ud800", "unheard"]
    labels = ["B-UNKNOWN", *reversed(LABELS)]
    empty, table = trained.tagger.tag_probabilities([[], words], labels)
    assert isinstance(trained.tagger, ProbabilisticTagger)
    assert (empty.shape, table.shape) == ((0, 6), (5, 6))
    assert table.sum(axis=1) == pytest.approx([1] * 5, abs=1e-5)
    [scored] = trained.tagger.tag_scored([words])
    for row, (tag, score) in zip(table, scored, strict=True):
        assert (labels[row.argmax()], row.max()) == (tag, pytest.approx(score, abs=1e-5))
    assert table[1].tolist() == table[3].tolist() == [0, 0, 0, 0, 0, 1]  # without a piece


def test_odd_words(trained: Any) -> None:
    for tagger in (trained.tagger, EncoderTagger.load(trained.folder)):
        tagged = tagger.tag(ODD)
        assert [len(tags) for tags in tagged] == [len(words) for words in ODD]
        assert {tag for tags in tagged for tag in tags} <= set(LABELS)
        assert tagged[2] == ["O"] * 3
        assert tagger.tag([]) == []


# Hypothesis reports the fixture because all examples share it; they are meant to.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sentences=st.lists(st.lists(st.text(st.characters(), max_size=5), max_size=70), max_size=4))
def test_as_many_tags_as_words(by_piece: EncoderTagger, sentences: list[list[str]]) -> None:
    tagged = by_piece.tag(sentences)
    assert [len(tags) for tags in tagged] == [len(words) for words in sentences]


def test_every_tag_is_its_own_word_s(by_piece: EncoderTagger) -> None:
    vocabulary = ["film", "films", "unforgettable", "", "r2-d2", "\u200b", "naïve", "😀", "\x00", "a.b.c", "western"]
    lengths = [0, 1, 2, 5, 40, 46, 47, 100, 500, 3]  # around, and far above, the 46 words that fit
    sentences = [[vocabulary[(i * i + n) % len(vocabulary)] for i in range(n)] for n in lengths]
    assert by_piece.tag(sentences) == [tags_by_piece(by_piece, words) for words in sentences]


def test_hundred_thousand_words(by_piece: EncoderTagger) -> None:
    words = ["film", "", "heist", "westerns", "unforgettable"] * 20_000
    [tags] = by_piece.tag([words])
    assert tags == tags_by_piece(by_piece, words[:5]) * 20_000
    assert by_piece.tag([[""] * 100_000]) == [["O"] * 100_000]


def test_sentence_longer_than_the_encoder(trained: Any) -> None:
    [tags] = trained.tagger.tag([["westerns", "please"] * 100])
    assert len(tags) == 200
    assert "B-GENRE" in tags[-LIMIT:]


def test_batching_does_not_change_tags(trained: Any, sentences: list[Sentence]) -> None:
    many = [words[i:] for words, _ in sentences for i in range(len(words))] + [["olaf", "brook"] * 40]
    assert trained.tagger.tag(many) == [trained.tagger.tag([words])[0] for words in many]
    assert trained.tagger.tag(many[::-1]) == trained.tagger.tag(many)[::-1]


@pytest.mark.parametrize("model_max_length", [None, 20, 512])
def test_positions_that_start_after_the_padding_s(
    wheel: Path, tmp_path: Path, recipe: Recipe, model_max_length: int | None
) -> None:
    """RoBERTa's 33 positions hold 32 pieces if the padding's id is 0; its tokenizer may or may not know."""
    config = RobertaConfig(
        vocab_size=30522, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=33, pad_token_id=0,
    )  # fmt: skip
    RobertaModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(wheel, model_max_length=model_max_length or int(1e30))
    tokenizer.save_pretrained(tmp_path)
    long = [Sentence(("film",) * 90, ("O",) * 90)]
    tagger = EncoderTagger(Recipe(**{**vars(recipe), "name": str(tmp_path)}), labels=LABELS, seed=1, scoring=entity_f1)
    tagger.fit(long, long)
    [windows] = tagger.pieces.encode([("film",) * 90])
    assert max(len(window.ids) for window in windows) == min(32, model_max_length or 32)


def test_mpnet(
    mpnet_tokenizer: PreTrainedTokenizerBase, sentences: list[Sentence], tmp_path: Path, recipe: Recipe
) -> None:
    """It takes no token types, and tells padding from pieces by the id 1."""
    config = MPNetConfig(
        vocab_size=30527, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=34,
    )  # fmt: skip
    torch.manual_seed(0)
    MPNetModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    mpnet_tokenizer.save_pretrained(tmp_path)
    patient = Recipe(**{**vars(recipe), "name": str(tmp_path), "epochs": 40})
    tagger = EncoderTagger(patient, labels=LABELS, seed=1, scoring=entity_f1)
    tagger.fit(sentences, sentences)
    words = [words for words, _ in sentences]
    assert tagger.tag(words) == [list(tags) for _, tags in sentences]
    many = [*words, ["olaf", "<pad>", "brook"] * 40]
    assert tagger.tag(many) == [tagger.tag([each])[0] for each in many]
    [windows] = tagger.pieces.encode([("film",) * 90])
    assert max(len(window.ids) for window in windows) == 32


def test_all_sentences_train_and_none_validates(recipe: Recipe, sentences: list[Sentence]) -> None:
    on_all, expected = (
        EncoderTagger(recipe.model_copy(update={"train_on": part}), labels=LABELS, seed=1, scoring=entity_f1)
        for part in ("all", "train")
    )
    history = on_all.fit(sentences[:6], sentences[6:])
    expected.fit(sentences, sentences)
    for ours, theirs in zip(on_all.model.parameters(), expected.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert [list(row) for row in history] == [["epoch", "train_loss", "seconds"]] * 2
