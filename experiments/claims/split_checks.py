"""Are the validation sentences easier than the test sentences? What audit.py finds, over all and by part of the corpus.

- Can a classifier tell test from training sentences by their words? An area under the ROC curve (AUC) of 0.5 says no.
- How many entities does the training part have, too, by words and type? How many patterns? A sentence's pattern has the
  type in place of each entity. Other random splits of the training file show what is usual.
- How much better is each trained system on validation than on test sentences?

Intervals have a level of 95 %. Those of shares and scores are percentile bootstrap intervals over sentences, which are
resampled within each split and part.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from harness.params import Run
from harness.parts import WHOLE, places_by_part

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import MultinomialNB

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.corpus.split import split
from bert_ner.scoring import count
from bert_ner.scoring.resampling import LEVEL, SAMPLES, SEED, Interval, intervals
from bert_ner.scoring.scores import Floats, conlleval_f1
from bert_ner.scoring.subgroups import entities_of
from bert_ner.tagger import Tagger

DRAWS = 200
FOLDS = 5
NORMAL = 1.959964  # the 0.975 quantile of the normal distribution
HELD_OUT = ("validation", "test")

Splits = Mapping[str, Sequence[Sentence]]  # train, validation and test
Tags = Sequence[Sequence[str]]
Items = Sequence[Hashable]  # a sentence's pattern, or its entities


def check_split(
    sentences: Splits, part_of: Mapping[str, Sequence[str]], trained: Mapping[Run, Tagger]
) -> dict[str, Any]:
    """Compare train, validation and test sentences, and the words of neighbouring parts of the corpus."""
    words = {name: [words for words, _ in found] for name, found in sentences.items()}
    tags = {run: {name: tagger.tag(words[name]) for name in HELD_OUT} for run, tagger in trained.items()}
    places = {name: places_by_part(found) for name, found in part_of.items()}
    in_train = {part: [words["train"][i] for i in at] for part, at in places["train"].items()}
    cuts: dict[str, dict[str, Sequence[int]]] = {WHOLE: {name: range(len(found)) for name, found in sentences.items()}}
    in_all = [part for part in places["test"] if all(part in found for found in places.values())]
    cuts |= {part: {name: places[name][part] for name in sentences} for part in in_all}
    return {
        "auc_of_parts": {f"{a} and {b}": auc(in_train[a], in_train[b]) for a, b in pairwise(in_train)},
        "by_part": {
            part: check_part(
                {name: [sentences[name][i] for i in at] for name, at in cut.items()},
                [f"{name} {part_of[name][i]}" for name in HELD_OUT for i in cut[name]],
                {run: {name: [found[name][i] for i in cut[name]] for name in HELD_OUT} for run, found in tags.items()},
            )
            for part, cut in cuts.items()
        },
    }


def check_part(sentences: Splits, strata: Sequence[str], tags: Mapping[Run, Mapping[str, Tags]]) -> dict[str, Any]:
    """Compare the sentences of one part or of the whole; `strata` are those of the validation and test sentences."""
    words = {name: [words for words, _ in found] for name, found in sentences.items()}
    entities = {name: list(map(entities_of, found)) for name, found in sentences.items()}
    patterns: dict[str, list[Items]] = {name: [[pattern(each)] for each in found] for name, found in sentences.items()}
    known = {
        what: [known_items(items["train"], items[name]) for name in HELD_OUT]
        for what, items in (("patterns", patterns), ("entities", entities))
    }
    shares = {what: [[[(sum(a), len(a)) for a in answers] for answers in found]] for what, found in known.items()}
    f1s: dict[str, list[list[Any]]] = {}
    for run, found in tags.items():
        counted = [count([tags for _, tags in sentences[name]], found[name]).entities.sum(axis=1) for name in HELD_OUT]
        f1s.setdefault(run.system, []).append(counted)
    return {
        "sentences": {name: len(found) for name, found in sentences.items()},
        "auc_of_test_and_training_file": auc(words["test"], [*words["train"], *words["validation"]]),
        "auc_of_validation_and_train": auc(words["validation"], words["train"]),
        "known_in_train": contrasts(shares, _share, strata),
        "entities_known_in_other_splits": redraw(
            [*entities["train"], *entities["validation"]], len(entities["validation"]), entities["test"]
        ),
        "entity_f1": contrasts(f1s, conlleval_f1, strata),
    }


def pattern(sentence: Sentence) -> tuple[str, ...]:
    """Return the words of a sentence, with the type in place of each entity."""
    starts = {span.start: span.type for span in spans_of(sentence.tags)}
    pairs = enumerate(zip(sentence.words, sentence.tags, strict=True))
    return tuple(starts.get(i, word) for i, (word, tag) in pairs if tag == "O" or i in starts)


def known_items(train: Iterable[Items], sentences: Iterable[Items]) -> list[list[bool]]:
    """Return for each item of each sentence whether a training sentence has it, too."""
    known = {item for items in train for item in items}
    return [[item in known for item in items] for items in sentences]


def redraw(file: Sequence[Items], size: int, test: Sequence[Items]) -> dict[str, dict[str, float]]:
    """Return the share of known items of validation and of test sentences in DRAWS random splits of a training file.

    `size` is that of the validation part. `value` is the mean; the middle 95 % of the splits are from `low` to `high`.
    """
    found = []
    for seed in range(DRAWS):
        train, validation = split(file, size / len(file), seed)
        answers = [known_items(train, held_out) for held_out in (validation, test)]
        found.append([float(_share(np.sum([(sum(a), len(a)) for a in each], axis=0))) for each in answers])
    ends = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    rows = zip(HELD_OUT, np.mean(found, axis=0), *ends, strict=True)
    return {name: Interval(*map(float, values))._asdict() for name, *values in rows}


def contrasts(
    systems: Mapping[str, Sequence[Sequence[Any]]], statistic: Callable[[Floats], Floats], strata: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the statistic on validation and on test sentences, and the first minus the second, of each system.

    A run of a system is a pair of tables, of counts by validation and by test sentence; the statistic of a system is
    the mean of its runs.
    """

    def both(run: Sequence[Any]) -> Floats:
        """Return a table with the counts of each sentence in the column of its split, and 0 in the other."""
        validation, test = (np.asarray(table, float) for table in run)
        columns = np.zeros((len(validation) + len(test), 2, validation.shape[-1]))
        columns[: len(validation), 0], columns[len(validation) :, 1] = validation, test
        return columns

    def with_difference(sums: Floats, _: Floats) -> Floats:
        values = statistic(sums)
        return np.concatenate([values, values[..., :1] - values[..., 1:]], axis=-1)

    tables = {name: np.stack([both(run) for run in runs]) for name, runs in systems.items()}
    found = intervals(tables, with_difference, SAMPLES, SEED, LEVEL, strata) if tables else {}
    return {
        name: dict(zip((*HELD_OUT, "difference"), (value._asdict() for value in values), strict=True))
        for name, values in found.items()
    }


