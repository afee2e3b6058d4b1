"""What every system implements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

from bert_ner.corpus.bio import Sentence


class Tagger(Protocol):
    """A system that learns to tag words from sentences. `fit` or `load` comes before `tag` and `save`."""

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Train; every choice is made on the validation sentences.

        Returns:
            The training history, one row per epoch or per setting tried (empty if there is nothing to tell).
        """

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The tags of each sentence, as many as it has words."""

    def save(self, folder: Path) -> None:
        """Write all that `load` needs into an existing folder, without pickle."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The tagger that `save` wrote."""


@runtime_checkable
class ScoringTagger(Tagger, Protocol):
    """A tagger that can say how sure it is. Optional: what is made of a plain Tagger's tags has no scores."""

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        """The tags that `tag` gives, each with the probability that the system gives it, 0 to 1."""


@runtime_checkable
class SizedTagger(Tagger, Protocol):
    """A tagger that can say how large it is. Optional: the report leaves the place of others empty."""

    @property
    def parameters(self) -> int:
        """How many learnt numbers it holds."""
