"""A second-order hidden Markov model, in the manner of TnT (Brants, 2000, https://aclanthology.org/A00-1031)."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, product
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bert_ner.corpus.bio import Sentence, illegal_transitions
from bert_ner.errors import InvalidValue
from bert_ner.model_folder import model_file, write_model

MODEL_FILE = "hmm.json"
BATCH = 16  # sentences; with 25 tags a step of Viterbi has 2.2 MB of scores, and more leave the cache


class _Settings(NamedTuple):
    suffix: int
    rare: int
    prior: float


Floats = NDArray[np.float64]
Counts = dict[str, Counter[str]]


class HMMTagger:
    """A trigram tagger: tags are the states, words in lower case what they emit.

    P(tag | two tags before) interpolates unigrams, bigrams and trigrams, with weights from deleted interpolation; a
    sentence has an edge before and after it. Two things are not as in TnT:

    - A known word may have tags that it never had in training (a name seen as a song's may be a film's): its
      P(tag | word) is smoothed with what its suffix tells, as if that had been seen `prior` times.
    - A trigram that ends in a transition that BIO forbids, as from `O` to `I-X`, has probability 0, so all tags are
      legal; what the interpolation would give it is not shared among the others. An unseen one that is legal keeps
      what its bigram and its unigram give.

    Args:
        suffix: candidates for the longest suffix, in characters, that tells of a word's tag.
        rare: candidates for how often a word occurs at most if the suffix model is to learn from it.
        prior: candidates for the weight, in occurrences, of the suffix model in a known word's tags; above 0.
        scoring: (gold, predicted) -> score, by which the validation sentences choose among all triples of these.

    Raises:
        InvalidValue: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        suffix: Sequence[int],
        rare: Sequence[int],
        prior: Sequence[float],
        scoring: Callable[[Sequence[Sequence[str]], Sequence[Sequence[str]]], float],
    ) -> None:
        for name, values in (("suffix", suffix), ("rare", rare)):
            if not (isinstance(values, Sequence) and values and all(type(v) is int and v >= 1 for v in values)):
                raise InvalidValue(f"{name} must be a list of whole numbers of at least 1, not {values!r}")
        if not (
            isinstance(prior, Sequence) and prior and all(type(v) in (int, float) and 0 < v < math.inf for v in prior)
        ):
            raise InvalidValue(f"prior must be a list of numbers above 0, not {prior!r}")
        self.candidates = [_Settings(*candidate) for candidate in product(suffix, rare, prior)]
        self.scoring = scoring

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Count once; the settings that tag the validation sentences best make the probabilities."""
        tags_of_word: Counts = defaultdict(Counter)
        trigrams: Counter[tuple[str, str, str]] = Counter()
        for words, tags in train:
            for word, tag in zip(words, tags, strict=True):
                tags_of_word[word.lower()][tag] += 1
            trigrams.update(zip(("", "", *tags), ("", *tags), (*tags, ""), strict=False))
        gold = [tags for _, tags in validation]
        tried: list[dict[str, Any]] = []
        best = float("-inf")
        for settings in self.candidates:
            model = _Model(tags_of_word, trigrams, settings)
            quality = self.scoring(gold, model.tag([words for words, _ in validation]))
            tried.append({**settings._asdict(), "validation_entity_f1": quality})
            if quality > best:
                best, self.model = quality, model
        return tried

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The most probable tag sequence of each sentence (Viterbi, exact); always legal BIO."""
        return self.model.tag(sentences)

    @property
    def parameters(self) -> int:
        """How many counts it is made from: of pairs of word and tag, and of trigrams of tags."""
        return sum(map(len, self.model.tags_of_word.values())) + len(self.model.trigrams)

    def save(self, folder: Path) -> None:
        """Write the counts and the settings as JSON; all probabilities follow from them."""
        model = self.model
        content = {
            "settings": model.settings._asdict(),
            "trigrams": [[*tags, count] for tags, count in model.trigrams.items()],
            "words": model.tags_of_word,
        }
        write_model(folder, "hmm", MODEL_FILE, json.dumps(content))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            TaggerUnavailable: the file is missing, or not the one that `save` wrote.
        """
        content = json.loads(model_file(folder, MODEL_FILE).read_text(encoding="utf-8"))
        tagger = cls.__new__(cls)
        words = {word: Counter(counts) for word, counts in content["words"].items()}
        trigrams = Counter({(a, b, c): count for a, b, c, count in content["trigrams"]})
        tagger.model = _Model(words, trigrams, _Settings(**content["settings"]))
        return tagger


class _Model:
    """The counts, and the logarithms of the probabilities that follow from them."""

    def __init__(self, tags_of_word: Counts, trigrams: Counter[tuple[str, str, str]], settings: _Settings) -> None:
        self.tags_of_word, self.trigrams, self.settings = tags_of_word, trigrams, settings
        self.tags = sorted({tag for trigram in trigrams for tag in trigram if tag})
        place = {tag: i for i, tag in enumerate((*self.tags, ""))}  # the edge comes last
        counts = np.zeros((len(place),) * 3)
        for trigram, count in trigrams.items():
            counts[tuple(place[tag] for tag in trigram)] = count
        legal = [[1 not in illegal_transitions((before, tag)) for tag in place] for before in place]
        with np.errstate(divide="ignore"):
            self.transitions = np.log(interpolated(counts) * legal)

        known = np.array([[found[tag] for tag in self.tags] for found in tags_of_word.values()], float)
        self.of_tag = known.sum(0) / known.sum()
        is_rare = known.sum(1) <= settings.rare
        rare_words = [word for word, chosen in zip(tags_of_word, is_rare, strict=True) if chosen]
        self.suffixes = suffix_model(rare_words, known[is_rare], self.of_tag, settings.suffix)
        guessed = np.array([self._guess(word) for word in tags_of_word])
        of_word = (known + settings.prior * guessed) / (known.sum(1, keepdims=True) + settings.prior)
        self.emissions = dict(zip(tags_of_word, self._emission(of_word), strict=True))

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        tagged: list[list[str]] = [[] for _ in sentences]
        for batch in _batches([len(words) for words in sentences]):
            emissions = np.array([[self._emission_of(word.lower()) for word in sentences[i]] for i in batch])
            for i, path in zip(batch, viterbi(self.transitions, emissions), strict=True):
                tagged[i] = [self.tags[tag] for tag in path]
        return tagged

    def _emission_of(self, word: str) -> Floats:
        known = self.emissions.get(word)
        return self._emission(self._guess(word)) if known is None else known

    def _emission(self, of_word: Floats) -> Floats:
        """The logarithm of P(word | tag) / P(word), from P(tag | word); the edge emits no word."""
        edge = np.full((*of_word.shape[:-1], 1), -np.inf)
        return np.concatenate((np.log(of_word / self.of_tag), edge), axis=-1)

    def _guess(self, word: str) -> Floats:
        """P(tag | the longest of the word's suffixes that is known); the empty one always is."""
        ends = (word[len(word) - n :] for n in range(min(self.settings.suffix, len(word)), -1, -1))
        return next(self.suffixes[end] for end in ends if end in self.suffixes)


def interpolated(counts: Floats) -> Floats:
    """P(c | a, b) of all tags: trigrams, bigrams and unigrams of tags, weighted by deleted interpolation.

    Args:
        counts: of the trigrams a, b, c, shape (n, n, n).

    Returns:
        Probabilities, shape (n, n, n); the last axis sums to 1 where the pair a, b and the tag b were seen.
    """
    weights = interpolation_weights(counts)
    unigrams, bigrams = counts.sum((0, 1)), counts.sum(0)
    orders = (_share(f, f.sum(-1, keepdims=True)) for f in (unigrams, bigrams, counts))
    return sum((weight * order for weight, order in zip(weights, orders, strict=True)), np.zeros_like(counts))


def interpolation_weights(counts: Floats) -> Floats:
    """The weights of unigrams, bigrams and trigrams (Brants, 2000, figure 1), which sum to 1.

    Each trigram votes, as often as it was seen, for the order that predicts it best once it is taken out; of equals for
    the lowest. A vote that each order starts with keeps the weights above 0, so nothing unseen is impossible.
    """
    orders = (counts.sum((0, 1)), counts.sum(0), counts)
    without = np.broadcast_arrays(*(_share(f - 1, f.sum(-1, keepdims=True) - 1) for f in orders))
    votes = 1 + np.bincount(np.argmax(without, axis=0).ravel(), counts.ravel(), minlength=3)
    return np.asarray(votes / votes.sum(), np.float64)


def suffix_model(words: Sequence[str], counts: Floats, of_tag: Floats, longest: int) -> Mapping[str, Floats]:
    """P(tag | suffix) of every suffix of some words, by successive abstraction; the empty one has P(tag).

    P(t | s) = (f(s, t) / f(s) + theta P(t | s without its first character)) / (1 + theta). Theta is the
    standard deviation of P(t) over the tags (Brants, 2000, section 2.3, whose formula lacks the root).

    Args:
        words: the words to learn from.
        counts: of their tags, shape (words, tags).
        of_tag: the probability of each tag, shape (tags,).
        longest: in characters.

    Returns:
        Suffix -> probabilities, shape (tags,).
    """
    theta = of_tag.std(ddof=1) if len(of_tag) > 1 else 0.0
    found: defaultdict[str, Floats] = defaultdict(lambda: np.zeros_like(of_tag))
    for word, row in zip(words, counts, strict=True):
        for n in range(1, min(longest, len(word)) + 1):
            found[word[len(word) - n :]] += row
    smoothed = {"": of_tag}
    for end in sorted(found, key=len):
        smoothed[end] = (found[end] / found[end].sum() + theta * smoothed[end[1:]]) / (1 + theta)
    return smoothed


def viterbi(transitions: Floats, emissions: Floats) -> NDArray[np.intp]:
    """The best path of each of several sentences of one length. Takes 8 (tags + 1) ** 2 bytes a word.

    Args:
        transitions: log P(c | a, b), shape (tags + 1,) * 3; the last index of each axis is the sentence's edge.
        emissions: log P(word | tag) up to a constant per word, shape (sentences, words, tags + 1); the edge emits none.

    Returns:
        Tags, shape (sentences, words).
    """
    sentences, length, n = emissions.shape
    # scores[i][s, b, c]: of the best path through the first i words whose last two tags are b and c.
    scores = np.full((length + 1, sentences, n, n), -np.inf)
    scores[0, :, -1, -1] = 0
    steps = np.empty((sentences, n, n, n))  # used again and again: fresh memory costs more than the sums
    for i in range(length):
        np.add(scores[i][:, :, :, None], transitions, out=steps)
        np.max(steps, axis=1, out=scores[i + 1])
        scores[i + 1] += emissions[:, i, None]

    # No pointers are kept: to find the best step again where the path goes is cheaper than an argmax for all of them.
    each = np.arange(sentences)
    path = np.empty((sentences, length + 1), np.intp)
    b, c = np.divmod((scores[length] + transitions[:, :, -1]).reshape(sentences, -1).argmax(1), n)
    for i in range(length, 0, -1):
        path[:, i] = c
        a = (scores[i - 1][each, :, b] + transitions[:, b, c].T).argmax(1)
        b, c = a, b
    return path[:, 1:]


def _share(part: Floats, whole: Floats) -> Floats:
    """Part / whole, and 0 where the whole is 0 (Brants' definition)."""
    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, np.shape(whole))), where=whole > 0)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The places of the sentences that are not empty, some of one length at a time."""
    order = sorted((i for i, length in enumerate(lengths) if length), key=lengths.__getitem__)
    for _, group in groupby(order, key=lengths.__getitem__):
        alike = list(group)
        yield from (alike[i : i + BATCH] for i in range(0, len(alike), BATCH))
