"""The paper's alignment by hand, and what the audit counts."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.params import Run

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from transformers import AutoTokenizer, BertConfig, PreTrainedTokenizerBase, PreTrainedTokenizerFast

import audit
from bert_ner.corpus.bio import Sentence, illegal_transitions, labels_of, write_bio
from bert_ner.encoder.alignment import Window, WordPieces
from bert_ner.encoder.training import IGNORED
from bert_ner.encoder.weights import find_weights
from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from claims import audit_checks
from claims.audit_checks import EXAMPLE, PUNCTUATED, align, paper_labels, tally
from claims.paper import QUERIES

LABELS = labels_of(["ACTOR", "YEAR"])
TRAIN = [
    Sentence(("films", "with", "Orla", "Quist"), ("O", "O", "B-ACTOR", "I-ACTOR")),
    Sentence(("unfilmable",), ("O",)),
    Sentence(("unfilmable",), ("B-YEAR",)),
]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(find_weights("all-MiniLM-L6-v2").folder)


@pytest.fixture(scope="module")
def pieces(tokenizer: PreTrainedTokenizerBase) -> WordPieces:
    return WordPieces.of(tokenizer, 1000)


def test_the_paper_s_algorithm_on_the_paper_s_kind_of_sentence(pieces: WordPieces) -> None:
    outcome = align(Sentence(("unfilmable", "gibson"), ("B-YEAR", "B-ACTOR")), pieces)
    assert outcome.pieces == ["[CLS]", "un", "##film", "##able", "gibson", "[SEP]"]
    assert outcome.paper == outcome.ours == [IGNORED, "B-YEAR", IGNORED, IGNORED, "B-ACTOR", IGNORED]
    assert (outcome.raises, outcome.differs) == (False, False)


def test_a_mark_in_a_word_shifts_its_labels_until_there_is_none(pieces: WordPieces) -> None:
    outcome = align(EXAMPLE, pieces)
    assert outcome.pieces == ["[CLS]", "did", "wall", "-", "e", "win", "in", "2008", "[SEP]"]
    assert outcome.paper == [IGNORED, "O", "B-TITLE", "O", "O", "B-YEAR"]
    assert outcome.ours == [IGNORED, "O", "B-TITLE", IGNORED, IGNORED, "O", "O", "B-YEAR", IGNORED]
    assert (outcome.raises, outcome.differs) == (True, True)


def test_a_word_without_a_piece_leaves_a_label_over(pieces: WordPieces) -> None:
    outcome = align(Sentence(("\u200b", "2008"), ("O", "B-YEAR")), pieces)
    assert outcome.paper == [IGNORED, "O", IGNORED]
    assert outcome.ours == [IGNORED, "B-YEAR", IGNORED]
    assert (outcome.raises, outcome.differs) == (False, True)


def test_padding_takes_no_label(pieces: WordPieces) -> None:
    ids = [pieces.special.cls, pieces.tokenizer.token_to_id("films"), pieces.special.pad]
    assert paper_labels(ids, ["O"], pieces) == ([IGNORED, "O", IGNORED], False)


def test_the_tally_counts_each_outcome_once(pieces: WordPieces) -> None:
    last_word = Sentence(("films", "2008!"), ("O", "B-YEAR"))
    gap = Sentence(("\u200b", "2008"), ("O", "B-YEAR"))
    expected = {"sentences": 4, "differ": 1, "raise": 2, "raise_shifted": 1}
    assert tally([TRAIN[0], EXAMPLE, last_word, gap], pieces) == expected


def test_the_punctuated_sentences_are_well_formed(pieces: WordPieces) -> None:
    assert len({words for words, _ in PUNCTUATED}) == len(PUNCTUATED) >= 20
    for words, tags in PUNCTUATED:
        assert not illegal_transitions(tags)
        assert not any(mark in word for word in words for mark in "[]")
    assert tally(PUNCTUATED[:-5], pieces)["raise"] == len(PUNCTUATED) - 5
    assert tally(PUNCTUATED[-5:], pieces) == {"sentences": 5, "differ": 0, "raise": 0, "raise_shifted": 0}


def test_without_word_pieces_the_algorithm_is_not_tried() -> None:
    backend = Tokenizer(BPE({"a": 0, "[S]": 1}, []))
    other = WordPieces.of(
        PreTrainedTokenizerFast(tokenizer_object=backend, cls_token="[S]", sep_token="[S]", pad_token="[S]"), 10
    )
    assert audit_checks.audit_alignment({"test": TRAIN}, other) == {
        "not_tested": "the algorithm looks for ##, and BPE pieces have none"
    }


def test_a_tokenizer_that_cuts_a_sentence_otherwise_is_named(pieces: WordPieces) -> None:
    with pytest.raises(BertNerError, match="splits a sentence differently"):
        align(TRAIN[0], ShortPieces(pieces.tokenizer, pieces.special, 1000))


class ShortPieces(WordPieces):
    """Leaves each sentence's last word out."""

    def encode(self, sentences: Sequence[Sequence[str]]) -> list[list[Window]]:
        return super().encode([words[:-1] for words in sentences])


