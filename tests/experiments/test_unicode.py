"""tag() of every system, trained or loaded, takes any Unicode and returns a tag for each word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.params import read_params
from harness.systems import build

import pytest

from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence, labels_of
from bert_ner.tagger import Tagger

pytestmark = pytest.mark.slow  # many processes or trainings
LABELS = labels_of(["GENRE", "PERSON"])
ODD: dict[str, list[str]] = {
    "no word": [],
    "an empty word": [""],
    "empty words between others": ["ada", "", "westerns", ""],
    "only spaces": [" ", "   ", "\t", "\u00a0", "\u3000"],
    "spaces within a word": ["ada brook", "a\nb", "\u2028"],
    "100,000 words": ["ada", "brook", "comedy", "x"] * 25_000,
    "a word of 100,000 letters": ["x" * 100_000, "westerns"],
    "emoji": ["😀", "👩\u200d👩\u200d👧", "🇦🇹", "❤\ufe0f", "westerns"],
    "right to left": ["مرحبا", "שלום", "\u202eada\u202c", "\u200f"],
    "control characters": ["\x00", "\x1b[31m", "a\x07b", "\x7f", "\x85"],
    "lone surrogates": ["\ud800", "ada\udfff", "\udc80\udc80"],
    "nothing to a tokenizer": ["\u200b", "\ufeff", "\u0301", "\ufffd", "\U0010ffff", "\ue000"],
    "letters that change their number in lower case": ["İSTANBUL", "ß", "ﬀ", "Σ"],
    "combining marks": ["e\u0301" * 50, "Z̸̨̛͎͚̈́͛a̷l̶g̵o̶"],
    "other scripts": ["映画", "영화", "фильм", "चलचित्र", "ภาพยนตร์"],
}


def short(section: dict[str, Any], encoder_folder: Path) -> dict[str, Any]:
    """Return a system's section of params.yaml, changed so that training takes a moment."""
    if "name" in section:
        return section | {"name": str(encoder_folder), "epochs": 1, "precision": "float32", "teachers": []}
    return section | ({"epochs": 1} if "epochs" in section else {})


@pytest.fixture(scope="module", params=read_params().systems)
def taggers(
    request: pytest.FixtureRequest,
    encoder_folder: Path,
    sentences: list[Sentence],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Tagger]:
    """Return a system as it was trained, and as it is loaded again."""
    name: str = request.param
    tagger = build(name, short(read_params()[name], encoder_folder), LABELS, 0)
    tagger.fit(sentences, sentences)
    folder = tmp_path_factory.mktemp(name)
    tagger.save(folder)
    return [tagger, load_tagger(folder)]


def test_every_word_has_a_tag_whatever_its_characters(taggers: list[Tagger]) -> None:
    for tagger in taggers:
        tagged = tagger.tag(list(ODD.values()))
        assert {name: len(tags) for name, tags in zip(ODD, tagged, strict=True)} == {
            name: len(words) for name, words in ODD.items()
        }
        assert {tag for tags in tagged for tag in tags} <= set(LABELS)


def test_odd_sentences_do_not_change_the_tags_of_others(taggers: list[Tagger], sentences: list[Sentence]) -> None:
    plain: Sequence[Sequence[str]] = [words for words, _ in sentences]
    small = [words for words in ODD.values() if len(words) < 1000]
    for tagger in taggers:
        assert tagger.tag([*small, *plain, *small])[len(small) : len(small) + len(plain)] == tagger.tag(plain)
