"""A linear-chain CRF with the features that a practitioner would write: the baseline that the paper lacks."""

import re
import threading
from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import pycrfsuite
import sklearn_crfsuite
from numpy.typing import NDArray
from pydantic import Field

from baselines.crf_workers import compute
from baselines.crfsuite_file import check_model, count_features
from baselines.selection import Candidate, candidates, select
from bert_ner.corpus.bio import Sentence, tag_problem
from bert_ner.corpus.sequences import check_sequences
from bert_ner.model_folder import write_model
from bert_ner.progress import Progress
from bert_ner.settings import Settings
from bert_ner.tagger import System

MODEL_FILE = "model.crfsuite"
REACH = 3  # words of context on each side
AFFIX = 4  # characters of the longest prefix and suffix
_CACHED_LENGTH = 64  # characters; the cache below holds 20,000 words of at most that, about 1 kB each
_SHAPE = ((re.compile(r"[A-Z]+"), "A"), (re.compile(r"[a-z]+"), "a"), (re.compile(r"[0-9]"), "9"))
_Coefficient = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CRFSettings(Settings):
    """The candidates among which the validation sentences choose, and L-BFGS's limit."""

    c1: list[_Coefficient] = Field(min_length=1, description="Coefficients of the L1 penalty.")
    c2: list[_Coefficient] = Field(min_length=1, description="Coefficients of the L2 penalty.")
    max_iterations: int = Field(ge=1, lt=2**31, description="The most iterations of L-BFGS.")


class CRFTagger(System):
    """A CRF trained with L-BFGS, its regularisation chosen on the validation sentences."""

    Settings = CRFSettings
    settings: CRFSettings
    model: bytes  # CRFsuite's file

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Train once per pair of c1 and c2, on all cores, and keep the best model on the validation sentences."""
        tried = candidates(self.settings)
        models = compute(_train, [(train, candidate) for candidate in tried])
        with closing(models), Progress("crf", len(tried)) as progress:
            trials = zip(tried, progress.steps(models), strict=True)
            chosen, history = select(trials, _predict_with, validation, self.scoring)
        self._use(Path(chosen.modelfile.name).read_bytes())
        return history

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the best tag sequence of each sentence (Viterbi)."""
        check_sequences(sentences, "word")
        return _predict(self._tagger(), sentences)

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        """Return the same tags, each with its marginal probability."""
        check_sequences(sentences, "word")
        tagger = self._tagger()
        return [
            [(tag, min(tagger.marginal(tag, i), 1.0)) for i, tag in enumerate(tags)]  # for the sentence tagged last
            for words in sentences
            for tags in _predict(tagger, [words])
        ]

    def tag_probabilities(self, sentences: Sequence[Sequence[str]], labels: Sequence[str]) -> list[NDArray[np.float64]]:
        """Return the marginal probability of each label of each word, of shape (words, labels) for each sentence."""
        check_sequences(sentences, "word")
        tagger = self._tagger()
        known = [(column, label) for column, label in enumerate(labels) if label in tagger.labels()]
        found = [np.zeros((len(words), len(labels))) for words in sentences]
        for words, table in zip(sentences, found, strict=True):
            if len(words):
                tagger.set(features(words))
            for i, row in enumerate(table):
                for column, label in known:
                    row[column] = min(tagger.marginal(label, i), 1.0)
        return found

    @property
    def parameters(self) -> int:
        """The number of weights that are not zero, of features and transitions."""
        return count_features(self.model)

    def save(self, folder: Path) -> None:
        """Write CRFsuite's own model file."""
        write_model(folder, "crf", MODEL_FILE, self.model)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read CRFsuite's own model file; raise ValueError, or CRFsuite's RuntimeError, if it is damaged."""
        model = (folder / MODEL_FILE).read_bytes()
        check_model(model)
        tagger = cls.__new__(cls)
        tagger._use(model)
        tagger._check_labels()
        return tagger

    def _use(self, model: bytes) -> None:
        self.model, self._threads = model, threading.local()

    def _check_labels(self) -> None:
        """Raise ValueError if a label is no tag, and RuntimeError if CRFsuite does not find it again."""
        tagger = self._tagger()
        tagger.set(features(["word"]))
        for label in tagger.labels():
            if problem := tag_problem(label):
                raise ValueError(problem)
            tagger.marginal(label, 0)

    def _tagger(self) -> pycrfsuite.Tagger:
        """Return the thread's own tagger, because CRFsuite's holds the sentence that it tagged last."""
        if not hasattr(self._threads, "tagger"):
            self._threads.tagger = pycrfsuite.Tagger()
            self._threads.tagger.open_inmemory(self.model)
        return self._threads.tagger


def features(words: Sequence[str]) -> list[list[str]]:
    """Return the features of each word: its own, its neighbours', the bigrams around it, and the sentence's edges."""
    edge = [f"<{i}>" for i in range(REACH, 0, -1)]
    # CRFsuite stores UTF-8, which can't encode lone surrogates.
    words = [word if word.isascii() else word.encode(errors="replace").decode() for word in words]
    padded = [*edge, *(word.lower() for word in words), *reversed(edge)]
    rows = []
    for i, word in enumerate(words):
        at = i + REACH
        row = list(_own_features(word) if len(word) <= _CACHED_LENGTH else _own_features.__wrapped__(word))
        row += [f"{offset}:{padded[at + offset]}" for offset in range(-REACH, REACH + 1) if offset]
        row += [f"{n}|{n + 1}:{padded[at + n]}|{padded[at + n + 1]}" for n in range(-2, 2)]
        rows.append(row)
    return rows


@lru_cache(maxsize=20_000)
def _own_features(word: str) -> tuple[str, ...]:
    lower = word.lower()
    shape = word
    for pattern, sign in _SHAPE:
        shape = pattern.sub(sign, shape)
    affixes = range(1, min(AFFIX, len(lower)) + 1)
    return (
        "bias",
        f"word:{lower}",
        f"shape:{shape}",
        *(f"prefix:{lower[:n]}" for n in affixes),
        *(f"suffix:{lower[-n:]}" for n in affixes),
        *(["digit"] if any(c.isdigit() for c in word) else []),
        *(["number"] if word.isdigit() else []),
    )


def _train(train: Sequence[Sentence], settings: Candidate) -> sklearn_crfsuite.CRF:
    model = sklearn_crfsuite.CRF(algorithm="lbfgs", all_possible_transitions=True, **settings)
    return model.fit([features(words) for words, _ in train], [tags for _, tags in train])


def _predict_with(model: sklearn_crfsuite.CRF, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    return _predict(model.tagger_, sentences)


def _predict(tagger: pycrfsuite.Tagger, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    return [tagger.tag(features(words)) if len(words) else [] for words in sentences]