def test_the_loss_sees_first_pieces_alone(pieces: WordPieces) -> None:
    sentences = [*TRAIN, Sentence(("\u200b", "2008"), ("O", "B-YEAR"))]
    assert audit_checks.loss_mask(sentences, pieces, LABELS) == {
        "first_pieces_only": True, "words": 8, "words_with_a_piece": 7, "labelled_pieces": 7,
        "labelled_first_pieces": 7, "labelled_special_pieces": 0,
    }  # fmt: skip


@pytest.mark.parametrize("wrong", [[0, 0, 1, IGNORED, IGNORED], [IGNORED, IGNORED, 0, IGNORED, IGNORED]])
def test_a_wrong_mask_is_noticed(pieces: WordPieces, monkeypatch: pytest.MonkeyPatch, wrong: list[int]) -> None:
    monkeypatch.setattr(
        audit_checks, "examples_of", lambda *_: [type("Example", (), {"labels": wrong})()]
    )  # [CLS] un ##film ##able [SEP]
    assert not audit_checks.loss_mask([TRAIN[1]], pieces, LABELS)["first_pieces_only"]


def test_parameters_are_counted_without_weights() -> None:
    small = BertConfig(
        vocab_size=11, hidden_size=4, num_hidden_layers=1, num_attention_heads=2, intermediate_size=6,
        max_position_embeddings=7, num_labels=3,
    )  # fmt: skip
    embeddings = (11 + 7 + 2) * 4 + 2 * 4
    layer = 4 * (4 * 4 + 4) + 2 * 4 + (4 * 6 + 6) + (6 * 4 + 4) + 2 * 4
    assert audit_checks.describe_encoder("small", small) == {
        "name": "small", "parameters": embeddings + layer + 15, "head_parameters": 15, "layers": 1, "width": 4,
        "heads": 2, "vocabulary": 11, "positions": 7, "feed_forward": 6,
        "bytes": 4 * (embeddings + layer + 15), "bytes_from": "four bytes a parameter",
    }  # fmt: skip
    paper = audit_checks.describe_encoder("bert", BertConfig(num_labels=26))
    # 108,891,648 of BERT-base without its pooler (Devlin et al., 2019: 110 M), and 768 x 26 + 26.
    assert (paper["parameters"], paper["head_parameters"]) == (108_891_648 + 19_994, 19_994)


def test_size_is_that_of_the_first_saved_model(tmp_path: Path) -> None:
    (tmp_path / "encoder-2").mkdir()
    (tmp_path / "encoder-2" / "model.safetensors").write_bytes(b"1234567")
    saved = [tmp_path / f"encoder-{seed}" / "model.safetensors" for seed in (1, 2)]
    small = BertConfig(vocab_size=11, hidden_size=4, num_hidden_layers=1, num_attention_heads=2, intermediate_size=6)
    described = audit_checks.describe_encoder("small", small, saved)
    assert (described["bytes"], described["bytes_from"]) == (7, "model.safetensors of encoder-2")


def test_types_by_the_corpus_s_names() -> None:
    ours = audit_checks.corpus_types(["Actor", "Character_Name", "Hours"])
    assert (ours["ACTOR"], ours["CHARACTER"], ours["WRITER"], ours["YEAR"]) == ("Actor", "Character_Name", None, None)


