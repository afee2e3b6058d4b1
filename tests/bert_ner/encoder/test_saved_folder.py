"""EncoderTagger: a folder that others can load, and errors that say what is wrong with one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from models import change_config
from safetensors.torch import load_file, save_file
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForTokenClassification,
    pipeline,
)

from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.weights import WeightsUnavailable
from bert_ner.files import SUMS

LABELS = ("O", "B-GENRE", "I-GENRE", "B-PERSON", "I-PERSON")
ODD = [
    [],
    [""],
    ["film", "", "\u200b"],
    ["\ud800", "fi\udfffm"],
    ["😀", "\x00"],
    ["x" * 100_000, "film"],
    ["[CLS]", "two words"],
]


@pytest.fixture
def copy(trained: Any, tmp_path: Path) -> Path:
    """Return a copy of the saved folder, to be spoilt."""
    return Path(shutil.copytree(trained.folder, tmp_path / "copy"))


def test_saved_and_loaded(trained: Any, sentences: list[Sentence]) -> None:
    loaded = EncoderTagger.load(trained.folder)
    words = [words for words, _ in sentences] + ODD
    assert loaded.labels == LABELS
    assert loaded.tag(words) == trained.tagger.tag(words)
    for name, values in trained.tagger.model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], values)


def test_saved_folder_is_plain_hugging_face_without_pickle(trained: Any) -> None:
    files = {path.name for path in trained.folder.iterdir()}
    assert files - {SUMS} == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    config = json.loads((trained.folder / "config.json").read_text(encoding="utf-8"))
    assert config["id2label"] == {str(i): label for i, label in enumerate(LABELS)}
    assert config["label2id"] == {label: i for i, label in enumerate(LABELS)}
    assert config["architectures"] == ["BertForTokenClassification"]
    assert load_file(trained.folder / "model.safetensors")["classifier.bias"].shape == (5,)


def test_saved_tokenizer_neither_pads_nor_cuts(trained: Any) -> None:
    saved = json.loads((trained.folder / "tokenizer.json").read_text(encoding="utf-8"))
    assert saved["padding"] is None
    assert saved["truncation"] is None
    tokenizer = AutoTokenizer.from_pretrained(trained.folder)
    assert [len(tokenizer(["film"] * n, is_split_into_words=True)["input_ids"]) for n in (1, 300)] == [3, 302]


def test_pipeline_of_transformers_agrees(trained: Any, sentences: list[Sentence]) -> None:
    tagger = pipeline("token-classification", model=str(trained.folder), ignore_labels=[], device="cpu")
    for words, tags in sentences:
        found = tagger(" ".join(words))
        first = [piece["entity"] for piece in found if not piece["word"].startswith("##")]
        assert first == list(tags)


def test_folder_saved_by_others(wheel: Path, tmp_path: Path) -> None:
    names = dict(enumerate(["O", "B-ORG", "I-ORG"]))
    config = BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, id2label=names,
        label2id={label: i for i, label in names.items()},
    )  # fmt: skip
    BertForTokenClassification(config).half().save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(wheel).save_pretrained(tmp_path)
    tagger = EncoderTagger.load(tmp_path)
    assert tagger.labels == ("O", "B-ORG", "I-ORG")
    assert [len(tags) for tags in tagger.tag([["film"] * 300, ["film"]])] == [300, 1]


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x00" * 5)


def drop_classifier(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    kept = {name: values for name, values in weights.items() if not name.startswith("classifier")}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})


def pickle_instead(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")


def shrink_model(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    name = "bert.embeddings.word_embeddings.weight"
    save_file({**weights, name: weights[name][:100].clone()}, folder / "model.safetensors", {"format": "pt"})
    change_config(folder, vocab_size=100)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (cut_weights, "its model can't be loaded"),
        (cut_header, "its model can't be loaded"),
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors"),
        (pickle_instead, "model.safetensors"),
        (drop_classifier, r"lack 2 parameters.*classifier\.bias.*fine-tune it first"),
        (lambda folder: change_config(folder, hidden_size=16), r"its weights lack|its model can't be loaded"),
        (lambda folder: change_config(folder, id2label={"0": "O", "1": "B-X"}), r"lack 2 parameters.*shape"),
        (lambda folder: (folder / "config.json").write_text("{"), r"its model can't be loaded.*config\.json"),
        (lambda folder: (folder / "config.json").write_text("[]"), "its model can't be loaded"),
        (lambda folder: change_config(folder, model_type="no-such-model"), "no-such-model"),
        (lambda folder: change_config(folder, id2label=["O"]), "its model can't be loaded"),
        (lambda folder: change_config(folder, id2label=None, num_labels=5), "'LABEL_0' is not"),
        (
            lambda folder: change_config(folder, id2label={str(i): f"LABEL_{i}" for i in range(5)}),
            r"config\.json: id2label must number BIO tags.*'LABEL_0' is not",
        ),
        (
            lambda folder: change_config(folder, id2label={str(i): f"B-{i}" for i in range(1, 6)}),
            "id2label must number BIO tags from 0 on",
        ),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "its tokenizer can't be loaded"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "it has 5 pieces, while the model knows 30522"),
        (shrink_model, "it has 30522 pieces, while the model knows 100"),
    ],
)
def test_broken_folder(copy: Path, spoil: Callable[[Path], Any], complaint: str) -> None:
    spoil(copy)
    with pytest.raises(WeightsUnavailable, match=complaint) as caught:
        EncoderTagger.load(copy)
    assert str(copy) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_code_in_a_folder_is_not_run(copy: Path, tmp_path: Path) -> None:
    trace = tmp_path / "it-ran"
    (copy / "modeling.py").write_text(f"open({str(trace)!r}, 'w')\n", encoding="utf-8")
    change_config(
        copy,
        model_type="homemade",
        auto_map={"AutoConfig": "modeling.Config", "AutoModelForTokenClassification": "modeling.Model"},
    )
    with pytest.raises(WeightsUnavailable, match="its model can't be loaded"):
        EncoderTagger.load(copy)
    assert not trace.exists()
