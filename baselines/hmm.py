"""A second-order hidden Markov model, in the manner of TnT (Brants, 2000, https://aclanthology.org/A00-1031)."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from baselines.selection import Candidate, candidates, select
from bert_ner.corpus.bio import Sentence, illegal_transitions
from bert_ner.corpus.sequences import check_sequences
from bert_ner.model_folder import write_model
from bert_ner.settings import Settings
from bert_ner.tagger import System

MODEL_FILE = "hmm.json"
BATCH = 16  # sentences; with 25 tags a step of Viterbi has 2.2 MB of scores, and more would not fit the cache

Floats = NDArray[np.float64]
Counts = dict[str, Counter[str]]
Trigrams = Counter[tuple[str, str, str]]
_Count = Annotated[int, Field(ge=1)]
_Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class HMMSettings(Settings):
    """The candidates among which the validation sentences choose."""

    suffix: list[_Count] = Field(min_length=1, description="The longest suffix, in characters, that predicts a tag.")
    rare: list[_Count] = Field(min_length=1, description="The most occurrences of a word that teaches suffixes.")
    prior: list[_Weight] = Field(min_length=1, description="Of the suffix model for known words, in occurrences.")


class HMMTagger(System):
    """A trigram tagger: the states are tags, and they emit words in lower case.

    P(tag | two tags before) interpolates unigrams, bigrams and trigrams, with weights from deleted interpolation; a
    sentence has an edge before and after it. Two things differ from TnT:

    - A known word may have tags that it never had in training: its P(tag | word) is smoothed with the suffix model,
      as if that had been seen `prior` times.
    - A trigram that ends in a transition forbidden by BIO has probability 0, so all tags are legal. The others do not
      get its share of the interpolation.
    """

    Settings = HMMSettings
    settings: HMMSettings

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Count, then compute the probabilities with the settings that the validation sentences choose."""
        tags_of_word: Counts = defaultdict(Counter)
        trigrams: Trigrams = Counter()
        for words, tags in train:
            for word, tag in zip(words, tags, strict=True):
                tags_of_word[word.lower()][tag] += 1
            trigrams.update(zip(("", "", *tags), ("", *tags), (*tags, ""), strict=False))
        trials = ((chosen, _Model(tags_of_word, trigrams, chosen)) for chosen in candidates(self.settings))
        self.model, history = select(trials, _Model.tag, validation, self.scoring)
        return history

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the most probable tag sequence of each sentence (Viterbi, exact); always legal BIO."""
        check_sequences(sentences, "word")
        return self.model.tag([list(words) for words in sentences])  # pandas has its own index

    @property
    def parameters(self) -> int:
        """The number of counts: of pairs of word and tag, and of trigrams of tags."""
        return sum(map(len, self.model.tags_of_word.values())) + len(self.model.trigrams)

    def save(self, folder: Path) -> None:
        """Write the counts and the chosen settings as JSON; all probabilities follow from them."""
        trigrams = [[*tags, count] for tags, count in self.model.trigrams.items()]
        content = {"settings": self.model.smoothing, "trigrams": trigrams, "words": self.model.tags_of_word}
        write_model(folder, "hmm", MODEL_FILE, json.dumps(content))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        content = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        tagger = cls.__new__(cls)
        words = {word: Counter(counts) for word, counts in content["words"].items()}
        trigrams = Counter({(a, b, c): count for a, b, c, count in content["trigrams"]})
        tagger.model = _Model(words, trigrams, content["settings"])
        return tagger


class _Model:
    """The counts, and the logarithms of the probabilities computed from them."""

    def __init__(self, tags_of_word: Counts, trigrams: Trigrams, smoothing: Candidate) -> None:
        self.tags_of_word, self.trigrams, self.smoothing = tags_of_word, trigrams, smoothing
        self.tags = sorted({tag for trigram in trigrams for tag in trigram if tag})
        place = {tag: i for i, tag in enumerate((*self.tags, ""))}  # the edge comes last
        counts = np.zeros((len(place),) * 3)
        for trigram, count in trigrams.items():
            counts[tuple(place[tag] for tag in trigram)] = count
        legal = [[1 not in illegal_transitions((before, tag)) for tag in place] for before in place]
        with np.errstate(divide="ignore"):
            self.transitions = np.log(interpolated(counts) * legal)

        known = np.array([[found[tag] for tag in self.tags] for found in tags_of_word.values()], float)
        self.tag_shares = known.sum(0) / known.sum()
        is_rare = known.sum(1) <= smoothing["rare"]
        rare_words = [word for word, chosen in zip(tags_of_word, is_rare, strict=True) if chosen]
        self.suffixes = suffix_model(rare_words, known[is_rare], self.tag_shares, smoothing["suffix"])
        prior, guessed = smoothing["prior"], np.array([self._guess(word) for word in tags_of_word])
        smoothed = (known + prior * guessed) / (known.sum(1, keepdims=True) + prior)
        self.emissions = dict(zip(tags_of_word, self._emission(smoothed), strict=True))

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        tagged: list[list[str]] = [[] for _ in sentences]
        for batch in _batches([len(words) for words in sentences]):
            emissions = np.array([[self._emissions_of(word.lower()) for word in sentences[i]] for i in batch])
            for i, path in zip(batch, viterbi(self.transitions, emissions), strict=True):
                tagged[i] = [self.tags[tag] for tag in path]
        return tagged

    def _emissions_of(self, word: str) -> Floats:
        return self.emissions[word] if word in self.emissions else self._emission(self._guess(word))

    def _emission(self, tag_given_word: Floats) -> Floats:
        """Return the logarithm of P(word | tag) / P(word), from P(tag | word); the edge emits no word."""
        edge = np.full((*tag_given_word.shape[:-1], 1), -np.inf)
        return np.concatenate((np.log(tag_given_word / self.tag_shares), edge), axis=-1)

    def _guess(self, word: str) -> Floats:
        """Return P(tag | the longest known suffix of the word); the empty suffix is always known."""
        ends = (word[len(word) - n :] for n in range(min(self.smoothing["suffix"], len(word)), -1, -1))
        return next(self.suffixes[end] for end in ends if end in self.suffixes)


def interpolated(counts: Floats) -> Floats:
    """Return P(c | a, b) from counts of trigrams a, b, c, both of shape (tags,) * 3, by deleted interpolation."""
    shares = [_share(f, f.sum(-1, keepdims=True)) for f in (counts.sum((0, 1)), counts.sum(0), counts)]
    weighted = (weight * share for weight, share in zip(interpolation_weights(counts), shares, strict=True))
    return sum(weighted, np.zeros_like(counts))


def interpolation_weights(counts: Floats) -> Floats:
    """Return the weights of unigrams, bigrams and trigrams, which sum to 1 (Brants, 2000, figure 1).

    Each occurrence of a trigram votes for the order that predicts it best once it is left out, the lowest of equals.
    Each order starts with one vote, which keeps its weight above 0: nothing unseen is impossible.
    """
    orders = (counts.sum((0, 1)), counts.sum(0), counts)
    without = np.broadcast_arrays(*(_share(f - 1, f.sum(-1, keepdims=True) - 1) for f in orders))
    votes = 1 + np.bincount(np.argmax(without, axis=0).ravel(), counts.ravel(), minlength=3)
    return np.asarray(votes / votes.sum(), np.float64)


def _share(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, and 0 where the whole is 0 (Brants' definition)."""
    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, np.shape(whole))), where=whole > 0)


