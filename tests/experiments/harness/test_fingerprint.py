"""Which entries a change of the code makes stale: in small repositories of the same shape as ours, and in ours."""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from harness.fingerprint import fingerprints, serialised, system_classes
from harness.params import read_params

import pytest

from bert_ner.errors import BertNerError

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ("baselines", "bert_ner", "experiments")

FILES = '''
=== bert_ner/__init__.py
"""The library."""
__version__ = "1"
from bert_ner.loading import load
=== bert_ner/loading.py
KINDS = {
    'crf': 'baselines.crf:CRF',
    'hmm': 'baselines.hmm:HMM',
}

def tagger_class(kind):
    return KINDS[kind]

def load():
    return 1

def unused():
    return 2
=== bert_ner/corpus/__init__.py
=== bert_ner/corpus/catalog.py
CORPORA = {'a': 1}

def named(name):
    return CORPORA[name]
=== bert_ner/scoring/__init__.py
from bert_ner.scoring.scores import f1, signature
from bert_ner.scoring.uncertainty import low
=== bert_ner/scoring/scores.py
import os
import re
from bert_ner import __version__

def f1(x):
    """F1."""
    return os.sep * half(x)

def half(x):
    return x / 2  # exact

def signature():
    return __version__
=== bert_ner/scoring/uncertainty.py
def low(x):
    return x
=== baselines/__init__.py
=== baselines/crf.py
def decorator(c):
    return c

def unused():
    return 1

@decorator
class CRF:
    """A CRF."""
=== baselines/hmm.py
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from baselines.crf import CRF

class HMM:
    def fit(self) -> 'CRF':
        from baselines.viterbi import best
        return best
=== baselines/viterbi.py
def best():
    pass
=== experiments/harness/__init__.py
import sys
sys.path.insert(0, '')
=== experiments/harness/run_main.py
from bert_ner.corpus.catalog import CORPORA

def arguments():
    return list(CORPORA)
=== experiments/harness/systems.py
from bert_ner.loading import tagger_class
from bert_ner.scoring import f1
from pydantic import Field

LIMIT = Field(gt=0, description='a limit')

def build(name):
    return tagger_class(name)(f1, LIMIT)
=== experiments/train.py
from harness.run_main import arguments
from harness.systems import build

def main():
    build(arguments())

if __name__ == "__main__":
    main()
=== experiments/evaluate.py
from bert_ner import load
from bert_ner.corpus.catalog import named
from bert_ner.scoring import f1, signature
from claims import rules

def main():
    load(named(''), f1, signature, rules.RULES)

if __name__ == "__main__":
    main()
=== experiments/claims/__init__.py
from claims import rules
=== experiments/claims/rules.py
RULES = {}
def rule(f):
    RULES[f.__name__] = f
    return f

@rule
def a():
    pass
=== experiments/check.py
def main():
    pass

if __name__ == "__main__":
    main()
'''


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for file in FILES.split("\n=== ")[1:]:
        name, _, text = file.partition("\n")
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return tmp_path


CLASSES = {"crf": "baselines.crf:CRF", "hmm": "baselines.hmm:HMM"}


def changed(repository: Path, name: str, old: str, new: str) -> set[str]:
    """Return the entries whose fingerprint an edit changes."""
    before = fingerprints(repository, CLASSES)
    path = repository / name
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    after = fingerprints(repository, CLASSES)
    return {entry for entry in before.keys() | after.keys() if before.get(entry) != after.get(entry)}


def test_a_data_file_beside_a_module_counts_where_the_module_names_it(repository: Path) -> None:
    module = repository / "baselines/crf.py"
    module.write_text(f"{module.read_text()}    words = open('words.txt')\n")
    for name in ("words.txt", "other.txt"):
        (repository / "baselines" / name).write_text("a\n")
    assert changed(repository, "baselines/words.txt", "a", "b") == {"crf"}
    assert changed(repository, "baselines/other.txt", "a", "b") == set()


