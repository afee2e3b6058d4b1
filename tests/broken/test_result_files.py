"""Broken files that stages wrote: one error with the file, the fault, and the command that writes it again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import artifacts, paths, provenance
from harness.params import Run
from harness.tables import require_table

import pytest
from broken import DEEP, MERGE, Change, breaks, cut, flipped, swapped, with_values
from workplace import Workplace

from bert_ner.corpus.acquire import check_acquired
from bert_ner.corpus.catalog import corpus_named
from bert_ner.corpus.sample import write_sample
from bert_ner.errors import BertNerError
from gate.references import present, read_references

ROOT = Path(__file__).resolve().parents[2]
SUM = "its SHA-256 is "
EVALUATE = "python experiments/evaluate.py --corpus sample"
PREPARE = "run python experiments/prepare.py --corpus sample"
TRAIN = "run python experiments/train.py --corpus sample --system crf --seed 0"
TAGS = "results/sample/predictions/crf-0.tags"
GIT = "take both files from Git, or run"


def without(key: str) -> Callable[[bytes], bytes]:
    """Return an edit that removes a key of every run in provenance.json, as a bad merge may."""

    def edit(content: bytes) -> bytes:
        records = json.loads(content)
        for run in records["sample"]["runs"].values():
            del run[key]
        return json.dumps(records).encode()

    return edit


@pytest.fixture
def copy(finished: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the data and results of a finished pipeline, which the readers take for their own."""
    for name in ("data/prepared", "data/raw", "results"):
        shutil.copytree(finished.folder / name, tmp_path / name)
    shutil.copytree(finished.folder / "models/sample/crf-0", tmp_path / "models/sample/crf-0")
    for module in (paths, artifacts, provenance):
        for name, value in list(vars(module).items()):
            if isinstance(value, Path) and value.is_relative_to(ROOT):
                monkeypatch.setattr(module, name, tmp_path / value.relative_to(ROOT))
    return tmp_path


READERS: dict[str, Callable[[Path], Any]] = {
    "data/prepared/sample/labels.txt": lambda _: artifacts.read_part("sample", "train"),
    "data/prepared/sample/train.bio": lambda _: artifacts.read_part("sample", "train"),
    "models/sample/crf-0/run.json": lambda _: artifacts.read_run("sample", Run("crf", 0)),
    "results/sample/scores.csv": lambda folder: require_table(folder / "results", "sample", "scores"),
    "results/sample/metrics/crf.json": lambda folder: artifacts.read_json(folder / "results/sample/metrics/crf.json"),
    TAGS: lambda folder: artifacts.check_predictions(folder / TAGS, f"run {EVALUATE}"),
    "results/provenance.json": lambda folder: present(folder / "results"),
}


