"""Where the corpora beside a checkout are looked for."""

from __future__ import annotations

from pathlib import Path

from harness.paths import ROOT, SHARED, main_checkout


def test_a_copy_that_dvc_makes_for_an_experiment_uses_the_folder_beside_the_main_checkout() -> None:
    assert main_checkout(Path("/home/me/repository")) == Path("/home/me/repository")
    assert main_checkout(Path("/home/me/repository/.dvc/tmp/exps/tmpabc")) == Path("/home/me/repository")
    assert main_checkout(ROOT).parent / "shared" == SHARED
