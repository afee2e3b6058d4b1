"""Split a training file into a training and a validation part, by a seed."""

import math
import random
from collections.abc import Sequence
from typing import TypeVar

from bert_ner.errors import InvalidValue
from bert_ner.wording import counted

Item = TypeVar("Item")  # a sentence, or what belongs to one


def split(sentences: Sequence[Item], fraction: float, seed: int) -> tuple[list[Item], list[Item]]:
    """Split sentences into training and validation, each in the order of the file.

    The validation part is a random sample of ceil(fraction * n) sentences, rounded as scikit-learn's train_test_split
    does: 9,775 sentences give 8,797 and 978. A seed gives the same split on every platform and Python version, also of
    a list that has an item for each sentence. Raise InvalidValue if `fraction` is not in (0, 1), or one of the parts
    would be empty.
    """
    if not 0 < fraction < 1:
        raise InvalidValue(f"the validation fraction must lie between 0 and 1, not be {fraction}")
    size = math.ceil(len(sentences) * fraction)
    if not 0 < size < len(sentences):
        problem = f"a validation fraction of {fraction} leaves one part of {counted(len(sentences), 'sentence')} empty"
        raise InvalidValue(f"{problem}; choose another fraction or give more sentences")
    draw = random.Random(seed)
    keys = [draw.random() for _ in sentences]
    order = sorted(range(len(sentences)), key=keys.__getitem__)
    return [sentences[i] for i in sorted(order[size:])], [sentences[i] for i in sorted(order[:size])]
