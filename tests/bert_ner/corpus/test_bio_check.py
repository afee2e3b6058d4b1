"""The findings of `bert-ner check`. All figures are counted by hand."""

from __future__ import annotations

import pytest

from bert_ner.corpus.bio import BioError, check_bio

RIGHT = """\
any O
heist B-GENRE
comedy I-GENRE
by O
ada B-DIRECTOR
moss I-DIRECTOR

from O
1931 B-YEAR

from O
1931 B-YEAR

from O
1931 O
"""


def test_a_valid_file() -> None:
    assert check_bio(RIGHT.encode(), "a.bio") == (
        [],
        [
            "a.bio: 4 sentence(s) are right",
            "  words: 12",
            "  entities: 4 of 3 type(s): DIRECTOR 1, GENRE 1, YEAR 2",
            "  duplicates: 2 sentence(s) repeat an earlier one, word for word; "
            "1 of the repeated ones have different tags",
        ],
    )


def test_every_problem_has_its_line_and_the_summary_is_of_sentences_without_problems() -> None:
    wrong = "any O\nheist I-GENRE\ncomedy I-GENRE\nold S-YEAR\n\nfrom O 1931\n\nolaf B-ACTOR\n" + "x O\ny I-A\n\n" * 30
    problems, summary = check_bio(wrong.encode(), "a.bio")
    assert problems[:4] == [
        "a.bio:2: 'I-GENRE' after 'O'; an entity opens with 'B-GENRE'",
        "a.bio:4: 'S-YEAR' is not a tag; expected O, B-<type> or I-<type>",
        "a.bio:6: 3 columns, not a tag and a word: 'from O 1931'",
        "a.bio:10: 'I-A' after 'O'; an entity opens with 'B-A'",
    ]
    assert len(problems) == 3 + 30  # all of them, unlike one error's twenty
    assert summary[:3] == ["a.bio: 0 of 32 sentence(s) are right", "  words: 0", "  entities: 0 of 0 type(s)"]
    assert check_bio(f"{RIGHT}\n{wrong}".encode(), "a.bio").summary[:2] == [
        "a.bio: 4 of 36 sentence(s) are right",
        "  words: 12",
    ]


@pytest.mark.parametrize("content", ["", "a b\n", "O O\n"])
def test_a_file_without_sentences_or_without_a_clear_column_of_tags_is_an_error(content: str) -> None:
    with pytest.raises(BioError, match=r"^a\.bio: "):
        check_bio(content.encode(), "a.bio")
    if content:
        check_bio(content.encode(), "a.bio", order="word-first")
