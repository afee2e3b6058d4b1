"""The exported encoder tags as the encoder does, starts without PyTorch, and refuses damaged files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.errors import BertNerError, NotExportable
from bert_ner.export.export import export
from bert_ner.export.tagger import OnnxTagger
from bert_ner.files import Damaged, sha256_of, write_sums
from bert_ner.model_folder import TaggerUnavailable

LONG = ["ada", "brook", "westerns"] * 40  # of more pieces than the tiny encoder takes


@pytest.fixture(scope="module")
def exported(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("onnx")
    for weights in ("float32", "int8"):
        export(trained.folder, folder / weights, weights)
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture
def with_copy(trained: Any, exported: dict[str, Path], tmp_path: Path) -> Path:
    """Return a trained encoder's folder with its 8-bit copy, as train.py leaves it."""
    folder = Path(shutil.copytree(trained.folder, tmp_path / "with copy"))
    shutil.copytree(exported["int8"], folder / "int8")
    return folder


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_tags_as_the_encoder_does(
    trained: Any, sentences: list[Sentence], exported: dict[str, Path], weights: str
) -> None:
    texts = [list(words) for words, _ in sentences] + [[], ["\u200b"], ["ada", "\u200b", "brook"], LONG]
    tagger = load_tagger(exported[weights])
    assert isinstance(tagger, OnnxTagger)
    assert tagger.tag(texts) == trained.tagger.tag(texts)
    close = {"float32": 1e-4, "int8": 0.1}[weights]
    for ours, theirs in zip(tagger.tag_scored(texts), trained.tagger.tag_scored(texts), strict=True):
        assert [tag for tag, _ in ours] == [tag for tag, _ in theirs]
        assert [score for _, score in ours] == pytest.approx([score for _, score in theirs], abs=close)


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_what_a_sentence_is_tagged_with_does_not_matter(
    sentences: list[Sentence], exported: dict[str, Path], weights: str
) -> None:
    texts = [list(words) for words, _ in sentences] + [LONG]
    tagger = load_tagger(exported[weights])
    assert isinstance(tagger, OnnxTagger)
    together = tagger.tag_scored(texts)
    tagger.batch_pieces = 16  # more batches than threads
    for scored in (tagger.tag_scored(texts), [tagger.tag_scored([text])[0] for text in texts]):
        for one, other in zip(scored, together, strict=True):
            assert [tag for tag, _ in one] == [tag for tag, _ in other]
            assert [score for _, score in one] == pytest.approx([score for _, score in other], abs=1e-4)


def test_the_copy_in_a_trained_folder_is_used(with_copy: Path, exported: dict[str, Path]) -> None:
    fast, exact = load_tagger(with_copy, quantised=True), load_tagger(with_copy, quantised=False)
    assert isinstance(fast, OnnxTagger)
    assert isinstance(exact, EncoderTagger)
    assert fast.read("model.onnx") == (with_copy / "int8" / "model.onnx").read_bytes()
    assert load_tagger(exported["float32"], quantised=False).tag([["ada"]]) == exact.tag([["ada"]])
    with pytest.raises(TaggerUnavailable, match=r"holds 8-bit weights only; load the folder that"):
        load_tagger(exported["int8"], quantised=False)


def test_export_does_not_depend_on_the_run(trained: Any, exported: dict[str, Path], tmp_path: Path) -> None:
    export(trained.folder, tmp_path / "again", "int8")
    assert sums(tmp_path / "again") == sums(exported["int8"])


def sums(folder: Path) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in folder.iterdir()}


def test_a_copy_of_other_weights_is_ignored(with_copy: Path) -> None:
    tagger = load_tagger(with_copy, quantised=False)
    assert isinstance(tagger, EncoderTagger)
    tagger.save(with_copy)
    assert isinstance(load_tagger(with_copy, quantised=True), OnnxTagger)  # the same weights
    with torch.no_grad():
        tagger.model.classifier.bias += 1
    tagger.save(with_copy)
    write_sums(with_copy)
    assert isinstance(load_tagger(with_copy, quantised=True), EncoderTagger)


def test_a_damaged_copy_is_an_error(with_copy: Path) -> None:
    path = with_copy / "int8" / "model.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(BertNerError, match=r"int8/model\.onnx"):
        load_tagger(with_copy, quantised=True)
    assert isinstance(load_tagger(with_copy, quantised=False), EncoderTagger)


