"""Thousands of random tag sequences, also invalid ones, against other programs: no difference is allowed.

The counts of each sentence are compared, from which every score comes; test_scores.py compares the scores themselves.
"""

from __future__ import annotations

import random
import runpy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

from bert_ner.corpus.bio import Span, illegal_transitions, spans_of
from bert_ner.scoring import count, score
from bert_ner.scoring.errors import KINDS, entity_errors, error_kinds

evaluate = runpy.run_path(str(Path(__file__).with_name("conlleval.py")))["evaluate"]

TYPES = ("A", "B", "C-D")
LABELS = ("O", *(prefix + name for name in TYPES for prefix in ("B-", "I-")))
Tagging = list[list[str]]


def random_pairs(seed: int, n: int) -> tuple[Tagging, Tagging]:
    """Gold and predicted tags of n sentences of 0 to 12 words; each is any sequence of tags, valid or not.

    The prediction is gold with errors at a rate that differs between sentences, so that there are matches of all kinds.
    Inside tags are frequent, which gives long entities with many ways to overlap.
    """
    draw = random.Random(seed)
    weights = [2, *(1, 3) * len(TYPES)]
    gold = [draw.choices(LABELS[: draw.choice([3, 5, 7])], k=draw.randint(0, 12)) for _ in range(n)]
    rates = [draw.choice([0.1, 0.3, 0.6, 1.0]) for _ in gold]
    predicted = [
        [draw.choices(LABELS, weights)[0] if draw.random() < rate else tag for tag in tags]
        for tags, rate in zip(gold, rates, strict=True)
    ]
    return gold, predicted


GOLD, PREDICTED = random_pairs(0, 5_000)
COUNTS = count(GOLD, PREDICTED)
PAIRS = list(zip(GOLD, PREDICTED, strict=True))


def table(rows: list[tuple[set[Span], set[Span]]]) -> np.ndarray:
    """Return [gold, predicted, correct] by sentence and type of the entities that a reference lists."""
    return np.array(
        [
            [[sum(span.type == name for span in spans) for spans in (a, b, a & b)] for name in COUNTS.types]
            for a, b in rows
        ]
    )


def test_the_sequences_are_hard_enough() -> None:
    invalid = [tags for tags in GOLD + PREDICTED if illegal_transitions(tags)]
    assert len(invalid) > 5_000
    for before, tag in (("O", "I-A"), ("B-A", "I-B"), ("I-A", "I-B"), ("I-A", "B-A")):
        assert any((before, tag) in pairwise(tags) for tags in PREDICTED)
    assert any(tags[:1] == ["I-A"] for tags in GOLD)
    assert [] in GOLD
    kinds = error_kinds(GOLD, PREDICTED)
    for kind in KINDS:
        assert sum(n for (of_kind, _), n in kinds.items() if of_kind == kind) > 500, kind


def test_conlleval() -> None:
    for i, (a, b) in enumerate(PAIRS):
        theirs = evaluate([a], [b])
        ours = [dict(zip(COUNTS.types, column.tolist(), strict=True)) for column in COUNTS.entities[i].T]
        assert [{name: n for name, n in of_type.items() if n} for of_type in ours] == [*map(dict, theirs[:3])], (a, b)
        assert COUNTS.words[i, :, 2].sum() == theirs.right_words
    scores, theirs = score(GOLD, PREDICTED), evaluate(GOLD, PREDICTED)
    ours = tuple(scores[name].value for name in ("entity_precision", "entity_recall", "entity_f1"))
    assert ours == theirs.precision_recall_f1()
    assert scores["token_micro_f1"].value == theirs.right_words / sum(map(len, GOLD))


def test_seqeval_in_its_default_mode() -> None:
    def entities(tags: list[str]) -> set[Span]:
        return {Span(name, start, end + 1) for name, start, end in get_entities(tags)}

    assert np.array_equal(COUNTS.entities, table([(entities(a), entities(b)) for a, b in PAIRS]))


