"""The floor: each word's most frequent tag, whatever its context."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.sequences import check_sequences
from bert_ner.model_folder import write_model
from bert_ner.tagger import System

MODEL_FILE = "majority.json"


class MajorityTagger(System):
    """Give each lower-cased word the tag that it has most often in the training sentences; `O` if it is unknown.

    Of equally frequent tags the first seen wins. The tags are not repaired, so an `I-X` may follow no entity of type X:
    a repair would be one rule more than the floor has, and conlleval reads such an `I-X` as the start of an entity.
    """

    tag_of: dict[str, str]

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:  # noqa: ARG002
        """Count the tags; there is nothing to choose on the validation sentences."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for words, tags in train:
            for word, tag in zip(words, tags, strict=True):
                counts[word.lower()][tag] += 1
        self.tag_of = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
        return []

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return each word's own tag."""
        check_sequences(sentences, "word")
        return [[self.tag_of.get(word.lower(), "O") for word in words] for words in sentences]

    @property
    def parameters(self) -> int:
        """The number of words with a tag."""
        return len(self.tag_of)

    def save(self, folder: Path) -> None:
        """Write the words and their tags as JSON."""
        write_model(folder, "majority", MODEL_FILE, json.dumps(self.tag_of, indent=0))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        tagger = cls.__new__(cls)
        tagger.tag_of = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        return tagger
