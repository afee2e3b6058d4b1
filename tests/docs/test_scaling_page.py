"""The examples of docs/scaling.md for other engines run; each is skipped where its engine is not installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from baselines.majority import MajorityTagger
from bert_ner.corpus.bio import Sentence
from bert_ner.scoring import entity_f1

ROOT = Path(__file__).resolve().parents[2]
SNIPPETS = dict(re.findall(r"^```python (\w+)\n(.*?)^```", (ROOT / "docs/scaling.md").read_text(), re.M | re.S))
NEEDS = {"spark": ("pyspark", "java"), "dask": ("dask.dataframe", "python3")}


@pytest.mark.slow  # each starts an engine
@pytest.mark.parametrize("engine", NEEDS)
def test_a_snippet_tags(engine: str, tmp_path: Path) -> None:
    package, program = NEEDS[engine]
    pytest.importorskip(package)
    if not shutil.which(program):
        pytest.skip(f"{package} needs {program}")
    sentence = Sentence(["who", "directed", "titanic"], ["O", "O", "B-TITLE"])
    tagger = MajorityTagger(MajorityTagger.Settings(), scoring=entity_f1, labels=("O", "B-TITLE"))
    tagger.fit([sentence], [sentence])
    tagger.save(tmp_path)
    shown = 'print("ANSWERS", result.to_json(orient="records"))'
    script = f"MODEL = {str(tmp_path)!r}\n{SNIPPETS[engine]}\nif True:\n    {shown}\n"
    (tmp_path / "snippet.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(
        [sys.executable, tmp_path / "snippet.py"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("ANSWERS ")]
    first, second = json.loads(line.removeprefix("ANSWERS "))
    assert (first["id"], second["id"]) == (1, 2)
    assert json.loads(first["answer"])["words"] == ["who", "directed", "titanic"]
    assert [entity["text"] for entity in json.loads(first["answer"])["entities"]] == ["titanic"]
