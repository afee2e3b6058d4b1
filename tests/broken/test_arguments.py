"""Wrong arguments of the program and of the scripts: one error, and usage that helps."""

from __future__ import annotations

from harness.run_main import run_main

import importlib
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from bert_ner import cli

SEED = "is not a whole number from 0 to 4294967295"


@pytest.fixture(scope="module")
def folder(trained: Any, crf_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder to run in, with two models and a file of queries."""
    folder = tmp_path_factory.mktemp("arguments")
    shutil.copytree(crf_folder, folder / "models/sample/crf-0")
    shutil.copytree(trained.folder, folder / "models/sample/minilm-13")
    (folder / "queries").write_text("films by ada\n")
    return folder


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("bert-ner", "error: the following arguments are required: command"),
        ("bert-ner tga", "error: argument command: invalid choice: 'tga'"),
        ("bert-ner tag --model", "error: argument --model: expected one argument"),
        ("bert-ner tag nowhere", "nowhere can't be read: No such file or directory"),
        ("bert-ner tag models", "models can't be read: Is a directory"),
        (
            "bert-ner tag queries --model queries",
            "queries: no such folder; train a system first, for example with 'make",
        ),
        (
            "bert-ner tag queries --model models",
            "models: holds no tagger, neither tagger.json nor a Hugging Face config",
        ),
        ("bert-ner tag queries --model nul\udcff", "nul\\udcff: no such folder; train a system first"),
        ("bert-ner tag queries --system", "error: argument --system: expected one argument"),
        ("bert-ner tag queries --system crf --corpus mit_restaurant", "no system 'crf' trained on mit_restaurant: "),
        ("bert-ner tag queries --system ../../etc --corpus sample", "no system '../../etc' trained on sample: "),
        ("bert-ner tag queries --corpus movies", "error: argument --corpus: invalid choice: 'movies'"),
        ("bert-ner tag queries --format tsv", "error: argument --format: invalid choice: 'tsv'"),
        ("bert-ner tag queries --output html", "error: argument --output: invalid choice: 'html'"),
        ("bert-ner export", "error: the following arguments are required: FOLDER, NEW_FOLDER"),
        ("bert-ner export models/sample/minilm-13", "error: the following arguments are required: NEW_FOLDER"),
        (
            "bert-ner export nowhere new",
            "nowhere: no such folder; train an encoder first, for example with 'make repro'",
        ),
        (
            "bert-ner export models/sample/crf-0 new",
            "models/sample/crf-0 holds no encoder, so there is nothing to export",
        ),
        ("bert-ner export models/sample/minilm-13 queries", "queries exists already; name a new folder"),
        ("bert-ner export models/sample/minilm-13 queries/new", "queries/new can't be written: File exists"),
        ("bert-ner export models/sample/minilm-13 new --weights int4", "argument --weights: invalid choice: 'int4'"),
        ("bert-ner encoders all", "error: unrecognized arguments: all"),
        ("train.py", "error: the following arguments are required: --system"),
        ("train.py --corpus sample", "error: the following arguments are required: --system"),
        ("train.py --corpus sample --system svm", "params.yaml has no system 'svm'; its systems are majority, "),
        ("train.py --system crf --seed one", f"error: argument --seed: 'one' {SEED}"),
        ("train.py --system crf --seed 99999999999999999999999", f"'99999999999999999999999' {SEED}"),
        ("train.py --system crf --seed -99999999999999999999999", f"'-99999999999999999999999' {SEED}"),
        ("train.py --corpus sample --sys crf", "error: the following arguments are required: --system"),
        ("train.py sample", "error: the following arguments are required: --system"),
        ("evaluate.py --corpus", "error: argument --corpus: expected one argument"),
        ("compare.py --corpus ../etc", "error: argument --corpus: invalid choice: '../etc'"),
        ("study.py --corpus sample", "error: the following arguments are required: --study"),
        ("study.py --corpus sample --study nothing", "'nothing'"),
        ("repro.py --corpus conll", "error: argument --corpus: invalid choice: 'conll'"),
        ("benchmark.py --tasks nothing", "error: unrecognized arguments: --tasks nothing"),
        ("acquire.py --corpus=", "error: argument --corpus: invalid choice: ''"),
    ],
)
def test_wrong_argument(
    command: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program, *arguments = command.split(" ")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit) as end:
        if program == "bert-ner":
            cli.main()
        else:
            run_main(importlib.import_module(program.removesuffix(".py")).main)
    signal.signal(signal.SIGINT, handler)  # pytest's own
    assert end.value.code not in (0, None)
    said = f"{end.value.code}\n{capfd.readouterr().err}"
    assert message in said
    assert "Traceback" not in said
