"""The label audit from its folds to the figures, and the reading of doubtful sentences, on a few sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harness import artifacts
from harness.params import Params
from harness.tables import as_csv

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import label_audit
import out_of_fold
import read_labels
from bert_ner import files
from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError
from labels import predictions

LABELS = ["O", "B-TITLE", "I-TITLE"]
TRAIN = [Sentence((f"word{i % 9}", "speed"), ("O", "B-TITLE")) for i in range(12)]
TEST = [Sentence((f"movie{i}", "now"), ("B-TITLE", "O")) for i in range(8)] + [Sentence(TRAIN[0].words, ("O", "O"))]
DOUBTED = ["B-TITLE", "I-TITLE"]  # what strong systems say of the first two test sentences
RUNS = {
    "hmm-0": [["O", "O"]] * 9,
    "crf-0": [DOUBTED, DOUBTED, *(list(tags) for _, tags in TEST[2:])],
    "minilm-1": [DOUBTED, DOUBTED, *(list(tags) for _, tags in TEST[2:8]), ["O", "B-TITLE"]],
}
F1 = {"hmm-0": 0.1, "crf-0": 0.8, "minilm-1": 0.9}
PARAMS = {
    "corpora": ["sample"], "baselines": ["crf"], "encoders": ["minilm"], "seeds": [1], "extra_runs": {},
    "split": {"validation_fraction": 0.2, "seed": 1}, "label_audit": {"system": "crf", "folds": 3, "seed": 4},
    "crf": {"c1": [0.1], "c2": [0.1, 1.0], "max_iterations": 9}, "minilm": {"kind": "encoder", "name": "x"},
}  # fmt: skip


def soft(tags: Sequence[str]) -> NDArray[np.float64]:
    """Return probabilities of 0.9 for these tags."""
    return np.array([[0.9 if label == tag else 0.05 for label in LABELS] for tag in tags])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of three systems on nine test sentences."""
    params = Params.model_validate(PARAMS)
    results = tmp_path / "results"
    for module in (label_audit, out_of_fold, read_labels):
        for name, value in (
            ("read_params", lambda: params),
            ("read_labels", lambda corpus: LABELS),
            ("read_training_file", lambda corpus: TRAIN),
            ("read_part", lambda corpus, part: TEST),
            ("read_parts", lambda corpus, part: ["1"] * len(TEST)),
            ("read_section", lambda corpus, system: params[system]),
            ("RESULTS", results),
        ):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(read_labels, "DATA", tmp_path / "data")
    monkeypatch.setattr(artifacts, "DATA", tmp_path / "data")
    monkeypatch.setattr(predictions, "RESULTS", results)
    monkeypatch.setattr("sys.argv", ["script.py", "--corpus", "sample"])
    folder = results / "sample"
    (folder / "predictions").mkdir(parents=True)
    for name, tags in RUNS.items():
        (folder / "predictions" / f"{name}.tags").write_text("".join(" ".join(line) + "\n" for line in tags))
    rows = [{"system": name[:-2], "seed": name[-1], "n_sentences": 9, "entity_f1": f1} for name, f1 in F1.items()]
    (folder / "scores.csv").write_text(as_csv("scores", rows))
    return folder


class Recorder:
    """A tagger that notes what it learnt and what it tags; every tag is O for sure."""

    def __init__(self) -> None:
        self.learnt: set[tuple[str, ...]] = set()
        self.asked: set[tuple[str, ...]] = set()

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        self.learnt |= {words for words, _ in (*train, *validation)}
        return []

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        return [["O"] * len(words) for words in sentences]

    def tag_probabilities(self, sentences: Sequence[Sequence[str]], labels: Sequence[str]) -> list[NDArray[Any]]:
        self.asked |= {tuple(words) for words in sentences}
        number = [int(words[0].removeprefix("word")) for words in sentences]
        return [np.full((len(words), len(labels)), n / 10) for words, n in zip(sentences, number, strict=True)]

    save = load = lambda self, folder: None


def test_no_fold_is_tagged_by_a_model_that_has_seen_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del folder
    taggers: list[Recorder] = []

    def build(system: str, section: dict[str, Any], labels: Sequence[str], seed: int) -> Recorder:
        assert (system, section["c1"], list(labels), seed) == ("crf", [0.1], LABELS, 4)
        taggers.append(Recorder())
        return taggers[-1]

    monkeypatch.setattr(out_of_fold, "build", build)
    out_of_fold.main()
    assert len(taggers) == 3
    assert set.union(*(tagger.asked for tagger in taggers)) == {words for words, _ in TRAIN}
    for tagger in taggers:
        assert not tagger.learnt & tagger.asked
    tables = predictions.out_of_fold_probabilities("sample", TRAIN)
    assert [table[0, 0] for table in tables] == pytest.approx([i % 9 / 10 for i in range(12)])  # as in the file
    with pytest.raises(BertNerError, match="has 24 words, but the training file has 22; run python"):
        predictions.out_of_fold_probabilities("sample", TRAIN[1:])


