"""The findings of `bert-ner check`. All figures are counted by hand."""

from __future__ import annotations

import pytest

from bert_ner.corpus.bio import BioError, Sentence
from bert_ner.corpus.check import check_file, overlaps
from bert_ner.corpus.columns import Layout
from bert_ner.corpus.formats import Reading

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


def summary(content: str, **options: object) -> list[str]:
    """Return the lines of the summary after the first four, on scheme, words, entities and duplicates."""
    problems, lines, _ = check_file(content.encode(), "a.bio", Reading(Layout(**options)))
    assert problems == []
    return lines[5:]


def unseen(number: int, first: str) -> str:
    return f"  invisible characters: in {number} word(s) or tag(s), the first at a.bio:2: {first}"


def test_a_valid_file() -> None:
    problems, summary, sentences = check_file(RIGHT.encode(), "a.bio", Reading())
    assert problems == []
    assert summary == [
        "a.bio: 4 sentence(s) are right",
        "  words: 12",
        "  entities: 4 of 3 type(s): DIRECTOR 1, GENRE 1, YEAR 2",
        "  duplicates: 2 sentence(s) repeat an earlier one, word for word; 1 of the repeated ones have different tags",
        "  scheme: IOB2",
    ]
    assert sentences[3] == Sentence(("from", "1931"), ("O", "O"))


def test_every_problem_has_its_line_and_the_summary_is_of_sentences_without_problems() -> None:
    wrong = "any O\nheist I-GENRE\ncomedy I-GENRE\nold S-YEAR\n\nfrom O 1931\n\nolaf B-ACTOR\n" + "x O\ny I-A\n\n" * 30
    problems, summary, _ = check_file(wrong.encode(), "a.bio", Reading())
    assert problems[:4] == [
        "a.bio:2: 'I-GENRE' after 'O'; an entity opens with 'B-GENRE'",
        "a.bio:4: 'S-YEAR' is not a tag; expected O, B-<type> or I-<type>; for another scheme: bert-ner convert",
        "a.bio:6: 3 columns, not a tag and a word: 'from O 1931'; name them with --word-column and --tag-column",
        "a.bio:10: 'I-A' after 'O'; an entity opens with 'B-A'",
    ]
    # All of them, unlike one error's twenty; and last, a remark.
    assert problems[33:] == ["a.bio: IO fits 29 of 32 sentences, IOB2 0; to read it so: --scheme IO"]
    assert summary[:3] == [
        "a.bio: 0 of 32 sentence(s) are right",
        "  words: 0",
        "  entities: 0 of 0 type(s)",
    ]
    both = check_file(f"{RIGHT}\n{wrong}".encode(), "a.bio", Reading()).summary
    assert both[:2] == ["a.bio: 4 of 36 sentence(s) are right", "  words: 12"]


@pytest.mark.parametrize("content", ["", "a b\n", "O O\n"])
def test_a_file_without_sentences_or_without_a_clear_column_of_tags_is_an_error(content: str) -> None:
    with pytest.raises(BioError, match=r"^a\.bio: "):
        check_file(content.encode(), "a.bio", Reading())
    if content:
        check_file(content.encode(), "a.bio", Reading(Layout("word-first")))


@pytest.mark.parametrize(
    ("content", "options", "remarks"),
    [
        ("a O\n\nb O\nc O\n", {}, []),
        ("a O\nb O\n", {}, ["  one sentence: a blank line ends a sentence; are they missing?"]),
        # Line ends doubled by a conversion to "\n".
        (
            "a O\n\nb B-X\n\n\n\nc O\n\n",
            {},
            ["  one word in every sentence: are there blank lines between the words of a sentence?"],
        ),
        ("# 1\na O\nb O\n\n# 2\nc O\n", {"comments": "#"}, ["  skipped: 2 comment line(s)"]),
        ("-DOCSTART- O\n\na O\nb O\n\nc O\n", {"docstart": True}, ["  skipped: 1 -DOCSTART- line(s)"]),
        ("a O\nb\u200b O\n\n\u00adc\ufe0f O\n", {}, [unseen(2, "'b\\u200b' has U+200B ZERO WIDTH SPACE")]),
        ("a O\nb\ufe0f O\n\nc O\n", {}, [unseen(1, "'b\ufe0f' has U+FE0F VARIATION SELECTOR-16")]),
        ("a O\nb B-X\u200b\n\nc O\n", {}, [unseen(1, "'B-X\\u200b' has U+200B ZERO WIDTH SPACE")]),
        ("caf\u00e9 O\nb O\n\ncafe\u0301 O\n", {}, []),
    ],
)
def test_remarks_on_possible_mistakes(content: str, options: dict[str, object], remarks: list[str]) -> None:
    assert summary(content, **options) == remarks


def test_sentences_that_also_stand_in_an_earlier_file() -> None:
    first, second, third = (
        [Sentence(tuple(words.split()), ("O",) * 2) for words in texts]
        for texts in (["by dana", "a b"], ["by dana", "by dana", "b a"], ["a b"])
    )
    assert list(overlaps({"train": first, "dev": second, "test": third})) == [
        "dev: 2 of 3 sentence(s) stand word for word in train",
        "test: 1 of 1 sentence(s) stand word for word in train",
        "test: 0 of 1 sentence(s) stand word for word in dev",
    ]
