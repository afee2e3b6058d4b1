"""Statistics of a corpus."""

from __future__ import annotations

from transformers import AutoTokenizer

from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.weights import find_weights
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
