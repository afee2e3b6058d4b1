"""What an installation without extras can do, and what it says where an extra is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from installation import ROOT, copy_sources

from bert_ner.encoder.weights import ENCODERS
from bert_ner.errors import EXTRAS

GOLD = "O\tplay\nB-WORK\tsong\nI-WORK\ttwo\n\nO\tnow\nB-WORK\tthis\n\n" * 20
COMMANDS = [
    ["check", "gold.bio"],
    ["convert", "gold.bio", "gold.txt", "--to-scheme", "BIOES"],
    ["score", "gold.bio", "worse.bio"],
    ["gate", "--gold", "gold.bio", "--reference", "gold.bio", "--new", "gold.bio"],
]
LIGHT = (
    "numpy pydantic pydantic_core annotated_types typing_extensions typing_inspection ruamel tqdm bert_ner baselines"
)
# As if only the packages that are installed without extras were there.
RESTRICTED = f"""
import sys
class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if not name.startswith("_") and name.partition(".")[0] not in {{*sys.stdlib_module_names, *{LIGHT.split()}}}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Forbidden())
from bert_ner.cli import main
main()
"""
# As if these packages were not there.
WITHOUT = """
import sys
sys.modules |= dict.fromkeys({})
from bert_ner.cli import main
main()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a gold file, and predictions that miss an entity."""
    (tmp_path / "gold.bio").write_text(GOLD)
    (tmp_path / "worse.bio").write_text(GOLD.replace("B-WORK\tthis", "O\tthis", 5))
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_commands_that_need_no_extra(folder: Path, command: list[str]) -> None:
    done = run(folder, sys.executable, "-c", RESTRICTED, *command)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["export", "model", "new"], "encoder,onnx"),
        (["tag", "--model", "crf"], "crf"),
        (["tag", "--model", "model"], "encoder"),
        (["convert", "gold.bio", "gold.parquet"], "parquet"),
    ],
)
def test_a_command_names_the_extra_that_it_lacks(
    folder: Path, crf_folder: Path, arguments: list[str], extra: str
) -> None:
    shutil.copytree(crf_folder, folder / "crf")
    (folder / "model").mkdir()
    (folder / "model/config.json").write_text("{}")
    done = run(folder, sys.executable, "-c", RESTRICTED, *arguments)
    assert done.returncode == 1
    assert done.stderr.endswith(f"install it with: pip install 'bert-ner[{extra}]'\n")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "missing", "named"),
    [
        (["export", "model", "new"], "onnx", "encoder,onnx"),
        (["export", "model", "new"], "onnxscript", "encoder,onnx"),
        (["export", "model", "new"], "onnxruntime", "onnx"),
        (["export", "model", "new"], "torch transformers", "encoder"),
        (["tag", "--model", "crf"], "pycrfsuite sklearn_crfsuite", "crf"),
        (["tag", "--model", "model"], "torch transformers", "encoder"),
        (["tag-files", "--model", "crf", "gold.bio", "new"], "ray", "cluster"),
    ],
)
def test_a_command_names_each_extra_that_alone_is_missing(
    folder: Path, crf_folder: Path, arguments: list[str], missing: str, named: str
) -> None:
    shutil.copytree(crf_folder, folder / "crf")
    (folder / "model").mkdir()
    (folder / "model/config.json").write_text("{}")
    (folder / "gold.parquet").write_bytes(b"PAR1")
    done = run(folder, sys.executable, "-c", WITHOUT.format(missing.split()), *arguments)
    assert done.returncode == 1
    assert done.stderr.endswith(f"install it with: pip install 'bert-ner[{named}]'\n"), done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "gold.parquet"],
        ["convert", "gold.parquet", "gold.txt"],
        ["convert", "gold.bio", "gold.parquet"],
        ["score", "gold.bio", "gold.parquet"],
        ["gate", "--gold", "gold.parquet", "--new", "gold.bio", "--save", "saved.json"],
        ["tag", "gold.parquet", "--model", "crf"],
    ],
    ids=" ".join,
)
def test_every_command_names_the_extra_for_parquet(folder: Path, crf_folder: Path, arguments: list[str]) -> None:
    shutil.copytree(crf_folder, folder / "crf")
    if arguments[0] != "convert" or arguments[1] == "gold.parquet":
        (folder / "gold.parquet").write_bytes(b"PAR1")
    done = run(folder, sys.executable, "-c", WITHOUT.format(["pyarrow"]), *arguments)
    message = "gold.parquet: Parquet takes pyarrow; install it with: pip install 'bert-ner[parquet]'\n"
    if arguments[0] == "check":  # what is wrong with each file, and then how many fail
        assert (done.stdout, done.stderr) == (message, "bert-ner: 1 of 1 file fails; the lines above say why\n")
    else:
        assert (done.stdout, done.stderr) == ("", f"bert-ner: {message}")
    assert done.returncode == (2 if arguments[0] == "gate" else 1)


@pytest.mark.parametrize("script", ["check.py", "evaluate.py", "repro.py", "report.py"])
def test_a_script_names_the_extra_of_the_pipeline(folder: Path, script: str) -> None:
    path = ROOT / "experiments" / script
    code = f"""
import runpy, sys
sys.modules["pandas"] = None
sys.path.insert(0, {str(path.parent)!r})
sys.argv[:] = [{str(path)!r}, "--help"]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    done = run(folder, sys.executable, "-c", code)
    remedy = "install all that the pipeline needs with: make .venv/ready, or pip install -e '.[pipeline]'"
    assert (done.returncode, done.stderr) == (1, f"{script}: pandas is not installed; {remedy}\n")
    assert "\nREADY := $(VENV)/ready\n" in (ROOT / "Makefile").read_text()
    assert "\n$(READY): requirements.lock" in (ROOT / "Makefile").read_text()


def test_every_encoder_is_listed_without_the_hub_s_client(folder: Path) -> None:
    done = run(folder, sys.executable, "-c", RESTRICTED, "encoders")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(ENCODERS)
    assert "huggingface_hub is not installed; install it with: pip install 'bert-ner[encoder]'" in done.stdout


def test_extras_that_messages_name_are_in_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert {name for names in EXTRAS.values() for name in names.split(",")} <= set(extras)
    assert {"parquet", "crf", "encoder", "onnx", "pipeline", "cluster", "dev"} <= set(extras)
    names = {re.split(r"[\[><=]", requirement)[0].replace(".", "_") for requirement in project["dependencies"]}
    assert names == {"numpy", "pydantic", "ruamel_yaml", "tqdm"}


@pytest.mark.slow
def test_the_wheel_alone_checks_converts_scores_and_gates(folder: Path) -> None:
    source = copy_sources(folder / "source")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    built = run(folder, *pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "wheels", str(source))
    assert built.returncode == 0, built.stderr
    [wheel] = (folder / "wheels").glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    installed = run(folder, "env/bin/python", "-m", "pip", "install", str(wheel))
    if "No matching distribution found" in installed.stderr:
        pytest.skip("needs a package registry")
    assert installed.returncode == 0, installed.stderr
    packages = run(folder, "env/bin/python", "-m", "pip", "list", "--format=freeze").stdout.splitlines()
    assert len(packages) < 15, packages
    size = sum(path.stat().st_size for path in (folder / "env").rglob("*") if path.is_file())
    assert size < 200e6
    for command in COMMANDS:
        done = run(folder, "env/bin/bert-ner", *command)
        assert (done.returncode, done.stderr) == (0, ""), command
