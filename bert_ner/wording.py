"""Word messages: numbers with their nouns, and options as the reader of the message would write them.

An option has one name and three spellings: `--docstart` in a command, `docstart=True` in Python and `docstart: true` in
the YAML file of a corpus. Python's is the default; a caller with another spelling sets it by `options_as`.
"""

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Spelling = Callable[[str, object], str]  # of an option's name and its value, None for any value
# Options of `bert-ner score` that in Python belong to a Reading of their own, under the names that they have there.
_IN_PYTHON = {"predicted_scheme": "scheme", "predicted_column": "tag_column"}


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number and its noun, such as `1 sentence` or `2,000 sentences`; the plural is by default with an s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def as_argument(name: str, value: object) -> str:
    """Spell an option as an argument in Python."""
    name = _IN_PYTHON.get(name, name)
    return name if value is None else f"{name}={value!r}"


def as_flag(name: str, value: object) -> str:
    """Spell an option as on the command line."""
    flag = f"--{name.replace('_', '-')}"
    if value is None or value is True:
        return flag
    return f"{flag} {shlex.quote(','.join(value) if isinstance(value, tuple) else str(value))}"


def as_key(name: str, value: object) -> str:
    """Spell an option as a key of a YAML file."""
    return name if value is None else f"{name}: {json.dumps(value)}"


_spelling: ContextVar[Spelling] = ContextVar("spelling", default=as_argument)


def option(name: str, value: object = None) -> str:
    """Return an option for a message, with a value if one is meant."""
    return _spelling.get()(name, value)


@contextmanager
def options_as(spelling: Spelling) -> Iterator[None]:
    """Spell the options in messages in another way, while the context lasts."""
    token = _spelling.set(spelling)
    try:
        yield
    finally:
        _spelling.reset(token)