def suffix_model(words: Sequence[str], counts: Floats, tag_shares: Floats, longest: int) -> Mapping[str, Floats]:
    """Return P(tag | suffix) for every suffix of some words, by successive abstraction; the empty one has P(tag).

    P(t | s) = (f(s, t) / f(s) + theta P(t | s without its first character)) / (1 + theta). Theta is the
    standard deviation of P(t) over the tags (Brants, 2000, section 2.3, whose formula lacks the root).
    """
    theta = tag_shares.std(ddof=1) if len(tag_shares) > 1 else 0.0
    found: defaultdict[str, Floats] = defaultdict(lambda: np.zeros_like(tag_shares))
    for word, row in zip(words, counts, strict=True):
        for n in range(1, min(longest, len(word)) + 1):
            found[word[len(word) - n :]] += row
    smoothed = {"": tag_shares}
    for end in sorted(found, key=len):
        smoothed[end] = (found[end] / found[end].sum() + theta * smoothed[end[1:]]) / (1 + theta)
    return smoothed


def viterbi(transitions: Floats, emissions: Floats) -> NDArray[np.intp]:
    """Return the best tags, of shape (sentences, words), of sentences of equal length; 8 (tags + 1) ** 2 bytes a word.

    Transitions are log P(c | a, b), of shape (tags + 1,) * 3, and emissions log P(word | tag) up to a constant per
    word, of shape (sentences, words, tags + 1). The last index is the sentence's edge.
    """
    sentences, length, n = emissions.shape
    # scores[i][s, b, c]: the best path through the first i words of s that ends in the tags b and c.
    scores = np.full((length + 1, sentences, n, n), -np.inf)
    scores[0, :, -1, -1] = 0
    steps = np.empty((sentences, n, n, n))  # reused, because fresh memory costs more than the sums
    for i in range(length):
        np.add(scores[i][:, :, :, None], transitions, out=steps)
        np.max(steps, axis=1, out=scores[i + 1])
        scores[i + 1] += emissions[:, i, None]

    # Finding the best step again, on the path alone, is cheaper than to store an argmax for every step.
    each = np.arange(sentences)
    path = np.empty((sentences, length + 1), np.intp)
    b, c = np.divmod((scores[length] + transitions[:, :, -1]).reshape(sentences, -1).argmax(1), n)
    for i in range(length, 0, -1):
        path[:, i] = c
        b, c = (scores[i - 1][each, :, b] + transitions[:, b, c].T).argmax(1), b
    return path[:, 1:]


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the indices of the sentences that are not empty, in batches of equal length."""
    order = sorted((i for i, length in enumerate(lengths) if length), key=lengths.__getitem__)
    for _, group in groupby(order, key=lengths.__getitem__):
        indices = list(group)
        yield from (indices[i : i + BATCH] for i in range(0, len(indices), BATCH))
