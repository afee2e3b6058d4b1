"""Where the corpora beside a checkout are looked for, and which files are the states of a training."""

from __future__ import annotations

from pathlib import Path

from harness import paths
from harness.paths import ROOT, SHARED, main_checkout

import pytest


def test_a_copy_that_dvc_makes_for_an_experiment_uses_the_folder_beside_the_main_checkout() -> None:
    assert main_checkout(Path("/home/me/repository")) == Path("/home/me/repository")
    assert main_checkout(Path("/home/me/repository/.dvc/tmp/exps/tmpabc")) == Path("/home/me/repository")
    assert main_checkout(ROOT).parent / "shared" == SHARED


def test_all_states_of_a_training_go_and_those_of_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "DATA", tmp_path)
    folder = paths.state_file("c", "x-0").parent
    folder.mkdir(parents=True)
    gone = ["x-0.safetensors", "x-0.training2.safetensors", "x-0.training12.safetensors"]
    kept = ["x-0.03-13.safetensors", "x-0.json", "x-01.safetensors"]
    for name in (*gone, *kept):
        (folder / name).touch()
    paths.remove_state("c", "x-0")
    paths.remove_state("c", "x-0")
    assert sorted(path.name for path in folder.iterdir()) == sorted(kept)
