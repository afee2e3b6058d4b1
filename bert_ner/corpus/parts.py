"""Find the parts of a file: collections of sentences that were put together end to end.

    find_breaks([sentence.words for sentence in read_bio("train.bio")])

A break shows in how the file is written, not in what a system makes of it. Two kinds of marks are looked at, each a
question with the answer yes or no at many places of the file:

- order: does a sentence begin with a word that is, in the alphabet, at or after the first word of the sentence before
  it? One collection was sorted before it was added, another was not.
- spelling: is a string that occurs both as one word and as two (1990s, 1990 s) written as one word here? Every such
  string is a mark. Digits count as 0, so that all decades are one mark; punctuation and capitals are ignored.

The rule, for a file of n sentences and m marks:

1. The gain of a mark at one of the n - 1 places is the log-likelihood of its answers with a rate of yes before the
   place and another one after it, minus that with one rate. An answer about two sentences, one on each side, has a
   probability of 1/2, because it says nothing about either collection.
2. A mark shows a break if twice its greatest gain is at least 2 ln(m (n - 1) / ALPHA), and if its two rates differ by
   MIN_CHANGE or more. Twice the gain is about chi-square with one degree of freedom where there is no break, and that
   exceeds x with a probability below exp(-x / 2). So, by Bonferroni's inequality over marks and places, a file without
   a break shows one with a probability of at most ALPHA. The second condition leaves out a habit that only drifts.
3. If no mark shows a break, the file has one part. Otherwise the break is where the sum of the gains of the marks that
   show one is greatest. It may lie wherever the likelihood is at least 1 / LIKELIHOOD_RATIO of that.
4. The same is asked of the sentences before the break, and of those after it.

The test takes answers as independent. In a file where a habit comes and goes, ALPHA is therefore too optimistic, and
MIN_CHANGE is what protects. Sources: Hinkley and Hinkley, Biometrika 1970, for the change-point of a binary sequence;
Edwards, Likelihood, 1972, for likelihood intervals; binary segmentation is Scott and Knott's, Biometrics 1974.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ALPHA = 0.001
MIN_CHANGE = 0.25
LIKELIHOOD_RATIO = 100

ORDER = "order of first words"

Words = Sequence[str]
Floats = NDArray[np.float64]


class Mark(NamedTuple):
    """A question and its answers, of shape (k,); each is about the sentences from `first` to `last`, both included."""

    name: str
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    answers: NDArray[np.bool_]


class Change(NamedTuple):
    """How often the answer to a mark's question is yes, before and after a break, of how many answers."""

    mark: str
    yes_before: int
    answers_before: int
    yes_after: int
    answers_after: int
    statistic: float  # twice the gain in log-likelihood

    @property
    def rises(self) -> bool:
        """Whether yes is more frequent after the break."""
        return self.yes_after * self.answers_before > self.yes_before * self.answers_after


class Break(NamedTuple):
    """A break after so many sentences, with the least and the greatest number that the file also allows."""

    after: int
    low: int
    high: int
    found_by: tuple[Change, ...]  # the marks that show it, the strongest first


def find_breaks(sentences: Sequence[Words]) -> list[Break]:
    """Return the breaks of a file, in order; none if it is of one piece. The module's text has the rule."""
    marks = marks_of(sentences)
    places = len(sentences) - 1
    least = 2 * math.log(len(marks) * places / ALPHA) if marks and places > 0 else math.inf
    # No statistic is greater than 2 k ln 2, that of k answers that all change; most marks are too rare to show a break.
    common = [mark for mark in marks if 2 * len(mark.answers) * math.log(2) >= least]
    gains = [(mark, _gains(mark, len(sentences))) for mark in common]
    shown = [(mark, gain) for mark, gain in gains if _shows(_change(mark, int(gain.argmax()) + 1, gain), least)]
    if not shown:
        return []
    total = np.sum([gain for _, gain in shown], axis=0)
    allowed = 1 + np.flatnonzero(total >= total.max() - math.log(LIKELIHOOD_RATIO))
    after = int(total.argmax()) + 1
    changes = [_change(mark, after, gain) for mark, gain in shown]
    found_by = sorted((change for change in changes if _shows(change, least)), key=lambda change: -change.statistic)
    found = Break(after, int(allowed[0]), int(allowed[-1]), tuple(found_by))
    later = [
        each._replace(after=after + each.after, low=after + each.low, high=after + each.high)
        for each in find_breaks(sentences[after:])
    ]
    return [*find_breaks(sentences[:after]), found, *later]


