"""A file that is cut or has a flipped bit is recognised by its sum, and the error names it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from harm import TRAIN_ENCODER, contents, publish, untimed
from publisher import Server
from workplace import Workplace

from bert_ner import load_tagger
from bert_ner.errors import BertNerError

Damage = Callable[[bytes], bytes]


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


DAMAGES = [cut, flipped]
ENCODER, CRF = "models/sample/minilm-13", "models/sample/crf-0"
READ = {  # a script -> the files that it reads, each with the remedy if it is damaged
    "evaluate.py": {
        f"{ENCODER}/model.safetensors": "train",
        f"{ENCODER}/config.json": "train",
        f"{ENCODER}/tokenizer.json": "train",
        f"{CRF}/model.crfsuite": "train",
        "data/prepared/sample/test.bio": "run python experiments/prepare.py",
    },
    "prepare.py": {"data/raw/sample/sampletest.bio": "run python experiments/acquire.py"},
    "train.py --system crf": {"data/prepared/sample/train.bio": "run python experiments/prepare.py"},
    "compare.py": {
        "results/sample/predictions/crf-0.tags": "run python experiments/evaluate.py",
        "data/parts/sample/test.txt": "run python experiments/prepare.py",
    },
    "report.py": {"results/sample/predictions/minilm-13.tags": "run python experiments/evaluate.py"},
}


@pytest.mark.parametrize(
    "script", [pytest.param(script, marks=[] if script == "prepare.py" else pytest.mark.slow) for script in READ]
)
def test_damaged_input_of_a_stage(place: Workplace, faulty: Callable[..., Any], script: str) -> None:
    with faulty(place, f"experiments/{script} --corpus sample") as run:
        for (name, remedy), damage in product(READ[script].items(), DAMAGES):
            path = place.folder / name
            good = path.read_bytes()
            path.write_bytes(damage(good))
            before = contents(place)
            done = run()
            assert done["status"] == 1
            assert str(path) in done["output"]
            assert "SHA-256" in done["output"]
            assert remedy in done["output"]
            assert "Traceback" not in done["output"]
            assert contents(place) == before
            path.write_bytes(good)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["model.safetensors", "int8/model.onnx"])
def test_damaged_model(place: Workplace, damage: Damage, name: str) -> None:
    path = place.folder / ENCODER / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BertNerError, match=f"{path} is not the file that was written: its SHA-256 is"):
        load_tagger(place.folder / ENCODER, quantised=name.startswith("int8"))


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_corpus_in_the_cache(place: Workplace, publisher: Server, tmp_path: Path, damage: Damage) -> None:
    publish(place, publisher)
    command = ["python", "experiments/acquire.py", "--corpus", "published"]
    place.succeed(*command)
    path = tmp_path / "cache/bert-ner/corpora/published/test.bio"
    path.write_bytes(damage(path.read_bytes()))
    done = place.run(*command)
    assert done.returncode == 1
    assert str(path) in done.stderr
    assert "wrong SHA-256" in done.stderr
    assert "It was removed: run again" in done.stderr
    assert path.name in place.succeed(*command)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_state_of_a_training(place: Workplace, damage: Damage, faulty: Callable[..., Any]) -> None:
    with faulty(place, TRAIN_ENCODER) as run:
        assert run()["status"] == 0
        whole = untimed(contents(place))
        assert run(step=8)["status"] == -9
        state = place.folder / "data/unfinished/sample/minilm_crf-13.safetensors"
        state.write_bytes(damage(state.read_bytes()))
        again = run()
    assert again["status"] == 0
    assert untimed(contents(place)) == whole
