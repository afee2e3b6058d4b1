"""Tag raw text, and refuse a string where lists of words are meant: with every kind of tagger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from baselines.hmm import HMMSettings, HMMTagger
from baselines.majority import MajorityTagger
from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError
from bert_ner.scoring import entity_f1
from bert_ner.settings import Settings
from bert_ner.tagger import BaseTagger

TEXT = "Any good  heist comedy, with \u201cAda Brook\u201d?"


@pytest.fixture(params=["encoder", "crf", "hmm", "majority"])
def tagger(request: pytest.FixtureRequest, trained: Any, crf_folder: Path, sentences: list[Sentence]) -> BaseTagger:
    if request.param in ("encoder", "crf"):
        return load_tagger(trained.folder if request.param == "encoder" else crf_folder)
    made: Any = MajorityTagger(Settings(), scoring=entity_f1)
    if request.param == "hmm":
        made = HMMTagger(HMMSettings(suffix=[2], rare=[1], prior=[0.5]), scoring=entity_f1)
    made.fit(sentences, sentences)
    return made


def test_entities_lie_where_their_text_does(tagger: BaseTagger) -> None:
    found = tagger.tag_text(TEXT)
    assert ("heist comedy", "GENRE") in [(entity.text, entity.type) for entity in found]
    assert all(TEXT[entity.start : entity.end] == entity.text for entity in found)
    scores = [entity.score for entity in found]
    assert all(0 <= score <= 1 for score in scores) if hasattr(tagger, "tag_scored") else {*scores} == {None}


def test_an_uncased_encoder_reads_capitals(trained: Any) -> None:
    tagger = load_tagger(trained.folder)
    found, lower = tagger.tag_text(TEXT), tagger.tag_text(TEXT.lower())
    assert ("Ada Brook", "PERSON") in [entity[:2] for entity in found]
    assert [entity._replace(text=entity.text.lower()) for entity in found] == lower


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "\ud800"])
def test_a_text_without_words(tagger: BaseTagger, text: str) -> None:
    assert all(entity.text.strip() for entity in tagger.tag_text(text))


@pytest.mark.parametrize("wrong", [["olaf"], b"olaf", None, 7])
def test_only_a_string_is_a_text(tagger: BaseTagger, wrong: Any) -> None:
    with pytest.raises(BertNerError, match=r"^tag_text takes one string, not "):
        tagger.tag_text(wrong)


def test_arrays_and_columns_of_pandas_are_sequences(tagger: BaseTagger) -> None:
    sentences = [["heist", "comedy"], [], ["by", "ada", "brook"]]
    expected = tagger.tag(sentences)
    arrays = [np.array(words, dtype=object) for words in sentences]
    columns = [pd.Series(words, index=range(5, 5 + len(words)), dtype=object) for words in sentences]
    for same in (arrays, pd.Series(arrays, index=[7, 3, 9]), pd.Series(columns, index=[7, 3, 9])):
        assert tagger.tag(same) == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("movies", "expected a sequence of sentences, each a sequence of words, not 'movies'"),
        (["movies starring mel gibson"], "sentence 1 must be a sequence of words, not 'movies starring mel gibson'"),
        (["movies", "starring"], "sentence 1 must be a sequence of words, not 'movies'"),
        ([["movies"], ["by", None]], "word 2 of sentence 2 is None, not a string"),
    ],
)
def test_tag_refuses_strings_and_flat_lists(tagger: BaseTagger, wrong: Any, message: str) -> None:
    methods = [tagger.tag, *([tagger.tag_scored] if hasattr(tagger, "tag_scored") else [])]
    for method in methods:
        with pytest.raises(BertNerError, match=f"^{message}"):
            method(wrong)
