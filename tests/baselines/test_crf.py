"""The CRF baseline."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import sklearn_crfsuite

from baselines.crf import CRFSettings, CRFTagger, _own_features, features
from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.sample import generate
from bert_ner.corpus.split import split
from bert_ner.files import Damaged
from bert_ner.scoring import entity_f1
from bert_ner.tagger import ProbabilisticTagger


@pytest.fixture(scope="module")
def sample() -> tuple[list[Sentence], list[Sentence], list[Sentence]]:
    training_file, test = generate()
    return *split(training_file, 0.1, 42), test


@pytest.fixture(scope="module")
def trained(sample: tuple[list[Sentence], list[Sentence], list[Sentence]]) -> CRFTagger:
    tagger = CRFTagger(CRFSettings(c1=[0.1], c2=[0.1], max_iterations=50), scoring=entity_f1)
    tagger.fit(sample[0], sample[1])
    return tagger


def test_features_of_a_word_and_its_surroundings() -> None:
    row = set(features(["show", "PG13", "films"])[1])
    assert row >= {"word:pg13", "shape:A99", "prefix:pg", "suffix:13", "digit", "-1:show", "1:films"}
    assert row >= {"-1|0:show|pg13", "0|1:pg13|films", "-2:<1>", "2:<1>", "-3:<2>", "3:<2>"}
    assert "number" not in row
    assert "number" in features(["1994"])[0]


def test_every_word_sees_both_edges_of_a_short_sentence() -> None:
    assert {"-1:<1>", "1:<1>", "-3:<3>", "3:<3>"} <= set(features(["alone"])[0])
    assert features([]) == []


def test_the_generated_corpus_is_neither_trivial_nor_hopeless_for_a_crf(
    trained: CRFTagger, sample: tuple[list[Sentence], list[Sentence], list[Sentence]]
) -> None:
    test = sample[2]
    f1 = entity_f1([tags for _, tags in test], trained.tag([words for words, _ in test]))
    assert 0.75 < f1 < 0.92


def test_a_saved_tagger_tags_the_same_and_holds_no_pickle(
    trained: CRFTagger, sample: tuple[list[Sentence], list[Sentence], list[Sentence]], tmp_path: Path
) -> None:
    trained.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"model.crfsuite", "tagger.json"}
    words = [words for words, _ in sample[2]]
    assert load_tagger(tmp_path).tag(words) == trained.tag(words)


@pytest.fixture
def wrapped(trained: CRFTagger, tmp_path: Path) -> sklearn_crfsuite.CRF:
    """Return the same model as sklearn-crfsuite reads it."""
    (tmp_path / "model").write_bytes(trained.model)
    return sklearn_crfsuite.CRF(model_filename=str(tmp_path / "model"))


def test_parameters_are_the_weights_that_are_not_zero(trained: CRFTagger, wrapped: sklearn_crfsuite.CRF) -> None:
    weights = [*wrapped.state_features_.values(), *wrapped.transition_features_.values()]
    assert trained.parameters == sum(weight != 0 for weight in weights) > 1000


def test_scores_are_the_marginals_of_the_best_tags(
    trained: CRFTagger,
    wrapped: sklearn_crfsuite.CRF,
    sample: tuple[list[Sentence], list[Sentence], list[Sentence]],
) -> None:
    words = [[], *(words for words, _ in sample[2][:50])]
    scored = trained.tag_scored(words)
    assert [[tag for tag, _ in row] for row in scored] == trained.tag(words)
    for sentence, row in zip(words, scored, strict=True):
        marginals = wrapped.predict_marginals_single(features(sentence)) if sentence else []
        assert [score for _, score in row] == pytest.approx(
            [p[tag] for p, (tag, _) in zip(marginals, row, strict=True)]
        )
    assert all(0 <= score <= 1 for row in scored for _, score in row)


def test_the_probability_of_every_label_in_the_order_asked_for(
    trained: CRFTagger, wrapped: sklearn_crfsuite.CRF, sample: tuple[list[Sentence], list[Sentence], list[Sentence]]
) -> None:
    words = [[], *(words for words, _ in sample[2][:20])]
    labels = ["B-UNKNOWN", *reversed(wrapped.classes_)]
    tables = trained.tag_probabilities(words, labels)
    assert isinstance(trained, ProbabilisticTagger)
    assert [table.shape for table in tables] == [(len(sentence), len(labels)) for sentence in words]
    for sentence, table in zip(words[1:], tables[1:], strict=True):
        assert table.sum(axis=1) == pytest.approx(np.ones(len(sentence)))
        marginals = wrapped.predict_marginals_single(features(sentence))
        assert table.tolist() == [pytest.approx([p.get(label, 0.0) for label in labels]) for p in marginals]


def test_long_words_have_features_and_stay_out_of_the_cache() -> None:
    before = _own_features.cache_info().currsize
    [row] = features(["Ab1" * 100_000])
    assert {"prefix:ab1a", "suffix:1ab1", "digit", f"word:{'ab1' * 100_000}"} <= set(row)
    assert _own_features.cache_info().currsize == before


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing"])
def test_a_damaged_model_is_named_by_its_sum_before_crfsuite_reads_it(
    trained: CRFTagger, damage: str, tmp_path: Path
) -> None:
    trained.save(tmp_path)
    path = tmp_path / "model.crfsuite"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.unlink()
    if damage != "missing":
        path.write_bytes(data[:5000] if damage == "cut" else data)
    message = r"model\.crfsuite is (missing, but its|not the file that was written: its) SHA-256 is .*; train it again"
    with pytest.raises(Damaged, match=message):
        load_tagger(tmp_path)


def test_training_twice_gives_the_same_bytes_with_any_number_of_processes(
    sample: tuple[list[Sentence], list[Sentence], list[Sentence]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums, histories = set(), []
    for name in ("1", "2", "7"):
        monkeypatch.setenv("OMP_NUM_THREADS", name)
        tagger = CRFTagger(CRFSettings(c1=[0.1, 1.0], c2=[0.1, 0.01], max_iterations=10), scoring=entity_f1)
        histories.append(tagger.fit(sample[0][:200], sample[1]))
        (tmp_path / name).mkdir()
        tagger.save(tmp_path / name)
        sums.add(hashlib.sha256((tmp_path / name / "model.crfsuite").read_bytes()).hexdigest())
    assert len(sums) == 1
    assert histories[0] == histories[1] == histories[2]


def test_the_validation_sentences_choose_the_regularisation(
    sample: tuple[list[Sentence], list[Sentence], list[Sentence]],
) -> None:
    tagger = CRFTagger(CRFSettings(c1=[0.1, 50.0], c2=[0.1], max_iterations=20), scoring=entity_f1)
    tried = tagger.fit(sample[0][:300], sample[1])
    assert [row["c1"] for row in tried] == [0.1, 50.0]
    assert tried[0]["validation_entity_f1"] > tried[1]["validation_entity_f1"]
    gold, words = [tags for _, tags in sample[1]], [words for words, _ in sample[1]]
    assert entity_f1(gold, tagger.tag(words)) == tried[0]["validation_entity_f1"]


def test_as_many_tags_as_words_whatever_the_words(trained: CRFTagger) -> None:
    odd = [[], [""], [" "], ["\ud800"], ["\x00", "🎬", "مرحبا"], ["word"] * 5000]
    assert [len(tags) for tags in trained.tag(odd)] == [len(words) for words in odd]