@pytest.mark.parametrize(("change", "message"), [
    (lambda content: content[: len(content) // 2], "BadZipFile: "),
    (lambda _: b"", "EOFError: "),
    (lambda _: b"not a zip", "ValueError: "),
])  # fmt: skip
def test_damaged_probabilities_are_named_with_the_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes], message: str
) -> None:
    del folder
    monkeypatch.setattr(out_of_fold, "build", lambda *_: Recorder())
    out_of_fold.main()
    path = artifacts.out_of_fold_file("sample")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(
        BertNerError, match=rf"{path} is not as it was written \({message}.*; run python .*out_of_fold\.py"
    ):
        predictions.out_of_fold_probabilities("sample", TRAIN)


def test_probabilities_are_written_whole_or_not_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full half-way leaves the older file."""
    del folder
    monkeypatch.setattr(out_of_fold, "build", lambda *_: Recorder())
    path = artifacts.out_of_fold_file("sample")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"older")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fails)
    with pytest.raises(OSError, match="No space left"):
        out_of_fold.main()
    assert path.read_bytes() == b"older"
    assert list(path.parent.iterdir()) == [path]


def test_a_system_without_probabilities_can_t_audit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del folder
    monkeypatch.setattr(out_of_fold, "build", lambda *_: SimpleNamespace())
    with pytest.raises(
        BertNerError, match=r"crf gives no probability of every tag; choose another label_audit\.system"
    ):
        out_of_fold.main()


def audit(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(predictions, "out_of_fold_probabilities", lambda *_: [soft(tags) for _, tags in TRAIN])
    tables = [soft(tags) for tags in RUNS["crf-0"]]
    monkeypatch.setattr(predictions, "test_probabilities", lambda *_: (tables, ["crf-0"]))
    monkeypatch.setattr("sys.argv", ["label_audit.py", "--corpus", "sample"])
    label_audit.main()
    facts: dict[str, Any] = json.loads((label_audit.RESULTS / "sample/label_audit.json").read_text())
    return facts


def test_the_audit_has_figures_rows_and_a_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cleanlab")
    facts = audit(monkeypatch)
    assert facts["systems"]["systems"] == ["crf", "minilm"]
    assert facts["systems"]["against_gold"]["count"] == 2
    assert facts["repeated"]["both"]["groups"] == 3
    assert facts["repeated"]["both"]["differ"]["count"] == 1
    assert (facts["repeated_by_part"], facts["ceiling"]) == ({}, {"all": None})  # of one piece, with three groups
    assert facts["reading"] is None
    rows = pd.read_csv(folder / "label_audit.csv")
    assert list(rows.columns) == ["file", "sentence", "reason", "score", "word"]
    found = {tuple(row) for row in rows[["file", "sentence", "reason"]].itertuples(index=False)}
    assert {("test", 1, "systems"), ("test", 2, "systems"), ("test", 9, "repeated"), ("train", 10, "repeated")} <= found
    page = (folder / "label_audit.html").read_text()
    assert "movie0" in page
    assert "movie5" not in page
    words = {word for sentence in (*TRAIN, *TEST) for word in sentence.words}
    for file in ("label_audit.csv", "label_audit.json"):
        assert not any(word in (folder / file).read_text() for word in words)


def test_each_part_is_audited_with_the_copies_inside_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`read_part` returns the same nine sentences for each of the three splits, so each is there three times."""
    pytest.importorskip("cleanlab")
    del folder
    monkeypatch.setattr(label_audit, "read_parts", lambda corpus, split: ["1"] * 3 + ["2"] * 6)
    facts = audit(monkeypatch)
    assert {part: (found["groups"], found["sentences"]) for part, found in facts["repeated_by_part"].items()} == {
        "1": (3, 9), "2": (6, 18)
    }  # fmt: skip
    assert facts["ceiling"] == {"1": None, "2": None}  # three groups are too few, and six agree
    by_part = facts["systems"]["against_gold_by_part"]
    assert {part: (found["count"], found["of"]) for part, found in by_part.items()} == {"1": (2, 3), "2": (0, 6)}


