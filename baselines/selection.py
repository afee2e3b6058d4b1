"""Choose a model on the validation sentences."""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any, TypeVar

from bert_ner.corpus.bio import Sentence
from bert_ner.settings import Settings
from bert_ner.tagger import Scoring, TagSequences

Model = TypeVar("Model")
Candidate = dict[str, Any]


def candidates(settings: Settings) -> list[Candidate]:
    """Return every choice of one value from each list among the settings; the last list varies fastest."""
    values = [value if isinstance(value, list) else [value] for _, value in settings]
    return [dict(zip(type(settings).model_fields, chosen, strict=True)) for chosen in product(*values)]


def select(
    trials: Iterable[tuple[Candidate, Model]],
    tag: Callable[[Model, TagSequences], TagSequences],
    validation: Sequence[Sentence],
    scoring: Scoring,
) -> tuple[Model, list[Candidate]]:
    """Return the model with the highest score on the validation sentences, the first of equals, and a row per trial."""
    words, gold = [words for words, _ in validation], [tags for _, tags in validation]
    history: list[Candidate] = []
    best = float("-inf")
    for settings, model in trials:
        score = scoring(gold, tag(model, words))
        history.append({**settings, "validation_entity_f1": score})
        if score > best:
            best, chosen = score, model
    return chosen, history
