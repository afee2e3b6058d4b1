"""Tags <-> spans, against seqeval and by hand. In conlleval an `I-X` that continues nothing begins an entity."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from bert_ner.corpus.bio import BioError, Span, illegal_transitions, labels_of, spans_of, tags_of

types = st.sampled_from(["X", "Y", "X-Y", "-", "_", "O", "RATINGS_AVERAGE", "é"])
entities = st.builds(lambda kind, more: [f"B-{kind}"] + [f"I-{kind}"] * more, types, st.integers(0, 3))
legal_tags = st.lists(entities | st.just(["O"]), max_size=8).map(lambda parts: [tag for part in parts for tag in part])
any_tags = st.lists(st.just("O") | st.builds(str.__add__, st.sampled_from(["B-", "I-"]), types), max_size=12)


@given(legal_tags)
def test_spans_and_tags_are_inverse(tags: list[str]) -> None:
    assert not illegal_transitions(tags)
    assert tags_of(spans_of(tags), len(tags)) == tags


@given(any_tags)
def test_spans_are_those_of_seqeval(tags: list[str]) -> None:
    """Compare with its default mode, which is conlleval's; its spans end with their last word."""
    assert spans_of(tags) == [Span(kind, start, last + 1) for kind, start, last in get_entities(tags)]


@given(any_tags)
def test_illegal_transitions_are_all_that_tags_of_would_change(tags: list[str]) -> None:
    legal = tags_of(spans_of(tags), len(tags))
    illegal = illegal_transitions(tags)
    assert illegal == [i for i, (old, new) in enumerate(zip(tags, legal, strict=True)) if old != new]
    assert all(legal[i] == "B" + tags[i][1:] for i in illegal)


@pytest.mark.parametrize(
    ("tags", "spans", "illegal"),
    [
        ("", [], []),
        ("O O", [], []),
        ("B-X", [("X", 0, 1)], []),
        ("B-X I-X O B-Y", [("X", 0, 2), ("Y", 3, 4)], []),
        ("B-X B-X I-X", [("X", 0, 1), ("X", 1, 3)], []),
        ("I-X I-X O", [("X", 0, 2)], [0]),
        ("O I-X", [("X", 1, 2)], [1]),
        ("B-X I-Y I-Y", [("X", 0, 1), ("Y", 1, 3)], [1]),
        ("B-X I-Y I-X", [("X", 0, 1), ("Y", 1, 2), ("X", 2, 3)], [1, 2]),
        ("I-X B-X I-X O I-X", [("X", 0, 1), ("X", 1, 3), ("X", 4, 5)], [0, 4]),
        ("B-X-Y I-X-Y I-X", [("X-Y", 0, 2), ("X", 2, 3)], [2]),
        ("B-O I-O O", [("O", 0, 2)], []),
    ],
)
def test_spans_as_conlleval_reads_them(tags: str, spans: list[tuple[str, int, int]], illegal: list[int]) -> None:
    assert spans_of(tags.split()) == spans_of(tuple(tags.split())) == [Span(*span) for span in spans]
    assert illegal_transitions(tags.split()) == illegal


@pytest.mark.parametrize(
    ("tag", "in_seqeval"),
    [
        ("B", [("_", 1, 1)]),  # seqeval: an entity of type _
        ("B-", [("_", 1, 1)]),
        ("S-X", [("X", 1, 1)]),  # a tag of IOBES
        ("X", []),  # with a warning
        ("OTHER", []),  # the same: its first letter is O
    ],
)
def test_invalid_tags_have_a_reading_in_seqeval_and_are_errors_here(
    tag: str, in_seqeval: list[tuple[str, int, int]]
) -> None:
    with warnings.catch_warnings(action="ignore"):
        assert [tuple(entity) for entity in get_entities(["O", tag])] == in_seqeval
    with pytest.raises(BioError, match=f"^word 2: '{tag}' is not a tag( of IOB2)?; expected O, B-<type> or I-<type>"):
        spans_of(["O", tag])


def test_tags_of_takes_spans_in_any_order() -> None:
    assert tags_of([Span("Y", 3, 4), Span("X", 0, 2)], 5) == ["B-X", "I-X", "O", "B-Y", "O"]
    assert tags_of([Span("X", 1, 2), Span("X", 0, 1)], 2) == ["B-X", "B-X"]
    assert tags_of([], 0) == []


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([Span("X", 1, 1)], "Span(type='X', start=1, end=1) does not fit into a sentence of 3 words"),
        ([Span("X", 2, 1)], "Span(type='X', start=2, end=1) does not fit into a sentence of 3 words"),
        ([Span("X", -1, 1)], "Span(type='X', start=-1, end=1) does not fit into a sentence of 3 words"),
        ([Span("X", 2, 4)], "Span(type='X', start=2, end=4) does not fit into a sentence of 3 words"),
        (
            [Span("X", 0, 2), Span("Y", 1, 3)],
            "Span(type='Y', start=1, end=3) overlaps another entity; BIO tags can't express that",
        ),
        (
            [Span("X", 0, 1), Span("X", 0, 1)],
            "Span(type='X', start=0, end=1) overlaps another entity; BIO tags can't express that",
        ),
        (
            [Span("", 0, 1)],
            "Span(type='', start=0, end=1): 'B-' is not a tag; expected O, B-<type> or I-<type>",
        ),
        (
            [Span("X Y", 0, 1)],
            "Span(type='X Y', start=0, end=1): 'B-X Y' is not a tag; expected O, B-<type> or I-<type>",
        ),
    ],
)
def test_spans_that_tags_cannot_express(spans: list[Span], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        tags_of(spans, 3)
    assert str(caught.value) == message


def test_labels_of_keeps_the_order() -> None:
    assert labels_of(["Y", "X"]) == ("O", "B-Y", "I-Y", "B-X", "I-X")
    assert labels_of([]) == ("O",)
