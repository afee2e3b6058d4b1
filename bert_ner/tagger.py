"""The protocol that every tagger implements, and the constructor that all trainable systems share."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.entities import Entity, entities, word_offsets
from bert_ner.deprecated import moved
from bert_ner.errors import BertNerError, InvalidValue, shorten
from bert_ner.settings import Settings as AnySettings

if TYPE_CHECKING:  # importing NumPy takes a tenth of a second, which commands without a tagger need not wait for
    from numpy.typing import NDArray

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


class BaseTagger(Tagger):
    """The base of the taggers of this package: tags raw text, and crosses to other processes by pickle."""

    source = "the tagger"  # the folder that it was loaded from, for messages

    def tag_text(self, text: str) -> list[Entity]:
        """Return the entities of a text, in order; `start` and `end` count its characters.

        Words end at white space and around each punctuation mark. They keep their case: an encoder that wants lower
        case makes it. Raise InvalidValue if the text is not a string.
        """
        if not isinstance(text, str):
            raise InvalidValue(f"tag_text takes one string, not {shorten(text)}; `tag` takes lists of words")
        offsets = word_offsets(text)
        words = [text[start:end] for start, end in offsets]
        [(tags, scores)] = tags_and_scores(self, [words])
        return entities(words, tags, scores, text, offsets)

    def __getstate__(self) -> dict[str, bytes]:
        """Return the files that `save` writes, by name: a pickle holds these, and no code."""
        with TemporaryDirectory() as folder:
            self.save(Path(folder))
            return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}

    def __setstate__(self, files: Mapping[str, bytes]) -> None:
        """Load these files. They do not last, so `load` keeps in memory whatever it needs later."""
        with TemporaryDirectory() as folder:
            for name, content in files.items():
                Path(folder, name).write_bytes(content)
            vars(self).update(vars(self.load(Path(folder))))


class System(BaseTagger):
    """A tagger that `fit` trains: the constructor is the same for all, so that a kind and its settings make one.

    A subclass sets `Settings` to its own pydantic model and implements the methods of `Tagger`.

    Args:
        scoring: (gold, predicted) -> score, by which `fit` chooses on the validation sentences.
        labels: the tag set.
        seed: of every random number.
        checkpoint: a file for the state of an unfinished training; a killed `fit` goes on from it.
    """

    Settings: ClassVar[type[AnySettings]] = AnySettings
    keeps_best: ClassVar[bool] = False  # whether `fit` always keeps the weights of the best epoch, not of the last
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


def tags_and_scores(tagger: Tagger, sentences: Sequence[Sequence[str]]) -> list[tuple[list[str], list[float] | None]]:
    """Return the tags of each sentence, and their probabilities if it is a ScoringTagger, else None."""
    if not isinstance(tagger, ScoringTagger):
        return [(tags, None) for tags in tagger.tag(sentences)]
    scored = tagger.tag_scored(sentences)
    return [([tag for tag, _ in pairs], [score for _, score in pairs]) for pairs in scored]


@runtime_checkable
class ProbabilisticTagger(Tagger, Protocol):
    """A tagger that knows how likely every tag is, not only the one it chose. Optional: the label audit needs one."""

    def tag_probabilities(self, sentences: Sequence[Sequence[str]], labels: Sequence[str]) -> "list[NDArray[Any]]":
        """Return an array of shape (words, labels) for each sentence: the probability of each label, 0 to 1.

        A label that the tagger does not know has 0.
        """


@runtime_checkable
class SizedTagger(Tagger, Protocol):
    """A tagger that knows its size. Optional: the report leaves the cells of others empty."""

    @property
    def parameters(self) -> int:
        """The number of learnt parameters."""


_MOVED = {
    "bert_ner.loading": ("load_tagger", "trained_folder"),
    "bert_ner.model_folder": (
        "MANIFEST", "QUANTISED", "WEIGHTS", "TaggerUnavailable", "read_manifest", "write_manifest", "write_model",
    ),
}  # fmt: skip
__getattr__ = moved(__name__, {name: f"{module}:{name}" for module, names in _MOVED.items() for name in names})
