"""Keep the old names of things that moved, with a warning, for one release."""

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def moved(module: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a `__getattr__` for a module that some names have left.

    `places` maps each to its new "module:name", or to "module:function()" if the function returns its value.
    """

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        new_module, _, new_name = places[name].partition(":")
        message = f"{module}.{name} is now {new_module}.{new_name}; the old name goes with the next release"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        found = getattr(importlib.import_module(new_module), new_name.removesuffix("()"))
        return found() if new_name.endswith("()") else found

    return find
