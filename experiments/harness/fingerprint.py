"""Write what each stage and each system is computed with: results/code/<entry>.json, on which the stages of DVC depend.

python experiments/harness/fingerprint.py

An entry is a stage's script, or a system of params.yaml: train.py with the class of the system's kind. Its file has
the SHA-256 of the code that the entry takes from each of our modules. They are read as syntax trees, not imported.
docs/architecture.md lists what counts and what goes unnoticed.
"""

import ast
import hashlib
import json
import re
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.run_main import command_line, run_main

from harness.params import read_params
from harness.paths import RESULTS, ROOT

from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole
from bert_ner.loading import kinds

PLACES = ("{}.py", "{}/__init__.py", "experiments/{}.py", "experiments/{}/__init__.py")  # of our modules
# Scripts that compute no result of a stage, and train.py, which does so for each system.
COMMANDS = {"ablation", "benchmark", "check", "read_labels", "repro", "train", "transfer"}
TRAINING = {"search", "study"}  # scripts that train
MAIN, EVERYTHING, ALWAYS = "if __name__ == '__main__'", "*", ""  # they stand for names
UNEQUAL = ("ctx", "kind", "type_comment")  # fields of syntax trees that differ between versions of Python

IGNORED = {("bert_ner/loading.py", "KINDS")}  # a system takes its own class from it, which counts for that system
IGNORED_IN_TRAINING = IGNORED | {
    # A training reads its corpus from data/prepared, which DVC tracks. So another title retrains nothing.
    ("bert_ner/corpus/catalog.py", EVERYTHING),
    # The version is part of the signatures, not of the code; the stages that score count it.
    ("bert_ner/__init__.py", "__version__"),
    # The 8-bit copy beside the weights: the pipeline evaluates the weights themselves.
    ("bert_ner/export/export.py", EVERYTHING),
    # Records about the machine, and the progress that is shown, change no score.
    ("experiments/harness/provenance.py", "environment"),
    ("bert_ner/progress.py", EVERYTHING),
    # A new table, or a column of another one, changes no row of a study or a search.
    ("experiments/harness/tables.py", EVERYTHING),
}

Name = tuple[str, str]  # a module's path, and a name in it


class Unit(NamedTuple):
    """A top-level statement, or one name of an import."""

    text: str  # the part of it that counts
    binds: set[str]
    needs: list[Name]


def main() -> None:
    command_line(__doc__).parse_args()
    entries = fingerprints(ROOT, system_classes())
    shutil.rmtree(RESULTS / "code", ignore_errors=True)
    for entry, modules in entries.items():
        write_whole(RESULTS / "code" / f"{entry}.json", content(modules))


def system_classes() -> dict[str, str]:
    """Return the class of each system of params.yaml, as `module:Class`."""
    params = read_params()
    return {system: kinds()[params.kind(system)] for system in params.systems}


def content(modules: dict[str, str]) -> str:
    """Return the text of an entry's file."""
    return json.dumps(modules, indent=2, sort_keys=True) + "\n"


