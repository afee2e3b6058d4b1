"""Validate settings with pydantic, and report errors in plain words."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bert_ner.errors import InvalidValue, shorten

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[str | int, ...]

CONFLICT = "conflict"  # the type of a PydanticCustomError about several settings; its text is the whole message

_HEXADECIMAL = re.compile(r"\^\[0-9a-f\]\{(\d+)\}\$")
_SUBJECT = re.compile(r"^(Value error, |\w+ should (?=be|have|match))")
_NUMBERS = {"integer": "a whole number", "number": "a number"}
_BOUNDS = {"minimum": "of at least", "exclusiveMinimum": "above", "maximum": "of at most", "exclusiveMaximum": "below"}


class Settings(BaseModel):
    """A group of settings. Values must have exactly the declared type; unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def parse_settings(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Make a model from plain values; raise InvalidValue with all that is missing, unknown or out of range."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise InvalidValue("; ".join(text for _, text in complaints(error, model))) from None


def complaints(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Location, str]]:
    """Yield each problem with its location: the keys and list positions that lead to it."""
    whole = model.model_json_schema()
    for found in error.errors(include_url=False):
        where, kind, value = found["loc"], found["type"], found["input"]
        is_key = where[-1:] == ("[key]",)  # pydantic's name of a key, beside that of its value
        where = where[:-1] if is_key else where
        name = ".".join(map(str, where))
        if kind.startswith("union_tag"):
            union = _schema_at(whole, where)["discriminator"]
            key = union["propertyName"]
            given = f"not {shorten(value[key])}" if kind == "union_tag_invalid" else "but it is missing"
            yield (*where, key), f"{name}.{key} must be one of {', '.join(union['mapping'])}, {given}"
        elif kind == "missing":
            yield where[:-1], f"{name} is missing"
        elif kind == "extra_forbidden":
            keys = _schema_at(whole, where[:-1]).get("properties", {})
            yield where, f"unknown key '{name}'; the keys here are {', '.join(keys)}"
        elif kind == CONFLICT:
            yield where, found["msg"]
        elif kind == "invalid_key" or (is_key and not isinstance(value, str)):
            key = ".".join([*map(str, where[:-1]), shorten(value)])
            yield where, f"key {key} must be text; put it in quotes"
        elif not where and kind in ("model_type", "list_type"):
            given = "it is empty" if value is None else f"it has {shorten(value)}"
            wanted = "names and values" if kind == "model_type" else "a list"
            yield where, f"the file must hold {wanted}; {given}"
        else:
            range_ = "" if kind == "value_error" else _number_range(_schema_at(whole, where))
            yield where, f"{name} {range_ or _plain(found)}, not {shorten(value)}".lstrip()


def _plain(found: Mapping[str, Any]) -> str:
    """Return what a value must be."""
    kind, message = found["type"], found["msg"]
    if kind == "model_type":
        return "must be a valid dictionary"
    if kind == "string_pattern_mismatch" and (digits := _HEXADECIMAL.fullmatch(found["ctx"]["pattern"])):
        return f"must be {digits[1]} digits of 0-9 and a-f"
    text, changed = _SUBJECT.subn("", message)
    text = text.replace(" after validation, not 0", "")
    return f"must {text}" if changed and kind != "value_error" else text


def _number_range(schema: Mapping[str, Any]) -> str:
    """Describe the numbers that a field takes; empty for a field of another type."""
    if schema.get("type") not in _NUMBERS:
        return ""
    bounds = [f"{words} {schema[key]}" for key, words in _BOUNDS.items() if key in schema]
    return f"must be {_NUMBERS[schema['type']]}{' ' if bounds else ''}{' and '.join(bounds)}"


def _schema_at(whole: Mapping[str, Any], where: Location) -> dict[str, Any]:
    """Return the part of a JSON schema that describes a location; empty if there is none."""
    found = dict(whole)
    for part in where:
        if "discriminator" in found:
            found = {"$ref": found["discriminator"]["mapping"].get(part)}
        else:  # a key of a model or a dict, or an item of a list
            found = found.get("properties", {}).get(part) or found.get("additionalProperties") or found.get("items", {})
        if not isinstance(found, dict):  # True: any value
            return {}
        members = [member for member in found.get("anyOf", ()) if member.get("type") != "null"]
        if len(members) == 1:  # `X | None`
            [found] = members
        if "$ref" in found:
            found = whole["$defs"].get(str(found["$ref"]).removeprefix("#/$defs/"), {})
    return found
