"""The floor: each word's most frequent tag, whatever stands around it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from bert_ner.corpus.bio import Sentence
from bert_ner.model_folder import model_file, write_model

MODEL_FILE = "majority.json"


class MajorityTagger:
    """The tag that a word, in lower case, has most often in the training sentences; `O` for a word not among them.

    Of equally frequent tags it takes the one seen first. The tags stand as they are, so an `I-X` may follow no entity
    of type X: mending that would be a rule more than the floor has, and conlleval reads such an `I-X` as an opening.
    """

    tag_of: dict[str, str]

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:  # noqa: ARG002
        """Count; there is nothing to choose on the validation sentences."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for words, tags in train:
            for word, tag in zip(words, tags, strict=True):
                counts[word.lower()][tag] += 1
        self.tag_of = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
        return []

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Each word's own tag."""
        return [[self.tag_of.get(word.lower(), "O") for word in words] for words in sentences]

    @property
    def parameters(self) -> int:
        """How many words have a tag."""
        return len(self.tag_of)

    def save(self, folder: Path) -> None:
        """Write the words and their tags as JSON."""
        write_model(folder, "majority", MODEL_FILE, json.dumps(self.tag_of, indent=0))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            TaggerUnavailable: the file is missing, or not the one that `save` wrote.
        """
        tagger = cls()
        tagger.tag_of = json.loads(model_file(folder, MODEL_FILE).read_text(encoding="utf-8"))
        return tagger
