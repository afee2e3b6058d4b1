"""Words of a text with their places in it, and the entities that the tags of some words stand for.

entities(["by", "mel", "gibson"], ["O", "B-ACTOR", "I-ACTOR"])      # [Entity("mel gibson", "ACTOR", 1, 3, None)]
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from bert_ner.corpus.bio import spans_of

_SURROGATE = re.compile("[\ud800-\udfff]")

Offsets = tuple[int, int]  # the characters of a word in a text: from the first up to, not including, the second


class Entity(NamedTuple):
    """An entity.

    `start` and `end` cut it out of what was tagged: text[start:end] or, if that was separate words, words[start:end].
    `score` is the mean probability of its tags, 0 to 1; None if the tagger has none.
    """

    text: str
    type: str
    start: int
    end: int
    score: float | None = None


def word_offsets(text: str) -> list[Offsets]:
    """Return the places of the words of a text: split at white space and around each punctuation mark, as BERT does."""
    # Rust's strings can't hold lone surrogates; another character in their place leaves all others where they are.
    return [offsets for _, offsets in _pre_tokenizer().pre_tokenize_str(_SURROGATE.sub("\ufffd", text))]


def entities(
    words: Sequence[str],
    tags: Sequence[str],
    scores: Sequence[float] | None = None,
    text: str | None = None,
    offsets: Sequence[Offsets] | None = None,
) -> list[Entity]:
    """Return the entities of a sentence, in order, as conlleval reads its tags.

    Args:
        words: of the sentence.
        tags: one for each word.
        scores: the probability of each tag.
        text, offsets: the text that the words are from, and the place of each word in it.

    Raises:
        BioError: an item is not a tag.
    """
    found = []
    for kind, first, last in spans_of(tags):
        score = sum(scores[first:last]) / (last - first) if scores is not None else None
        if text is None or offsets is None:
            found.append(Entity(" ".join(words[first:last]), kind, first, last, score))
        else:
            start, end = offsets[first][0], offsets[last - 1][1]
            found.append(Entity(text[start:end], kind, start, end, score))
    return found


@cache
def _pre_tokenizer() -> Any:
    from tokenizers.pre_tokenizers import BertPreTokenizer  # noqa: PLC0415 - only raw text needs it

    return BertPreTokenizer()
