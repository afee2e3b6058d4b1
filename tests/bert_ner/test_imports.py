"""The import graph of the library and the baselines: one direction, no circle, nothing heavy where it is not used."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("bert_ner", "baselines")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def imports(module: str) -> set[str]:
    """Return the modules of this repository that a module imports, also in functions and for type checks."""
    found = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import"
            found |= {
                submodule if (submodule := f"{node.module}.{alias.name}") in FILES else str(node.module)
                for alias in node.names
                if alias.name != "__version__"
            }
    return found & FILES.keys()


GRAPH = {module: imports(module) for module in FILES}


def test_no_circle() -> None:
    TopologicalSorter(GRAPH).prepare()  # raises CycleError with the circle


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        (
            "bert_ner.corpus",
            {
                f"bert_ner.{name}"
                for name in ("corpus", "deprecated", "errors", "files", "settings", "wording", "yaml_files")
            },
        ),
        ("bert_ner.model_folder", {"bert_ner.deprecated", "bert_ner.errors", "bert_ner.files"}),
    ],
)
def test_leaves_import_leaves(folder: str, allowed: set[str]) -> None:
    for module, found in GRAPH.items():
        if module == folder or module.startswith(f"{folder}."):
            assert all(any(name == each or name.startswith(f"{each}.") for each in allowed) for name in found), module


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("baselines", "bert_ner"),
        ("bert_ner.export", "bert_ner.encoder"),
        ("bert_ner.loading", "bert_ner.encoder"),
        ("bert_ner.loading", "bert_ner.export"),
        ("bert_ner.loading", "bert_ner.scoring"),
        ("bert_ner.encoder", "bert_ner.scoring"),
    ],
)
def test_imports_point_one_way(above: str, below: str) -> None:
    for module, found in GRAPH.items():
        if module == below or module.startswith(f"{below}."):
            assert not any(name == above or name.startswith(f"{above}.") for name in found), module


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("bert_ner", "numpy"),
        ("bert_ner.cli", "torch transformers onnxruntime numpy huggingface_hub bert_ner.encoder.weights"),
        ("bert_ner.progress", "torch"),
        ("baselines.crf", "torch transformers"),
        ("baselines.hmm", "torch transformers sklearn_crfsuite"),
        ("bert_ner.export.tagger", "torch transformers onnx"),
    ],
)
def test_heavy_packages_are_loaded_only_where_used(module: str, absent: str) -> None:
    code = f"import sys, {module}; sys.exit(' '.join({set(absent.split())} & sys.modules.keys()) or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
