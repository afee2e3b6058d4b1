"""Read and check claims.yaml and published.yaml; whatever is wrong is reported with file and line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from bert_ner.errors import BertNerError
from bert_ner.scoring import METRICS

KINDS = ("count", "arithmetic", "value", "ordering", "existence")
VERDICTS = ("reproduced", "partly", "not reproduced", "contradicted", "not tested")
# How a claim depends on the encoder that was measured:
#   required    about the paper's encoder itself: with another one it is not tested
#   comparable  about what fine-tuning gives: with another one it is at best 'partly'
#   vocabulary  about word pieces: an encoder with the same vocabulary serves as well, any other does not
#   shape       about its architecture: without its weights it is judged by the library's description, at best 'partly'
ENCODER_USES = ("required", "comparable", "vocabulary", "shape")


class Kind(NamedTuple):
    """What a value has to be."""

    is_valid: Callable[[Any], bool]
    wanted: str


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_source(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and all(map(_is_text, (*value, *value.values())))


def _list_of(is_valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(map(is_valid, value))


def _one_or_more(is_valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: is_valid(value) or _list_of(is_valid)(value)


def _one_of(names: tuple[str, ...]) -> Kind:
    return Kind(lambda value: value in names, f"one of {', '.join(names)}")


_SOURCE = "a file of results/ and a path into it, such as {corpus.json: train.sentences}"
BOOLEAN = Kind(lambda value: isinstance(value, bool), "true or false")
NUMBER = Kind(_is_number, "a number")
SHARE = Kind(lambda value: _is_number(value) and 0 <= value <= 1, "a fraction between 0 and 1")
TEXT = Kind(_is_text, "text (in quotes, if it looks like a number)")
TEXTS = Kind(_list_of(_is_text), "a list of texts")
SOURCE = Kind(_is_source, _SOURCE)
SOURCES = Kind(_one_or_more(_is_source), f"{_SOURCE}, or a list of such")
ARGUMENTS = Kind(_list_of(lambda value: _is_number(value) or _is_source(value)), "a list of numbers and sources")
SETTINGS = Kind(lambda value: isinstance(value, Mapping) and bool(value), "settings with their values")
VERDICT = _one_of(VERDICTS)
DIRECTION = _one_of(("at least", "at most"))
METRIC = _one_of(tuple(METRICS))
METRIC_LIST = Kind(_list_of(METRIC.is_valid), f"a list of {', '.join(METRICS)}")
PAPER_VALUE = Kind(_one_or_more(lambda value: _is_number(value) or _is_text(value)), "a number, text or a list of them")
MAPPING = Kind(lambda value: isinstance(value, Mapping), "a section with keys of its own")
ENTRIES = Kind(lambda value: isinstance(value, list) and bool(value), "a list of entries")


class Key(NamedTuple):
    """A key of an entry: what its value has to be, and whether it may be left out."""

    kind: Kind
    is_optional: bool = False


CLAIMS_FILE = {"corpus": Key(TEXT), "encoder": Key(TEXT), "claims": Key(ENTRIES)}
CLAIM = {
    "id": Key(TEXT),
    "section": Key(TEXT),
    "claim": Key(TEXT),
    "kind": Key(_one_of(KINDS)),
    "paper_value": Key(PAPER_VALUE, is_optional=True),
    "judge": Key(MAPPING),
    "beside": Key(SOURCES, is_optional=True),
    "encoder": Key(_one_of(ENCODER_USES), is_optional=True),
    "proxy": Key(TEXT, is_optional=True),
    "command": Key(TEXT),
}
PUBLISHED_FILE = {"systems": Key(ENTRIES)}
PUBLISHED = {
    "system": Key(TEXT),
    "parameters": Key(TEXT),
    "score": Key(SHARE),
    "metric": Key(METRIC),
    "corpus": Key(TEXT),
    "test_set": Key(TEXT),
    "comparable": Key(BOOLEAN),
    "reason": Key(TEXT, is_optional=True),
    "source": Key(TEXT),
}


class Place(NamedTuple):
    """A line of a file, to complain about."""

    path: Path
    line: int

    def refuse(self, complaint: str) -> NoReturn:
        """Raise a BertNerError that begins with the file and the line."""
        raise BertNerError(f"{self.path}, line {self.line}: {complaint}")


class Claim(NamedTuple):
    """An entry of claims.yaml, and where it stands."""

    entry: CommentedMap
    path: Path

    def at(self, key: str) -> Place:
        """Where a key of the entry stands, or where the entry begins."""
        return place(self.path, self.entry, key)


def place(path: Path, node: CommentedMap | CommentedSeq, key: str | int | None = None) -> Place:
    """Where a key or an item stands in a file; the node's own beginning without one."""
    places: dict[str | int, tuple[int, ...]] = node.lc.data or {}
    return Place(path, (places[key][0] if key in places else node.lc.line) + 1)