@pytest.mark.parametrize(
    ("name", "change", "messages"),
    [
        ("data/prepared/sample/labels.txt", b"\xff", ["is not the file that was written", SUM, PREPARE]),
        ("data/prepared/sample/labels.txt", "", ["is not the file that was written", SUM, PREPARE]),
        ("data/prepared/sample/labels.txt", "O\nB-X\n", ["is not the file that was written", SUM, PREPARE]),
        ("data/prepared/sample/labels.txt", None, ["is missing", PREPARE]),
        ("data/prepared/sample/train.bio", cut, ["is not the file that was written", SUM, PREPARE]),
        ("data/prepared/sample/train.bio", flipped, ["is not the file that was written", SUM, PREPARE]),
        ("data/prepared/sample/train.bio", None, ["is missing, but its SHA-256 is on record", PREPARE]),
        ("models/sample/crf-0/run.json", DEEP, ["can't be read", "remove it, and run the stage that writes it"]),
        ("models/sample/crf-0/run.json", "{}", ["has no settings or no history", TRAIN]),
        ("models/sample/crf-0/run.json", "[]", ["is not a JSON object; remove it"]),
        ("models/sample/crf-0/run.json", None, ["is missing", TRAIN]),
        ("results/sample/scores.csv", "", ["can't be read (No columns to parse from file)", EVALUATE]),
        ("results/sample/scores.csv", b"\xff\xfe", ["can't be read ('utf-8' codec can't decode byte 0xff", EVALUATE]),
        ("results/sample/scores.csv", 'a,"b\n', ["can't be read (Error tokenizing data. C error: EOF in", EVALUATE]),
        ("results/sample/scores.csv", "system\ncrf\n", ["no column corpus, encoder, seed", EVALUATE]),
        (
            "results/sample/scores.csv",
            swapped(",0,", ",zero,"),
            ["scores.csv:2: seed is 'zero', not a whole", EVALUATE],
        ),
        ("results/sample/scores.csv", swapped("crf,", "crf,,"), ["more columns than its first line", EVALUATE]),
        ("results/sample/scores.csv", None, ["is missing or has no rows", EVALUATE]),
        ("results/sample/metrics/crf.json", cut, ["can't be read", "remove it, and run the stage that writes it"]),
        (TAGS, b"\xff\n", [SUM, "provenance.json has", EVALUATE]),
        (TAGS, cut, [SUM, "provenance.json has", EVALUATE]),
        (TAGS, lambda content: content.replace(b"O", b"Q", 1), [SUM, "provenance.json has", EVALUATE]),
        ("results/provenance.json", "5", ["is not a JSON object; take the file from Git"]),
        ("results/provenance.json", cut, ["can't be read", "; take the file from Git"]),
        ("results/provenance.json", MERGE, ["can't be read", "; take the file from Git"]),
        ("results/provenance.json", None, ["has no run crf-0 on sample, which", "scores.csv has", GIT, EVALUATE]),
        ("results/provenance.json", '{"sample": {"runs": {}}}', ["has no run crf-0 on sample, which", GIT, EVALUATE]),
        (
            "results/provenance.json",
            '{"sample": 5}',
            ["sample must be a valid dictionary, not 5", "; take the file from Git"],
        ),
        ("results/provenance.json", without("cost"), ["sample.runs.crf-0.cost is missing", "; take the file from Git"]),
        ("results/provenance.json", without("settings"), ["sample.runs.crf-0.settings is missing"]),
        ("results/provenance.json", without("system"), ["sample.runs.crf-0.system is missing"]),
        ("results/provenance.json", without("seconds"), ["sample.runs.crf-0.seconds is missing"]),
        ("results/provenance.json", without("predictions"), ["sample.runs.crf-0.predictions is missing"]),
        ("results/provenance.json", without("weights"), ["sample.runs.minilm-13 must have the weights of its encoder"]),
        ("results/provenance.json", without("history"), ["sample.runs.crf-0.history is missing"]),
        ("results/provenance.json", without("environment"), ["sample.runs.crf-0.environment is missing"]),
        ("results/provenance.json", swapped('"packages"', '"package"'), ["crf-0.environment.packages is missing"]),
        ("results/provenance.json", swapped('"evaluated"', '"evaluate"'), ["sample must have evaluated, the machine"]),
        ("results/provenance.json", swapped('"crf-0"', '"crf"'), ["sample.runs.crf"]),
        ("results/provenance.json", swapped('"files"', '"file"'), ["sample must have the files that its runs were"]),
    ],
)
def test_broken_file(name: str, change: Change, messages: list[str], copy: Path) -> None:
    READERS[name](copy)  # the good one
    breaks(copy / name, change)
    with pytest.raises(BertNerError) as caught:
        READERS[name](copy)
    for message in [str(copy / name).removesuffix("provenance.json"), *messages]:
        assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("change", [flipped, cut])
def test_broken_file_of_a_corpus(change: Change, tmp_path: Path) -> None:
    corpus = corpus_named("sample")
    write_sample(tmp_path)
    check_acquired(corpus, tmp_path, "run it again")
    breaks(tmp_path / corpus.train.name, change)
    with pytest.raises(BertNerError, match=f"{tmp_path / corpus.train.name} is not the {corpus.train.name} that"):
        check_acquired(corpus, tmp_path, "run it again")


REFERENCE = "mit_movie_eng/crf.json"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cut, "can't be read"),
        ("[]", "is not a JSON object; remove it"),
        (with_values(runs=[]), "runs must have at least 1 item"),
        (with_values(runs=5), "runs must be a valid list, not 5"),
        (with_values(runs=[{"seed": 0}]), "runs.0.scores is missing; runs.0.environment is missing"),
        (with_values(signature=""), "signature must have at least 1 character"),
        (with_values(weights=[]), "weights must be a valid dictionary"),
        (with_values(notes="x"), "unknown key 'notes'; the keys here are signature, settings, data, weights, runs"),
        (lambda content: json.dumps({"runs": json.loads(content)["runs"]}).encode(), "signature is missing"),
    ],
)
def test_broken_reference(change: Change, message: str, tmp_path: Path) -> None:
    path = tmp_path / REFERENCE
    path.parent.mkdir()
    shutil.copy(ROOT / "results/reference" / REFERENCE, path)
    assert read_references(tmp_path, "")
    breaks(path, change)
    with pytest.raises(BertNerError) as caught:
        read_references(tmp_path, "")
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
