"""Short trainings: their settings, their results, and a corpus that is unavailable."""

from __future__ import annotations

import re
from pathlib import Path

from harness.systems import build

import pytest

import gate.short_runs as short_runs_module
from bert_ner.corpus.acquire import CorpusUnavailable
from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import corpus_named
from bert_ner.errors import BertNerError
from bert_ner.scoring import METRICS
from bert_ner.scoring.gate import Outcome, verdicts
from bert_ner.yaml_files import load_yaml


def test_every_short_training_can_be_built() -> None:
    assert set(short_runs_module.SECTIONS) == set(short_runs_module.SEEDS)
    for system, section in short_runs_module.SECTIONS.items():
        build(system, section, ["O"], 13)


@pytest.mark.parametrize(
    ("section", "line", "problem"),
    [
        ("crf: {c1: [0.1], c2: [-1.0], max_iterations: 60}", 2, "crf: c2.0 must be a number of at least 0, not -1.0"),
        ("crf:\n  c1: [0.1]\n  c2: [0.1]\n  max_iterations: 0", 5, "crf: max_iterations must be a whole number"),
        ("hmm: {}", 1, "crf: expected names and values of settings, not None"),
        ("crf: {kind: none}", 2, "crf: no kind of tagger is named 'none'"),
    ],
)
def test_an_error_names_the_file_and_the_line(
    section: str, line: int, problem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "short_runs.yaml"
    path.write_text(f"# short\n{section}\n")
    monkeypatch.setattr(short_runs_module, "SETTINGS", path)
    monkeypatch.setattr(short_runs_module, "SECTIONS", load_yaml(path))
    with pytest.raises(BertNerError, match=re.escape(f"{path}, line {line}: {problem}")):
        short_runs_module.train("sample", "crf", [[], [], []], [0])


def test_the_crf_gives_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_runs_module, "SENTENCES", 100)
    monkeypatch.setitem(short_runs_module.SECTIONS, "crf", {"c1": [0.1], "c2": [0.1], "max_iterations": 5})
    data = short_runs_module.read_data("sample")
    assert list(map(len, data)) == [100, 200, 500]
    first, second = (short_runs_module.train("sample", "crf", data, [0]) for _ in range(2))
    assert first.is_deterministic
    assert set(first.runs[0]["scores"]) == set(METRICS)
    assert first.made_by["data"] == {file.name: file.sha256 for file in corpus_named("sample").files.values()}
    assert first.made_by["settings"] == {"c1": [0.1], "c2": [0.1], "max_iterations": 5, "sentences": 100}
    assert {verdict.outcome for verdict in verdicts(first, second)} == {Outcome.PASS}
    assert first.runs[0]["scores"] == second.runs[0]["scores"]


def test_an_unavailable_corpus_is_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def read_data(name: str) -> list[list[Sentence]]:
        if name != "sample":
            raise CorpusUnavailable("no network")
        return [[], [], []]

    asked = []
    monkeypatch.setattr(short_runs_module, "read_data", read_data)
    monkeypatch.setattr(
        short_runs_module, "train", lambda corpus, system, data, seeds: asked.append((corpus, system, seeds))
    )
    short_runs_module.short_runs(is_for_reference=False)
    assert asked == [("sample", "crf", [0]), ("sample", "minilm", [13])]
    assert capsys.readouterr().out == "mit_movie_eng is left out: no network\n\n"
