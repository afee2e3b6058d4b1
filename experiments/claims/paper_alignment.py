"""The paper's alignment of labels and word pieces (section 3.3.2), and our sentences to try it on."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.training import IGNORED
from bert_ner.errors import BertNerError

Labels = list[str | int]  # for each piece: a tag, or IGNORED


class Outcome(NamedTuple):
    """The labels of one sentence under both alignments."""

    pieces: list[str]
    paper: Labels  # for each piece; they end where its algorithm ran out of labels
    ours: Labels
    raises: bool  # whether it ran out of labels, which ends the paper's program with an IndexError

    @property
    def differs(self) -> bool:
        """Whether the paper's algorithm gave other labels than alignment by word index."""
        return self.paper != self.ours[: len(self.paper)]


def paper_labels(ids: Sequence[int], tags: Sequence[str], pieces: WordPieces) -> tuple[Labels, bool]:
    """Label as the paper prints it: the next tag for each piece without ##. Return also whether the tags ran out."""
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
            raise BertNerError("this tokenizer splits a sentence differently from its words; pieces can't be compared")
        for word, position in zip(window.words, window.positions, strict=True):
            ours[position] = sentence.tags[word]
    return Outcome(encoding.tokens, paper, ours, raises)


def tally(sentences: Sequence[Sentence], pieces: WordPieces) -> dict[str, int]:
    """Count the sentences that the paper's algorithm labels differently, and those where it runs out of labels.

    `differ` is without those of `raise`; `raise_shifted` is those of `raise` with a label on a wrong piece before.
    """
    outcomes = [align(sentence, pieces) for sentence in sentences]
    kinds = Counter((outcome.raises, outcome.differs) for outcome in outcomes)
    shifted, only_raises = kinds[True, True], kinds[True, False]
    counts = {"differ": kinds[False, True], "raise": shifted + only_raises, "raise_shifted": shifted}
    return {"sentences": len(outcomes), **counts}


def _tagged(text: str) -> Sentence:
    """Return the words and tags of a text such as `films with mel|B-ACTOR gibson|I-ACTOR`; those without one are O."""
    pairs = [word.partition("|") for word in text.split()]
    return Sentence(tuple(word for word, _, _ in pairs), tuple(tag or "O" for _, _, tag in pairs))


EXAMPLE = _tagged("did wall-e|B-TITLE win in 2008|B-YEAR")

# Queries with punctuation, as people type them; the corpus has almost none. The last five need no split inside a word.
_TEXTS = Path(__file__).with_name("punctuated.txt").read_text(encoding="utf-8")
PUNCTUATED = [EXAMPLE, *map(_tagged, _TEXTS.splitlines())]