def auc(ones: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> dict[str, float] | None:
    """Return how well a bag of words tells `ones` from `others`: the AUC of naive Bayes in cross-validation.

    It is the probability that one of the first gets the higher score; None if one side has fewer than FOLDS sentences.
    The interval is that of DeLong, DeLong and Clarke-Pearson, Biometrics 1988, given the scores. Cross-validation tends
    to a little below 0.5 where there is nothing to learn, because a held-out sentence makes its own side rarer.
    """
    if min(len(ones), len(others)) < FOLDS:
        return None
    is_one = np.repeat([True, False], [len(ones), len(others)])
    counts = CountVectorizer(analyzer=list).fit_transform([*ones, *others])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    chances = cross_val_predict(MultinomialNB(), counts, is_one, cv=folds, method="predict_log_proba")
    scores = chances[:, 1] - chances[:, 0]
    wins, losses = _above(scores[is_one], scores[~is_one]), _above(scores[~is_one], scores[is_one])
    value = float(wins.mean())
    error = NORMAL * float(np.sqrt(wins.var(ddof=1) / len(wins) + losses.var(ddof=1) / len(losses)))
    return Interval(value, value - error, value + error)._asdict()


def _above(scores: Floats, others: Floats) -> Floats:
    """Return the share of the others below each score; ties count half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right")
    return np.asarray(below / (2 * len(ordered)))


def _share(sums: Floats) -> Floats:
    """Return yes over all, from sums [yes, all]."""
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1))
