"""Large files: what is held and multiplied does not grow with repeated sentences, and a column of ids is refused."""

from __future__ import annotations

import numpy as np
import pytest

from bert_ner.corpus.bio import parse_bio
from bert_ner.errors import InvalidValue
from bert_ner.scoring import bootstrap, compare, count, resampling
from bert_ner.scoring.counts import LONG_SENTENCE
from bert_ner.scoring.files import File, score_files

GOLD = [["B-A", "I-A", "O"], ["O", "B-B"], ["O"]]
PREDICTED = [["B-A", "O", "O"], ["O", "B-B"], ["O"]]


def test_a_column_of_ids_is_refused_before_it_is_counted() -> None:
    ids = "".join(f"B-{i}\tw\n\n" for i in range(10_000)).encode()
    message = r"10,000 entity types in 10,000 sentences .* limits are 1,000 types .* one of ids\? .*tag_column"
    with pytest.raises(InvalidValue, match=message):
        score_files(File("gold", ids), [File("a", ids)])


def test_too_many_types_for_the_number_of_sentences_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_ner.scoring.counts.MAX_CELLS", 3 * 3 * (4 + 2 * 2) - 1)  # sentences, labels, types
    with pytest.raises(InvalidValue, match="2 entity types in 3 sentences are too many to count"):
        count(GOLD, PREDICTED)
    assert count(GOLD, PREDICTED, by_sentence=False).types == ("A", "B")


def test_sentences_with_equal_counts_are_drawn_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    widths = []
    draws = resampling._draws
    monkeypatch.setattr(resampling, "_draws", lambda *given: widths.append(given[1]) or draws(*given))
    counts = count(GOLD * 1000, PREDICTED * 1000)
    interval = bootstrap(counts, 20)["entity_f1"]
    assert interval.low < interval.value < interval.high
    assert compare(counts, counts, 20)["entity_f1"].p_value == 1
    assert max(widths) <= 2 * 3 * (4 + 2 * 2 + 3)  # the columns of two runs, far fewer than 3,000 sentences


def test_counts_take_sixteen_bits_unless_a_sentence_is_long() -> None:
    assert count(GOLD, PREDICTED).words.dtype == np.int16
    long = [["O"] * LONG_SENTENCE]
    assert count(long, long).words.tolist() == [[[LONG_SENTENCE] * 3]]
    assert count(long, long).words.dtype == np.int64


def test_lines_that_follow_each_other_are_held_as_a_range() -> None:
    first, second = parse_bio(b"O\ta\nO\tb\n\nO\tc\n", "f")
    assert (first.lines, second.lines) == (range(1, 3), range(4, 5))
