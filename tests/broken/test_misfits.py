"""Files of a model that load, but do not belong together: an error with the folder's name when it tags."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from bert_ner import load_tagger, loading
from bert_ner.errors import BertNerError, printable_message
from bert_ner.export.export import export
from bert_ner.files import SUMS, sha256_of

ESCAPE = "\x1b[31m"
CATASTROPHIC = {"type": "Split", "pattern": {"Regex": "(x+x+)+y"}, "behavior": "Isolated", "invert": False}


def change_tokenizer(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def change_model(folder: Path, change: Callable[[onnx.GraphProto], object]) -> None:
    model = onnx.load(folder / "model.onnx")
    change(model.graph)
    onnx.save(model, folder / "model.onnx")


def a_piece_beyond_the_embedding(folder: Path) -> None:
    change_tokenizer(folder, lambda content: content["model"]["vocab"].update(film=2**30))


def a_catastrophic_pattern(folder: Path) -> None:
    change_tokenizer(folder, lambda content: content.update(pre_tokenizer=CATASTROPHIC))


def another_input(folder: Path) -> None:
    def rename(graph: onnx.GraphProto) -> None:
        for node in graph.node:
            node.input[:] = ["ids" if name == "input_ids" else name for name in node.input]
        next(each for each in graph.input if each.name == "input_ids").name = "ids"

    change_model(folder, rename)


def hostile_names(folder: Path) -> None:
    def rename(graph: onnx.GraphProto) -> None:
        for number, node in enumerate(graph.node):
            node.name = f"{number}{ESCAPE}"
        graph.initializer.append(onnx.helper.make_tensor(f"unused{ESCAPE}", onnx.TensorProto.FLOAT, [1], [0.0]))

    change_model(folder, rename)
    a_piece_beyond_the_embedding(folder)


@pytest.fixture
def exported(trained: Any, tmp_path: Path) -> Path:
    export(trained.folder, tmp_path / "onnx", "float32")
    return tmp_path / "onnx"


@pytest.mark.parametrize(
    "spoil",
    [a_piece_beyond_the_embedding, a_catastrophic_pattern, another_input, hostile_names],
    ids=lambda spoil: spoil.__name__,
)
def test_an_exported_encoder(spoil: Callable[[Path], None], exported: Path, capfd: pytest.CaptureFixture[str]) -> None:
    spoil(exported)
    (exported / SUMS).unlink()
    manifest = json.loads((exported / "tagger.json").read_text())
    manifest["sha256"] = {name: sha256_of(exported / name) for name in manifest["sha256"]}
    (exported / "tagger.json").write_text(json.dumps(manifest))
    tagger = load_tagger(exported)
    with pytest.raises(BertNerError) as caught:
        tagger.tag([["film", "x" * 40]])
    assert str(caught.value).startswith(f"{exported} can't tag")
    assert ESCAPE not in printable_message(caught.value) + "".join(capfd.readouterr())


@pytest.mark.parametrize("step", ["verify", "_class_of"])
def test_a_folder_that_vanishes(step: str, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(trained.folder, tmp_path / "vanishing"))
    works = getattr(loading, step)

    def vanish(folder: Path) -> Any:
        found = works(folder)
        shutil.rmtree(folder)
        return found

    monkeypatch.setattr(loading, step, vanish)
    with pytest.raises(BertNerError, match=f"{folder} was removed while it was being loaded"):
        load_tagger(folder)
