"""Refuse a string where a sequence is meant: Python would take its letters for words, without an error."""

from collections.abc import Sequence
from itertools import chain
from typing import Literal

from bert_ner.errors import InvalidValue, shorten

Item = Literal["word", "tag"]


def check_sequences(sequences: Sequence[Sequence[str]], item: Item, name: str = "") -> None:
    """Raise InvalidValue, which names the sentence, unless the argument is a sequence of sequences of strings.

    Two passes without a line of Python for each item: 20 ns a word. Messages call the argument `name`, if given.
    """
    start = f"{name}: " if name else ""
    if not _is_sequence(sequences):
        raise InvalidValue(
            f"{start}expected a sequence of sentences, each a sequence of {item}s, not {shorten(sequences)}"
        )
    if not all(map(_is_sequence_type, set(map(type, sequences)))):
        number, wrong = next((i, each) for i, each in enumerate(sequences, start=1) if not _is_sequence(each))
        raise InvalidValue(
            f"{start}sentence {number} must be a sequence of {item}s, not {shorten(wrong)}; "
            f"a single sentence goes into a list, too: [[{item}, {item}]]"
        )
    if not all(issubclass(kind, str) for kind in set(map(type, chain.from_iterable(sequences)))):
        for number, sentence in enumerate(sequences, start=1):
            for place, each in enumerate(sentence, start=1):
                if not isinstance(each, str):
                    raise InvalidValue(f"{start}{item} {place} of sentence {number} is {shorten(each)}, not a string")


def _is_sequence(value: object) -> bool:
    return _is_sequence_type(type(value))


def _is_sequence_type(kind: type) -> bool:
    """Return whether values of a type have a length and an order; arrays have both, and are no `Sequence`."""
    return hasattr(kind, "__len__") and hasattr(kind, "__getitem__") and not issubclass(kind, str | bytes | dict)
