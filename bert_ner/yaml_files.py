"""Read YAML files into pydantic models; an error names the file and the line."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from bert_ner.errors import BertNerError
from bert_ner.settings import Location, Model, complaints

MAX_BYTES = 2**20


def read_yaml(path: Path, model: type[Model]) -> Model:
    """Read and check a file."""
    node = load_yaml(path)
    try:
        return model.model_validate(plain(node))
    except ValidationError as error:
        lines = [f"{path}, line {line_of(node, where)}: {text}" for where, text in complaints(error, model)]
        raise BertNerError("\n".join(lines)) from None


def load_yaml(path: Path) -> Any:
    """Load a file with the lines of its keys, by the library that DVC uses (PyYAML takes 3e-05 for a word)."""
    remedy = "correct it, or take the one in the repository"
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise BertNerError(f"{path} has {size:,} bytes, more than the limit of {MAX_BYTES:,}; {remedy}")
        return YAML(typ="rt", pure=True).load(path)
    except YAMLError as error:
        raise BertNerError(f"{path} is not YAML: {error}; {remedy}") from None
    # The last three come from ruamel.yaml, for example where a list is a key.
    except (OSError, ValueError, RecursionError, TypeError, AttributeError, LookupError) as error:
        raise BertNerError(f"{path} can't be read: {error}; {remedy}") from None


def line_of(node: Any, where: Location) -> int:
    """Return the line of a key or list item, from 1 on: a merged key's in its anchor, a missing one's mapping's."""
    line = 1
    for part in where:
        holder = _holder(node, part)
        if holder is None:  # pydantic's name of a union's member, or a missing key
            continue
        line = int(holder.lc.data[part][0]) + 1
        node = node[part]
    return line


def plain(node: Any, done: dict[int, Any] | None = None) -> Any:
    """Return the content without the YAML library's own types; merged keys come first, as DVC has them.

    An alias shares the value of its anchor, by `done`: copies would let nine short lines fill the memory.
    """
    done = {} if done is None else done
    if id(node) in done:
        return done[id(node)]
    if isinstance(node, dict):
        merged = [key for anchor in _merged(node) for key in plain(anchor, done)]
        value: Any = {plain(key, done): plain(node[key], done) for key in [*merged, *node]}
    elif isinstance(node, list):
        value = [plain(item, done) for item in node]
    else:
        return next((kind(node) for kind in (bool, int, float, str) if isinstance(node, kind)), node)
    done[id(node)] = value
    return value


def _holder(node: Any, key: str | int) -> Any:
    """Return the mapping or list in which a key or position is written, the node or one that it merges; or None."""
    if isinstance(node, CommentedMap | CommentedSeq) and key in (node.lc.data or {}):
        return node
    return next((holder for merged in _merged(node) if (holder := _holder(merged, key)) is not None), None)


def _merged(node: Any) -> list[Any]:
    return list(node.merge) if isinstance(node, CommentedMap) else []
