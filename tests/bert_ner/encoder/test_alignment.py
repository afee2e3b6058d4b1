"""First pieces are where the tokenizer itself says that words begin; windows cover what is too long."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase, RobertaTokenizer

from bert_ner.encoder.alignment import Window, WordPieces

WORDS = [
    "film", "films", "unforgettable", "don't", "r2-d2", "...", "C++", "a.b.c.d", "naïve", "ŁÓDŹ", "東京", "кино",
    "😀", "👩\u200d🚀", "e\u0301", "x" * 101, "[SEP]", "half[MASK]way", "two words",
]  # fmt: skip
NO_PIECE = ["", " ", "\u200b", "\x00", "\u00ad", "\ufffd", "\ufeff", "\t\n", "\ud800", "\udfff\ud800"]


@pytest.fixture
def pieces(tokenizer: PreTrainedTokenizerBase) -> WordPieces:
    return WordPieces.of(tokenizer, limit=512)


def by_tokenizer(tokenizer: PreTrainedTokenizerBase, words: list[str]) -> Window:
    """One window, from what the tokenizer says of the whole sentence."""
    encoding = tokenizer(words, is_split_into_words=True)
    first: dict[int, int] = {}
    for position, word in enumerate(encoding.word_ids()):
        if word is not None:
            first.setdefault(word, position)
    return Window(encoding["input_ids"], list(first), list(first.values()))


def test_random_sentences_as_the_tokenizer_sees_them(pieces: WordPieces, tokenizer: PreTrainedTokenizerBase) -> None:
    draw = random.Random(0)
    encodable = [word for word in NO_PIECE if word.isprintable() or word.isascii()]
    sentences = [draw.choices(WORDS + encodable, k=draw.randint(1, 30)) for _ in range(300)]
    for words, windows in zip(sentences, pieces.encode(sentences), strict=True):
        expected = by_tokenizer(tokenizer, words)
        assert windows == ([expected] if expected.words else [])


# Hypothesis reports the fixture because all examples share it; they are meant to.
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), max_size=12))
def test_any_unicode_as_the_tokenizer_sees_it(
    pieces: WordPieces, tokenizer: PreTrainedTokenizerBase, words: list[str]
) -> None:
    [windows] = pieces.encode([words])
    if windows:
        assert windows == [by_tokenizer(tokenizer, words)]
    else:
        assert not words or not by_tokenizer(tokenizer, words).words


@pytest.mark.parametrize("nothing", NO_PIECE)
def test_word_without_a_piece_shifts_no_label(
    pieces: WordPieces, tokenizer: PreTrainedTokenizerBase, nothing: str
) -> None:
    [[window]] = pieces.encode([[nothing, "good", nothing, nothing, "films", nothing]])
    assert window.words == [1, 4]
    assert tokenizer.convert_ids_to_tokens(window.ids) == ["[CLS]", "good", "films", "[SEP]"]
    assert window.positions == [1, 2]


def test_lone_surrogate_leaves_the_rest_of_its_word(pieces: WordPieces) -> None:
    broken, whole = pieces.encode([["fi\ud800lm"], ["film"]])
    assert broken == whole


def test_sentences_without_a_piece_have_no_window(pieces: WordPieces) -> None:
    assert pieces.encode([[], ["", "\u200b"], ["\x00"] * 1000]) == [[], [], []]
    assert pieces.encode([]) == []


def test_the_tokenizer_s_own_padding_and_truncation_are_off(wheel: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    settings = json.loads((wheel / "tokenizer.json").read_text(encoding="utf-8"))
    assert settings["padding"]["strategy"] == {"Fixed": 128}  # else this test tests nothing
    assert settings["truncation"]["max_length"] == 128
    pieces = WordPieces.of(tokenizer, limit=512)
    [[short]], [[long]] = pieces.encode([["film"]]), pieces.encode([["film"] * 300])
    assert (len(short.ids), len(long.ids)) == (3, 302)


@pytest.mark.parametrize("limit", [5, 6, 7, 16, 34, 100])
def test_windows_cover_every_word_once(tokenizer: PreTrainedTokenizerBase, limit: int) -> None:
    pieces = WordPieces.of(tokenizer, limit)
    draw = random.Random(limit)
    sentences = [draw.choices(WORDS + NO_PIECE, k=draw.randint(0, 150)) for _ in range(100)]
    sentences.append([".".join("abcdefghijkl" * 30)] * 3)  # three words of 719 pieces each
    whole = WordPieces.of(tokenizer, limit=10**9).encode(sentences)
    for windows, unlimited in zip(pieces.encode(sentences), whole, strict=True):
        if not unlimited:
            assert not windows
            continue
        [uncut] = unlimited
        if len(uncut.ids) <= limit:
            assert windows == [uncut]
            continue
        assert [word for window in windows for word in window.words] == uncut.words
        first_piece = {word: uncut.ids[at] for word, at in zip(uncut.words, uncut.positions, strict=True)}
        for window in windows:
            assert len(window.ids) <= limit
            assert (window.ids[0], window.ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
            for word, at in zip(window.words, window.positions, strict=True):
                assert window.ids[at] == first_piece[word]


def test_windows_overlap(tokenizer: PreTrainedTokenizerBase) -> None:
    [windows] = WordPieces.of(tokenizer, limit=34).encode([["film"] * 200])
    assert sum(len(window.ids) - 2 for window in windows) > 1.2 * 200
    for i, window in enumerate(windows):
        # A quarter of 32 pieces is shared, half of it is context: nothing is labelled at an inner edge.
        assert i == 0 or window.positions[0] >= 1 + 4
        assert i == len(windows) - 1 or len(window.ids) - 1 - window.positions[-1] > 4


def test_a_single_word_may_fill_the_encoder(tokenizer: PreTrainedTokenizerBase) -> None:
    word = ".".join("abcdefgh")  # 15 pieces
    pieces = WordPieces.of(tokenizer, limit=17)
    assert pieces.encode([[word]]) == [[by_tokenizer(tokenizer, [word])]]
    [[cut]] = pieces.encode([[word + "..."]])
    assert (len(cut.ids), cut.words, cut.positions) == (17, [0], [1])


def test_words_seen_before_are_cut_the_same(
    tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_ner.encoder.alignment._CACHE_LIMIT", 2)
    pieces = WordPieces.of(tokenizer, limit=512)
    assert pieces.encode([WORDS]) == pieces.encode([WORDS]) == [[by_tokenizer(tokenizer, WORDS)]]


def test_new_words_without_end_do_not_fill_the_memory(
    tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_ner.encoder.alignment._CACHE_LIMIT", 1000)
    pieces = WordPieces.of(tokenizer, limit=512)
    for i in range(100):
        pieces.encode([[f"film{i}", "?" * i]])
        assert sum(len(word) + 8 for word in pieces._pieces) <= 1000 + 2 * 8 + len(f"film{i}") + i
    assert pieces.encode([["film0"]]) == [[by_tokenizer(tokenizer, ["film0"])]]


def test_byte_level_tokenizers_get_their_leading_space(tmp_path: Path) -> None:
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "a", "b", "Ġ", "Ġa"]
    RobertaTokenizer(vocab={piece: i for i, piece in enumerate(vocabulary)}, merges=[("Ġ", "a")]).save_pretrained(
        tmp_path
    )
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, add_prefix_space=True)
    [[window]] = WordPieces.of(tokenizer, limit=512).encode([["a", "ba", "a"]])
    assert tokenizer.convert_ids_to_tokens(window.ids) == ["<s>", "Ġa", "Ġ", "b", "a", "Ġa", "</s>"]
    assert window == by_tokenizer(tokenizer, ["a", "ba", "a"])


def test_mpnet_s_special_tokens(mpnet_tokenizer: PreTrainedTokenizerBase) -> None:
    assert (len(mpnet_tokenizer), mpnet_tokenizer.convert_ids_to_tokens([4, 104, 30526])) == (
        30527,
        ["[PAD]", "[UNK]", "<mask>"],
    )
    words = [*WORDS, "<s>", "</s>", "<pad>", "<unk>", "<mask>", "[UNK]", "[CLS]", *NO_PIECE[:3], "films"]
    [[window]] = WordPieces.of(mpnet_tokenizer, limit=512).encode([words])
    assert (window.ids[0], window.ids[-1]) == (0, 2)
    assert window == by_tokenizer(mpnet_tokenizer, words)
    [[long]] = WordPieces.of(mpnet_tokenizer, limit=512).encode([["film"] * 300])
    assert len(long.ids) == 302


def test_a_tokenizer_without_bert_s_special_tokens_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.cls_token = None
    with pytest.raises(ValueError, match="CLS"):
        WordPieces.of(tokenizer, limit=512)
