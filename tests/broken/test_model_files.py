"""Broken folders of taggers: one error with the file, the fault and the remedy."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from broken import DEEP, LFS, Change, breaks, cut, flipped, with_values

from bert_ner import load_tagger
from bert_ner.errors import BertNerError
from bert_ner.export.export import export
from bert_ner.files import SUMS, write_sums

NOT_WRITTEN = "is not the file that was written: its SHA-256"
NO_MANIFEST = "not a JSON object with 'tagger' in it"


@pytest.fixture(scope="module")
def folders(trained: Any, crf_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an encoder that has sums, and with a CRF and an exported encoder that have none."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(trained.folder, folder / "encoder")
    write_sums(folder / "encoder")
    shutil.copytree(crf_folder, folder / "crf")
    export(folder / "encoder", folder / "onnx", "float32")
    (folder / "onnx" / SUMS).unlink(missing_ok=True)
    return folder


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("crf/tagger.json", DEEP, NO_MANIFEST),
        ("crf/tagger.json", cut, NO_MANIFEST),
        ("crf/tagger.json", b"\x00" * 50, NO_MANIFEST),
        ("crf/tagger.json", "[]", NO_MANIFEST),
        ("crf/tagger.json", with_values(tagger="baselines.crf:CRFTagger:x"), "no kind of tagger is named"),
        ("crf/tagger.json", with_values(tagger="os:system"), "no kind of tagger is named 'os:system'"),
        ("crf/tagger.json", '{"tagger": "encoder"}', "its model can't be loaded"),
        ("crf/tagger.json", '{"tagger": "onnx"}', "sha256 is missing; labels is missing"),
        ("crf/model.crfsuite", b"", NOT_WRITTEN),
        ("crf/model.crfsuite", cut, NOT_WRITTEN),
        ("crf/model.crfsuite", None, "model.crfsuite is missing"),
        ("encoder/model.safetensors", cut, NOT_WRITTEN),
        ("encoder/model.safetensors", flipped, NOT_WRITTEN),
        ("encoder/model.safetensors", b"", NOT_WRITTEN),
        ("encoder/model.safetensors", LFS, NOT_WRITTEN),
        ("encoder/config.json", cut, NOT_WRITTEN),
        ("encoder/config.json", None, "config.json is missing"),
        ("encoder/config.json", with_values(id2label={"0": "O"}), NOT_WRITTEN),
        ("encoder/tokenizer.json", cut, NOT_WRITTEN),
        ("encoder/tokenizer_config.json", "[]", NOT_WRITTEN),
        ("onnx/model.onnx", flipped, "its SHA-256"),
        ("onnx/tokenizer.json", flipped, "its SHA-256"),
        ("onnx/tagger.json", with_values(labels=[1, 2]), "labels.0 must be a valid string, not 1"),
        ("onnx/tagger.json", with_values(labels=None), "labels must be a valid list, not None"),
        ("onnx/tagger.json", with_values(labels=["O"]), "1 labels, but the model"),
        ("onnx/tagger.json", with_values(labels=["O", "B-X", "Q", "Q", "Q"]), "labels.2 must be a BIO tag, or one o"),
        ("onnx/tagger.json", with_values(special={"cls": 101}), "special.sep is missing; special.pad is missing"),
        (
            "onnx/tagger.json",
            with_values(special={"cls": "a", "sep": "b", "pad": "c"}),
            "special.cls must be a whole number",
        ),
        (
            "onnx/tagger.json",
            with_values(special={"cls": -1, "sep": 10**9, "pad": 0}),
            "special.cls must be a whole number of at least 0",
        ),
        ("onnx/tagger.json", with_values(limit=0), "limit must be a whole number above 2"),
        ("onnx/tagger.json", with_values(limit="48"), "limit must be a whole number above 2"),
        ("onnx/tagger.json", with_values(sha256=[]), "sha256 must be a valid dictionary"),
    ],
)
def test_broken_file(name: str, change: Change, message: str, folders: Path, tmp_path: Path) -> None:
    folder = tmp_path / Path(name).parent
    shutil.copytree(folders / Path(name).parent, folder)
    load_tagger(folder)  # the good one
    breaks(tmp_path / name, change)
    with pytest.raises(BertNerError) as caught:
        load_tagger(folder)
    assert str(folder) in str(caught.value)
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_manifest_cannot_name_a_class_to_run(crf_folder: Path, tmp_path: Path) -> None:
    """A manifest stores a kind from a fixed table; an older one with a module path loads if it names a known class."""
    folder = tmp_path / "crf"
    shutil.copytree(crf_folder, folder)
    manifest = json.loads((folder / "tagger.json").read_text())
    assert manifest["tagger"] == "crf"
    breaks(folder / "tagger.json", with_values(tagger="baselines.crf:CRFTagger"))
    load_tagger(folder)
    breaks(folder / "tagger.json", with_values(tagger="bert_ner.cli:main"))
    with pytest.raises(BertNerError, match=r"no kind of tagger is named 'bert_ner\.cli:main'"):
        load_tagger(folder)