def test_entries_are_the_stages_and_the_systems_with_the_modules_that_they_reach(repository: Path) -> None:
    found = fingerprints(repository, CLASSES)
    assert list(found) == ["crf", "evaluate", "hmm"]
    harness = {f"experiments/harness/{name}.py" for name in ("__init__", "systems", "run_main")}
    scoring = {"bert_ner/scoring/__init__.py", "bert_ner/scoring/scores.py"}
    shared = {"experiments/train.py", "bert_ner/loading.py", *harness, *scoring}
    assert set(found["crf"]) == shared | {"baselines/crf.py"}
    assert set(found["hmm"]) == shared | {"baselines/hmm.py", "baselines/viterbi.py"}
    assert set(found["evaluate"]) == {
        "experiments/evaluate.py", "experiments/claims/__init__.py", "experiments/claims/rules.py",
        "bert_ner/__init__.py", "bert_ner/loading.py", "bert_ner/corpus/catalog.py", *scoring,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "stale"),
    [
        ("baselines/crf.py", "A CRF.", "Another docstring.", set()),
        ("bert_ner/scoring/scores.py", "# exact", "# a comment", set()),
        ("bert_ner/scoring/scores.py", "x / 2", "( x/2 )", set()),
        ("bert_ner/scoring/scores.py", "import os\nimport re\n", "import re\nimport os\n", set()),
        ("bert_ner/scoring/scores.py", "x / 2", "x / 3", {"crf", "evaluate", "hmm"}),
        ("bert_ner/scoring/scores.py", "import os", "import posix as os", {"crf", "evaluate", "hmm"}),
        ("bert_ner/scoring/uncertainty.py", "return x", "return 2 * x", set()),
        ("bert_ner/scoring/__init__.py", "import f1,", "import half as f1,", {"crf", "evaluate", "hmm"}),
        ("bert_ner/loading.py", "return 2", "return 3", set()),
        ("bert_ner/loading.py", "return 1", "return 3", {"evaluate"}),
        ("baselines/crf.py", "return c", "return 2", {"crf"}),
        ("baselines/crf.py", "return 1", "return 2", set()),
        ("baselines/viterbi.py", "pass", "return 1", {"hmm"}),
        ("baselines/hmm.py", "from baselines.crf import CRF", "from baselines import crf", set()),
        ("experiments/harness/run_main.py", "return list(CORPORA)", "return set(CORPORA)", {"crf", "hmm"}),
        ("experiments/harness/systems.py", "a limit", "another description", set()),
        ("experiments/harness/systems.py", "gt=0", "gt=1", {"crf", "hmm"}),
        ("experiments/claims/rules.py", "pass", "return 1", {"evaluate"}),
        ("experiments/check.py", "pass", "return 1", set()),
        # Ignored in a training.
        ("bert_ner/corpus/catalog.py", "'a': 1", "'a': 1, 'b': 2", {"evaluate"}),
        ("bert_ner/__init__.py", '"1"', '"2"', {"evaluate"}),
        # A new kind changes no other entry.
        ("bert_ner/loading.py", "KINDS = {", "KINDS = {\n    'new': 'baselines.new:New',", set()),
    ],
)  # fmt: skip
def test_entries_that_an_edit_makes_stale(repository: Path, name: str, old: str, new: str, stale: set[str]) -> None:
    assert changed(repository, name, old, new) == stale


def test_systems_of_a_kind_share_a_fingerprint_and_another_class_is_another(repository: Path) -> None:
    before = fingerprints(repository, CLASSES)
    after = fingerprints(repository, {"crf": CLASSES["crf"], "mine": CLASSES["hmm"], "hmm": CLASSES["crf"]})
    assert (after["crf"], after["mine"], after["hmm"]) == (before["crf"], before["hmm"], before["crf"])


def test_the_code_of_an_installed_package_counts(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "added_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("class Added: pass\n")
    (package / "features.py").write_text("A = 1\n")
    (package.parent / "added_module.py").write_text("class Added: pass\n")
    monkeypatch.syspath_prepend(package.parent)
    classes = {"package": "added_package:Added", "module": "added_module:Added"}
    before = fingerprints(repository, classes)
    (package / "features.py").write_text("A = 2\n")
    after = fingerprints(repository, classes)
    assert after["module"] == before["module"]
    assert {name for name in after["package"] if after["package"][name] != before["package"][name]} == {
        "installed: added_package/features.py"
    }


def test_a_class_that_is_not_in_the_checkout_and_a_file_that_is_not_python_are_errors(repository: Path) -> None:
    with pytest.raises(BertNerError, match=r"system .crf.: no baselines\.crf:Gone below .*; correct KINDS"):
        fingerprints(repository, {"crf": "baselines.crf:Gone"})
    (repository / "baselines/crf.py").write_text("from .viterbi import best\nCRF = 1\n")
    with pytest.raises(
        BertNerError, match=r"crf\.py can't be followed: 'from \.viterbi import best' is relative; name"
    ):
        fingerprints(repository, CLASSES)
    (repository / "baselines/crf.py").write_text("CRF = {")
    with pytest.raises(BertNerError, match=r"crf\.py can't be followed"):
        fingerprints(repository, CLASSES)


def test_every_python_gives_the_same_sum() -> None:
    # Computed with Python 3.11.7, 3.12.1 and 3.13.0, of which no two have the same ast.dump for it.
    source = r"""
@d
def f(a, /, *b, c=1, **d) -> None:
    x: int = f'{a!r:>{c}}' u'\ud800' if a else b''
    return (*b, ...), {**d}
"""
    text = serialised(ast.parse(source))
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "a2e9086b645925d0a1e5f3302ae581ebd566fbfb9a7899fb19798e60a7aa62e2"
    )
    assert serialised(ast.parse("x = None")) == "Module(body=[Assign(targets=[Name(id='x')],value=Constant())])"


def test_the_script_writes_an_entry_for_every_stage_and_system(tmp_path: Path) -> None:
    found = fingerprints(ROOT, system_classes())
    stages = {"acquire", "prepare", "evaluate", "compare", "audit", "judge", "report", "search", "study"}
    assert set(found) == stages | {"label_audit", "out_of_fold"} | set(read_params().systems)
    assert "bert_ner/encoder/training.py" in found["minilm"]
    assert "baselines/crf.py" not in found["hmm"]
    copy = tmp_path / "repository"
    for name in (*SOURCES, "corpora", "params.yaml"):
        for path in [ROOT / name] if name.endswith("yaml") else (ROOT / name).rglob("*.*"):
            if path.suffix not in {".py", ".json", ".txt", ".yaml"}:
                continue
            (copy / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy / path.relative_to(ROOT))
    code = copy / "results/code"
    code.mkdir(parents=True)
    (code / "gone.json").write_text("{}")

    subprocess.run([sys.executable, copy / "experiments/harness/fingerprint.py"], check=True, env={})
    assert {path.stem: json.loads(path.read_text()) for path in code.iterdir()} == found
