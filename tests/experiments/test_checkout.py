"""A script imports the code of its own checkout, and its --help imports neither torch nor transformers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "experiments").glob("*.py"))]
SCRIPTS.append("experiments/harness/fingerprint.py")

# For each script, what its --help has imported: the heavy libraries, and the folders of our packages.
PROBE = """
import contextlib, io, json, runpy, sys
from pathlib import Path

plain, found = list(sys.path), {}
for script in sys.argv[1:]:
    ours = ("bert_ner", "baselines", *(path.stem for path in Path("experiments").rglob("*")))
    for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
        del sys.modules[name]
    sys.path[:] = [str(Path(script).resolve().parent), *plain]
    sys.argv = [script, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as end:
            assert not end.code, end
    found[script] = {
        "help": shown.getvalue(),
        "heavy": [name for name in ("torch", "transformers", "onnx", "onnxruntime") if name in sys.modules],
        "imported": [sys.modules["bert_ner"].__file__, sys.modules["harness"].__file__],
    }
import baselines
found["baselines"] = baselines.__file__
print(json.dumps(found))
"""

# Where the processes that train a CRF import our packages from.
WORKERS = """
import sys
sys.path.insert(0, "experiments")
import harness
from baselines.crf_workers import compute

print(*compute(eval, [("__import__('baselines.crf').crf.__file__",)]))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the files of Git; the environment has another checkout installed."""
    folder = tmp_path_factory.mktemp("checkout") / "repository"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py", "*.yaml", "bert_ner/*"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def python(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_help_imports_this_checkout_and_no_heavy_library(copy: Path) -> None:
    found = json.loads(python(copy, "-c", PROBE, *SCRIPTS))
    assert Path(found["baselines"]).is_relative_to(copy)
    for script in SCRIPTS:
        assert "usage:" in found[script]["help"]
        assert found[script]["heavy"] == [], script
        for path in found[script]["imported"]:
            assert Path(path).is_relative_to(copy), script


def test_a_stage_and_the_processes_that_it_starts_run_this_checkout(copy: Path) -> None:
    (copy / "bert_ner/corpus/sample.py").write_text("raise SystemExit('the copy')")
    with pytest.raises(AssertionError, match="the copy"):
        python(copy, "experiments/acquire.py", "--corpus", "sample")
    for path in python(copy, "-c", WORKERS).split():
        assert Path(path).is_relative_to(copy)
