"""The tokenizers of folders that others wrote: an error with the folder's name, whatever they do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bert_ner.encoder import probe
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.encoder.weights import WeightsUnavailable
from bert_ner.errors import BertNerError
from bert_ner.export.export import export
from bert_ner.files import SUMS
from bert_ner.loading import load_tagger
from bert_ner.scoring import entity_f1

pytestmark = pytest.mark.slow  # each case starts a process that imports transformers

# A tokenizer of BERT's own class is made from the vocabulary alone.
AS_IT_IS = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 48}
AS_IT_IS |= {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")}
GROWS = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
CATASTROPHIC = {"type": "Split", "pattern": {"Regex": "(x+x+)+y"}, "behavior": "Isolated", "invert": False}


@pytest.fixture
def foreign(trained: Any, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies an encoder's folder, and changes its tokenizer and the tokenizer's model."""

    def copy(model: dict[str, Any], **changes: Any) -> Path:
        folder = Path(shutil.copytree(trained.folder, tmp_path / "foreign"))
        (folder / SUMS).unlink(missing_ok=True)
        path = folder / "tokenizer.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        content["model"].update(model)
        path.write_text(json.dumps({**content, **changes}), encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(json.dumps(AS_IT_IS), encoding="utf-8")
        return folder

    return copy


def test_a_good_one(foreign: Callable[..., Path]) -> None:
    assert load_tagger(foreign({})).tag([["film"]])


@pytest.mark.parametrize(
    ("model", "changes", "reason"),
    [
        ({}, {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}}, "precompiled_charsmap"),
        ({}, {"pre_tokenizer": CATASTROPHIC}, "retry-limit"),
        ({"unk_token": "[NONE]"}, {}, r"Missing \[UNK\] token"),
        ({"vocab": {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "x": 2**32 - 1}}, {}, "id 4294967295"),
    ],
    ids=["character map", "pattern", "unknown token", "id"],
)
def test_a_hostile_one(
    model: dict[str, Any], changes: dict[str, Any], reason: str, foreign: Callable[..., Path], tmp_path: Path
) -> None:
    folder = foreign(model, **changes)
    for use in (load_tagger, lambda folder: export(folder, tmp_path / "new", "float32")):
        with pytest.raises(WeightsUnavailable, match=reason) as caught:
            use(folder)
        assert str(caught.value).startswith(f"{folder}: its tokenizer can't be loaded")
        assert len(str(caught.value).splitlines()) == 1


def test_one_that_would_be_trained(foreign: Callable[..., Path], recipe: Recipe) -> None:
    folder = foreign({"unk_token": "[NONE]"})
    tagger = EncoderTagger(Recipe(**{**vars(recipe), "name": str(folder)}), labels=["O"], scoring=entity_f1)
    with pytest.raises(BertNerError, match=f"{folder}: its tokenizer"):
        tagger.fit([], [])


def test_one_that_never_ends(foreign: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_SECONDS", 20)
    folder = foreign({}, normalizer={"type": "Sequence", "normalizers": [GROWS] * 60})
    with pytest.raises(WeightsUnavailable, match=f"{folder}: its tokenizer (takes more than|ended)"):
        load_tagger(folder)


def test_our_own_are_not_tried(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe.subprocess, "run", lambda *_, **__: pytest.fail("a process was started"))
    load_tagger(trained.folder)
