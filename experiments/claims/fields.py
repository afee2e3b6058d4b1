"""The types of the keys in claims.yaml and published.yaml, and the model of a published score."""

import math
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeGuard, get_args

from harness.tables import TABLES

from pydantic import BeforeValidator, Field, PlainValidator, ValidationInfo, field_validator

from bert_ner.scoring import METRICS
from bert_ner.settings import Settings

# The files of results/ that a claim may name, with the columns of tables.
FILES: dict[str, dict[str, str]] = {"audit.json": {}, "corpus.json": {}, "provenance.json": {}}
FILES |= {f"{name}.csv": table.columns for name, table in TABLES.items() if name != "claims"}

# A failure of another encoder than the paper's, or of what was measured in place of the claim.
STAND_IN = "not reproduced on a stand-in"
Verdict = Literal["reproduced", "partly", "not reproduced", "contradicted", "not tested"]
VERDICTS: tuple[str, ...] = (*get_args(Verdict), STAND_IN)


def split_source(source: str) -> tuple[str, str, dict[str, str]]:
    """Return the file, the path or column, and the values that other columns have in the wanted rows."""
    file, _, place = source.partition(" ")
    if not file.endswith(".csv"):
        return file, place, {}
    column, _, where = place.partition(" where ")
    pairs = [condition.partition("=") for condition in re.split(r", (?=\w+=)", where) if condition]
    return file, column, {name: value for name, _, value in pairs}


def is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _source(value: Any) -> str:
    file, place, where = split_source(str(value))
    if not place or file not in FILES:
        raise ValueError(
            "must be a file of results/ and a place in it, such as corpus.json train.sentences, or scores.csv "
            f"entity_f1 where system=crf; the files are {', '.join(FILES)}"
        )
    if FILES[file] and not {place, *where} <= FILES[file].keys():
        raise ValueError(f"must name columns of {file}, which are {', '.join(FILES[file])}")
    return str(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _must_be(kind: str, test: Callable[[Any], bool]) -> PlainValidator:
    """Return a validator of the values that pass a test; `kind` describes them."""

    def check(value: Any) -> Any:
        if not test(value):
            raise ValueError(f"must be {kind}")
        return value

    return PlainValidator(check)


def _is_paper_value(value: Any) -> bool:
    return bool(as_list(value)) and all(is_number(item) or _is_text(item) for item in as_list(value))


Fraction = Annotated[float, Field(ge=0, le=1)]
Metric: Any = Literal[*METRICS]
Text = Annotated[str, _must_be("text (in quotes, if it looks like a number)", _is_text)]
PaperValue = Annotated[Any, _must_be("a number, text or a list of them", _is_paper_value)]
Source = Annotated[str, PlainValidator(_source)]  # a value in results/; in text, for {system} stands the system's name
Sources = Annotated[list[Source], BeforeValidator(as_list), Field(min_length=1)]
Operand = Annotated[float | str, PlainValidator(lambda value: value if is_number(value) else _source(value))]


class PublishedScore(Settings):
    """A score that somebody else published."""

    system: Text = Field(description="its name")
    parameters: Text = Field(description="how many, as the source gives them")
    score: Fraction = Field(description="the score, a fraction")
    metric: Metric = Field(description="the metric")
    corpus: Text = Field(description="the corpus")
    test_set: Text = Field(description="the corpus again, if it is its official test file; else what was scored")
    reason: Text | None = Field(None, description="why it is not comparable, or a remark")
    comparable: bool = Field(description="official test file, all training data, entity micro-F1 with exact match")
    source: Text = Field(description="where the figure was read")

    @field_validator("comparable")
    @classmethod
    def _has_a_reason(cls, comparable: bool, info: ValidationInfo) -> bool:
        if not comparable and not info.data.get("reason"):
            raise ValueError("must be true, unless the key reason says why it is not")
        return comparable
