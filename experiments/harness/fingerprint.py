"""What each stage and each system is computed with: results/code/<entry>.json, on which the stages in dvc.yaml depend.

python experiments/fingerprint.py

An entry is a stage's script, or a system, which is train.py with that one system. Its file has, for each of our modules
that the entry can reach through imports, the SHA-256 of what it takes from that module, so that what can't alter a
result retrains nothing. Nothing is imported for it: the syntax trees are read.

- Comments, layout, docstrings, the order of imports and what stands under TYPE_CHECKING don't count.
- Of a module, the top-level statements count that the names taken from it need, and always those that bind no name or
  have a decorator. So a new function changes nothing until it is used, and a new system no other system.
- What NOT_FOR_TRAINING names does not count for what trains, for the reason given there.

It does not notice other files (dvc.yaml lists data, templates and claims.yaml itself), installed packages (see
results/provenance.json), a class that is looked up by name while the program runs (load_tagger's: the class that
trained the model, so a change of it trains that model anew), or what importing a module does to another one beside
defining names. After such a change: dvc repro --force.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from harness.paths import RESULTS, ROOT
from harness.run_main import run_main

from bert_ner.errors import BertNerError
from bert_ner.files import write_whole

SOURCES = ("", "experiments")  # the folders that our modules are imported from
DRIVERS = {"check", "fingerprint", "repro"}  # scripts that compute no result
TRAIN, TABLE, SYSTEMS = "experiments/train.py", "experiments/systems.py", "SYSTEMS"
MAIN, EVERYTHING = "if __name__ == '__main__'", "*"

TRAINING = {"train", "study"}
NOT_FOR_TRAINING = {
    # A training reads its corpus from data/prepared, which DVC tracks; so a new corpus retrains nothing.
    ("bert_ner/corpus/catalog.py", "CORPORA"),
    # A release is no change of the code. It is part of the signatures, so what scores without training does count it.
    ("bert_ner/__init__.py", "__version__"),
    # The 8-bit copy beside the weights: the pipeline evaluates the weights themselves.
    ("bert_ner/encoder/onnx.py", "export_tagger"),
    # What is noted about the machine goes into no score.
    ("experiments/provenance.py", "environment"),
}


class Import(NamedTuple):
    """A name from one of our modules, or the module whole."""

    module: str
    name: str


class Unit(NamedTuple):
    """A top-level statement, or one name of an import."""

    text: str  # what of it counts
    binds: frozenset[str]  # none: it always counts
    uses: frozenset[str]
    imports: tuple[Import, ...]


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    ).parse_args()
    folder = RESULTS / "code"
    files = {folder / f"{entry}.json": content(modules) for entry, modules in fingerprints(ROOT).items()}
    for path in sorted(set(folder.glob("*.json")) - set(files)):
        path.unlink()
        print(f"{path.stem}: is no more")
    for path, text in files.items():
        # One that says the same is left alone, with its time.
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)
            print(f"{path.stem}: new or changed")


def content(modules: dict[str, str]) -> str:
    """The file of an entry."""
    return json.dumps(modules, indent=2, sort_keys=True) + "\n"


def fingerprints(root: Path) -> dict[str, dict[str, str]]:
    """Every stage's and every system's modules, as paths relative to `root`, with their SHA-256.

    Raises:
        BertNerError: a file is no Python, or the table of systems is not one that can be read.
    """
    scripts = sorted((root / "experiments").glob("*.py"))
    source = Source(root)
    stages = [path for path in scripts if source.has_main(path) and path.stem not in DRIVERS | {"train"}]
    found = {path.stem: source.reached(path) for path in stages}
    without = Source(root).reached(root / TRAIN)
    for system in source.systems():
        found[system] = Source(root, system).reached(root / TRAIN)
        if found[system].keys() == without.keys():
            raise BertNerError(
                f"{TABLE}: no module of system '{system}' is found; its entry in {SYSTEMS} must call what it imports"
            )
    return dict(sorted(found.items()))


class Source:
    """The modules below a folder, with a table of systems that has one system or, for what takes any, none."""

    def __init__(self, root: Path, system: str | None = None) -> None:
        self.root, self.system = root, system
        self._units: dict[Path, list[Unit]] = {}

    def reached(self, script: Path) -> dict[str, str]:
        """The modules that running a script can reach, each with the SHA-256 of what counts of it."""
        ignored = NOT_FOR_TRAINING if script.stem in TRAINING else set()
        kept: dict[Path, set[int]] = {}
        waiting, seen = [(script, MAIN)], set()
        while waiting:
            path, name = waiting.pop()
            if (path, name) in seen or (self._relative(path), name) in ignored:
                continue
            seen.add((path, name))
            of_module = kept.setdefault(path, set())
            for number, unit in enumerate(self.units(path)):
                is_wanted = not unit.binds or name in unit.binds or (name == EVERYTHING and MAIN not in unit.binds)
                if not is_wanted or number in of_module:
                    continue
                if ignored and any((self._relative(path), bound) in ignored for bound in unit.binds):
                    continue
                of_module.add(number)
                waiting += [(path, used) for used in unit.uses]
                waiting += [target for wanted in unit.imports for target in self._targets(wanted)]
        return {
            self._relative(path): hashlib.sha256("\n".join(texts).encode()).hexdigest()
            for path, numbers in sorted(kept.items())
            if (texts := [unit.text for number, unit in enumerate(self.units(path)) if number in numbers])
        }

    def has_main(self, script: Path) -> bool:
        return any(MAIN in unit.binds for unit in self.units(script))

    def systems(self) -> list[str]:
        """The names in the table of systems."""
        return list(_named_items(_table(self._tree(self.root / TABLE))))

    def units(self, path: Path) -> list[Unit]:
        """The module's statements: first its imports, whose order is the formatter's, then the others in theirs."""
        if path not in self._units:
            tree = self._tree(path)
            if path == self.root / TABLE:
                table = _table(tree)
                items = _named_items(table)
                table.keys, table.values = (
                    ([ast.Constant(self.system)], [items[self.system]]) if self.system else ([], [])
                )
            package = path.parent.relative_to(self.root).as_posix().replace("/", ".")
            units = [unit for statement in tree.body for unit in _units_of(statement, package)]
            imports = [unit for unit in units if unit.text.startswith("import ")]
            self._units[path] = sorted(imports) + [unit for unit in units if unit not in imports]
        return self._units[path]

    def _tree(self, path: Path) -> ast.Module:
        try:
            tree = ast.parse(path.read_bytes(), filename=str(path))
        except (OSError, SyntaxError, ValueError) as error:
            raise BertNerError(f"{path} is no Python that can be read: {error}") from None
        return _Stripped().visit(tree)  # type: ignore[no-any-return]

    def _targets(self, wanted: Import) -> Iterator[tuple[Path, str]]:
        """What an import reaches: the module's name, and each package on the way, which Python runs, too."""
        parts = wanted.module.split(".")
        for end in range(1, len(parts)):
            if package := self._find(parts[:end]):
                yield package, ""
        module, submodule = self._find(parts), self._find([*parts, wanted.name])
        is_bound = module and any(wanted.name in unit.binds for unit in self.units(module))
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

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


class _Stripped(ast.NodeTransformer):
    """A tree without docstrings (or other strings that are statements) and without what only type checkers see."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING") else node


def _table(tree: ast.Module) -> ast.Dict:
    tables = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) and SYSTEMS in _bound(node)]
    for table in (node.value for node in tables):
        if isinstance(table, ast.Dict) and all(isinstance(key, ast.Constant) for key in table.keys):
            return table
    raise BertNerError(f"{TABLE}: {SYSTEMS} must be a dict that is written out, with names in quotes as its keys")


def _named_items(table: ast.Dict) -> dict[str, ast.expr]:
    return {key.value: value for key, value in zip(table.keys, table.values, strict=True)}  # type: ignore[union-attr]


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
    """The names that a statement binds, if that is all it does."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        # A decorator can enter what it decorates in a table; __getattr__ is called unasked.
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
    """A syntax tree as text that is the same on every version of Python.

    Without positions, without empty fields, of which each version has others, and without the empty strings that 3.12.1
    puts into f-strings.
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
