"""Draw the sentences of a study: a share of them, or few of each type."""

import random
from collections import Counter
from collections.abc import Sequence

from harness.params import Trial

from bert_ner.corpus.bio import Sentence, spans_of


def trial_sentences(trial: Trial, *parts: Sequence[Sentence]) -> list[list[Sentence]]:
    """Draw the sentences that a trial trains and validates on: with the same seed, the same for every system."""
    if trial.new_type and trial.per_type:
        return [few_of_a_type(part, trial.new_type, trial.per_type, trial.seed) for part in parts]
    if trial.per_type is not None:
        return [few_of_each_type(part, trial.per_type, trial.seed) for part in parts]
    train, validation = parts
    return [subset(train, trial.fraction or 0, trial.seed), list(validation)]


def subset(sentences: Sequence[Sentence], fraction: float, seed: int) -> list[Sentence]:
    """Draw a share of the sentences, in their order. With the same seed, a larger share contains every smaller one."""
    order = list(range(len(sentences)))
    random.Random(f"subset {seed}").shuffle(order)
    return [sentences[i] for i in sorted(order[: max(1, round(fraction * len(sentences)))])]


def few_of_a_type(sentences: Sequence[Sentence], name: str, n: int, seed: int) -> list[Sentence]:
    """Draw n of the sentences that have an entity of a type, and keep all others, in their order.

    With the same seed, a larger n contains a smaller one.
    """
    holding = [i for i, (_, tags) in enumerate(sentences) if any(span.type == name for span in spans_of(tags))]
    random.Random(f"new type {seed}").shuffle(holding)
    left_out = set(holding[n:])
    return [sentence for i, sentence in enumerate(sentences) if i not in left_out]


def few_of_each_type(sentences: Sequence[Sentence], n: int, seed: int) -> list[Sentence]:
    """Draw few sentences, in their order, with each entity type in at least n of them, or in all that have it.

    There are n rounds, each from the rarest type to the most frequent. A type that is in fewer chosen sentences than
    there were rounds gets the next one in the seed's order. So, with the same seed, a larger n contains a smaller one.
    """
    order = list(range(len(sentences)))
    random.Random(f"few {seed}").shuffle(order)
    types = [{span.type for span in spans_of(tags)} for _, tags in sentences]
    holding = {name: [i for i in order if name in types[i]] for name in set().union(*types)}
    chosen: set[int] = set()
    have: Counter[str] = Counter()
    for rounds in range(1, n + 1):
        for name in sorted(holding, key=lambda name: (len(holding[name]), name)):
            found = next((i for i in holding[name] if i not in chosen), None)
            if have[name] < rounds and found is not None:
                chosen.add(found)
                have.update(types[found])
    return [sentences[i] for i in sorted(chosen)]
