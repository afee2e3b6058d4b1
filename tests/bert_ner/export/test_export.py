"""The exported encoder tags as the encoder does, starts without PyTorch, and refuses files that are not its own."""

from __future__ import annotations

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
from bert_ner.errors import BertNerError
from bert_ner.export.export import export
from bert_ner.export.tagger import OnnxTagger

LONG = ["ada", "brook", "westerns"] * 40  # of more pieces than the tiny encoder takes


@pytest.fixture(scope="module")
def exported(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("onnx")
    for weights in ("float32", "int8"):
        export(trained.folder, folder / weights, weights)
    return {path.name: path for path in folder.iterdir()}


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


def test_a_trained_folder_carries_its_copy(trained: Any, exported: dict[str, Path]) -> None:
    fast, exact = load_tagger(trained.folder), load_tagger(trained.folder, quantised=False)
    assert isinstance(fast, OnnxTagger)
    assert isinstance(exact, EncoderTagger)
    assert (fast.folder / "model.onnx").read_bytes() == (exported["int8"] / "model.onnx").read_bytes()
    assert load_tagger(exported["float32"], quantised=False).tag([["ada"]]) == exact.tag([["ada"]])


def test_a_copy_of_other_weights_is_left_aside(trained: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "tuned further")
    load_tagger(folder, quantised=False).model.save_pretrained(folder)  # type: ignore[attr-defined]
    assert isinstance(load_tagger(folder), OnnxTagger)  # the same weights
    other = load_tagger(folder, quantised=False)
    assert isinstance(other, EncoderTagger)
    with torch.no_grad():
        other.model.classifier.bias += 1
    other.model.save_pretrained(folder)
    assert isinstance(load_tagger(folder), EncoderTagger)
    other.save(folder)
    assert isinstance(load_tagger(folder), OnnxTagger)


def test_a_damaged_copy_is_an_error(trained: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "damaged")
    path = folder / "int8" / "model.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(BertNerError, match=r"int8/model\.onnx"):
        load_tagger(folder)
    assert isinstance(load_tagger(folder, quantised=False), EncoderTagger)


def test_an_encoder_that_can_not_be_exported_is_saved_without_a_copy(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise torch.onnx.OnnxExporterError("no such operator\nand more")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.warns(UserWarning, match="can't export a bert model: no such operator; .* slower"):
        trained.tagger.save(tmp_path)
    assert isinstance(load_tagger(tmp_path), EncoderTagger)


def test_int8_is_smaller(exported: dict[str, Path]) -> None:
    assert (exported["int8"] / "model.onnx").stat().st_size < (exported["float32"] / "model.onnx").stat().st_size


def test_starts_without_pytorch(exported: dict[str, Path]) -> None:
    code = (
        "import sys; from bert_ner import load_tagger; "
        f"print(load_tagger({str(exported['int8'])!r}).tag([['ada', 'brook']])); "
        "sys.exit(bool({'torch', 'transformers', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_saved_again_loads_again(exported: dict[str, Path], tmp_path: Path) -> None:
    load_tagger(exported["int8"]).save(tmp_path)
    assert load_tagger(tmp_path).tag([["ada", "brook"]]) == load_tagger(exported["int8"]).tag([["ada", "brook"]])


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_changed_or_missing_file_is_named(exported: dict[str, Path], tmp_path: Path, name: str) -> None:
    load_tagger(exported["int8"]).save(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(BertNerError, match=rf"{name}: its SHA-256 is [0-9a-f]{{64}}, expected .*; export it again"):
        load_tagger(tmp_path)
    path.unlink()
    with pytest.raises(BertNerError, match=rf"{name}: its SHA-256 is none, as it is missing"):
        load_tagger(tmp_path)


def test_an_older_manifest_is_no_tagger(exported: dict[str, Path], tmp_path: Path) -> None:
    load_tagger(exported["int8"]).save(tmp_path)
    (tmp_path / "tagger.json").write_text('{"tagger": "bert_ner.export.export:OnnxTagger"}')
    with pytest.raises(BertNerError, match="sha256 must be the files' sums, not None; export it again"):
        load_tagger(tmp_path)


def test_it_only_tags(exported: dict[str, Path], sentences: list[Sentence]) -> None:
    with pytest.raises(BertNerError, match="can't be trained: train the encoder"):
        load_tagger(exported["int8"]).fit(sentences, sentences)


def test_export_keeps_what_is_there(trained: Any, crf_folder: Path, exported: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(BertNerError, match="exists already; name a new folder"):
        export(trained.folder, exported["int8"], "int8")
    with pytest.raises(BertNerError, match="holds no encoder"):
        export(crf_folder, tmp_path / "new", "int8")
    with pytest.raises(BertNerError, match="can't be written"):
        export(trained.folder, Path("/proc/nowhere/new"), "int8")
    assert not list(tmp_path.iterdir())
