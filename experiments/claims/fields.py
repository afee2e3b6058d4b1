"""The types of the fields in claims.yaml and published.yaml, and the model of a published score."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import AfterValidator, Field, PlainValidator

from bert_ner.scoring import METRICS
from bert_ner.settings import Settings

Verdict = Literal["reproduced", "partly", "not reproduced", "contradicted", "not tested"]
VERDICTS: tuple[str, ...] = get_args(Verdict)


class Source(NamedTuple):
    """A file of results/, and the place of a value in it: `a.b` in JSON, `column where column=value` in a table."""

    file: str
    path: str


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _text(value: Any) -> Any:
    if not _is_text(value):
        raise ValueError("must be text (in quotes, if it looks like a number)")
    return value


def _source(value: Any) -> Source:
    if not (isinstance(value, dict) and len(value) == 1 and all(map(_is_text, (*value, *value.values())))):
        raise ValueError("must be a file of results/ and a path into it, such as {corpus.json: train.sentences}")
    return Source(*next(iter(value.items())))


def _sources(value: Any) -> list[Source]:
    try:
        return [_source(item) for item in _items(value) or [None]]
    except ValueError as error:
        raise ValueError(f"{error}, or a list of these") from None


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _paper_value(value: Any) -> Any:
    if not _items(value) or not all(_is_number(item) or _is_text(item) for item in _items(value)):
        raise ValueError("must be a number, text or a list of them")
    return value


def one_of(names: Iterable[str]) -> AfterValidator:
    """Return a validator of text that is one of these names."""

    def check(value: str) -> str:
        if value not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return value

    return AfterValidator(check)


Fraction = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, PlainValidator(_text)]
Metric = Annotated[str, one_of(METRICS)]
OneSource = Annotated[Source, PlainValidator(_source)]
Sources = Annotated[list[Source], PlainValidator(_sources)]
Operand = Annotated[float | Source, PlainValidator(lambda value: value if _is_number(value) else _source(value))]
PaperValue = Annotated[Any, PlainValidator(_paper_value)]


class PublishedScore(Settings):
    """A score that somebody else published."""

    system: Text = Field(description="its name")
    parameters: Text = Field(description="how many, as the source gives them")
    score: Fraction = Field(description="the score, a fraction")
    metric: Metric = Field(description="the metric")
    corpus: Text = Field(description="the corpus")
    test_set: Text = Field(description="the corpus again, if it is its official test file; else what was scored")
    comparable: bool = Field(description="official test file, all training data, entity micro-F1 with exact match")
    reason: Text | None = Field(None, description="why it is not comparable, or a remark")
    source: Text = Field(description="where the figure was read")
