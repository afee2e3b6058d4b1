"""A student learns what its teachers know, and as much as its recipe says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from bert_ner.corpus.bio import Sentence, labels_of
from bert_ner.encoder.distillation import soft_targets, taught_loss
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.errors import BertNerError, InvalidValue
from bert_ner.scoring import entity_f1
from bert_ner.settings import parse_settings

LABELS = labels_of(["GENRE", "PERSON"])


class Teacher:
    """Gives a label, or that of a word's place, three times the probability of each other one."""

    source = "models/stub-1"

    def __init__(self, label: int | None = None, labels: Sequence[str] = LABELS) -> None:
        self.label, self.labels = label, labels

    def tag_probabilities(self, sentences: Sequence[Sequence[str]], labels: Sequence[str]) -> list[NDArray[Any]]:
        def row(place: int) -> list[float]:
            favourite = place % len(labels) if self.label is None else self.label
            return [(3.0 if i == favourite else 1.0) / (len(labels) + 2) for i in range(len(labels))]

        return [np.array([row(place) for place in range(len(words))]) for words in sentences]


def student(recipe: Recipe, checkpoint: Path | None = None, scoring: Any = entity_f1, **changes: Any) -> EncoderTagger:
    settings = Recipe(**{**vars(recipe), "teachers": ["stub-1"], **changes})
    return EncoderTagger(settings, labels=LABELS, seed=1, scoring=scoring, checkpoint=checkpoint)


def weights(tagger: EncoderTagger) -> list[NDArray[Any]]:
    return [values.numpy() for values in tagger.model.state_dict().values()]


def equal(a: EncoderTagger, b: EncoderTagger) -> bool:
    return all(np.array_equal(*pair) for pair in zip(weights(a), weights(b), strict=True))


# --- targets and loss ---------------------------------------------------------------------------------------------


def test_targets_are_the_mean_over_the_teachers_sentence_by_sentence() -> None:
    first, second = soft_targets([Teacher(0), Teacher(1)], [["a"], ["b", "c"]], LABELS)
    assert (first.shape, second.shape, first.dtype) == ((1, 5), (2, 5), np.float32)
    np.testing.assert_allclose(second, [[2 / 7, 2 / 7, 1 / 7, 1 / 7, 1 / 7]] * 2, rtol=1e-6)


def test_the_loss_weighs_the_label_and_the_targets_of_each_word() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.0, 1.0]])
    labels, targets = torch.tensor([2, 0]), torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    soft = -(targets * logits.log_softmax(-1)).sum(-1).mean()
    torch.testing.assert_close(
        taught_loss(logits, labels, targets, 0.3), 0.7 * cross_entropy(logits, labels) + 0.3 * soft
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teachers": ["a-1"], "crf": True}, "teachers can't be used with crf: true; leave one out"),
        ({"teacher_weight": 0.0}, "teacher_weight must be a number above 0"),
    ],
)
def test_settings_that_make_no_sense(recipe: Recipe, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        parse_settings(Recipe, {**vars(recipe), **changes})


# --- training -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_with_their_whole_weight_the_teachers_overrule_the_labels(
    recipe: Recipe, sentences: list[Sentence], precision: str
) -> None:
    tagger = student(recipe, teacher_weight=1.0, epochs=15, precision=precision)
    tagger.fit(sentences, sentences, teachers=[Teacher(1)])
    assert {tag for tags in tagger.tag([words for words, _ in sentences]) for tag in tags} == {"B-GENRE"}


def test_a_killed_student_ends_with_the_same_weights(recipe: Recipe, sentences: list[Sentence], tmp_path: Path) -> None:
    expected = student(recipe, epochs=3)
    expected.fit(sentences, sentences, teachers=[Teacher()])

    def stop(*_: object) -> float:
        epochs.append(1)
        if len(epochs) == 2:
            raise KeyboardInterrupt
        return 0.0

    epochs: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        student(recipe, tmp_path / "state", stop, epochs=3).fit(sentences, sentences, teachers=[Teacher()])
    again = student(recipe, tmp_path / "state", epochs=3)
    again.fit(sentences, sentences, teachers=iter([Teacher()]))
    assert equal(again, expected)


def test_other_teachers_start_over(recipe: Recipe, sentences: list[Sentence], tmp_path: Path) -> None:
    student(recipe, tmp_path / "state").fit(sentences, sentences, teachers=[Teacher(0)])
    other, expected = student(recipe, tmp_path / "state"), student(recipe)
    for tagger in (other, expected):
        tagger.fit(sentences, sentences, teachers=[Teacher(1)])
    assert equal(other, expected)


def test_an_encoder_teaches(recipe: Recipe, sentences: list[Sentence], trained: Any) -> None:
    tagger = student(recipe, teacher_weight=1.0, epochs=40)
    wrong = [Sentence(words, ("O",) * len(words)) for words, _ in sentences]
    tagger.fit(wrong, wrong, teachers=[trained.tagger])
    assert tagger.tag([words for words, _ in sentences]) == [list(tags) for _, tags in sentences]


def test_errors_say_what_to_do(recipe: Recipe, sentences: list[Sentence]) -> None:
    cases = [
        (student(recipe), [], "was given none; give it the loaded taggers"),
        (student(recipe, teachers=[]), [Teacher()], "the recipe names none; add their names"),
        (
            student(recipe),
            [Teacher(labels=[*LABELS, "B-YEAR"])],
            "models/stub-1 can't teach: only it or only the student has the labels B-YEAR; name a teacher that was "
            "trained on the same corpus",
        ),
    ]
    for tagger, teachers, message in cases:
        with pytest.raises(BertNerError, match=message):
            tagger.fit(sentences, sentences, teachers=teachers)