def read_claims(path: Path, rules: Mapping[str, Mapping[str, Key]]) -> tuple[str, str, list[Claim]]:
    """The corpus and the encoder that the claims are about, and the claims.

    Args:
        path: claims.yaml.
        rules: each rule's keys.

    Raises:
        BertNerError: something in the file is wrong; the message has the line, and what to do.
    """
    content = _read(path)
    _check(path, content, CLAIMS_FILE)
    seen: dict[str, int] = {}
    for i, entry in enumerate(content["claims"]):
        _check(path, entry, CLAIM, place(path, content["claims"], i))
        here = place(path, entry, "id")
        if entry["id"] in seen:
            here.refuse(f"id {entry['id']} is taken by line {seen[entry['id']]}; give each claim its own")
        seen[entry["id"]] = here.line
        judge = entry["judge"]
        if "rule" not in judge:
            place(path, entry, "judge").refuse(f"judge names no rule; there are {', '.join(rules)}")
        if judge["rule"] not in rules:
            place(path, judge, "rule").refuse(f"no rule is named '{judge['rule']}'; there are {', '.join(rules)}")
        _check(path, judge, {"rule": Key(TEXT), **rules[judge["rule"]]})
        if judge["rule"] == "stated" and entry["kind"] != "existence":
            place(path, judge, "rule").refuse(
                "only a claim of kind existence may have a typed verdict; give it another rule, or mend its kind"
            )
    return content["corpus"], content["encoder"], [Claim(entry, path) for entry in content["claims"]]


def read_published(path: Path) -> list[dict[str, Any]]:
    """The entries of published.yaml.

    Raises:
        BertNerError: something in the file is wrong; the message has the line, and what to do.
    """
    content = _read(path)
    _check(path, content, PUBLISHED_FILE)
    for i, entry in enumerate(content["systems"]):
        _check(path, entry, PUBLISHED, place(path, content["systems"], i))
        if not entry["comparable"] and "reason" not in entry:
            place(path, entry, "comparable").refuse("it is not comparable, but no reason says why; add the key reason")
    return [dict(entry) for entry in content["systems"]]


def _read(path: Path) -> Any:
    """A YAML file, with its line numbers."""
    try:
        return YAML(typ="rt").load(path)
    except YAMLError as error:
        raise BertNerError(f"{path} is not YAML: {error}") from None
    # The last three are what ruamel.yaml lets through, of a list that is a key or a tag on what it can't be on.
    except (OSError, ValueError, RecursionError, TypeError, AttributeError, KeyError) as error:
        raise BertNerError(f"{path} can't be read: {error}; take the one in the repository") from None


def _check(path: Path, node: Any, keys: Mapping[str, Key], where: Place | None = None) -> None:
    """Refuse a section that isn't one, an unknown or a missing key, and a value that is not of its key's kind."""
    where = where or (place(path, node) if isinstance(node, CommentedMap) else Place(path, 1))
    if not isinstance(node, CommentedMap):
        where.refuse(f"expected the keys {', '.join(keys)}, not {_shown(node)}")
    for key, value in node.items():
        here = place(path, node, key)
        if key not in keys:
            here.refuse(f"unknown key '{key}'; the keys here are {', '.join(keys)}")
        if not keys[key].kind.is_valid(value):
            here.refuse(f"{key} must be {keys[key].kind.wanted}, not {_shown(value)}")
    if missing := [name for name, key in keys.items() if not key.is_optional and name not in node]:
        where.refuse(f"no {', '.join(missing)} in this entry; add {'it' if len(missing) == 1 else 'them'}")


def _shown(value: Any, depth: int = 3) -> str:
    """A value in a message, without the YAML library's own types; what lies deeper is left out."""
    if not depth:
        return "..."
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(item, depth - 1)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item, depth - 1) for item in value) + "]"
    return "nothing" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
