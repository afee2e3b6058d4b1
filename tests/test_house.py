"""The plan of the house: sizes of files, directions of imports, names, and plain words."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAX_LINES, MAX_README = 400, 200
# A regular expression, so that this file does not match itself.
PRIVATE_WORDS = re.compile(r"\b(an[e]w|who[e]ver|be h[a]d|tells? ap[a]rt)\b", re.IGNORECASE)
PROSE = {".py", ".md", ".yaml", ".yml", ".toml", ".html", ".js", ".cff"}
# What each part may import of the library's own modules. A part that is not listed may import anything below it.
MAY_IMPORT = {
    "bert_ner/corpus/": (
        "bert_ner/corpus/",
        "bert_ner/deprecated.py",
        "bert_ner/errors.py",
        "bert_ner/files.py",
        "bert_ner/settings.py",
        "bert_ner/wording.py",
        "bert_ner/yaml_files.py",
    ),
    "bert_ner/encoder/": (  # neither the export nor the scoring
        "bert_ner/corpus/",
        "bert_ner/deprecated.py",
        "bert_ner/encoder/",
        "bert_ner/errors.py",
        "bert_ner/files.py",
        "bert_ner/model_folder.py",
        "bert_ner/progress.py",
        "bert_ner/settings.py",
        "bert_ner/tagger.py",
        "bert_ner/unfinished.py",
        "bert_ner/wording.py",
    ),
    "bert_ner/model_folder.py": ("bert_ner/errors.py", "bert_ner/files.py"),
    "bert_ner/scoring/": (
        "bert_ner/__init__.py",  # has the version
        "bert_ner/corpus/",
        "bert_ner/errors.py",
        "bert_ner/files.py",
        "bert_ner/markdown.py",
        "bert_ner/scoring/",
        "bert_ner/settings.py",
        "bert_ner/wording.py",
    ),
    "bert_ner/": ("bert_ner/",),
    "baselines/": ("bert_ner/", "baselines/"),
}
ABOVE_LOADING = {"bert_ner/__init__.py", "bert_ner/cli.py"}  # bert_ner/scale/ may load taggers, too


def tracked_files() -> list[str]:
    """List the files of the project that people write, relative to its root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted(name for name in names if name and not name.startswith("results/") and (ROOT / name).is_file())


FILES = tracked_files()
MODULES = [
    name for name in FILES if name.endswith(".py") and name.startswith(("bert_ner/", "baselines/", "experiments/"))
]
SCRIPTS = [name for name in MODULES if re.fullmatch(r"experiments/\w+\.py", name)]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def file_of(module: str) -> str | None:
    """Return the file of a module, which is found from the root or from experiments/; None for other libraries."""
    path = module.replace(".", "/")
    places = [f"{folder}{path}{end}" for folder in ("", "experiments/") for end in (".py", "/__init__.py")]
    return next((place for place in places if place in MODULES), None)


def imported_by(name: str) -> set[str]:
    """Return the project's files that a file imports anywhere in it, functions and TYPE_CHECKING blocks included."""
    package = Path(name).parent.as_posix().replace("/", ".")
    modules: set[str] = set()
    for node in ast.walk(ast.parse(text_of(name))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = ".".join(filter(None, (package if node.level else "", node.module)))
            submodules = {f"{source}.{alias.name}" for alias in node.names}
            found = {module for module in submodules if file_of(module)}
            modules |= found | (set() if found == submodules else {source})
    return {file for file in map(file_of, modules) if file}


IMPORTS = {name: imported_by(name) for name in MODULES}


def test_no_file_is_too_long() -> None:
    names = [name for name in FILES if name.endswith((".py", ".md")) and name != "LOG.md"]
    lines = {name: len(text_of(name).splitlines()) for name in names}
    limits = {name: MAX_README if name == "README.md" else MAX_LINES for name in names}
    wrong = [f"{name} has {lines[name]} lines, {limits[name]} allowed" for name in names if lines[name] > limits[name]]
    assert not wrong, "\n".join(["move parts of them to files of their own:", *wrong])


def test_no_import_circle() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(f"these files import each other in a circle: {' -> '.join(reversed(error.args[1]))}")


def test_imports_point_one_way() -> None:
    wrong = []
    for name, targets in IMPORTS.items():
        allowed = next((parts for folder, parts in MAY_IMPORT.items() if name.startswith(folder)), ("",))
        wrong += [f"{name} imports {target}" for target in sorted(targets) if not target.startswith(allowed)]
        is_above = name in ABOVE_LOADING or name.startswith(("bert_ner/scale/", "baselines/", "experiments/"))
        if "bert_ner/loading.py" in targets and not is_above:
            wrong.append(f"{name} imports bert_ner/loading.py, the top of the library")
    assert not wrong, "\n".join(wrong)


def test_no_module_imports_a_stage() -> None:
    wrong = [f"{name} imports {target}" for name in MODULES for target in sorted(IMPORTS[name] & set(SCRIPTS))]
    assert not wrong, "\n".join(["move what they share to a package of experiments/:", *wrong])


def test_no_two_files_of_experiments_share_a_base_name() -> None:
    by_stem = defaultdict(list)
    for name in MODULES:
        if name.startswith("experiments/") and not name.endswith("__init__.py"):
            by_stem[Path(name).stem].append(name)
    assert not [names for names in by_stem.values() if len(names) > 1]


def test_the_tree_in_the_docs_has_every_module_and_no_other() -> None:
    tree = text_of("docs/architecture.md").partition("## The tree")[2]
    listed = set(re.findall(r"\w+\.py\b", tree))
    modules = {Path(name).name for name in MODULES if not Path(name).name.startswith("__")}
    assert listed == modules


def test_prose_uses_plain_words() -> None:
    wrong = [
        f"{name}:{number}: '{match[0]}'"
        for name in FILES
        if Path(name).suffix in PROSE and name != "LOG.md"
        for number, line in enumerate(text_of(name).splitlines(), start=1)
        for match in PRIVATE_WORDS.finditer(line)
    ]
    assert not wrong, "\n".join(["say it in plain English:", *wrong])


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_of_a_script_loads_neither_torch_nor_transformers(name: str, tmp_path: Path) -> None:
    code = (
        "import atexit, runpy, sys; sys.path.insert(0, sys.argv[1]); sys.argv[:] = sys.argv[2:];"
        "atexit.register(lambda: print('LOADED:', *sorted({'torch', 'transformers'} & set(sys.modules))));"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", code, str(ROOT / "experiments"), str(ROOT / name), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
    assert done.stdout.splitlines()[-1] == "LOADED:"
