"""The paper's alignment of labels and word pieces (section 3.3.2), and sentences of our own to try it on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bert_ner.corpus.bio import Sentence, Span, tags_of
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.training import IGNORED
from bert_ner.errors import BertNerError

Labels = list[str | int]  # of each piece: a tag, or IGNORED


class Outcome(NamedTuple):
    """What became of one sentence.

    Attributes:
        pieces: as the paper cuts the sentence.
        paper, ours: the label of each piece; the paper's end where it ran out of labels.
        raises: whether it ran out of labels, which ends the program with an IndexError.
    """

    pieces: list[str]
    paper: Labels
    ours: Labels
    raises: bool

    @property
    def differs(self) -> bool:
        """Whether the labels that the paper's algorithm gave are other than those by word index."""
        return self.paper != self.ours[: len(self.paper)]


def paper_labels(ids: Sequence[int], tags: Sequence[str], pieces: WordPieces) -> tuple[Labels, bool]:
    """The algorithm as the paper prints it: every piece that does not start with ## takes the next label.

    Returns:
        The labels, and whether there were too few of them, where the paper's program stops with an IndexError.
    """
    labels: Labels = []
    remaining = iter(tags)
    for piece in ids:
        if piece in pieces.special or str(pieces.tokenizer.id_to_token(piece)).startswith("##"):
            labels.append(IGNORED)
        elif (tag := next(remaining, None)) is not None:
            labels.append(tag)
        else:
            return labels, True
    return labels, False


def align(sentence: Sentence, pieces: WordPieces) -> Outcome:
    """Label one sentence's pieces as the paper does, its words joined by spaces, and by word index."""
    encoding = pieces.tokenizer.encode(" ".join(sentence.words))
    paper, raises = paper_labels(encoding.ids, sentence.tags, pieces)
    ours: Labels = [IGNORED] * len(encoding.ids)
    for window in pieces.encode([sentence.words])[0]:
        if window.ids != encoding.ids:
            raise BertNerError("this tokenizer cuts a sentence otherwise than its words, so pieces can't be compared")
        for word, position in zip(window.words, window.positions, strict=True):
            ours[position] = sentence.tags[word]
    return Outcome(encoding.tokens, paper, ours, raises)


def tally(sentences: Sequence[Sentence], pieces: WordPieces) -> dict[str, int]:
    """How many sentences the paper's algorithm labels otherwise, and in how many it runs out of labels.

    `differ` counts those that end without an error; `raise_shifted` are those of `raise` where a label had already come
    to the wrong piece.
    """
    outcomes = [align(sentence, pieces) for sentence in sentences]
    return {
        "sentences": len(outcomes),
        "differ": sum(outcome.differs and not outcome.raises for outcome in outcomes),
        "raise": sum(outcome.raises for outcome in outcomes),
        "raise_shifted": sum(outcome.raises and outcome.differs for outcome in outcomes),
    }


def _tagged(text: str) -> Sentence:
    """`who made [TITLE wall-e ] ?` as words and tags."""
    words: list[str] = []
    spans: list[Span] = []
    opened = ("", 0)
    for word in text.split():
        if word.startswith("["):
            opened = (word[1:], len(words))
        elif word == "]":
            spans.append(Span(*opened, len(words)))
        else:
            words.append(word)
    return Sentence(tuple(words), tuple(tags_of(spans, len(words))))


EXAMPLE = _tagged("did [TITLE wall-e ] win in [YEAR 2008 ]")

# What people type and the corpus, almost without punctuation, does not hold. The last five need no cut inside a word.
PUNCTUATED = [
    EXAMPLE,
    *map(
        _tagged,
        (
            "what's [TITLE ocean's eleven ] about?",
            "movies with [ACTOR robert downey, jr. ]",
            "is [TITLE spider-man ] rated [RATING pg-13? ]",
            "[GENRE sci-fi ] from the [YEAR 1980's ]",
            "who directed [TITLE e.t. ] in [YEAR 1982? ]",
            "show me [TITLE mission: impossible ]",
            "a [GENRE rom-com ] with [ACTOR chloë grace moretz ]",
            "[TITLE x-men ] trailers, please",
            "does [CHARACTER r2-d2 ] speak in [TITLE star wars? ]",
            "the [GENRE who-done-it ] by [DIRECTOR j.j. abrams ]",
            "[TITLE (500) days of summer ]",
            "was [TITLE se7en ] better than [TITLE zodiac?! ]",
            "any film rated [RATINGS_AVERAGE 7.5/10 ] or more",
            "[ACTOR lupita nyong'o ] and [ACTOR michael b. jordan ]",
            "find the song [SONG don't stop me now ]",
            "films by [DIRECTOR joel & ethan coen ]",
            "films with [ACTOR mel gibson ]",
            "who is in [TITLE naïve hearts ] ?",
            "unforgettable [GENRE musicals ] of the [YEAR eighties ] !",
            "is it true that [DIRECTOR greta gerwig ] acts , too ?",
        ),
    ),
]
