"""Write what each stage and each system is computed with: results/code/<entry>.json, on which the stages of DVC depend.

python experiments/harness/fingerprint.py

An entry is a stage's script, or a system of params.yaml: train.py with the class of the system's kind. Its file has
the SHA-256 of the code that the entry takes from each of our modules. The modules are read as syntax trees and not
imported.

- Comments, layout, docstrings, a field's description, the order of imports and code under TYPE_CHECKING do not count.
- Of a module, the top-level statements count that the imported names need. Statements that bind no name, or have a
  decorator, always count. So a new function changes nothing until it is used, and a new system changes no other.
- Code that IGNORED names does not count, for the reason given there.

These changes go unnoticed; run dvc repro --force after one:
- in other files (pipeline/dvc.yaml lists data, templates and claims.yaml itself);
- in installed packages (results/provenance.json has their versions);
- in a class that is looked up while the program runs, as load_tagger does (a change of it trains its models again);
- in the effects that the import of one module has on another.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.params import read_params
from harness.paths import RESULTS, ROOT
from harness.run_main import run_main

from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.loading import KINDS

SOURCES = ("", "experiments")  # the folders that our modules are imported from
TRAIN = "experiments/train.py"
COMMANDS = {"check", "repro"}  # scripts that compute no result
MAIN, EVERYTHING = "if __name__ == '__main__'", "*"

IGNORED = {("bert_ner/loading.py", "KINDS")}  # a system takes its own class from it, which counts for that system
TRAINING = {"train", "study"}
IGNORED_IN_TRAINING = IGNORED | {
    # A training reads its corpus from data/prepared, which DVC tracks. So a new corpus retrains nothing.
    ("bert_ner/corpus/catalog.py", "CORPORA"),
    # The version is part of the signatures, not of the code; the stages that score count it.
    ("bert_ner/__init__.py", "__version__"),
    # The 8-bit copy beside the weights: the pipeline evaluates the weights themselves.
    ("bert_ner/export/export.py", EVERYTHING),
    # Records about the machine, and the progress that is shown, change no score.
    ("experiments/harness/provenance.py", "environment"),
    ("bert_ner/progress.py", EVERYTHING),
}


class Import(NamedTuple):
    """A name from one of our modules, or the whole module."""

    module: str
    name: str


class Unit(NamedTuple):
    """A top-level statement, or one name of an import."""

    text: str  # the part of it that counts
    binds: frozenset[str]  # none: it always counts
    uses: frozenset[str]
    imports: tuple[Import, ...]


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    ).parse_args()
    folder = RESULTS / "code"
    entries = fingerprints(ROOT, system_classes())
    files = {folder / f"{entry}.json": content(modules) for entry, modules in entries.items()}
    for path in sorted(set(folder.glob("*.json")) - set(files)):
        path.unlink()
        print(f"{path.stem}: removed")
    for path, text in files.items():
        # An unchanged file keeps its time.
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)
            print(f"{path.stem}: new or changed")


def system_classes() -> dict[str, str]:
    """Return the class of each system of params.yaml, as `module:Class`."""
    params = read_params()
    return {system: KINDS[params.kind(system)] for system in params.systems}


def content(modules: dict[str, str]) -> str:
    """Return the text of an entry's file."""
    return json.dumps(modules, indent=2, sort_keys=True) + "\n"