def test_an_encoder_that_pytorch_can_not_export_is_an_error(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise torch.onnx.OnnxExporterError("no such operator\nand more")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(NotExportable, match=r"can't export a bert model: no such operator$"):
        export(trained.folder, tmp_path / "new", "int8")
    assert not list(tmp_path.iterdir())


def test_a_damaged_encoder_is_not_exported(trained: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "damaged")
    write_sums(folder)
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"?")
    with pytest.raises(Damaged, match=r"model\.safetensors is not the file that was written"):
        export(folder, tmp_path / "new", "int8")


def test_int8_is_smaller(exported: dict[str, Path]) -> None:
    assert (exported["int8"] / "model.onnx").stat().st_size < (exported["float32"] / "model.onnx").stat().st_size


def test_tagging_loads_neither_torch_nor_transformers(exported: dict[str, Path]) -> None:
    code = (
        "import sys; from bert_ner.cli import main; main(); "
        "sys.exit(bool({'torch', 'transformers', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "tag", "--model", str(exported["int8"])]
    done = subprocess.run(command, input=b"ada brook", capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b'"tags": ["B-PERSON", "I-PERSON"]' in done.stdout


def test_saved_again_loads_again(exported: dict[str, Path], tmp_path: Path) -> None:
    load_tagger(exported["int8"]).save(tmp_path)
    assert load_tagger(tmp_path).tag([["ada", "brook"]]) == load_tagger(exported["int8"]).tag([["ada", "brook"]])


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_changed_or_missing_file_is_named(exported: dict[str, Path], tmp_path: Path, name: str) -> None:
    load_tagger(exported["int8"]).save(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(Damaged, match=rf"{name} is not the file .*: its SHA-256 is [0-9a-f]{{64}}, expected .*; train"):
        load_tagger(tmp_path)
    path.unlink()
    with pytest.raises(Damaged, match=rf"{name} is missing, but its SHA-256 is on record"):
        load_tagger(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": None}, "sha256 must be a valid dictionary, not None"),
        ({"sha256": {}}, "sha256 must have at least 2 items"),
        ({"labels": "O"}, "labels must be a valid list, not 'O'"),
        ({"labels": ["O", "X"]}, "labels.1 must be a BIO tag, or one of BIOES or BILOU, not 'X'"),
        ({"labels": ["O", 1]}, "labels.1 must be a valid string, not 1"),
        ({"labels": ["O"]}, "1 labels, but the model has 5"),
        ({"special": {"cls": 101, "sep": 102}}, "special.pad is missing"),
        ({"special": {"cls": 101, "sep": 102, "pad": 0, "x": 1}}, "unknown key 'special.x'"),
        ({"special": {"cls": -1, "sep": 102, "pad": 0}}, "special.cls must be a whole number of at least 0 and below"),
        ({"special": {"cls": 10**6, "sep": 102, "pad": 0}}, "special has the piece 1000000, but the tokenizer knows"),
        ({"limit": True}, "limit must be a whole number above 2 and below 2147483648, not True"),
        ({"limit": 2}, "limit must be a whole number above 2 and below 2147483648, not 2"),
    ],
)
def test_a_manifest_that_export_does_not_write_is_an_error(
    exported: dict[str, Path], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    load_tagger(exported["int8"]).save(tmp_path)
    path = tmp_path / "tagger.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(TaggerUnavailable) as caught:
        load_tagger(tmp_path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert str(caught.value).endswith("; export it again")


def test_it_only_tags(exported: dict[str, Path], sentences: list[Sentence]) -> None:
    with pytest.raises(BertNerError, match="can't be trained: train the encoder"):
        load_tagger(exported["int8"]).fit(sentences, sentences)


def test_two_exports_into_the_same_folder_at_once(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_slower(*_: object) -> None:
        monkeypatch.undo()
        export(trained.folder, tmp_path / "new", "float32")

    monkeypatch.setattr("bert_ner.export.export.write_sums", be_slower)
    with pytest.raises(BertNerError, match="new exists already; name a new folder"):
        export(trained.folder, tmp_path / "new", "float32")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    load_tagger(tmp_path / "new")


def test_export_keeps_what_is_there(trained: Any, crf_folder: Path, exported: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(BertNerError, match="exists already; name a new folder"):
        export(trained.folder, exported["int8"], "int8")
    for folder, message in ((crf_folder, "holds no encoder"), (tmp_path / "none", "no such folder")):
        with pytest.raises(BertNerError, match=message):
            export(folder, tmp_path / "new", "int8")
    with pytest.raises(BertNerError, match="can't be written"):
        export(trained.folder, Path("/proc/nowhere/new"), "int8")
    assert not list(tmp_path.iterdir())
