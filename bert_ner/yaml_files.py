"""Read YAML files into pydantic models; an error names the file and the line."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from bert_ner.errors import BertNerError
from bert_ner.settings import Location, Model, complaints

# A file at all three limits takes about a second. Ours are far below them.
MAX_BYTES, MAX_VALUES, MAX_DEPTH = 2**16, 10_000, 40


class _BoundedComposer(Composer):
    """Composes the values of a file, and refuses more than the limits before anything is made of them."""

    def __init__(self, loader: YAML) -> None:
        super().__init__(loader)
        self.values = 0  # an alias counts as often as what it stands for, so that a merge does, too
        self.sizes: dict[str | None, int] = {}  # by anchor

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a value and those in it."""
        event, before = self.parser.peek_event(), self.values
        is_alias = isinstance(event, AliasEvent)
        self.values += self.sizes.get(event.anchor, 0) if is_alias else 1
        if self.values > MAX_VALUES or self.depth >= MAX_DEPTH:
            limits = f"more than {MAX_VALUES:,} values, aliases resolved, or than {MAX_DEPTH} levels"
            raise ComposerError(None, None, limits, event.start_mark)
        if is_alias:
            return super().compose_node(parent, index)
        self.sizes[event.anchor] = MAX_VALUES  # while it is open: an alias to it in it has no end
        node = super().compose_node(parent, index)
        self.sizes[event.anchor] = self.values - before
        return node


def read_yaml(path: Path, model: type[Model]) -> Model:
    """Read and check a file."""
    content = load_yaml(path)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise located(error, model, path) from None


def located(error: ValidationError, model: type[Model], path: Path, section: Location = ()) -> BertNerError:
    """Return the error as one with file and lines; `section` leads to the part of the file that was checked."""
    found = complaints(error, model)
    return BertNerError("\n".join(at_line(path, (*section, *where), section, text) for where, text in found))


def at_line(path: Path, where: Location, section: Location, text: str) -> str:
    """Return a text about a key or list item with its file, line and section."""
    name = ".".join(map(str, section))
    return f"{path}, line {line_of(path, where)}: {name}{': ' if name else ''}{text}"


def load_yaml(path: Path, with_lines: bool = False) -> Any:
    """Load a file by the library that DVC uses (PyYAML takes 3e-05 for a word); merged keys come first, as in DVC."""
    loader = YAML(typ="rt", pure=True) if with_lines else YAML(typ="safe", pure=True)
    loader.Composer = _BoundedComposer  # type: ignore[assignment] # mypy infers that of the default
    remedy = "correct it, or take the one in the repository"
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise BertNerError(f"{path} has {size:,} bytes, more than the limit of {MAX_BYTES:,}; {remedy}")
        return loader.load(path)
    except YAMLError as error:
        if isinstance(error, MarkedYAMLError):
            error.note = None  # tells programmers how to allow a key twice
        raise BertNerError(f"{path} is not YAML: {error}; {remedy}") from None
    # The last three come from ruamel.yaml, for example where a list is a key.
    except (OSError, ValueError, RecursionError, TypeError, AttributeError, LookupError) as error:
        raise BertNerError(f"{path} can't be read: {error}; {remedy}") from None


def line_of(path: Path, where: Location) -> int:
    """Return the line of a key or list item, from 1 on: a merged key's in its anchor, a missing one's mapping's."""
    node, line = load_yaml(path, with_lines=True), 1
    for part in where:
        holder = _holder(node, part)
        if holder is not None:  # else a missing key, or pydantic's name of a union's member
            line, node = int(holder.lc.data[part][0]) + 1, node[part]
    return line


def _holder(node: Any, key: str | int) -> Any:
    """Return the mapping or list in which a key or position is written, the node or one that it merges; or None."""
    if isinstance(node, CommentedMap | CommentedSeq) and key in (node.lc.data or {}):
        return node
    merged = node.merge if isinstance(node, CommentedMap) else []
    return next((holder for each in merged if (holder := _holder(each, key)) is not None), None)
