"""Sentences with exchanged entities: how many there are, and where their words come from."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from bert_ner.corpus.bio import Sentence, illegal_transitions, spans_of
from bert_ner.corpus.recombine import recombine
from bert_ner.corpus.sample import generate
from bert_ner.errors import InvalidValue

TRAIN, TEST = generate()


class Taken(NamedTuple):
    """What a sentence is made from: its words outside entities with the types between them, and its entities."""

    pattern: tuple[str, ...]
    entities: set[tuple[str, tuple[str, ...]]]

    @classmethod
    def from_sentence(cls, sentence: Sentence) -> Taken:
        starts = {span.start: span for span in spans_of(sentence.tags)}
        pattern = [
            f"<{starts[i].type}>" if i in starts else word
            for i, (word, tag) in enumerate(zip(*sentence, strict=True))
            if not tag.startswith("I-")
        ]
        return cls(tuple(pattern), {(span.type, sentence.words[span.start : span.end]) for span in starts.values()})


def test_as_many_different_sentences_as_asked_for_and_none_that_is_given() -> None:
    made = recombine(TRAIN, 3_000, 13)
    words = {sentence.words for sentence in made}
    assert len(made) == len(words) == 3_000
    assert words.isdisjoint(sentence.words for sentence in TRAIN)
    assert recombine(TRAIN, 0, 13) == []


def test_patterns_and_entities_are_those_of_the_given_sentences_alone() -> None:
    """Two names in five are in the test file only."""
    given, made = ([Taken.from_sentence(sentence) for sentence in s] for s in (TRAIN, recombine(TRAIN, 3_000, 13)))
    assert {found.pattern for found in made} <= {found.pattern for found in given}
    assert set().union(*(found.entities for found in made)) <= set().union(*(found.entities for found in given))


def test_the_tags_are_valid() -> None:
    for words, tags in recombine(TRAIN, 500, 13):
        assert len(words) == len(tags)
        assert not illegal_transitions(tags)


def test_the_seed_decides() -> None:
    assert recombine(TRAIN, 50, 13) == recombine(TRAIN, 50, 13) != recombine(TRAIN, 50, 42)
    assert recombine(TRAIN, 50, 13) == recombine(TRAIN, 90, 13)[:50]


def test_entities_of_one_type_change_places_word_for_word() -> None:
    given = [
        Sentence(("films", "with", "ada", "brook", "please"), ("O", "O", "B-ACTOR", "I-ACTOR", "O")),
        Sentence(("olaf", "in", "westerns"), ("B-ACTOR", "O", "B-GENRE")),
        Sentence(("hello",), ("O",)),
    ]
    assert set(recombine(given, 2, 1)) == {
        Sentence(("films", "with", "olaf", "please"), ("O", "O", "B-ACTOR", "O")),
        Sentence(("ada", "brook", "in", "westerns"), ("B-ACTOR", "I-ACTOR", "O", "B-GENRE")),
    }


@pytest.mark.parametrize(
    ("sentences", "found"),
    [([], 0), ([Sentence(("hello",), ("O",))], 0), ([Sentence(("olaf",), ("B-ACTOR",))], 0)],
)
def test_too_few_entities_for_so_many_sentences(sentences: list[Sentence], found: int) -> None:
    with pytest.raises(InvalidValue, match=rf"gave {found} new ones by exchanging entities, not 5; ask for fewer"):
        recombine(sentences, 5, 1)
