"""What a change of the code makes stale: small repositories of the same shape as ours, and ours."""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import sys
from pathlib import Path

from harness.fingerprint import fingerprints, serialised
from harness.systems import SYSTEMS

import pytest

from bert_ner.errors import BertNerError

ROOT = Path(__file__).resolve().parents[2]

FILES = '''
=== bert_ner/__init__.py
"""The library."""
__version__ = "1"
from bert_ner.loading import load
=== bert_ner/tagger.py
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
from bert_ner.scoring.doubt import low
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
=== bert_ner/scoring/doubt.py
def low(x):
    return x
=== baselines/__init__.py
=== baselines/crf.py
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
=== experiments/pipeline.py
from bert_ner.corpus.catalog import CORPORA

def arguments():
    return list(CORPORA)
=== experiments/systems.py
from baselines.crf import CRF
from baselines.hmm import HMM
from bert_ner.scoring import f1

SYSTEMS = {
    'crf': lambda: CRF(f1),
    'hmm': lambda: HMM(),
}

def build(name):
    return SYSTEMS[name]()
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
import rules

def main():
    load(named(''), f1, signature, rules.RULES)

if __name__ == "__main__":
    main()
=== experiments/rules.py
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


def changed(repository: Path, name: str, old: str, new: str) -> set[str]:
    """The entries whose fingerprint an edit changes."""
    before = fingerprints(repository)
    path = repository / name
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    after = fingerprints(repository)
    return {entry for entry in before.keys() | after.keys() if before.get(entry) != after.get(entry)}


def test_entries_are_the_stages_and_the_systems_with_what_they_reach(repository: Path) -> None:
    found = fingerprints(repository)
    assert list(found) == ["crf", "evaluate", "hmm"]
    shared = {"experiments/train.py", "experiments/systems.py", "experiments/pipeline.py"}
    scoring = {"bert_ner/scoring/__init__.py", "bert_ner/scoring/scores.py"}
    assert set(found["crf"]) == shared | scoring | {"baselines/crf.py"}
    assert set(found["hmm"]) == shared | {"baselines/hmm.py", "baselines/viterbi.py"}
    assert set(found["evaluate"]) == {
        "experiments/evaluate.py", "experiments/rules.py", "bert_ner/__init__.py", "bert_ner/tagger.py",
        "bert_ner/corpus/catalog.py", *scoring,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "stale"),
    [
        ("baselines/crf.py", "A CRF.", "Another docstring.", set()),
        ("bert_ner/scoring/scores.py", "# exact", "# a comment", set()),
        ("bert_ner/scoring/scores.py", "x / 2", "( x/2 )", set()),
        ("bert_ner/scoring/scores.py", "import os\nimport re\n", "import re\nimport os\n", set()),
        ("bert_ner/scoring/scores.py", "x / 2", "x / 3", {"crf", "evaluate"}),
        ("bert_ner/scoring/scores.py", "import os", "import posix as os", {"crf", "evaluate"}),
        ("bert_ner/scoring/doubt.py", "return x", "return 2 * x", set()),
        ("bert_ner/scoring/__init__.py", "import f1,", "import half as f1,", {"crf", "evaluate"}),
        ("bert_ner/tagger.py", "return 2", "return 3", set()),
        ("bert_ner/tagger.py", "return 1", "return 3", {"evaluate"}),
        ("baselines/viterbi.py", "pass", "return 1", {"hmm"}),
        ("baselines/hmm.py", "from baselines.crf import CRF", "from baselines import crf", set()),
        ("experiments/pipeline.py", "return list(CORPORA)", "return set(CORPORA)", {"crf", "hmm"}),
        ("experiments/rules.py", "pass", "return 1", {"evaluate"}),
        ("experiments/check.py", "pass", "return 1", set()),
        # What a training doesn't take from the code.
        ("bert_ner/corpus/catalog.py", "'a': 1", "'a': 1, 'b': 2", {"evaluate"}),
        ("bert_ner/__init__.py", '"1"', '"2"', {"evaluate"}),
        # A new system, or another setting of one, is its own affair.
        ("experiments/systems.py", "SYSTEMS = {", "SYSTEMS = {\n    'crf2': lambda: CRF(),", {"crf2"}),
        ("experiments/systems.py", "HMM()", "HMM(1)", {"hmm"}),
        ("experiments/systems.py", "SYSTEMS[name]()", "SYSTEMS[name]", {"crf", "hmm"}),
    ],
)  # fmt: skip
def test_what_an_edit_makes_stale(repository: Path, name: str, old: str, new: str, stale: set[str]) -> None:
    assert changed(repository, name, old, new) == stale


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("SYSTEMS = dict(crf=CRF)", "SYSTEMS must be a dict that is written out"),
        ("SYSTEMS = {'crf': 'baselines.crf:CRF'}", "no module of system 'crf' is found"),
        ("SYSTEMS = {", "is no Python that can be read"),
    ],
)
def test_a_table_that_cannot_be_followed_is_an_error(repository: Path, new: str, message: str) -> None:
    (repository / "experiments/systems.py").write_text(f"from baselines.crf import CRF\nbuild = 1\n{new}\n")
    with pytest.raises(BertNerError, match=message):
        fingerprints(repository)


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


def test_ours_are_of_every_system_and_the_script_writes_them(tmp_path: Path) -> None:
    found = fingerprints(ROOT)
    assert set(SYSTEMS) < set(found)
    assert {"acquire", "prepare", "evaluate", "compare", "audit", "judge", "report", "study"} < set(found)
    assert "bert_ner/encoder/training.py" not in found["crf"]
    assert "baselines/crf.py" in found["crf"]
    for folder in ("bert_ner", "baselines", "experiments"):
        for path in (ROOT / folder).rglob("*.py"):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    code = tmp_path / "results/code"
    code.mkdir(parents=True)
    (code / "gone.json").write_text("{}")

    def run() -> str:
        command = [sys.executable, tmp_path / "experiments/fingerprint.py"]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}
        ).stdout

    assert "gone: is no more" in run()
    assert {path.stem: json.loads(path.read_text()) for path in code.iterdir()} == found
    assert run() == ""
