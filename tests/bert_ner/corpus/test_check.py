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
    return f"  words or tags with invisible characters: {number}, the first at a.bio:2: {first}"


def test_a_valid_file() -> None:
    problems, summary, sentences = check_file(RIGHT.encode(), "a.bio", Reading())
    assert problems == []
    assert summary == [
        "a.bio: 4 sentences are right",
        "  words: 12",
        "  entities: 4 of 3 types: DIRECTOR 1, GENRE 1, YEAR 2",
        "  duplicates of an earlier sentence, word for word: 2; sentences with several taggings: 1",
        "  scheme: IOB2",
    ]
    assert sentences[3] == Sentence(("from", "1931"), ("O", "O"))


def test_every_problem_has_its_line_and_the_summary_is_of_sentences_without_problems() -> None:
    wrong = (
        "any O\nheist I-GENRE\ncomedy I-GENRE\nold S-YEAR\n\nfrom O 1931\n\n"
        + "olaf B-ACTOR\n\n" * 15
        + "x O\ny I-A\n\n" * 10
    )
    problems, summary, _ = check_file(wrong.encode(), "a.bio", Reading())
    assert problems[:4] == [
        "a.bio:2: 'I-GENRE' after 'O'; an entity opens with 'B-GENRE'",
        "a.bio:4: 'S-YEAR' is not a tag of IOB2; expected O, B-<type> or I-<type>",
        "a.bio:6: 3 columns, not a word and a tag: 'from O 1931'; a word can't have a space in it, except in JSON",
        "a.bio:39: 'I-A' after 'O'; an entity opens with 'B-A'",
    ]
    assert problems[13:] == [
        "a.bio: the prefixes B-, I-, S- are of another scheme than IOB2; name it with scheme='BIOES'"
    ]
    assert summary[:3] == ["a.bio: 15 of 27 sentences are right", "  words: 15", "  entities: 15 of 1 type: ACTOR 15"]
    both = check_file(f"{RIGHT}\n{wrong}".encode(), "a.bio", Reading()).summary
    assert both[:2] == ["a.bio: 19 of 31 sentences are right", "  words: 27"]


def test_without_a_right_sentence_there_is_no_summary() -> None:
    assert check_file(b"a O\nb I-X x\n\nc B-X\nd I-Y\n", "a.bio", Reading()).summary == [
        "a.bio: of 2 sentences, none is right"
    ]


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
        ("# 1\na O\nb O\n\n# 2\nc O\n", {"comments": "#"}, ["  skipped: 2 comment lines"]),
        ("-DOCSTART- O\n\na O\nb O\n\nc O\n", {"docstart": True}, ["  skipped: 1 -DOCSTART- line"]),
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
        "dev: 2 of 3 sentences also in train, word for word",
        "test: 1 of 1 sentence also in train, word for word",
        "test: 0 of 1 sentence also in dev, word for word",
    ]