class Fake:
    """A tagger that always finds an actor in the last word."""

    def tag(self, sentences: list[tuple[str, ...]]) -> list[list[str]]:
        return [["O"] * (len(words) - 1) + ["B-ACTOR"] for words in sentences]


def test_a_query_is_looked_up_and_tagged() -> None:
    query, paper = next(iter(QUERIES.items()))
    words = tuple(query.split())
    tags = ("O",) * (len(words) - 2) + ("B-ACTOR", "I-ACTOR")
    parts = {"test": [], "train": TRAIN, "validation": [Sentence(words, tags)]}
    types = audit_checks.corpus_types(["ACTOR"])
    found = audit_checks.audit_query(query, paper, parts, types, {Run("encoder", 2): Fake()})  # type: ignore[dict-item]
    assert (found["in_test"], found["in_train"], found["copies"]["validation"]) == (False, True, 1)
    assert found["gold"] == [["ACTOR", "the 1980s"]]
    assert found["gold_spans"] == [("ACTOR", len(words) - 2, len(words))]
    assert found["predicted"] == {"encoder": [["ACTOR", "1980s"]]}
    assert found["predicted_by_run"] == {"encoder-2": [["ACTOR", "1980s"]]}
    assert found["types_exist"] == {"ACTOR": True, "YEAR": False}
    nowhere = audit_checks.audit_query(query, paper, dict.fromkeys(parts, TRAIN), types, {})
    assert (nowhere["gold"], nowhere["predicted"], nowhere["in_train"]) == (None, {}, False)


def test_duplicates_by_hand() -> None:
    test = [TRAIN[1], Sentence(TRAIN[0].words, ("O",) * 4), Sentence(("new",), ("O",))]
    found = audit_checks.duplicates({"train": TRAIN, "validation": [TRAIN[0], TRAIN[0]], "test": test})
    assert found["within"] == {
        "train": {"same_tags": 0, "other_tags": 1},
        "validation": {"same_tags": 1, "other_tags": 0},
        "test": {"same_tags": 0, "other_tags": 0},
    }
    assert found["across"]["validation in train"] == {"same_tags": 2, "other_tags": 0}
    assert found["across"]["test in training file"] == {"same_tags": 1, "other_tags": 1}


def test_entities_seen_in_training_by_hand() -> None:
    test = [
        Sentence(("orla", "quist", "unfilmable", "new"), ("B-ACTOR", "I-ACTOR", "B-ACTOR", "B-YEAR")),
        Sentence(("orla", "quist"), ("B-ACTOR", "I-ACTOR")),
    ]
    assert audit_checks.entity_overlap(TRAIN, test) == {
        "mentions": {"all": 4, "same_type": 2, "other_type": 1, "unseen": 1},
        "forms": {"all": 3, "same_type": 1, "other_type": 1, "unseen": 1},
    }


def test_the_whole_audit_where_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("train", "validation", "test"):
        write_bio(tmp_path / "data/prepared/sample" / f"{part}.bio", TRAIN)
        write_whole(tmp_path / "data/parts/sample" / f"{part}.txt", "1\n" * len(TRAIN))
    (tmp_path / "data/prepared/sample/labels.txt").write_text("\n".join(LABELS))
    monkeypatch.setattr("harness.paths.DATA", tmp_path / "data")
    monkeypatch.setattr("harness.artifacts.MODELS", tmp_path / "models")
    monkeypatch.setattr("audit.RESULTS", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["audit.py", "--corpus", "sample"])
    audit.main()
    facts = json.loads((tmp_path / "results/sample/audit.json").read_text())
    assert "crf-0" in facts["not_trained"]
    assert "not trained: crf-0" in capsys.readouterr().out
    assert facts["all_o"]["token_micro_f1"] == round(3 / 6, 6)
    assert facts["all_o"]["entity_f1"] == 0
    assert facts["encoder"]["bytes"] == 4 * facts["encoder"]["parameters"]
    assert facts["types_not_in_paper"] == []
    assert facts["split"]["by_part"]["all"]["known_in_train"]["patterns"]["test"]["value"] == 1
    assert facts["alignment"]["test"] == {"sentences": 3, "differ": 0, "raise": 0, "raise_shifted": 0}
