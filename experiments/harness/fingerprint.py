"""Write what each stage and each system is computed with: results/code/<entry>.json, on which the stages of DVC depend.

python experiments/harness/fingerprint.py

An entry is a stage's script, or a system of params.yaml: train.py with the class of the system's kind. Its file has
the SHA-256 of the code that the entry takes from each of our modules, which are read as syntax trees and not imported.

- Comments, layout, docstrings, a field's description, the order of imports and code under TYPE_CHECKING do not count.
- Of a module, the top-level statements count that the imported names need. Statements that bind no name, or have a
  decorator, always count. So a new function changes nothing until it is used, and a new system changes no other.
- A data file in a module's folder (JSON, YAML or text) counts with each statement that names it.

These changes go unnoticed; run dvc repro --force after one:
- in other files (pipeline/dvc.yaml lists data, templates and claims.yaml itself);
- in installed packages (results/provenance.json has their versions);
- in a class that is looked up while the program runs, as load_tagger does (a change of it trains its models again);
- in the effects that the import of one module has on another.
"""

import ast
import hashlib
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.params import read_params
from harness.paths import RESULTS, ROOT
from harness.run_main import command_line, run_main

from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole
from bert_ner.loading import KINDS

SOURCES = ("", "experiments/")  # the folders that our modules are imported from
COMMANDS = {"check", "repro", "train"}  # scripts that compute no result, and train.py, which does so for each system
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


Import = tuple[str, str]  # a module, and one of its names or EVERYTHING


class Unit(NamedTuple):
    """A top-level statement, or one name of an import."""

    text: str  # the part of it that counts
    binds: frozenset[str]  # none: it always counts
    uses: frozenset[str]
    imports: tuple[Import, ...]


def main() -> None:
    command_line(__doc__).parse_args()
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
    """Return the modules of every stage and system in a checkout, as paths from its root, with their SHA-256."""
    source = Source(root)
    scripts = {path.stem: f"experiments/{path.name}" for path in sorted((root / "experiments").glob("*.py"))}
    found = {name: source.reached(script) for name, script in scripts.items() if name not in COMMANDS}
    for system, location in classes.items():
        module, _, name = location.partition(":")
        if not source.binds(module, name):
            raise BertNerError(f"system '{system}': no {location} below {root}; correct KINDS in bert_ner/loading.py")
        found[system] = source.reached(scripts["train"], (module, name))
    return dict(sorted(found.items()))


