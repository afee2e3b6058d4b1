"""Files of a toy system for `bert-ner gate`: a gold file and runs that miss a share of its entities."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

Gate = Callable[..., tuple[int, str]]  # from arguments to the exit status and the output

SENTENCES = [[("play", "O"), ("song", "B-WORK"), (str(i), "I-WORK"), ("now", "O")] for i in range(200)]


def write(path: Path, share_wrong: float, seed: int, **replaced: str) -> str:
    """Write the tags of a system that misses a share of the entities."""
    draw = random.Random(seed)
    path.parent.mkdir(exist_ok=True)
    rows = []
    for sentence in SENTENCES:
        is_missed = draw.random() < share_wrong
        rows += [f"{'O' if is_missed else tag}\t{replaced.get(word, word)}\n" for word, tag in sentence] + ["\n"]
    path.write_text("".join(rows), encoding="utf-8")
    return path.name


def runs(folder: str, number: int = 5) -> list[str]:
    """Return the names of the first runs in a folder."""
    return [f"{folder}/{seed}.bio" for seed in range(number)]
