"""Read the corpora: a YAML file for each, corpora/NAME.yaml. docs/adding-a-corpus.md describes its keys."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from bert_ner.corpus.bio import Sentence, labels_of
from bert_ner.corpus.columns import TAG, Layout, Order, column_index
from bert_ner.corpus.formats import Reading, read_sentences
from bert_ner.corpus.schemes import ALIASES, Scheme
from bert_ner.deprecated import moved
from bert_ner.errors import InvalidValue
from bert_ner.settings import Settings
from bert_ner.wording import as_key, options_as
from bert_ner.yaml_files import at_line, read_yaml

# A checkout's, or, of an installed package, the copies of ours beside it.
FOLDER = Path(__file__).parents[2] / "corpora"

_Text = Annotated[str, StringConstraints(min_length=1)]
GENERATED = "sample"  # the only corpus whose files sample.py writes


def _type(name: str) -> str:
    if not TAG.fullmatch(f"B-{name}"):
        raise ValueError("must be a name without spaces")
    return name


def _once(types: list[str]) -> list[str]:
    if len({*types}) < len(types):
        raise ValueError("must name each type once")
    return types


_Types = Annotated[list[Annotated[str, AfterValidator(_type)]], Field(min_length=1), AfterValidator(_once)]


class CorpusFile(Settings):
    """A file of a corpus. Without an address, or offline, it must be in a local folder."""

    file: _Text = Field(description="its path in the corpus's folder; the last part is its name everywhere else")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="its sum; without it, any content is taken")
    url: _Text | None = Field(None, description="an https:// address, to download it from if no folder has it")

    @property
    def name(self) -> str:
        return Path(self.file).name


_Column = Annotated[int, BeforeValidator(column_index)]
_Scheme = Annotated[Scheme, BeforeValidator(lambda name: ALIASES.get(str(name).upper(), name))]


class FileFormat(Settings):
    """How the files are read: the options of `bert-ner check`."""

    order: Order | None = Field(None, description="of two columns: word-first or tag-first; without it, detected")
    word_column: _Column | None = Field(None, description="where the words are: a number from 1, first or last")
    tag_column: _Column | None = Field(None, description="where the tags are, likewise")
    comments: _Text | None = Field(None, description="skip lines that begin with this text")
    docstart: bool = Field(False, description="skip -DOCSTART- lines")
    scheme: _Scheme | None = Field(None, description="of the tags; without it, the one that fits")
    names: list[_Text] | None = Field(None, description="the tags that numbers stand for, from 0 on")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.word_column is not None and self.word_column == self.tag_column:
            raise ValueError("must have the words and the tags in different columns")
        return self

    @property
    def reading(self) -> Reading:
        layout = Layout(self.order, self.word_column, self.tag_column, self.comments, self.docstart)
        return Reading(layout, None, self.scheme, tuple(self.names) if self.names else None)


def _with_keys(value: Any) -> Any:
    """Let a path stand for a file without sum and address."""
    return {"file": value} if isinstance(value, str) else value


_File = Annotated[CorpusFile, BeforeValidator(_with_keys)]


class Corpus(Settings):
    """A corpus: a training and a test file, perhaps a validation file, and how they are read."""

    name: str = Field("", description="that of the YAML file, without its suffix")
    title: _Text = Field(description="the heading of its report")
    folder: str = Field(".", description="the folder of the files, from that of the YAML file")
    train: _File = Field(description="the training file")
    validation: _File | None = Field(None, description="the validation file; without it, part of the training file")
    test: _File = Field(description="the test file")
    types: _Types | None = Field(None, description="the entity types; without them, those found")
    format: FileFormat = Field(default={}, validate_default=True, description="how the files are read")
    min_steps: int = Field(0, ge=0, description="the least number of training steps of an encoder, for a small corpus")
    is_generated: bool = Field(False, description="whether bert_ner/corpus/sample.py writes the files")

    @property
    def files(self) -> dict[str, CorpusFile]:
        """The files by the part that they hold: train, validation if there is one, test."""
        files = {"train": self.train, "validation": self.validation, "test": self.test}
        return {part: file for part, file in files.items() if file}

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The tag set, `O` first, if the types are given."""
        return None if self.types is None else labels_of(self.types)

    def read(self, folder: Path) -> dict[str, list[Sentence]]:
        """Read the sentences of each part from the files in a folder; raise BioError if one has a problem."""
        reading, types = self.format.reading, self.types
        with options_as(as_key):
            return {part: read_sentences(folder / file.name, reading, types) for part, file in self.files.items()}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({file.name for file in self.files.values()}) < len(self.files):
            raise ValueError("must have files of different names")
        return self


def corpus_names() -> list[str]:
    """Return the names of all corpora, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def corpus_named(name: str) -> Corpus:
    """Return the corpus of a name.

    Raises:
        InvalidValue: there is none; the message lists the names.
        BertNerError: its YAML file is wrong; the message has the line.
    """
    if name not in corpus_names():
        raise InvalidValue(f"no corpus is named '{name}'; {FOLDER} has {', '.join(corpus_names())}")
    return read_corpus(FOLDER / f"{name}.yaml")


def all_corpora() -> dict[str, Corpus]:
    """Return every corpus by its name; raise BertNerError if one of the YAML files is wrong."""
    return {name: corpus_named(name) for name in corpus_names()}


@lru_cache
def read_corpus(path: Path) -> Corpus:
    """Read the YAML file of a corpus; raise BertNerError if it is wrong."""
    corpus = read_yaml(path, Corpus)
    if corpus.name not in ("", path.stem):
        raise InvalidValue(
            f"{path}: its name is '{corpus.name}'; name it '{path.stem}', as the file, or remove the key"
        )
    if corpus.is_generated and path.stem != GENERATED:
        text = f"is_generated is for {GENERATED} alone, whose files bert_ner/corpus/sample.py writes; remove the key"
        raise InvalidValue(at_line(path, ("is_generated",), (), text))
    return corpus.model_copy(update={"name": path.stem, "folder": str(path.parent / corpus.folder)})


__getattr__ = moved(__name__, {"CORPORA": f"{__name__}:all_corpora()"})