class Source:
    """The modules below a folder, each named by its path from there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._units: dict[str, list[Unit]] = {}

    def reached(self, script: str, *imports: Import) -> dict[str, str]:
        """Return the modules that a script and these imports reach, each with the SHA-256 of its code that counts."""
        ignored = IGNORED_IN_TRAINING if Path(script).stem in TRAINING else IGNORED
        counted: dict[str, set[int]] = defaultdict(set)
        waiting, seen = [(script, MAIN), *self._targets(imports)], set()
        while waiting:
            module, name = waiting.pop()
            if (module, name) in seen or {(module, name), (module, EVERYTHING)} & ignored:
                continue
            seen.add((module, name))
            for number, unit in enumerate(self.units(module)):
                is_wanted = not unit.binds or name in unit.binds or (name == EVERYTHING and MAIN not in unit.binds)
                is_ignored = any((module, bound) in ignored for bound in unit.binds)
                if is_wanted and not is_ignored and number not in counted[module]:
                    counted[module].add(number)
                    waiting += [(module, used) for used in unit.uses]
                    waiting += self._targets(unit.imports)
        texts = {module: [self.units(module)[n].text for n in sorted(numbers)] for module, numbers in counted.items()}
        return {name: hashlib.sha256("\n".join(lines).encode()).hexdigest() for name, lines in texts.items() if lines}

    def binds(self, module: str, name: str) -> bool:
        """Return whether a module is here and binds a name."""
        path = self._find(module)
        return path is not None and any(name in unit.binds for unit in self.units(path))

    def units(self, module: str) -> list[Unit]:
        """Return a module's statements: first its imports in a fixed order, then the others in theirs."""
        if module not in self._units:
            path = self.root / module
            try:
                tree = _Stripped().visit(ast.parse(path.read_bytes(), filename=str(path)))
                units = [
                    unit._replace(text=unit.text + _data_files(path.parent, statement))
                    for statement in tree.body
                    for unit in _units_of(statement)
                ]
            except (OSError, SyntaxError, ValueError) as error:
                raise BertNerError(f"{path} can't be followed: {error}") from None
            imports = [unit for unit in units if unit.text.startswith("import ")]
            self._units[module] = sorted(imports) + [unit for unit in units if unit not in imports]
        return self._units[module]

    def _targets(self, imports: Iterable[Import]) -> Iterator[tuple[str, str]]:
        """Yield what imports reach: a module's name, and each package on the way, which Python runs, too."""
        for module, name in imports:
            is_name = self.binds(module, name)
            target = module if is_name or not self._find(f"{module}.{name}") else f"{module}.{name}"
            parts = target.split(".")
            for end in range(1, len(parts)):
                if package := self._find(".".join(parts[:end])):
                    yield package, ""
            if path := self._find(target):
                yield path, name if is_name else EVERYTHING

    def _find(self, module: str) -> str | None:
        """Return the path of one of our modules."""
        bases = [f"{folder}{module.replace('.', '/')}" for folder in SOURCES]
        paths = [f"{base}{end}" for base in bases for end in ("/__init__.py", ".py")]
        return next((path for path in paths if (self.root / path).is_file()), None)


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


def _data_files(folder: Path, node: ast.stmt) -> str:
    """Return the SHA-256 of each data file in the module's folder that a statement names."""
    strings = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)]
    names = [text for text in strings if isinstance(text, str) and re.fullmatch(r"[\w-]+\.(json|txt|yaml)", text)]
    return "".join(f" {name} {sha256_of(folder / name)}" for name in names if (folder / name).is_file())


def _units_of(node: ast.stmt) -> Iterator[Unit]:
    if not isinstance(node, ast.Import | ast.ImportFrom):
        imports = tuple(wanted for inner in ast.walk(node) for _, wanted in _imports(inner))
        uses = frozenset(inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))
        yield Unit(serialised(node), frozenset(_bound(node)), uses, imports)
        return
    for alias, (module, name) in _imports(node):
        # `import a.b` binds a.
        bound = alias.asname or (alias.name if isinstance(node, ast.ImportFrom) else alias.name.split(".")[0])
        # `from __future__` alters how the module is compiled.
        is_bound = alias.name != EVERYTHING and module != "__future__"
        text = f"import {module} {name} {alias.asname or ''}"
        yield Unit(text, frozenset([bound] if is_bound else []), frozenset(), ((module, name),))


def _imports(node: ast.AST) -> list[tuple[ast.alias, Import]]:
    """Return the names that an import statement imports; a relative one is a ValueError."""
    if isinstance(node, ast.Import):
        return [(alias, (alias.name, EVERYTHING)) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        if node.level:
            raise ValueError(f"'{ast.unparse(node)}' is relative; name the whole module")
        return [(alias, (str(node.module), alias.name)) for alias in node.names]
    return []


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
    """Return a syntax tree as text that is the same on every version of Python: without positions and empty fields."""
    if isinstance(node, list):
        return f"[{','.join(map(serialised, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [f"{name}={serialised(value)}" for name, value in sorted(_fields(node))]
    return f"{type(node).__name__}({','.join(fields)})"


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    for name, value in ast.iter_fields(node):
        if isinstance(node, ast.JoinedStr):  # into which 3.12.1 puts empty strings
            value = [part for part in value if not (isinstance(part, ast.Constant) and part.value == "")]  # noqa: PLW2901
        if value is not None and value != [] and name not in ("ctx", "kind", "type_comment"):
            yield name, value


if __name__ == "__main__":
    run_main(main)