def fingerprints(root: Path, classes: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the modules of every stage and system, as paths relative to `root`, with their SHA-256.

    Args:
        root: the checkout whose code is read.
        classes: the class of each system, as `module:Class`.

    Raises:
        BertNerError: a file can't be parsed, or a class is not in the checkout.
    """
    source = Source(root)
    stages = [path for path in (root / "experiments").glob("*.py") if path.stem not in COMMANDS | {"train"}]
    found = {path.stem: source.reached(path) for path in stages if source.has_main(path)}
    for system, location in classes.items():
        module, _, name = location.partition(":")
        tagger = Import(module, name)
        if not source.binds(tagger):
            raise BertNerError(f"system '{system}': no {location} below {root}; correct KINDS in bert_ner/loading.py")
        found[system] = source.reached(root / TRAIN, tagger)
    return dict(sorted(found.items()))


class Source:
    """The modules below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._units: dict[Path, list[Unit]] = {}

    def reached(self, script: Path, *imports: Import) -> dict[str, str]:
        """Return the modules that a script and these imports reach, each with the SHA-256 of its code that counts."""
        ignored = IGNORED_IN_TRAINING if script.stem in TRAINING else IGNORED
        counted: dict[Path, set[int]] = {}
        waiting = [(script, MAIN), *(target for wanted in imports for target in self._targets(wanted))]
        seen = set()
        while waiting:
            path, name = waiting.pop()
            if (path, name) in seen or self._is_ignored(path, name, ignored):
                continue
            seen.add((path, name))
            numbers = counted.setdefault(path, set())
            for number, unit in enumerate(self.units(path)):
                is_wanted = not unit.binds or name in unit.binds or (name == EVERYTHING and MAIN not in unit.binds)
                if not is_wanted or number in numbers:
                    continue
                if any(self._is_ignored(path, bound, ignored) for bound in unit.binds):
                    continue
                numbers.add(number)
                waiting += [(path, used) for used in unit.uses]
                waiting += [target for wanted in unit.imports for target in self._targets(wanted)]
        return {
            self._relative(path): hashlib.sha256("\n".join(texts).encode()).hexdigest()
            for path, numbers in sorted(counted.items())
            if (texts := [unit.text for number, unit in enumerate(self.units(path)) if number in numbers])
        }

    def has_main(self, script: Path) -> bool:
        """Return whether a module is a script."""
        return any(MAIN in unit.binds for unit in self.units(script))

    def binds(self, wanted: Import) -> bool:
        """Return whether a module is here and binds a name."""
        module = self._find(wanted.module.split("."))
        return module is not None and any(wanted.name in unit.binds for unit in self.units(module))

    def units(self, path: Path) -> list[Unit]:
        """Return the module's statements: first its imports in a fixed order, then the others in theirs."""
        if path not in self._units:
            package = path.parent.relative_to(self.root).as_posix().replace("/", ".")
            units = [unit for statement in _tree(path).body for unit in _units_of(statement, package)]
            imports = [unit for unit in units if unit.text.startswith("import ")]
            self._units[path] = sorted(imports) + [unit for unit in units if unit not in imports]
        return self._units[path]

    def _targets(self, wanted: Import) -> Iterator[tuple[Path, str]]:
        """Yield what an import reaches: the module's name, and each package on the way, which Python runs, too."""
        parts = wanted.module.split(".")
        for end in range(1, len(parts)):
            if package := self._find(parts[:end]):
                yield package, ""
        module, submodule = self._find(parts), self._find([*parts, wanted.name])
        is_bound = self.binds(wanted)
        if module:
            yield module, "" if submodule and not is_bound else wanted.name if is_bound else EVERYTHING
        if submodule and not is_bound:
            yield submodule, EVERYTHING

    def _find(self, parts: list[str]) -> Path | None:
        for folder in SOURCES:
            base = self.root.joinpath(folder, *parts)
            for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
                if path.is_file():
                    return path
        return None

    def _is_ignored(self, path: Path, name: str, ignored: set[tuple[str, str]]) -> bool:
        module = self._relative(path)
        return (module, name) in ignored or (module, EVERYTHING) in ignored

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def _tree(path: Path) -> ast.Module:
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError) as error:
        raise BertNerError(f"{path} is not Python: {error}") from None
    return _Stripped().visit(tree)  # type: ignore[no-any-return]


class _Stripped(ast.NodeTransformer):
    """Removes docstrings, other constants that are statements, descriptions, and code for type checkers alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == "Field":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING") else node


def _units_of(node: ast.stmt, package: str) -> Iterator[Unit]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias, wanted in zip(node.names, _imports(node, package), strict=True):
            # `import a.b` binds a.
            bound = alias.asname or (alias.name if isinstance(node, ast.ImportFrom) else alias.name.split(".")[0])
            binds = frozenset() if alias.name == EVERYTHING else frozenset([bound])
            text = f"import {wanted.module} {wanted.name} {alias.asname or ''}"
            # `from __future__` alters how the module is compiled.
            yield Unit(text, frozenset() if wanted.module == "__future__" else binds, frozenset(), (wanted,))
        return
    inside = list(ast.walk(node))
    imports = [i for each in inside if isinstance(each, ast.Import | ast.ImportFrom) for i in _imports(each, package)]
    uses = frozenset(each.id for each in inside if isinstance(each, ast.Name))
    yield Unit(serialised(node), frozenset(_bound(node)), uses, tuple(imports))


def _imports(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, EVERYTHING) for alias in node.names)
        return
    base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    yield from (Import(module, alias.name) for alias in node.names)


def _bound(node: ast.stmt) -> list[str]:
    """Return the names that a statement binds; none if it does something else, too."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        # A decorator may register the function in a table; Python itself calls a module's __getattr__.
        return [] if node.decorator_list or node.name.startswith("__") else [node.name]
    if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
        return [MAIN]
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = [name for target in targets for name in (target.elts if isinstance(target, ast.Tuple) else [target])]
    are_names = all(isinstance(name, ast.Name) for name in names)
    return [name.id for name in names if isinstance(name, ast.Name)] if are_names else []


def serialised(node: Any) -> str:
    """Return a syntax tree as text that is the same on every version of Python.

    It has no positions, no empty fields (each version has others), and not the empty strings that 3.12.1 puts into
    f-strings.
    """
    if isinstance(node, list):
        return f"[{','.join(map(serialised, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [f"{name}={serialised(value)}" for name, value in sorted(_fields(node))]
    return f"{type(node).__name__}({','.join(fields)})"


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    for name, value in ast.iter_fields(node):
        if isinstance(node, ast.JoinedStr):
            value = [part for part in value if not (isinstance(part, ast.Constant) and part.value == "")]  # noqa: PLW2901
        if value is not None and value != [] and name not in ("ctx", "kind", "type_comment"):
            yield name, value


if __name__ == "__main__":
    run_main(main)
