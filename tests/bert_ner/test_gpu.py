"""Which weights load_tagger takes by default: those as trained where there is a GPU, else their 8-bit copy."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bert_ner import load_tagger, loading
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.export.export import export
from bert_ner.export.tagger import OnnxTagger


@pytest.fixture(scope="module")
def folder(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = Path(shutil.copytree(trained.folder, tmp_path_factory.mktemp("both") / "encoder"))
    export(copy, copy / "int8", "int8")
    return copy


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set up a machine with an NVIDIA GPU and a PyTorch that can use it."""
    for name in ("nvidia0", "nvidiactl"):
        (tmp_path / name).touch()
    monkeypatch.setattr(loading, "_DEVICES", tmp_path)
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "2.13.0+cu130")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return monkeypatch


def no_gpu(_: pytest.MonkeyPatch, path: Path) -> None:
    (path / "nvidia0").unlink()


def hidden(machine: pytest.MonkeyPatch, _: Path) -> None:
    machine.setenv("CUDA_VISIBLE_DEVICES", "")


def off(machine: pytest.MonkeyPatch, _: Path) -> None:
    machine.setenv("CUDA_VISIBLE_DEVICES", "-1")


def cpu_only(machine: pytest.MonkeyPatch, _: Path) -> None:
    machine.setattr(importlib.metadata, "version", lambda _: "2.13.0+cpu")


def test_with_a_gpu(machine: pytest.MonkeyPatch, folder: Path) -> None:
    assert isinstance(load_tagger(folder), EncoderTagger)
    assert isinstance(load_tagger(folder, quantised=True), OnnxTagger)
    machine.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert isinstance(load_tagger(folder), EncoderTagger)


@pytest.mark.parametrize("change", [no_gpu, hidden, off, cpu_only])
def test_without_a_gpu(machine: pytest.MonkeyPatch, folder: Path, tmp_path: Path, change: Any) -> None:
    change(machine, tmp_path)
    assert isinstance(load_tagger(folder), OnnxTagger)
    assert isinstance(load_tagger(folder, quantised=False), EncoderTagger)


def test_finding_out_loads_no_torch() -> None:
    code = "import sys; from bert_ner.loading import has_gpu; has_gpu(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