def test_seqeval_in_strict_mode() -> None:
    def entities(tags: list[str]) -> set[Span]:
        (found,) = Entities([tags], IOB2).entities
        return {Span(entity.tag, entity.start, entity.end) for entity in found}

    assert np.array_equal(COUNTS.strict_entities, table([(entities(a), entities(b)) for a, b in PAIRS]))


@pytest.mark.parametrize(("repair", "ours"), [("conlleval", "entities"), ("discard", "strict_entities")])
def test_seqscore(repair: str, ours: str) -> None:
    scoring = pytest.importorskip("seqscore.scoring", reason="seqscore is in the dev extra")
    for i, (a, b) in enumerate(PAIRS):
        theirs, accuracy = scoring.score_label_sequences([b], [a], "BIO", repair=repair)
        assert (accuracy.hits, accuracy.total) == (COUNTS.words[i, :, 2].sum(), len(a))
        for name, sums in zip(COUNTS.types, getattr(COUNTS, ours)[i].tolist(), strict=True):
            of_type = theirs.type_scores[name]
            assert [of_type.total_ref, of_type.total_pos, of_type.true_pos] == sums, (a, b)
    theirs, _ = scoring.score_label_sequences(PREDICTED, GOLD, "BIO", repair=repair)
    metric = {"conlleval": "entity_f1", "discard": "entity_f1_strict"}[repair]
    assert score(GOLD, PREDICTED)[metric].value == pytest.approx(theirs.f1, abs=1e-15)  # 2 (P R), ours (2 P) R


def test_scikit_learn() -> None:
    for start in range(0, len(PAIRS), 25):
        gold, predicted = ([tag for tags in side[start : start + 25] for tag in tags] for side in (GOLD, PREDICTED))
        matrices = sklearn.metrics.multilabel_confusion_matrix(gold, predicted, labels=COUNTS.labels)
        (_, false_positive), (false_negative, correct) = np.moveaxis(matrices, 0, -1)
        theirs = np.stack([correct + false_negative, correct + false_positive, correct], axis=-1)
        assert np.array_equal(COUNTS.words[start : start + 25].sum(axis=0), theirs)


def test_spans_and_overlaps_by_their_definitions() -> None:
    for i, (a, b) in enumerate(PAIRS[:2_000]):
        gold, predicted = spans_of(a), spans_of(b)
        same_bounds = {span[1:] for span in gold} & {span[1:] for span in predicted}
        assert COUNTS.spans[i].tolist() == [len(gold), len(predicted), len(same_bounds)]
        fits = [
            [x.type == y.type and bool({*range(*x[1:])} & {*range(*y[1:])}) for y in predicted] for x in gold
        ]  # fmt: skip
        most = np.sum(maximum_bipartite_matching(csr_array(np.array(fits))) >= 0) if gold and predicted else 0
        assert COUNTS.overlaps[i].tolist() == [len(gold), len(predicted), most], (a, b)


def test_errors_agree_with_counts_and_name_each_wrong_entity_once() -> None:
    for i, (a, b) in enumerate(PAIRS):
        errors, exact = entity_errors(a, b), int(COUNTS.entities[i, :, 2].sum())
        kinds = [error.kind for error in errors]
        wrong = {*spans_of(a)} - {*spans_of(b)}, {*spans_of(b)} - {*spans_of(a)}
        assert sorted(e.gold for e in errors if e.gold) == sorted(wrong[0])
        assert sorted(e.predicted for e in errors if e.predicted) == sorted(wrong[1])
        assert kinds.count("boundary") == COUNTS.overlaps[i, 2] - exact
        assert kinds.count("type") == COUNTS.spans[i, 2] - exact
        for kind, x, y in errors:
            if x and y:
                same_type, same_bounds = x.type == y.type, x[1:] == y[1:]
                assert (same_type, same_bounds) == (kind == "boundary", kind == "type")
                assert x.start < y.end and y.start < x.end
            else:
                assert kind == ("missed" if x else "spurious")
        starts = [min(span.start for span in error[1:] if span) for error in errors]
        assert starts == sorted(starts)