def test_a_reading_from_the_lists_to_the_figures(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cleanlab")
    audit(monkeypatch)
    monkeypatch.setattr("sys.argv", ["read_labels.py", "--corpus", "sample", "--list", "2"])
    read_labels.main()
    lists = read_labels.DATA / "reading/sample"
    key = json.loads((lists / "key.json").read_text())
    assert sorted(question["kind"] for question in key["1"]) == ["control", "suspicious", "suspicious"]
    for number, asked in key.items():
        path = lists / f"reading-{number}.txt"
        answers = iter(question["gold_is"] for question in asked)
        lines = [f"verdict: {next(answers)}" if line == "verdict: " else line for line in path.read_text().split("\n")]
        path.write_text("\n".join(lines))
    monkeypatch.setattr("sys.argv", ["read_labels.py", "--corpus", "sample", "--score", "a tester"])
    for file, content, message in (
        ("reading-1.txt", "A: caf\xe9\n".encode("latin-1"), r"reading-1\.txt is not UTF-8; save it in that encoding"),
        ("key.json", b"{", r"key\.json can't be read .*; write the lists again with python .*read_labels.py --corpus"),
        ("key.json", b"{}", r"key\.json: not as it was written \(KeyError: '1'\); remove it and run python .*--list N"),
        ("key.json", json.dumps({"1": key["1"]}).encode(), r"key\.json: not as it was written \(KeyError: '2'\)"),
        ("key.json", b'{"1": [3, 3, 3]}', r"key\.json: not as it was written \(TypeError: "),
    ):
        whole = (lists / file).read_bytes()
        (lists / file).write_bytes(content)
        with pytest.raises(BertNerError, match=message):
            read_labels.main()
        (lists / file).write_bytes(whole)
    (audited := folder / "label_audit.json").rename(folder / "away")
    with pytest.raises(BertNerError, match=r"label_audit\.json is missing; run python experiments/label_audit\.py"):
        read_labels.main()
    assert not (folder / "label_reading.csv").exists()
    (folder / "away").rename(audited)
    read_labels.main()
    scored = json.loads((folder / "label_audit.json").read_text())["reading"]
    assert scored["readings"]["2"]["suspicious"]["gold"]["count"] == 2
    assert audit(monkeypatch)["reading"] == scored  # the stage computes the same figures from label_reading.csv


def test_lists_with_a_verdict_are_not_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del folder
    monkeypatch.setattr("sys.argv", ["read_labels.py", "--corpus", "sample", "--list", "2"])
    read_labels.main()
    lists = read_labels.DATA / "reading/sample"
    empty = {path.name: path.read_text() for path in lists.iterdir()}
    read_labels.main()  # nothing is lost by it
    filled = empty["reading-2.txt"].replace("verdict: ", "verdict: both", 1)
    (lists / "reading-2.txt").write_text(filled)
    with pytest.raises(BertNerError, match=rf"reading-2\.txt has verdicts, .*; move {lists} away first"):
        read_labels.main()
    assert {path.name: path.read_text() for path in lists.iterdir()} == empty | {"reading-2.txt": filled}
    lists.rename(lists.with_name("read"))
    read_labels.main()


def test_a_reading_needs_a_weaker_system_for_its_controls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del folder
    monkeypatch.setattr(
        read_labels, "require_table", lambda *_: pd.DataFrame([{"system": "crf", "entity_f1": 1.0, "seed": 0}])
    )
    monkeypatch.setattr("sys.argv", ["read_labels.py", "--corpus", "sample", "--list", "2"])
    with pytest.raises(BertNerError, match="takes two strong systems and a weaker one"):
        read_labels.main()


def test_predictions_that_do_not_fit_are_an_error(folder: Path) -> None:
    scores = pd.read_csv(folder / "scores.csv")
    (folder / "predictions/hmm-0.tags").write_text("O O\n")
    with pytest.raises(BertNerError, match=r"hmm-0\.tags, line 2, does not fit the test sentences; run python"):
        predictions.predicted_tags("sample", scores, TEST)
    (folder / "predictions/hmm-0.tags").unlink()
    with pytest.raises(BertNerError, match=r"hmm-0\.tags is missing; run python"):
        predictions.predicted_tags("sample", scores, TEST)


def test_test_probabilities_are_means_over_runs_and_then_over_systems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    values = {"crf-0": 0.2, "minilm-1": 0.6, "minilm-2": 1.0}

    class Constant(Recorder):
        def __init__(self, folder: Path) -> None:
            super().__init__()
            self.value = values[folder.name]

        def tag_probabilities(self, sentences: Sequence[Sequence[str]], labels: Sequence[str]) -> list[NDArray[Any]]:
            return [np.full((len(words), len(labels)), self.value) for words in sentences]

    for name in values:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(predictions, "model_folder", lambda corpus, run: tmp_path / run.name)
    monkeypatch.setattr(predictions, "load_tagger", lambda folder, quantised: Constant(folder))
    runs = [predictions.Run(system, int(seed)) for system, seed in (name.split("-") for name in (*values, "minilm-3"))]
    tables, names = predictions.test_probabilities("sample", runs, TEST, LABELS)
    assert names == list(values)
    assert tables[0].tolist() == [[pytest.approx(0.5)] * 3] * 2  # (0.2 + (0.6 + 1.0) / 2) / 2
    with pytest.raises(BertNerError, match="no model of a strong system is trained on sample"):
        predictions.test_probabilities("sample", [], TEST, LABELS)
