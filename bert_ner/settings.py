"""Validate settings with pydantic, and report errors in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from bert_ner.errors import InvalidValue, shorten

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[str | int, ...]

_SUBJECT = re.compile(r"^(Value error, |\w+ should (?=be|have|match))")
_BOUNDS = ((Ge, "ge", "of at least"), (Gt, "gt", "above"), (Le, "le", "of at most"), (Lt, "lt", "below"))
_NUMBERS = {int: "a whole number", float: "a number"}


class Settings(BaseModel):
    """A group of settings. Values must have exactly the declared type; unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def parse_settings(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Make a model from plain values.

    Raises:
        InvalidValue: a value is missing, unknown, of the wrong type or out of range; the message lists each problem.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise InvalidValue("; ".join(text for _, text in complaints(error, model))) from None


def complaints(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Location, str]]:
    """Yield each problem with its location: the keys and list positions that lead to it."""
    for found in error.errors(include_url=False):
        where, kind = found["loc"], found["type"]
        name = ".".join(map(str, where))
        if kind.startswith("union_tag"):
            key = found["ctx"]["discriminator"].strip("'")
            known = [get_args(each.model_fields[key].annotation)[0] for each in _models(_resolve(model, where)[0])]
            given = f"not {shorten(found['input'][key])}" if kind == "union_tag_invalid" else "but it is missing"
            yield (*where, key), f"{name}.{key} must be one of {', '.join(known)}, {given}"
        elif kind == "missing":
            yield where[:-1], f"{name} is missing"
        elif kind == "extra_forbidden":
            yield where, f"unknown key '{name}'; the keys here are {', '.join(_keys(model, where[:-1]))}"
        else:
            numbers = "" if kind == "value_error" else _number_range(model, where)
            yield where, f"{name} {numbers or _plain(found['msg'])}, not {shorten(found['input'])}"


def _plain(message: str) -> str:
    text, changed = _SUBJECT.subn("", message)
    text = text.replace(" after validation, not 0", "")
    return f"must {text}" if changed and not message.startswith("Value error") else text


def _number_range(model: type[BaseModel], where: Location) -> str:
    """Describe the numbers that a field takes; empty for a field of another type."""
    kind, limits = _resolve(model, where)
    if kind not in _NUMBERS:
        return ""
    bounds = [f"{words} {getattr(limit, key)}" for limit in limits for cls, key, words in _BOUNDS if type(limit) is cls]
    return f"must be {_NUMBERS[kind]}{' ' if bounds else ''}{' and '.join(bounds)}"


def _keys(model: type[BaseModel], where: Location) -> list[str]:
    """Return the keys of the model at a location."""
    kind, _ = _resolve(model, where)
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _resolve(model: Any, where: Location) -> tuple[Any, list[Any]]:
    """Return the type at a location, and the limits declared for it."""
    kind, limits = model, []
    for part in where:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            kind, limits = (field.annotation, field.metadata) if field else (None, [])
        else:  # an item of a list or a value of a dict
            kind, limits = _argument(kind, part), []
        while not isinstance(kind, type) and get_args(kind):  # `X | None` and Annotated[X, Field(...)]
            if info := next((each for each in get_args(kind) if isinstance(each, FieldInfo)), None):
                kind, limits = get_args(kind)[0], info.metadata
            elif getattr(kind, "__origin__", None) in (list, dict, tuple) or len(_models(kind)) > 1:
                break
            else:
                kind = _argument(kind)
    return kind, limits


def _argument(kind: Any, tag: str | int | None = None) -> Any:
    """Return the type of a container's items, or the member of a union that has a tag."""
    tagged = (each for each in _models(kind) if any(tag in get_args(f.annotation) for f in each.model_fields.values()))
    return next(tagged, next((each for each in reversed(get_args(kind)) if each is not type(None)), None))


def _models(union: Any) -> list[type[BaseModel]]:
    return [each for each in get_args(union) if isinstance(each, type) and issubclass(each, BaseModel)]