def agree(files: Iterable[Sequence[Break]]) -> bool:
    """Return whether the files of a corpus have the same parts.

    They have if their numbers of breaks are equal, and if each break has, in all of them, a mark that changes alike.
    """
    listed = list(files)
    return len({len(breaks) for breaks in listed}) == 1 and all(
        set.intersection(*({(change.mark, change.rises) for change in found.found_by} for found in same))
        for same in zip(*listed, strict=True)
    )


def part_names(breaks: Sequence[Break], n_sentences: int) -> list[str]:
    """Return the part of each sentence of a file: `1` before the first break, `2` after it, and so on."""
    starts = [each.after for each in breaks]
    return [str(part) for part in 1 + np.searchsorted(starts, np.arange(n_sentences), side="right")]


def as_facts(found: Break) -> dict[str, Any]:
    """Return a break as plain numbers and texts, for JSON."""
    return found._asdict() | {"found_by": [change._asdict() for change in found.found_by]}


def marks_of(sentences: Sequence[Words]) -> list[Mark]:
    """Return the marks of a file: the order of its sentences, and every string that occurs as one word and as two."""
    firsts = [words[0].casefold() for words in sentences]
    pairs = np.arange(max(len(firsts) - 1, 0))
    order = Mark(ORDER, pairs, pairs + 1, np.array([a <= b for a, b in pairwise(firsts)], bool))
    return [order, *(_spelling(text, found) for text, found in _both_ways(sentences).items())]


def _both_ways(sentences: Sequence[Words]) -> Mapping[str, list[tuple[int, bool]]]:
    """Return the places of each string that occurs as one word and as two: a sentence, and whether it is one word."""
    shapes = [[_shape(word) for word in words] for words in sentences]
    known = {shape for row in shapes for shape in row if shape}
    joined = defaultdict(list)
    for i, row in enumerate(shapes):
        for a, b in pairwise(row):
            if a and b and a + b in known:
                joined[a + b].append((i, False))
    for i, row in enumerate(shapes):
        for shape in row:
            if shape in joined:
                joined[shape].append((i, True))
    return joined


def _shape(word: str) -> str:
    return re.sub(r"\d", "0", re.sub(r"[\W_]", "", word.casefold()))


def _spelling(text: str, found: Sequence[tuple[int, bool]]) -> Mark:
    places = np.array([i for i, _ in found])
    return Mark(f"{text} as one word", places, places, np.array([is_one_word for _, is_one_word in found], bool))


def _counts(mark: Mark, n_sentences: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return yes and all answers before, and yes and all after, each of the n - 1 places; each of shape (n - 1,)."""

    def up_to(places: NDArray[np.int64]) -> Floats:
        return np.bincount(places, minlength=n_sentences)[:-1].cumsum().astype(float)

    yes = mark.answers
    return (
        up_to(mark.last[yes]), up_to(mark.last), yes.sum() - up_to(mark.first[yes]), len(yes) - up_to(mark.first)
    )  # fmt: skip


def _gains(mark: Mark, n_sentences: int) -> Floats:
    """Return the gain of a mark at each of the n - 1 places, of shape (n - 1,)."""
    yes_before, before, yes_after, after = _counts(mark, n_sentences)
    across = len(mark.answers) - before - after
    one_rate = _likelihood(mark.answers.sum(), len(mark.answers))
    gains: Floats = _likelihood(yes_before, before) + _likelihood(yes_after, after) - across * math.log(2) - one_rate
    return gains


def _likelihood(yes: Any, answers: Any) -> Floats:
    """Return the log-likelihood of answers at the rate that fits them best."""
    found: Floats = _entropy(yes) + _entropy(answers - yes) - _entropy(answers)
    return found


def _entropy(count: Any) -> Floats:
    return np.asarray(count * np.log(np.maximum(count, 1)))


def _change(mark: Mark, after: int, gains: Floats) -> Change:
    """Return how a mark changes at a break after so many sentences."""
    yes_before, before, yes_after, later = (int(column[after - 1]) for column in _counts(mark, len(gains) + 1))
    return Change(mark.name, yes_before, before, yes_after, later, round(2 * float(gains[after - 1]), 3))


def _shows(change: Change, least: float) -> bool:
    """Return whether a change is both certain and great enough to be a break."""
    if change.statistic < least or not (change.answers_before and change.answers_after):
        return False
    rates = change.yes_before / change.answers_before, change.yes_after / change.answers_after
    return abs(rates[0] - rates[1]) >= MIN_CHANGE
