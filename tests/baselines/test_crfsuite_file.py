"""Damaged model files of CRFsuite: a message or a right load, but never the end of the process."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from baselines.crf import CRFSettings, CRFTagger
from baselines.crfsuite_file import check_model
from bert_ner.corpus.sample import generate
from bert_ner.scoring import entity_f1

# Loads and uses each file named, and prints a line for each.
CHILD = """
import sys
from pathlib import Path
from baselines.crf import CRFTagger
for name in sys.argv[1:]:
    try:
        tagger = CRFTagger.load(Path(name))
        words = ["show", "films", "with", "orla", "quist", "from", "the", "1990s"]
        assert len(tagger.tag([words])[0]) == len(tagger.tag_scored([words])[0]) == 8
        assert tagger.parameters
        print("loaded", flush=True)
    except (ValueError, RuntimeError) as error:
        print(type(error).__name__, error, flush=True)
"""


@pytest.fixture(scope="module")
def model() -> bytes:
    sentences, _ = generate()
    tagger = CRFTagger(CRFSettings(c1=[0.1], c2=[0.1], max_iterations=5), scoring=entity_f1)
    tagger.fit(sentences[:60], sentences[60:70])
    return tagger.model


def load_each(models: list[bytes], folder: Path) -> list[str]:
    """Return what a process of its own prints of each model; fail if a signal ends it."""
    for i, content in enumerate(models):
        (folder / str(i)).mkdir()
        (folder / str(i) / "model.crfsuite").write_bytes(content)
    folders = [str(folder / str(i)) for i in range(len(models))]
    done = subprocess.run([sys.executable, "-c", CHILD, *folders], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_a_model_cut_anywhere_is_named(model: bytes, tmp_path: Path) -> None:
    ends = [0, 4, 47, 48, 49, 60, *(len(model) * i // 24 for i in range(1, 24)), len(model) - 1]
    cut = [model[:end] for end in ends]
    same_size = [content + bytes(len(model) - len(content)) for content in cut]
    claimed = [model[:4] + struct.pack("<I", end) + model[8:end] for end in ends[2:]]
    printed = load_each([model, *cut, *same_size[:-1], *claimed], tmp_path)
    assert printed[0] == "loaded"
    assert all("the model is not as CRFsuite writes it" in line for line in printed[1 : len(cut) + 1])
    assert "loaded" not in printed[1:]


def test_a_flipped_bit_never_ends_the_process(model: bytes, tmp_path: Path) -> None:
    draw = random.Random(1)
    offsets = struct.unpack_from("<8I", model, 16)[3:]
    places = [*range(48), *(at + i for at in offsets for i in range(0, 40, 4)), *draw.sample(range(len(model)), 300)]
    flipped = [model[:at] + bytes([model[at] ^ 1 << draw.randrange(8)]) + model[at + 1 :] for at in places]
    printed = load_each(flipped, tmp_path)
    assert len(printed) == len(flipped)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1e300])
def test_a_weight_without_a_best_path_is_refused(model: bytes, weight: float) -> None:
    at = struct.unpack_from("<I", model, 28)[0] + 12 + 12
    with pytest.raises(ValueError, match="its weights"):
        check_model(model[:at] + struct.pack("<d", weight) + model[at + 8 :])
