"""load_tagger: the right class for a folder, or a message that says what is wrong with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from baselines.crf import CRFSettings, CRFTagger
from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.errors import BertNerError
from bert_ner.loading import load_tagger, trained_folder
from bert_ner.model_folder import MANIFEST, TaggerUnavailable, write_manifest
from bert_ner.scoring import entity_f1
from bert_ner.tagger import ScoringTagger


def test_saved_crf(sentences: list[Sentence], tmp_path: Path) -> None:
    tagger = CRFTagger(CRFSettings(c1=[0.1], c2=[0.01], max_iterations=20), scoring=entity_f1)
    tagger.fit(sentences, sentences)
    tagger.save(tmp_path)
    loaded = load_tagger(str(tmp_path))
    assert isinstance(loaded, CRFTagger)
    words = [words for words, _ in sentences]
    assert loaded.tag(words) == tagger.tag(words)


def test_saved_encoder(trained: Any, sentences: list[Sentence]) -> None:
    loaded = load_tagger(trained.folder, quantised=False)
    assert isinstance(loaded, EncoderTagger)
    assert loaded.tag([words for words, _ in sentences]) == [list(tags) for _, tags in sentences]


def test_ours_tell_scores(trained: Any, crf_folder: Path) -> None:
    assert isinstance(trained.tagger, ScoringTagger)
    assert isinstance(load_tagger(crf_folder), ScoringTagger)


def test_trained_folder_of_the_lowest_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a/encoder-100", "a/encoder-13", "a/encoder-x", "a/two-part-7", "b/encoder-1", "b/crf-0"):
        (tmp_path / "models" / name).mkdir(parents=True)
    assert trained_folder("a", "encoder") == Path("models/a/encoder-13")
    assert trained_folder("a", "two-part") == Path("models/a/two-part-7")
    assert trained_folder("b", "crf") == Path("models/b/crf-0")
    for nothing in ("crf", "*", "", "../b/crf", "two"):
        with pytest.raises(TaggerUnavailable, match=r"run 'make repro'.*trained here: models/a/encoder-100, "):
            trained_folder("a", nothing)


def test_nothing_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TaggerUnavailable, match=r"no system 'crf' trained on a in .*; run 'make repro'.*folder$"):
        trained_folder("a", "crf")


def test_manifest_keeps_settings(tmp_path: Path) -> None:
    write_manifest(
        tmp_path, CRFTagger(CRFSettings(c1=[1], c2=[1], max_iterations=1), scoring=entity_f1), note="é", sizes=[1, 2]
    )
    content = json.loads((tmp_path / MANIFEST).read_text(encoding="utf-8"))
    assert content == {"tagger": "baselines.crf:CRFTagger", "note": "é", "sizes": [1, 2]}


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(TaggerUnavailable, match="no such folder; train a system first"):
        load_tagger(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(TaggerUnavailable, match="no such folder"):
        load_tagger(tmp_path / "file")


def test_folder_without_a_tagger(tmp_path: Path) -> None:
    with pytest.raises(TaggerUnavailable, match=r"holds no tagger, neither tagger\.json nor"):
        load_tagger(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not a JSON object with 'tagger'"),
        (b"{'tagger': 1}", "not a JSON object with 'tagger'"),
        (b"\xff\xfe", "not a JSON object with 'tagger'"),
        (b"[]", "not a JSON object with 'tagger'"),
        (b'"tagger"', "not a JSON object with 'tagger'"),
        (b"null", "not a JSON object with 'tagger'"),
        (b"{}", "not a JSON object with 'tagger'"),
        (b'{"tagger": null}', "must name a class in baselines. or bert_ner., not 'None'"),
        (b'{"tagger": "os:system"}', "must name a class in baselines. or bert_ner., not 'os:system'"),
        (b'{"tagger": "baselines_of_mine.crf:CRFTagger"}', "must name a class in"),
        (b'{"tagger": "baselines.no_such:Thing"}', "'baselines.no_such:Thing' can't be found in this version"),
        (b'{"tagger": "baselines.:Thing"}', "can't be found in this version"),
        (b'{"tagger": "baselines.crf:NoSuch"}', "'baselines.crf:NoSuch' can't be found in this version"),
        (b'{"tagger": "baselines.crf"}', "can't be found in this version"),
        (b'{"tagger": "baselines.crf:features"}', "is not a tagger"),
        (b'{"tagger": "bert_ner.tagger:json"}', "is not a tagger"),
        (b'{"tagger": "bert_ner.errors:BertNerError"}', "is not a tagger"),
    ],
)
def test_broken_manifest(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(TaggerUnavailable) as caught:
        load_tagger(tmp_path)
    assert complaint in str(caught.value)
    assert str(tmp_path / MANIFEST) in str(caught.value)
    assert isinstance(caught.value, BertNerError)


def test_whatever_load_raises_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(folder: Path) -> CRFTagger:
        raise FileNotFoundError(2, "No such file", str(folder / "model.crfsuite"))

    monkeypatch.setattr(CRFTagger, "load", load)
    (tmp_path / MANIFEST).write_text('{"tagger": "baselines.crf:CRFTagger"}', encoding="utf-8")
    with pytest.raises(TaggerUnavailable, match=r"FileNotFoundError.*model\.crfsuite.*train it again"):
        load_tagger(tmp_path)


def test_encoder_s_own_explanation_is_kept(trained: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "copy")
    (folder / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(BertNerError, match="its model can't be loaded"):
        load_tagger(folder)


def test_bare_encoder_is_no_tagger(wheel: Path) -> None:
    with pytest.raises(BertNerError, match=r"lack 2 parameter.*fine-tune it first"):
        load_tagger(wheel)
