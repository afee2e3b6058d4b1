"""Settings: each wrong value is refused with its name, its range and itself."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError, field_validator

from bert_ner.errors import InvalidValue
from bert_ner.settings import Settings, complaints, parse_settings


class Inner(Settings):
    size: int = Field(default=1, ge=1)


class Outer(Settings):
    rate: float = Field(gt=0, lt=1, allow_inf_nan=False)
    count: int = 1
    counts: list[Annotated[int, Field(ge=0, le=9)]] = Field(default=[0], min_length=1)
    inner: Inner | None = None
    inners: dict[str, list[Inner]] = Field(default={})
    even: int | None = None
    sum: str = Field(default="0f", pattern="^[0-9a-f]{2}$")

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int | None) -> int | None:
        if value is not None and value % 2:
            raise ValueError("must be even")
        return value


def test_valid_settings() -> None:
    found = parse_settings(Outer, {"rate": 0.5, "inners": {"a": [{"size": 2}]}})
    assert (found.rate, found.inner, found.inners["a"][0].size) == (0.5, None, 2)
    with pytest.raises(ValidationError, match="frozen"):
        found.rate = 0.1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "rate is missing"),
        ({"rate": 1}, "rate must be a number above 0 and below 1, not 1"),
        ({"rate": "0.5"}, "rate must be a number above 0 and below 1, not '0.5'"),
        ({"rate": True}, "rate must be a number above 0 and below 1, not True"),
        ({"rate": float("nan")}, "rate must be a number above 0 and below 1, not nan"),
        ({"count": 1.0}, "count must be a whole number, not 1.0"),
        ({"counts": []}, "counts must have at least 1 item, not []"),
        ({"counts": 3}, "counts must be a valid list, not 3"),
        ({"counts": [1, 10]}, "counts.1 must be a whole number of at least 0 and of at most 9, not 10"),
        ({"inner": {"size": 0}}, "inner.size must be a whole number of at least 1, not 0"),
        ({"inner": {"x": 0}}, "unknown key 'inner.x'; the keys here are size"),
        ({"inners": {"a": [{}, {"size": 0}]}}, "inners.a.1.size must be a whole number of at least 1, not 0"),
        ({"inners": {"a": [{"x": 0}]}}, "unknown key 'inners.a.0.x'; the keys here are size"),
        ({"inners": {3: []}}, "key inners.3 must be text; put it in quotes"),
        ({"inners": 3}, "inners must be a valid dictionary, not 3"),
        ({"inner": [1]}, "inner must be a valid dictionary, not [1]"),
        ({3: 1}, "key 3 must be text; put it in quotes"),
        ({"sum": "AB"}, "sum must be 2 digits of 0-9 and a-f, not 'AB'"),
        ({"even": 3}, "even must be even, not 3"),
        ({"x": 1}, "unknown key 'x'; the keys here are rate, count, counts, inner, inners, even, sum"),
        ({"rate": 0, "count": None}, "rate must be a number above 0 and below 1, not 0; count must be a whole number"),
    ],
)
def test_a_wrong_value_is_named_with_its_range(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_settings(Outer, {"rate": 0.5, **values} if values else values)
    assert str(caught.value).startswith(message)


def test_a_long_value_is_shortened() -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_settings(Outer, {"rate": "x" * 1000})
    assert len(str(caught.value)) < 200


def test_complaints_have_locations() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"counts": [-1], "inner": {"x": 1}})
    assert {where for where, _ in complaints(caught.value, Outer)} == {(), ("counts", 0), ("inner", "x")}
