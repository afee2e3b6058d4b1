"""No loaded file can run code, and no user's text reaches a shell: the source has no call that could do so."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [
    path for folder in ("bert_ner", "baselines", "experiments") for path in sorted((ROOT / folder).rglob("*.py"))
]

# Modules that run code from files, or pass text to a shell.
IMPORTS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "pty", "yaml"}
CALLS = {
    "eval", "exec", "compile", "__import__", "execfile",
    "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell",
    "torch.load", "torch.hub.load", "joblib.load", "pandas.read_pickle", "pd.read_pickle", "runpy.run_path",
}  # fmt: skip
# Methods of any object that unpack an archive without checking its paths.
METHODS = {"extractall", "unpack_archive"}
# Values that an argument must not have, and values that it must have.
FORBIDDEN = {"shell": True, "trust_remote_code": True, "allow_pickle": True, "verify": False, "weights_only": False}
REQUIRED = {"use_safetensors": True, "autoescape": True}
SAFE_YAML = {"safe", "rt"}  # of ruamel.yaml

# Modules that exchange pickles or tar archives with processes that they start themselves, through pipes and Ray's
# memory: never from a file.
BETWEEN_PROCESSES = {
    "baselines/crf_workers.py": "import of pickle",
    "bert_ner/scale/actors.py": "import of pickle",
    "bert_ner/scale/runs.py": "call of tar.extractall",
    "bert_ner/scale/tagging.py": "import of pickle",
}


def complaints(text: str) -> list[str]:
    """Return what a module must not contain, each with its line."""
    found = []
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(node.module or "").partition(".")[0]]
            names += [alias.name for alias in node.names if f"{node.module}.{alias.name}" in CALLS]
            found += [f"{node.lineno}: import of {name}" for name in names if f"{node.module}.{name}" in CALLS]
        found += [f"{node.lineno}: import of {name}" for name in names if name in IMPORTS]
        if isinstance(node, ast.Call):
            found += [f"{node.lineno}: {complaint}" for complaint in call_complaints(node)]
    return found


def call_complaints(node: ast.Call) -> list[str]:
    """Return what is wrong with a call."""
    name = ast.unparse(node.func)
    last = name.rpartition(".")[2]
    found = [f"call of {name}"] if name in CALLS or last in METHODS else []
    for argument in node.keywords:
        value = argument.value.value if isinstance(argument.value, ast.Constant) else ...
        if argument.arg in FORBIDDEN and value is FORBIDDEN[argument.arg]:
            found.append(f"{name} with {argument.arg}={value}")
        if argument.arg in REQUIRED and value is not REQUIRED[argument.arg]:
            found.append(f"{name} without {argument.arg}=True")
    kind = next((a.value.value for a in node.keywords if a.arg == "typ" and isinstance(a.value, ast.Constant)), None)
    if last == "YAML" and kind not in SAFE_YAML:
        found.append(f"{name} that is not of a safe type")
    if last == "from_pretrained" and not any(a.arg in ("trust_remote_code", None) for a in node.keywords):
        found.append(f"{name} that does not refuse remote code")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_can_run_code_from_files(path: Path) -> None:
    found = [complaint.partition(": ")[2] for complaint in complaints(path.read_text(encoding="utf-8"))]
    allowed = BETWEEN_PROCESSES.get(path.relative_to(ROOT).as_posix())
    assert found == ([allowed] if allowed else [])


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads",
        "import yaml",
        "from os import system",
        "from torch import load",
        "eval(x)",
        "exec(x)",
        "os.system('ls')",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "pd.read_pickle(path)",
        "np.load(path, allow_pickle=True)",
        "subprocess.run(command, shell=True)",
        "archive.extractall(folder)",
        "YAML()",
        "YAML(typ='unsafe')",
        "AutoModel.from_pretrained(name)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "AutoModel.from_pretrained(name, use_safetensors=None, trust_remote_code=False)",
        "Environment(autoescape=False)",
        "requests.get(url, verify=False)",
    ],
)
def test_each_danger_is_found(text: str) -> None:
    assert complaints(text)


def test_pages_escape_their_input() -> None:
    """Require autoescape wherever pages are made; tests of the report try hostile words."""
    makers = [
        path for path in SOURCES if "Environment(" in path.read_text(encoding="utf-8") and "jinja2" in path.read_text()
    ]
    assert makers
    for path in makers:
        assert "autoescape=True" in path.read_text(encoding="utf-8")
