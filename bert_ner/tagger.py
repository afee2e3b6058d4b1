"""The protocol that every tagger implements, and the constructor that all trainable systems share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from bert_ner.corpus.bio import Sentence
from bert_ner.deprecated import moved
from bert_ner.errors import BertNerError
from bert_ner.settings import Settings as AnySettings

TagSequences = Sequence[Sequence[str]]
Scoring = Callable[[TagSequences, TagSequences], float]  # (gold, predicted) -> score, higher is better


class Tagger(Protocol):
    """A system that learns to tag words from sentences. Call `fit` or `load` before `tag` and `save`."""

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Train, make every choice on the validation sentences, and return a row per epoch or per setting tried."""

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the tags of each sentence, one for each of its words."""

    def save(self, folder: Path) -> None:
        """Write everything that `load` needs into an existing folder, without pickle."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. `load_tagger` has verified the checksums of the files before."""


class System:
    """A tagger that `fit` trains: the constructor is the same for all, so that a kind and its settings make one.

    A subclass sets `Settings` to its own pydantic model and implements the methods of `Tagger`.

    Args:
        scoring: (gold, predicted) -> score, by which `fit` chooses on the validation sentences.
        labels: the tag set.
        seed: of every random number.
        checkpoint: a file for the state of an unfinished training; a killed `fit` goes on from it.
    """

    Settings: ClassVar[type[AnySettings]] = AnySettings
    settings: AnySettings

    def __init__(
        self,
        settings: AnySettings,
        *,
        scoring: Scoring,
        labels: Sequence[str] = (),
        seed: int = 0,
        checkpoint: Path | None = None,
    ) -> None:
        self.settings, self.scoring = settings, scoring
        self.labels, self.seed, self.checkpoint = tuple(labels), seed, checkpoint

    def check_labels(self, sentences: Sequence[Sentence]) -> None:
        """Raise a BertNerError if a sentence has a tag that is not among the labels."""
        if unknown := {tag for _, tags in sentences for tag in tags}.difference(self.labels):
            raise BertNerError(f"tags that are not among the labels: {', '.join(sorted(unknown))}")


@runtime_checkable
class ScoringTagger(Tagger, Protocol):
    """A tagger that knows how sure it is. Optional: output made from a plain Tagger has no scores."""

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        """Return the tags that `tag` returns, each with its probability, 0 to 1."""


@runtime_checkable
class SizedTagger(Tagger, Protocol):
    """A tagger that knows its size. Optional: the report leaves the cells of others empty."""

    @property
    def parameters(self) -> int:
        """The number of learnt parameters."""


_MOVED = {
    "bert_ner.loading": ("load_tagger", "trained_folder"),
    "bert_ner.model_folder": ("MANIFEST", "TaggerUnavailable", "read_manifest", "write_manifest", "write_model"),
}
__getattr__ = moved(__name__, {name: f"{module}:{name}" for module, names in _MOVED.items() for name in names})
