"""Each example of `bert-ner tag` shows its real output; that takes the systems that `make repro` trains."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRAINED = [ROOT / "models/mit_movie_eng" / run for run in ("minilm-13", "crf-0")]
# A command that pipes a query into `bert-ner tag`, and the lines up to the next command or the end of the block.
EXAMPLE = re.compile(r"^\$ (echo .* \| bert-ner tag.*)\n((?:(?!\$ |```).*\n)+)", re.MULTILINE)
EXAMPLES = {
    command: output
    for page in ("README.md", "docs/tagging.md")
    for command, output in EXAMPLE.findall((ROOT / page).read_text(encoding="utf-8"))
}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.skipif(not all(folder.is_dir() for folder in TRAINED), reason="make repro has not trained them here")
@pytest.mark.parametrize("command", EXAMPLES)
def test_an_example_shows_its_output(command: str) -> None:
    program = command.replace("bert-ner", f"{sys.executable} -m bert_ner")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    if not done.stdout.startswith("{"):
        assert done.stdout == EXAMPLES[command]
        return
    (ours, scores), (shown, shown_scores) = map(without_scores, (done.stdout, EXAMPLES[command]))
    assert ours == shown
    assert scores == pytest.approx(shown_scores, abs=0.02)  # processors differ


def without_scores(line: str) -> tuple[Any, list[float]]:
    """Return a record without the scores of its entities, and these."""
    record = json.loads(line)
    return record, [entity.pop("score") for entity in record["entities"]]
