"""Choose a model on the validation sentences."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from bert_ner.corpus.bio import Sentence
from bert_ner.tagger import Scoring, TagSequences

Model = TypeVar("Model")


def select(
    trials: Iterable[tuple[dict[str, Any], Model]],
    tag: Callable[[Model, TagSequences], TagSequences],
    validation: Sequence[Sentence],
    scoring: Scoring,
) -> tuple[Model, list[dict[str, Any]]]:
    """Return the model with the highest score on the validation sentences, the first of equals, and a row per trial.

    A trial is settings and the model made with them. `tag` takes a model and the words of sentences.
    """
    words, gold = [words for words, _ in validation], [tags for _, tags in validation]
    history: list[dict[str, Any]] = []
    best = float("-inf")
    for settings, model in trials:
        score = scoring(gold, tag(model, words))
        history.append({**settings, "validation_entity_f1": score})
        if score > best:
            best, chosen = score, model
    return chosen, history
