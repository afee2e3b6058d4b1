"""docs/formats.md and README's commands on files, followed to the letter."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
INPUTS = ROOT / "tests/bert_ner/corpus/inputs"
BLOCK = re.compile(r"(?:`(\S+)`:\n\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to be in, with this checkout's `bert-ner` on the path."""
    program = tmp_path / "bin" / "bert-ner"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom bert_ner.cli import main\n\nmain()\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def output_of(commands: str) -> str:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_page(folder: Path) -> None:
    output = ""
    for file, language, content in BLOCK.findall((ROOT / "docs/formats.md").read_text(encoding="utf-8")):
        if file:
            (folder / file).write_text(content, encoding="utf-8")
        elif language == "sh":
            output = output_of(content)
        elif language == "python":
            exec(content, {})
        else:
            assert output == content


@pytest.mark.slow
def test_the_readme(folder: Path, crf_folder: Path) -> None:
    shutil.copytree(crf_folder, folder / "models/mit_movie_eng/crf-0")
    for ours, name in [
        ("conll2003_gold.txt", "conll2003.txt"),
        ("bioes.txt", "bioes.txt"),
        ("hf_ids.json", "films.json"),
    ]:
        shutil.copy(INPUTS / ours, folder / name)
    (folder / "questions.txt").write_text(
        "Who directed \u201cThe Lost Island\u201d, with Dana Lee?\n", encoding="utf-8"
    )
    section = (
        (ROOT / "README.md").read_text(encoding="utf-8").partition("## Scoring your own files")[2].partition("\n## ")[0]
    )
    [commands] = [content for _, _, content in BLOCK.findall(section)]
    output = output_of(commands.partition("\n\n")[2])  # the first ones need files of the reader's
    assert len(re.findall(r"sentences? (?:is|are) right", output)) == 4
    assert output.count("entity_f1 ") == 4
    assert (folder / "tagged.bio").read_text(encoding="utf-8").startswith("Who\tO\ndirected\tO\n\u201c\tO\nThe\t")


def test_the_python_of_the_readme(folder: Path, crf_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for system in ("minilm-13", "crf-0"):
        shutil.copytree(crf_folder, folder / "models/mit_movie_eng" / system)
    prepared = folder / "data/prepared/mit_movie_eng/test.bio"
    prepared.parent.mkdir(parents=True)
    prepared.write_text("by O\nada B-PERSON\nbrook I-PERSON\n\n" * 6, encoding="utf-8")
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Use from Python")[2]
    names: dict[str, Any] = {}
    exec(section.partition("```python\n")[2].partition("```")[0], names)
    assert "PERSON" in capsys.readouterr().out
    interval = names["bootstrap"](names["a"], gold=names["gold"])["entity_f1"]
    assert 0 <= interval.low <= interval.high <= 1  # not nan, as for fewer sentences
