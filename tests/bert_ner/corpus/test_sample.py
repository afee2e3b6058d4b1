"""The generated corpus: the same bytes everywhere, and as hard as its docstring says."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from bert_ner.corpus.bio import Sentence, illegal_transitions, read_bio, spans_of
from bert_ner.corpus.catalog import corpus_named
from bert_ner.corpus.sample import TEST_ONLY, TEST_SENTENCES, TRAIN_SENTENCES, generate, write_sample
from bert_ner.files import sha256_of

SAMPLE = corpus_named("sample")


@pytest.fixture(scope="module")
def corpus() -> tuple[list[Sentence], list[Sentence]]:
    return generate()


def names_in(sentences, kind):
    """Return every mention of a kind of entity, in order."""
    return [
        sentence.words[span.start : span.end]
        for sentence in sentences
        for span in spans_of(sentence.tags)
        if span.type == kind
    ]


def test_the_files_have_the_sums_of_the_catalog_and_read_back_unchanged(tmp_path, corpus):
    write_sample(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file.name for file in SAMPLE.files.values())
    for file, sentences in zip(SAMPLE.files.values(), corpus, strict=True):
        assert sha256_of(tmp_path / file.name) == file.sha256
        assert read_bio(tmp_path / file.name, SAMPLE.labels, "tag-first") == sentences


def test_two_generations_are_equal(corpus):
    assert generate() == corpus


def test_the_sizes(corpus):
    assert [len(sentences) for sentences in corpus] == [TRAIN_SENTENCES, TEST_SENTENCES]


@pytest.mark.parametrize("part", [0, 1], ids=["train", "test"])
class TestEachFile:
    def test_every_tag_occurs_and_no_other(self, corpus, part):
        assert {tag for sentence in corpus[part] for tag in sentence.tags} == set(SAMPLE.labels or ())

    def test_every_type_has_support(self, corpus, part):
        support = Counter(span.type for sentence in corpus[part] for span in spans_of(sentence.tags))
        assert min(support[kind] for kind in SAMPLE.types or ()) >= 15

    def test_words_are_lower_case_letters_and_digits(self, corpus, part):
        assert {w for sentence in corpus[part] for w in sentence.words if not re.fullmatch("[a-z0-9]+", w)} == set()

    def test_every_inside_tag_continues_an_entity(self, corpus, part):
        assert not any(illegal_transitions(sentence.tags) for sentence in corpus[part])

    def test_sentences_look_like_queries(self, corpus, part):
        lengths = [len(sentence.words) for sentence in corpus[part]]
        outside = sum(tag == "O" for sentence in corpus[part] for tag in sentence.tags)
        assert 9 < sum(lengths) / len(lengths) < 12
        assert min(lengths) >= 2
        assert 20 < max(lengths) <= 40
        assert 0.5 < outside / sum(lengths) < 0.65


@pytest.mark.parametrize("kind", ["ACTOR", "CHARACTER", "DIRECTOR", "SONG", "TITLE"])
def test_about_the_promised_share_of_test_names_is_unseen(corpus, kind):
    train, test = (names_in(sentences, kind) for sentences in corpus)
    unseen = sum(name not in set(train) for name in test) / len(test)
    assert (
        TEST_ONLY - 0.1 < unseen < TEST_ONLY + 0.25
    )  # misspelt names, and names that training happens to lack, add some


def test_some_people_both_act_and_direct(corpus):
    actors, directors = (set(names_in(corpus[0], kind)) for kind in ("ACTOR", "DIRECTOR"))
    assert len(actors & directors) >= 20


def test_some_words_are_misspelt(corpus):
    words = Counter(word for sentence in corpus[0] for word in sentence.words)
    slips = ("mvie", "moie", "move", "moovie", "movvie", "moviie", "mvoie", "moive", "movei")
    assert 0.02 < sum(words[slip] for slip in slips) / words["movie"] < 0.15


def test_hardly_a_test_sentence_occurs_in_training(corpus):
    shown = {sentence.words for sentence in corpus[0]}
    assert sum(sentence.words in shown for sentence in corpus[1]) < 0.05 * TEST_SENTENCES
