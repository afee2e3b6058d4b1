"""A linear-chain CRF with the features a practitioner would write: the baseline that the paper should have named."""

from __future__ import annotations

import math
import os
import re
import signal
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product
from multiprocessing import current_process
from pathlib import Path
from typing import Any, Self, cast

import sklearn_crfsuite
from joblib import Parallel, delayed
from tqdm import tqdm

from bert_ner.corpus.bio import Sentence
from bert_ner.errors import InvalidValue
from bert_ner.model_folder import model_file, write_model

MODEL_FILE = "model.crfsuite"
REACH = 3  # words of context on each side
AFFIX = 4  # longest prefix and suffix
_CACHED_LENGTH = 64  # of a word; the cache below holds 20,000, about 1 kB each
_SHAPE = ((re.compile(r"[A-Z]+"), "A"), (re.compile(r"[a-z]+"), "a"), (re.compile(r"[0-9]"), "9"))


class CRFTagger:
    """A CRF trained with L-BFGS, its regularisation chosen on the validation sentences.

    Args:
        c1: candidates for the L1 coefficient.
        c2: candidates for the L2 coefficient.
        max_iterations: of L-BFGS.
        scoring: (gold, predicted) -> score, by which the validation sentences choose among the candidates.

    Raises:
        InvalidValue: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        c1: Sequence[float],
        c2: Sequence[float],
        max_iterations: int,
        scoring: Callable[[Sequence[Sequence[str]], Sequence[Sequence[str]]], float],
    ) -> None:
        for name, values in (("c1", c1), ("c2", c2)):
            if not (isinstance(values, Sequence) and values and all(map(_is_coefficient, values))):
                raise InvalidValue(f"{name} must be a list of numbers of at least 0, not {values!r}")
        if not (type(max_iterations) is int and 1 <= max_iterations < 2**31):
            raise InvalidValue(f"max_iterations must be a whole number from 1 to 2147483647, not {max_iterations!r}")
        self.candidates = [{"c1": a, "c2": b, "max_iterations": max_iterations} for a, b in product(c1, c2)]
        self.scoring = scoring

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Train once per candidate, on as many cores as there are, and keep the model that tags the validation
        sentences best.
        """
        gold = [tags for _, tags in validation]
        jobs = (delayed(_trained)(train, settings) for settings in self.candidates)
        trained = Parallel(min(len(self.candidates), os.cpu_count() or 1), return_as="generator")(jobs)
        tried: list[dict[str, Any]] = []
        best = float("-inf")
        for settings, model in zip(tqdm(self.candidates, desc="crf", unit="model", disable=None), trained, strict=True):
            quality = self.scoring(gold, _predict(model, [words for words, _ in validation]))
            tried.append({**settings, "validation_entity_f1": quality})
            if quality > best:
                best, self.model = quality, model
        return tried

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The best tag sequence of each sentence (Viterbi)."""
        return _predict(self.model, sentences)

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        """The same tags, each with its marginal probability."""
        marginal = self.model.tagger_.marginal  # of the sentence tagged last
        return [
            [(tag, min(marginal(tag, i), 1.0)) for i, tag in enumerate(tags)]
            for words in sentences
            for tags in _predict(self.model, [words])
        ]

    @property
    def parameters(self) -> int:
        """How many weights are not zero, of features and of transitions; CRFsuite keeps no others."""
        learnt = self.model.tagger_.info()
        return len(learnt.state_features) + len(learnt.transitions)

    def save(self, folder: Path) -> None:
        """Write CRFsuite's own model file."""
        write_model(folder, "crf", MODEL_FILE, Path(self.model.modelfile.name).read_bytes())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read CRFsuite's own model file.

        Raises:
            TaggerUnavailable: it is missing, or not the one that `save` wrote.
        """
        # CRFsuite maps the file into memory and trusts it: a cut one ends the whole process.
        path = model_file(folder, MODEL_FILE)
        tagger = cls.__new__(cls)
        tagger.model = sklearn_crfsuite.CRF(model_filename=str(path))
        return tagger


def _is_coefficient(value: object) -> bool:
    return type(value) in (int, float) and 0 <= cast(float, value) < math.inf


def features(words: Sequence[str]) -> list[list[str]]:
    """The features of each word: its own, its neighbours', the bigrams around it, and the sentence's edges."""
    edge = [f"<{i}>" for i in range(REACH, 0, -1)]
    # CRFsuite stores UTF-8, which has no lone surrogates.
    words = [word if word.isascii() else word.encode(errors="replace").decode() for word in words]
    padded = [*edge, *(word.lower() for word in words), *reversed(edge)]
    rows = []
    for i, word in enumerate(words):
        at = i + REACH
        row = list(_own_features(word) if len(word) <= _CACHED_LENGTH else _own_features.__wrapped__(word))
        for offset in range(-REACH, REACH + 1):
            if offset:
                row.append(f"{offset}:{padded[at + offset]}")
        for offset in range(-2, 2):
            row.append(f"{offset}|{offset + 1}:{padded[at + offset]}|{padded[at + offset + 1]}")
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


def _trained(train: Sequence[Sentence], settings: dict[str, Any]) -> sklearn_crfsuite.CRF:
    """A model with the given settings. CRFsuite holds Python's lock while it trains: two need two processes."""
    if current_process().name != "MainProcess":
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # else Ctrl-C would leave it at work until its model is done
    model = sklearn_crfsuite.CRF(algorithm="lbfgs", all_possible_transitions=True, **settings)
    return model.fit([features(words) for words, _ in train], [tags for _, tags in train])


def _predict(model: sklearn_crfsuite.CRF, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    return [list(model.predict_single(features(words))) if words else [] for words in sentences]
