"""The hidden Markov model: its parts against values computed by hand, its search against brute force."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from baselines.hmm import HMMSettings, HMMTagger, interpolated, interpolation_weights, suffix_model, viterbi
from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence, illegal_transitions
from bert_ner.corpus.sample import generate
from bert_ner.corpus.split import split
from bert_ner.files import Damaged
from bert_ner.scoring import entity_f1

Parts = tuple[list[Sentence], list[Sentence], list[Sentence]]


@pytest.fixture(scope="module")
def sample() -> Parts:
    training_file, test = generate()
    return *split(training_file, 0.1, 42), test


@pytest.fixture(scope="module")
def trained(sample: Parts) -> HMMTagger:
    tagger = HMMTagger(HMMSettings(suffix=[2], rare=[10], prior=[0.5]), scoring=entity_f1)
    tagger.fit(sample[0], sample[1])
    return tagger


def trigram_counts() -> np.ndarray:
    """Of the tag sequences a b, three times, and a a, once; the third index is the edge."""
    a, b, edge = 0, 1, 2
    counts = np.zeros((3, 3, 3))
    counts[edge, edge, a] = 4
    counts[edge, a, b] = counts[a, b, edge] = 3
    counts[edge, a, a] = counts[a, a, edge] = 1
    return counts


def test_interpolation_weights() -> None:
    # Without one occurrence of it, each trigram is predicted by its unigram, bigram, trigram with
    #   edge edge a, 4 times: 4/11, 3/3, 3/3 -> the bigram, as the lower of two equals
    #   edge a b,    3 times: 2/11, 2/4, 2/3 -> the trigram
    #   a b edge,    3 times: 3/11, 2/2, 2/2 -> the bigram
    #   edge a a, once: 4/11, 0/4, 0/3 and a a edge, once: 3/11, 0/4, 0/0 -> the unigram
    assert interpolation_weights(trigram_counts()) == pytest.approx(np.array([1 + 2, 1 + 7, 1 + 3]) / 15)


def test_interpolated_transitions() -> None:
    a, b, edge = 0, 1, 2
    found = interpolated(trigram_counts())
    assert found[edge, a, b] == pytest.approx(3 / 15 * 3 / 12 + 8 / 15 * 3 / 5 + 4 / 15 * 3 / 4)
    assert found[edge, a].sum() == pytest.approx(1)
    assert found[b, a, a] == pytest.approx(3 / 15 * 5 / 12 + 8 / 15 * 1 / 5)  # b a was never seen
    assert (found > 0).all()


def test_suffix_model() -> None:
    found = suffix_model(["ab", "cb", "b"], np.array([[1.0, 0], [0, 2], [1, 0]]), np.array([0.75, 0.25]), 2)
    # theta = sqrt((0.25^2 + 0.25^2) / 1) = 0.353553
    # b:  (2/4 + 0.353553 * 0.75) / 1.353553 = 0.565301
    # ab: (1/1 + 0.353553 * 0.565301) / 1.353553; cb: (0/2 + the same)
    assert {suffix: row[0] for suffix, row in found.items()} == pytest.approx(
        {"": 0.75, "b": 0.565301, "ab": 0.886455, "cb": 0.147659}, abs=1e-6
    )
    assert [row.sum() for row in found.values()] == pytest.approx([1, 1, 1, 1])


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_viterbi_finds_the_path_that_brute_force_finds(length: int) -> None:
    random = np.random.default_rng(length)
    transitions = np.log(random.dirichlet(np.ones(4), size=(4, 4)))
    transitions[:, 1, 2] = -np.inf
    emissions = random.normal(size=(6, length, 4))
    emissions[:, :, 3] = -np.inf
    for found, words in zip(viterbi(transitions, emissions), emissions, strict=True):

        def score(path: tuple[int, ...], words: np.ndarray = words) -> float:
            padded = (3, 3, *path, 3)
            steps = sum(transitions[padded[i : i + 3]] for i in range(length + 1))
            return float(steps + sum(word[tag] for word, tag in zip(words, path, strict=True)))

        assert tuple(found) == max(product(range(3), repeat=length), key=score)


def test_a_known_word_may_have_a_tag_it_never_had_and_what_follows_stays_legal() -> None:
    train = [
        Sentence(("play", "star", "wars"), ("O", "B-TITLE", "I-TITLE")),
        Sentence(("play", "the", "film"), ("O", "O", "O")),
        Sentence(("play", "the", "game"), ("O", "O", "O")),
    ]
    tagger = HMMTagger(HMMSettings(suffix=[1], rare=[1], prior=[0.1]), scoring=entity_f1)
    tagger.fit(train, train)
    # Only I-TITLE was seen for "wars", only O for "play" and "the": each path has a tag that its word never had.
    assert tagger.tag([["play", "the", "wars"]]) == [["O", "B-TITLE", "I-TITLE"]]
    assert tagger.tag([["PLAY", "star", "wars"]]) == [["O", "B-TITLE", "I-TITLE"]]


def test_parameters_are_the_counts_that_are_not_zero() -> None:
    tagger = HMMTagger(HMMSettings(suffix=[1], rare=[1], prior=[1.0]), scoring=entity_f1)
    tagger.fit([Sentence(("a", "a", "b"), ("O", "B-X", "I-X")), Sentence(("A",), ("O",))], [])
    # a O, a B-X, b I-X; edge edge O, edge O B-X, O B-X I-X, B-X I-X edge, edge O edge.
    assert tagger.parameters == 3 + 5


def test_the_generated_corpus_is_neither_trivial_nor_hopeless_for_an_hmm(trained: HMMTagger, sample: Parts) -> None:
    tagged = trained.tag([words for words, _ in sample[2]])
    assert 0.6 < entity_f1([tags for _, tags in sample[2]], tagged) < 0.9
    assert not any(illegal_transitions(tags) for tags in tagged)


def test_tags_do_not_depend_on_what_a_sentence_is_tagged_with(trained: HMMTagger, sample: Parts) -> None:
    words = [words for words, _ in sample[2][:100]]
    assert trained.tag(words) == [trained.tag([sentence])[0] for sentence in words]


def test_the_validation_sentences_choose_the_settings(sample: Parts) -> None:
    tagger = HMMTagger(HMMSettings(suffix=[1, 3], rare=[10], prior=[0.5, 1000]), scoring=entity_f1)
    tried = tagger.fit(sample[0][:500], sample[1])
    assert [(row["suffix"], row["prior"]) for row in tried] == [(1, 0.5), (1, 1000), (3, 0.5), (3, 1000)]
    best = max(row["validation_entity_f1"] for row in tried)
    assert best > tried[1]["validation_entity_f1"]
    assert entity_f1([tags for _, tags in sample[1]], tagger.tag([words for words, _ in sample[1]])) == best


def test_a_saved_tagger_tags_the_same(trained: HMMTagger, sample: Parts, tmp_path: Path) -> None:
    trained.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"hmm.json", "tagger.json"}
    words = [words for words, _ in sample[2]]
    loaded = load_tagger(tmp_path)
    assert isinstance(loaded, HMMTagger)
    assert loaded.tag(words) == trained.tag(words)
    assert loaded.parameters == trained.parameters


def test_a_damaged_file_is_named(trained: HMMTagger, tmp_path: Path) -> None:
    trained.save(tmp_path)
    path = tmp_path / "hmm.json"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(
        Damaged, match=r"hmm\.json is not the file .*: its SHA-256 is .*, expected [0-9a-f]{64}; train it"
    ):
        load_tagger(tmp_path)


def test_as_many_tags_as_words_whatever_the_words(trained: HMMTagger) -> None:
    odd = [[], [""], [" "], ["\ud800"], ["\x00", "🎬", "مرحبا", "İ"], ["x" * 100_000], ["star"] * 5000]
    assert [len(tags) for tags in trained.tag(odd)] == [len(words) for words in odd]
    assert trained.tag([]) == []
