"""A repository that is not this one: a test set, a toy tagger, and the predictions of five of its seeds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from installation import ROOT

TAGGER = """\
import random
import sys

LEXICON = {"paris", "rome", "oslo", "lima"}
draw = random.Random(int(sys.argv[1]))
for line in open("test.bio"):
    tag, _, word = line.rstrip("\\n").partition("\\t")
    if word:
        is_entity = word in LEXICON and draw.random() < 0.9
        print("B-CITY" if is_entity else "O", word, sep="\\t")
    else:
        print()
"""


def make_repository(folder: Path) -> Path:
    """Make the repository, and return its folder."""
    folder.mkdir()
    cities = ["paris", "rome", "oslo", "lima"]
    sentences = [f"O\tto\nB-CITY\t{cities[i % 4]}\nO\tno{i}\n\n" for i in range(100)]
    (folder / "test.bio").write_text("".join(sentences))
    (folder / "tagger.py").write_text(TAGGER)
    predict(folder, "reference", range(5))
    return folder


def predict(folder: Path, name: str, seeds: Iterable[int]) -> None:
    """Write a file of predictions for each seed into a new folder of the repository."""
    (folder / name).mkdir()
    for seed in seeds:
        command = [sys.executable, "tagger.py", str(seed)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        (folder / name / f"{seed}.bio").write_text(done.stdout)


def break_the_tagger(folder: Path) -> None:
    """Let the tagger miss a quarter of the entities."""
    path = folder / "tagger.py"
    path.write_text(path.read_text().replace('"oslo", ', ""))


def write_program(path: Path) -> None:
    """Write the command `bert-ner` of this checkout, as if it were installed."""
    path.parent.mkdir(parents=True)
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bert_ner.cli import main; main()"
    path.write_text(f'#!/bin/sh\nexec \'{sys.executable}\' -c "{code}" "$@"\n')
    path.chmod(0o755)
