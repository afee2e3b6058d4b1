"""Tag schemes. Each row is written by hand; seqscore and seqeval are the references for the rest."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest
from seqeval import scheme as seqeval
from seqscore.encoding import get_encoding
from seqscore.model import Mention
from seqscore.model import Span as SeqscoreSpan

from bert_ner.corpus.bio import Span, illegal_transitions, spans_of, tags_of
from bert_ner.corpus.schemes import SCHEMES, are_iob2, detect_scheme, first_loss, from_iob2, is_valid, to_iob2

# The entities AA, A, B, BBB; no gap between the second and the third, nor between the first two.
HAND = {
    "IOB2": "B-A I-A B-A B-B O B-B I-B I-B",
    "BIOES": "B-A E-A S-A S-B O B-B I-B E-B",
    "BILOU": "B-A L-A U-A U-B O B-B I-B L-B",
    "IOB1": "I-A I-A B-A I-B O I-B I-B I-B",
    "IOE2": "I-A E-A E-A E-B O I-B I-B E-B",
    "IOE1": "I-A E-A I-A I-B O I-B I-B I-B",
}


@pytest.mark.parametrize("scheme", HAND)
def test_conversion(scheme: str) -> None:
    tags, iob2 = HAND[scheme].split(), HAND["IOB2"].split()
    assert to_iob2(tags) == iob2
    assert from_iob2(iob2, scheme) == tags
    assert first_loss(iob2, scheme) is None
    assert detect_scheme([tags]) == scheme


def test_io_merges_entities_of_one_type_that_touch() -> None:
    iob2 = HAND["IOB2"].split()
    assert from_iob2(iob2, "IO") == ["I-A", "I-A", "I-A", "I-B", "O", "I-B", "I-B", "I-B"]
    assert first_loss(iob2, "IO") == 2
    assert first_loss(["B-A", "B-B", "O", "B-A"], "IO") is None
    assert to_iob2(["I-A", "I-A", "I-B", "O"]) == ["B-A", "I-A", "B-B", "O"]


@pytest.mark.parametrize(
    ("tags", "entities"),
    [
        ("I-A O I-A I-B", [("A", 0, 1), ("A", 2, 3), ("B", 3, 4)]),
        ("B-A S-A", [("A", 0, 1), ("A", 1, 2)]),
        ("S-A I-A", [("A", 0, 1), ("A", 1, 2)]),
        ("B-A E-B E-B", [("A", 0, 1), ("B", 1, 2), ("B", 2, 3)]),
        ("B-A L-A I-A", [("A", 0, 2), ("A", 2, 3)]),
    ],
)
def test_a_sequence_of_no_scheme_is_read_as_well(tags: str, entities: list[tuple[str, int, int]]) -> None:
    assert spans_of(to_iob2(tags.split())) == entities


@pytest.mark.parametrize(
    ("sequences", "scheme"),
    [
        (["O O"], "IOB2"),
        (["B-A I-A O B-A"], "IOB2"),
        (["I-A O", "I-A I-A"], "IO"),
        (["I-A O", "I-A B-A"], "IOB1"),
        (["B-A I-A", "I-A B-A"], "IOB2"),  # with a mistake: no other scheme of these prefixes has all of it
        (["I-A O", "I-A I-A", "B-A O"], "IOB2"),
        (["I-A O", "O U-A"], "IOB2"),  # no scheme fits more than half of them
        (["S-A", "O"], "BIOES"),
        (["B-A E-A", "S-A O", "B-A O"], "BIOES"),
        (["U-A", "O"], "BILOU"),
        (["I-A E-A", "E-A"], "IOE2"),
        (["I-A E-A I-A", "O I-A"], "IOE1"),
    ],
)
def test_detection(sequences: list[str], scheme: str) -> None:
    assert detect_scheme([tags.split() for tags in sequences]) == scheme


@pytest.mark.parametrize(
    ("labels", "expected"),
    [("O B-A I-A", True), ("O B-A", True), ("O", True), ("O I-A", False), ("O B-A I-A E-A S-A", False)],
)
def test_labels_of_a_model(labels: str, expected: bool) -> None:
    assert are_iob2(labels.split()) == expected


def cases(count: int) -> list[tuple[int, list[Span]]]:
    """Draw sentences: a length, and entities in it that often touch."""
    draw = random.Random(0)
    drawn = []
    for _ in range(count):
        length, spans, i = draw.randint(1, 8), [], 0
        while i < length:
            end = draw.randint(i + 1, length)
            if draw.random() < 0.6:
                spans.append(Span(draw.choice("AB"), i, end))
            i = end
        drawn.append((length, spans))
    return drawn


CASES = cases(2000)
THEIRS = {"IOB2": "BIO", "BIOES": "BIOES", "BILOU": "BILOU", "IOB1": "IOB", "IO": "IO"}


@pytest.mark.parametrize("scheme", THEIRS)
def test_writing_equals_seqscore(scheme: str) -> None:
    theirs = get_encoding(THEIRS[scheme])
    for length, spans in CASES:
        mentions = [Mention(SeqscoreSpan(start, end), kind) for kind, start, end in spans]
        tags = from_iob2(tags_of(spans, length), scheme)
        assert tags == list(theirs.encode_mentions(mentions, length))
        found = [(m.type, m.span.start, m.span.end) for m in theirs.decode_labels(tags)]
        assert spans_of(to_iob2(tags)) == found


@pytest.mark.parametrize(
    ("scheme", "theirs"),
    [
        ("IOB2", seqeval.IOB2),
        ("IOB1", seqeval.IOB1),
        ("IOE2", seqeval.IOE2),
        ("IOE1", seqeval.IOE1),
        ("BIOES", seqeval.IOBES),
        ("BILOU", seqeval.BILOU),
    ],
)
def test_reading_equals_seqeval(scheme: str, theirs: type[seqeval.Token]) -> None:
    for length, spans in CASES:
        tags = from_iob2(tags_of(spans, length), scheme)
        assert spans_of(to_iob2(tags)) == spans
        found = [(each.tag, each.start, each.end) for each in seqeval.Entities([tags], theirs).entities[0]]
        # seqeval drops some entities of one word that has `E`, as IOE1 writes where the next entity touches.
        assert [span for span in spans if span not in found and not is_single_end(span, tags)] == []
        assert scheme == "IOE1" or found == spans


def is_single_end(span: Span, tags: list[str]) -> bool:
    return span.end - span.start == 1 and tags[span.start][0] == "E"


def sentences(length: int) -> Iterator[list[str]]:
    """Yield the IOB2 tags of every sentence of this length with entities A and B."""
    tags = ["O", "B-A", "I-A", "B-B", "I-B"]
    return (list(each) for each in itertools.product(tags, repeat=length) if not illegal_transitions(each))


def test_a_short_sequence_is_valid_exactly_if_the_scheme_writes_it_for_some_sentence() -> None:
    tags = ["O", *(f"{prefix}-{kind}" for prefix in "BIELSU" for kind in "AB")]
    for length, scheme in itertools.product((1, 2, 3), SCHEMES):
        written = {tuple(from_iob2(each, scheme)): each for each in sentences(length)}
        for sequence in itertools.product(tags, repeat=length):
            assert is_valid(sequence, scheme) == (sequence in written)
            if sequence in written and scheme != "IO":
                assert to_iob2(sequence) == written[sequence]
