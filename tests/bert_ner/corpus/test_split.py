"""The train/validation split: its sizes and members, the same everywhere."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from bert_ner.corpus.bio import Sentence, read_bio
from bert_ner.corpus.split import split
from bert_ner.wording import counted

CORPORA = Path(os.environ.get("BERT_NER_CORPORA") or Path(__file__).parents[4] / "shared" / "corpora")
# The validation part of 9,775 sentences with seed 42: other numbers on another machine would be another experiment.
FIRST, LAST = [1, 7, 9, 12, 19, 26, 27, 41, 44, 46, 67, 88], [9732, 9745, 9761]


def numbered(n: int) -> list[Sentence]:
    return [Sentence((str(i),), ("O",)) for i in range(n)]


def numbers(part: list[Sentence]) -> list[int]:
    return [int(sentence.words[0]) for sentence in part]


@pytest.mark.parametrize(
    ("n", "fraction", "sizes"),
    [
        (9775, 0.1, (8797, 978)),
        (7816, 0.1, (7034, 782)),
        (7660, 0.1, (6894, 766)),
        (10, 0.1, (9, 1)),
        (11, 0.1, (9, 2)),
        (10, 0.5, (5, 5)),
        (2, 0.01, (1, 1)),
        (3, 0.6, (1, 2)),
    ],
)
def test_sizes_are_those_of_scikit_learn(n: int, fraction: float, sizes: tuple[int, int]) -> None:
    train, validation = split(numbered(n), fraction, seed=42)
    assert (len(train), len(validation)) == sizes
    assert tuple(map(len, train_test_split(range(n), test_size=fraction))) == sizes


def test_the_same_on_every_machine() -> None:
    validation = numbers(split(numbered(9775), 0.1, seed=42)[1])
    assert (validation[: len(FIRST)], validation[-len(LAST) :]) == (FIRST, LAST)


def test_a_seed_repeats_and_another_differs() -> None:
    sentences = numbered(200)
    assert split(sentences, 0.1, seed=1) == split(sentences, 0.1, seed=1) != split(sentences, 0.1, seed=2)


@given(n=st.integers(2, 300), fraction=st.floats(0.01, 0.99), seed=st.integers())
def test_parts_are_disjoint_complete_and_in_order(n: int, fraction: float, seed: int) -> None:
    assume(math.ceil(n * fraction) < n)
    train, validation = map(numbers, split(numbered(n), fraction, seed))
    assert sorted(train + validation) == list(range(n))
    assert train == sorted(train)
    assert validation == sorted(validation)


def test_equal_sentences_stay_separate() -> None:
    train, validation = split([Sentence(("same",), ("O",))] * 10, 0.3, seed=42)
    assert (len(train), len(validation)) == (7, 3)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, 10, math.nan, math.inf])
def test_fractions_out_of_range(fraction: float) -> None:
    message = f"the validation fraction must lie between 0 and 1, not be {fraction}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        split(numbered(10), fraction, seed=42)


@pytest.mark.parametrize(("n", "fraction"), [(0, 0.1), (1, 0.1), (9, 0.99)])
def test_no_part_is_empty(n: int, fraction: float) -> None:
    message = (
        f"a validation fraction of {fraction} leaves one part of {counted(n, 'sentence')} empty; "
        f"choose another fraction or give more sentences"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        split(numbered(n), fraction, seed=42)


def test_mit_movie_eng_gives_8797_and_978() -> None:
    file = CORPORA / "mit_movie_eng" / "engtrain.bio"
    if not file.exists():
        pytest.skip(f"no {file}; name the corpora's folder in BERT_NER_CORPORA")
    sentences = read_bio(file)
    train, validation = split(sentences, 0.1, seed=42)
    assert (len(sentences), len(train), len(validation)) == (9775, 8797, 978)
    assert validation[: len(FIRST)] == [sentences[i] for i in FIRST]
