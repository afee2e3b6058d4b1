"""A folder whose weights are cut into several safetensors files: it loads, is fine-tuned, and is exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForTokenClassification, BertModel

from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.encoder.weights import WeightsUnavailable, find_weights
from bert_ner.errors import BertNerError
from bert_ner.export.export import export
from bert_ner.export.tagger import OnnxTagger
from bert_ner.files import write_sums
from bert_ner.scoring import entity_f1

LABELS = ("O", "B-GENRE", "I-GENRE", "B-PERSON", "I-PERSON")
INDEX = "model.safetensors.index.json"


def sharded(folder: Path, target: Path, kind: Any) -> Path:
    """Copy a folder with its weights in files of at most 1 MB."""
    copy = Path(shutil.copytree(folder, target))
    model = kind.from_pretrained(folder)
    (copy / "model.safetensors").unlink()
    model.save_pretrained(copy, max_shard_size="1MB")
    assert len(list(copy.glob("model-*.safetensors"))) > 1
    write_sums(copy)
    return copy


@pytest.fixture
def folder(trained: Any, tmp_path: Path) -> Path:
    return sharded(trained.folder, tmp_path / "sharded", AutoModelForTokenClassification)


def test_it_tags_as_the_whole_does(trained: Any, folder: Path, sentences: list[Sentence]) -> None:
    write_sums(folder)
    words = [words for words, _ in sentences]
    assert load_tagger(folder).tag_scored(words) == load_tagger(trained.folder, quantised=False).tag_scored(words)


def test_it_is_exported_and_its_copy_is_used_until_a_shard_changes(folder: Path, sentences: list[Sentence]) -> None:
    export(folder, folder / "int8", "int8")
    words = [words for words, _ in sentences]
    copy = load_tagger(folder, quantised=True)
    assert isinstance(copy, OnnxTagger)
    assert copy.tag(words) == load_tagger(folder, quantised=False).tag(words)
    shard = min(folder.glob("model-*.safetensors"))
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    write_sums(folder)
    assert isinstance(load_tagger(folder, quantised=True), EncoderTagger)


def test_it_is_fine_tuned_as_the_whole_is(
    encoder_folder: Path, recipe: Recipe, sentences: list[Sentence], tmp_path: Path
) -> None:
    folder = sharded(encoder_folder, tmp_path / "encoder", BertModel)
    histories = []
    for name in (folder, encoder_folder):
        settings = Recipe(**{**vars(recipe), "name": str(name), "epochs": 1})
        tagger = EncoderTagger(settings, labels=LABELS, seed=1, scoring=entity_f1)
        [row] = tagger.fit(sentences, sentences)
        histories.append({**row, "seconds": 0})
    assert histories[0] == histories[1]
    one, other = find_weights(str(folder)).sha256, find_weights(str(encoder_folder)).sha256
    assert len(one) == len(other) == 64
    assert one != other


def test_a_missing_shard_is_named(folder: Path, tmp_path: Path) -> None:
    shard = max(folder.glob("model-*.safetensors"))
    shard.unlink()
    with pytest.raises(WeightsUnavailable, match=f"{shard.name} missing; a Hugging Face model folder holds them"):
        find_weights(str(folder))
    for call in (lambda: load_tagger(folder), lambda: export(folder, tmp_path / "new", "int8")):
        with pytest.raises(BertNerError, match=str(folder)):
            call()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"weight_map": {}}', b'{"weight_map": {"a": "../weights"}}'])
def test_a_broken_index_is_named(folder: Path, content: bytes) -> None:
    (folder / INDEX).write_bytes(content)
    with pytest.raises(BertNerError, match=r"model\.safetensors\.index\.json: not an index of safetensors files"):
        find_weights(str(folder))


def test_a_shard_that_changed_is_no_longer_the_one_on_record(folder: Path) -> None:
    write_sums(folder)
    shard = min(folder.glob("model-*.safetensors"))
    with shard.open("ab") as file:
        file.write(b"?")
    with pytest.raises(BertNerError, match=f"{shard.name} is not the file that was written"):
        load_tagger(folder)
    assert json.loads((folder / INDEX).read_text())["weight_map"]
