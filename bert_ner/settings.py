"""Settings that are checked when they are made, and their errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from bert_ner.errors import InvalidValue, brief

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[str | int, ...]


class Settings(BaseModel):
    """A group of settings. Values have exactly the type that is asked for; unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def parse_settings(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Make a model from plain values.

    Raises:
        InvalidValue: a value is missing, unknown, of the wrong type or out of its range; the message names each.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise InvalidValue("; ".join(text for _, text in complaints(error, model))) from None


def complaints(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Location, str]]:
    """Say what is wrong, each with where it stands: the keys and list positions that lead there."""
    for found in error.errors(include_url=False):
        where, kind = found["loc"], found["type"]
        name = ".".join(map(str, where))
        if kind == "missing":
            yield where[:-1], f"{name} is missing"
        elif kind == "extra_forbidden":
            yield where, f"unknown key '{name}'; the keys here are {', '.join(_keys(model, where[:-1]))}"
        else:
            reason = found["msg"].removeprefix("Value error, ").replace("Input should be", "must be", 1)
            yield where, f"{name} {reason}, not {brief(found['input'])}"


def _keys(model: Any, where: Location) -> list[str]:
    """The keys that the model at a place takes."""
    for part in where:
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(str(part))
            model = field.annotation if field else None
        # Of `list[X]`, `dict[str, X]` or `X | None`, the part that is a model.
        while not isinstance(model, type) and get_args(model):
            model = next((each for each in reversed(get_args(model)) if each is not type(None)), None)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
