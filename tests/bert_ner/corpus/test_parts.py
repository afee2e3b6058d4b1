"""Parts of a file: found by order and spelling, placed as exactly as the file allows, and none where there is none."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from bert_ner.corpus import sample
from bert_ner.corpus.bio import read_bio
from bert_ner.corpus.parts import ORDER, Break, Change, agree, as_facts, find_breaks, marks_of, part_names

CORPORA = Path(os.environ.get("BERT_NER_CORPORA") or Path(__file__).parents[4] / "shared" / "corpora")
OPENINGS = [f"{a}{b}" for a in "bcdfghklmnp" for b in "aeiou"]
DECADES = ("1970", "1980", "1990")

Sentences = list[list[str]]


def questions(n: int, seed: int, *, is_one_word: bool = True) -> Sentences:
    """Return sentences that begin with random words; one in three names a decade."""
    draw = random.Random(seed)
    found = []
    for i in range(n):
        decade = draw.choice(DECADES)
        ending = [f"{decade}s"] if is_one_word else [decade, "s"]
        found.append([draw.choice(OPENINGS), "film", *(ending if i % 3 == 0 else [])])
    return found


def test_a_file_of_one_piece_has_one_part() -> None:
    for seed in range(20):
        assert find_breaks(questions(400, seed)) == []
        assert find_breaks(sorted(questions(400, seed))) == []
        mixed = questions(200, seed) + questions(200, seed, is_one_word=False)
        random.Random(seed).shuffle(mixed)
        assert find_breaks(mixed) == []


@pytest.mark.parametrize("sentences", [[], [["films"]], [["films"], ["films"]], questions(12, 0)])
def test_too_few_sentences_have_one_part(sentences: Sentences) -> None:
    assert find_breaks(sentences) == []
    assert part_names([], len(sentences)) == ["1"] * len(sentences)


def test_a_break_in_the_order_is_placed_and_counted() -> None:
    first = [*questions(199, 1), ["zoo"]]
    found = find_breaks(first + sorted(questions(300, 2)))
    assert [each.after for each in found] == [200]
    assert found[0].low <= 200 <= found[0].high < 210
    change = found[0].found_by[0]
    # 200 sentences have 199 pairs; the pair across the break counts on neither side.
    assert (change.mark, change.answers_before, change.answers_after, change.yes_after) == (ORDER, 199, 299, 299)
    assert change.rises


def test_a_break_in_spelling_lies_between_the_nearest_marks() -> None:
    found = find_breaks(questions(100, 1) + questions(200, 2, is_one_word=False))
    assert len(found) == 1
    # Sentence 100 is the last with '1990s', 101 the first with '1990 s', and 104 the next one. With so few marks, one
    # exception is possible.
    assert (found[0].after, found[0].low, found[0].high) == (100, 100, 103)
    assert found[0].found_by[0][:-1] == ("0000s as one word", 34, 34, 0, 67)
    assert not found[0].found_by[0].rises


def test_several_breaks_are_found_and_name_the_parts() -> None:
    sentences = [*questions(199, 1), ["zoo"], *sorted(questions(300, 2)), *questions(100, 3)]
    found = find_breaks(sentences)
    assert [each.after for each in found] == pytest.approx([200, 500], abs=2)
    names = part_names(found, len(sentences))
    assert len(names) == 600
    assert [names.count(name) for name in "123"] == [found[0].after, found[1].after - found[0].after,
                                                     600 - found[1].after]  # fmt: skip
    assert names == sorted(names)


def test_a_habit_that_drifts_a_little_is_no_break() -> None:
    """Certain, but a change of less than a quarter."""
    draw = random.Random(0)
    sentences = [
        [draw.choice(OPENINGS), *(["im"] if draw.random() < rate else ["i", "m"])]
        for rate in (0.02, 0.2)
        for _ in range(2_000)
    ]
    assert find_breaks(sentences) == []


def test_spelling_ignores_digits_punctuation_and_capitals() -> None:
    sentences = [["What's", "new"], ["what", "s", "old"], ["1990s"], ["1980", "s"], ["a", ",", "b"], ["b"]]
    marks = {mark.name: mark for mark in marks_of(sentences)}
    assert set(marks) == {ORDER, "whats as one word", "0000s as one word"}
    assert sorted(zip(marks["0000s as one word"].first, marks["0000s as one word"].answers, strict=True)) == [
        (2, True), (3, False),
    ]  # fmt: skip


def test_files_agree_if_their_breaks_change_alike() -> None:
    def at(after: int, *, rises: bool = True, mark: str = ORDER) -> Break:
        change = Change(mark, 5 if rises else 9, 10, 9 if rises else 5, 10, 100.0)
        return Break(after, after, after, (change,))

    assert agree([[at(10)], [at(99)]])
    assert agree([[], []])
    assert not agree([[at(10)], []])
    assert not agree([[at(10)], [at(99, rises=False)]])
    assert not agree([[at(10)], [at(99, mark="0000s as one word")]])
    assert as_facts(at(10))["found_by"][0]["mark"] == ORDER


def test_the_generated_corpus_is_of_one_piece() -> None:
    for sentences in sample.generate():
        assert find_breaks([words for words, _ in sentences]) == []


@pytest.mark.parametrize(
    ("file", "breaks"),
    [
        ("mit_movie_eng/engtrain.bio", [(4148, 4148, 4148), (9545, 9544, 9545)]),
        ("mit_movie_eng/engtest.bio", [(1054, 1053, 1061), (2391, 2383, 2391)]),
        ("mit_movie_trivia/trivia10k13train.bio", [(1820, 1820, 1829)]),
        ("mit_movie_trivia/trivia10k13test.bio", [(477, 477, 485)]),
        ("mit_restaurant/restauranttrain.bio", []),
        ("mit_restaurant/restauranttest.bio", []),
    ],
)
def test_the_breaks_of_the_published_files(file: str, breaks: list[tuple[int, int, int]]) -> None:
    if not (CORPORA / file).is_file():
        pytest.skip("the corpus is absent")
    found = find_breaks([words for words, _ in read_bio(CORPORA / file)])
    assert [each[:3] for each in found] == breaks