def fingerprints(root: Path, classes: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the modules of every stage and system in a checkout, as paths from its root, with their SHA-256."""
    read = cache(partial(units, root))
    found = {}
    for path in (root / "experiments").glob("*.py"):
        if path.stem not in COMMANDS:
            ignored = IGNORED_IN_TRAINING if path.stem in TRAINING else IGNORED
            found[path.stem] = reached(read, ignored, (f"experiments/{path.name}", MAIN))
    for system, location in classes.items():
        module, _, name = location.partition(":")
        wanted = imported(root, module, name)
        installed = {} if wanted else installed_package(module)
        if not installed and not any(name in unit.binds for path, _ in wanted for unit in read(path)):
            raise BertNerError(f"system '{system}': no {location} below {root}; correct KINDS in bert_ner/loading.py")
        found[system] = reached(read, IGNORED_IN_TRAINING, ("experiments/train.py", MAIN), *wanted) | installed
    return dict(sorted(found.items()))


def installed_package(module: str) -> dict[str, str]:
    """Return the SHA-256 of all source files of the installed package that has a module; nothing if there is none."""
    spec = find_spec(module.partition(".")[0])
    if spec is None:
        return {}
    folders = [Path(folder) for folder in spec.submodule_search_locations or []]
    files = [(path, folder.parent) for folder in folders for path in sorted(folder.rglob("*.py"))]
    files = files or [(path := Path(str(spec.origin)), path.parent)]
    return {f"installed: {path.relative_to(site)}": sha256_of(path) for path, site in files}


def reached(read: Callable[[str], list[Unit]], ignored: Collection[Name], *wanted: Name) -> dict[str, str]:
    """Return the modules that some names need, each with the SHA-256 of its code that counts."""
    counted: dict[str, set[int]] = defaultdict(set)
    waiting, seen = list(wanted), set(ignored)
    while waiting:
        module, name = waiting.pop()
        if not {(module, name), (module, EVERYTHING)}.isdisjoint(seen):
            continue
        seen.add((module, name))
        for number, unit in enumerate(read(module)):
            is_wanted = unit.binds - {MAIN} if name == EVERYTHING else unit.binds & {name, ALWAYS}
            if is_wanted and not any((module, bound) in ignored for bound in unit.binds):
                counted[module].add(number)
                waiting += unit.needs
    texts = {module: "\n".join(read(module)[n].text for n in sorted(numbers)) for module, numbers in counted.items()}
    return {module: hashlib.sha256(text.encode()).hexdigest() for module, text in texts.items()}


def units(root: Path, module: str) -> list[Unit]:
    """Return a module's statements: first its imports in a fixed order, then the others in theirs."""
    path = root / module
    try:
        tree = _Stripped().visit(ast.parse(path.read_bytes(), filename=str(path)))
        found = [unit for statement in tree.body for unit in _units_of(root, module, statement)]
    except (OSError, SyntaxError, ValueError) as error:
        raise BertNerError(f"{path} can't be followed: {error}") from None
    return sorted(found, key=lambda unit: unit.text if unit.text.startswith("import ") else "~")


def _units_of(root: Path, module: str, statement: ast.stmt) -> Iterator[Unit]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for source, name, bound in _imports(statement):
            yield Unit(f"import {source} {name} {bound}", {bound}, imported(root, source, name))
        return
    nodes = list(ast.walk(statement))
    needs = [(module, node.id) for node in nodes if isinstance(node, ast.Name)]
    needs += [found for node in nodes for source, name, _ in _imports(node) for found in imported(root, source, name)]
    strings = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    files = [(root / module).with_name(text) for text in strings if re.fullmatch(r"[\w-]+\.(json|txt|yaml)", text)]
    sums = "".join(f" {file.name} {sha256_of(file)}" for file in files if file.is_file())
    yield Unit(serialised(statement) + sums, _bound(statement), needs)


def imported(root: Path, module: str, name: str) -> list[Name]:
    """Return what the import of a name reaches: the name, a module that it may be, and the packages on the way."""
    parts = module.split(".")
    wanted = [(parts[:end], ALWAYS) for end in range(1, len(parts))] + [(parts, name), ([*parts, name], EVERYTHING)]
    return [
        (path, name)
        for parts, name in wanted
        for place in PLACES
        if (root / (path := place.format("/".join(parts)))).is_file()
    ]


def _imports(node: ast.AST) -> Iterator[tuple[str, str, str]]:
    """Yield the module, the name and the bound name of each import in a statement; a relative one is a ValueError."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, EVERYTHING, alias.asname or alias.name.partition(".")[0]
    if isinstance(node, ast.ImportFrom):
        if node.level:
            raise ValueError(f"'{ast.unparse(node)}' is relative; name the whole module")
        for alias in node.names:
            # `from __future__` alters how the module is compiled.
            is_bound = alias.name != EVERYTHING and node.module != "__future__"
            yield str(node.module), alias.name, (alias.asname or alias.name) if is_bound else ALWAYS


def _bound(node: ast.stmt) -> set[str]:
    """Return the name that a statement binds, and ALWAYS if it does something else."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            # A decorator may register the function in a table; Python itself calls a module's __getattr__.
            return {name, ALWAYS} if node.decorator_list or name.startswith("__") else {name}
        case ast.If() if ast.unparse(node.test) == "__name__ == '__main__'":
            return {MAIN}
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return {ALWAYS}


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


def serialised(node: Any) -> str:
    """Return a syntax tree as text that is the same on every version of Python: without positions and empty fields."""
    if isinstance(node, list):
        return f"[{','.join(map(serialised, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, ast.JoinedStr):  # into which 3.12.1 puts empty strings
        fields["values"] = [part for part in node.values if getattr(part, "value", None) != ""]
    fields = {name: value for name, value in sorted(fields.items()) if name not in UNEQUAL and value not in (None, [])}
    return f"{type(node).__name__}({','.join(f'{name}={serialised(value)}' for name, value in fields.items())})"


if __name__ == "__main__":
    run_main(main)
