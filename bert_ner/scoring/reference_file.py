"""Save the predictions of some runs as a reference for `bert-ner gate`, and read them again."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field, ValidationError

from bert_ner.corpus.formats import ParsedFile
from bert_ner.errors import BertNerError, InvalidValue
from bert_ner.files import write_whole
from bert_ner.scoring.files import File, sum_of_sentences
from bert_ner.scoring.scores import score
from bert_ner.settings import Settings, complaints

FORMAT: Final = "bert-ner reference 2"
_START = b"bert-ner reference "  # near the start of the file; predictions may be JSON, too
_TAG = r"(O|[BI]-\S+)"


class Prediction(NamedTuple):
    """The tags of a run, sentence by sentence, the name of their file for messages, and remarks on them."""

    name: str
    tags: list[tuple[str, ...]]
    remarks: tuple[str, ...] = ()


class SavedRun(Settings):
    """A run of a saved reference."""

    file: str = Field(description="where the tags come from")
    tags: list[Annotated[str, Field(pattern=rf"^({_TAG}( {_TAG})*)?$")]] = Field(
        description="the tags of each sentence in IOB2, with a space between them"
    )
    scores: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        description="for readers; the gate computes them from the tags"
    )


class SavedReference(Settings):
    """What --save writes: predicted tags, without the words."""

    format: Literal["bert-ner reference 2"] = Field(description="name and version")
    gold: str = Field(description="SHA-256 of the gold sentences in the text that bert-ner convert writes")
    runs: list[SavedRun] = Field(description="one for each file", min_length=1)

    def fault(self, gold: ParsedFile) -> str:
        """Return why it can't be compared on a gold file; empty if it can."""
        if self.gold == sum_of_sentences(gold):
            return ""
        return "was made with another gold file, or with other options to read it; check --gold, or save it again"

    def predictions(self, name: str) -> list[Prediction]:
        """Return its runs; messages name them after their file and their place in it."""
        return [
            Prediction(f"{name}: run {number} ({run.file})", [tuple(line.split()) for line in run.tags])
            for number, run in enumerate(self.runs, start=1)
        ]


def is_saved(content: bytes) -> bool:
    """Return whether a file is a saved reference, broken or not."""
    return _START in content[:200]


def save_reference(target: Path, gold: ParsedFile, runs: Sequence[Prediction]) -> None:
    """Save runs; raise InvalidValue if the target is a file of another kind, BertNerError if it can't be written."""
    saved = [
        SavedRun(
            file=Path(run.name).name,
            tags=[" ".join(sentence) for sentence in run.tags],
            scores={metric: round(found.value, 6) for metric, found in score(gold.iob2, run.tags).items()},
        )
        for run in runs
    ]
    content = SavedReference(format=FORMAT, gold=sum_of_sentences(gold), runs=saved)
    path = Path(os.path.realpath(target))  # a link stays a link to the file that is written
    try:
        if path.exists() and not (path.is_file() and is_saved(path.read_bytes())):
            raise InvalidValue(f"{target} exists, and is no saved reference; save under another name")
        write_whole(path, json.dumps(content.model_dump(), indent=1) + "\n")
    except OSError as error:
        raise BertNerError(f"{target} can't be written: {error.strerror}") from None


def read_saved(file: File) -> SavedReference:
    """Read a saved reference; raise InvalidValue with all that is wrong in it."""
    try:
        return SavedReference.model_validate(json.loads(file.content))
    except ValidationError as error:
        problems = "; ".join(text for _, text in complaints(error, SavedReference))
    except (ValueError, RecursionError) as error:
        problems = f"not JSON: {error}"
    raise InvalidValue(f"{file.name} is no saved reference: {problems}; write it again with --save")
