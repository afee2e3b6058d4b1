"""Short trainings: what they are made of, and what happens where a corpus can't be had."""

from __future__ import annotations

from harness.systems import SYSTEMS, build

import pytest

import gate.short_runs as short_runs_module
from bert_ner.corpus.acquire import CorpusUnavailable
from bert_ner.scoring import METRICS
from bert_ner.scoring.gate import Outcome, verdicts
from check import short_runs


def test_every_short_training_can_be_built() -> None:
    assert set(short_runs_module.SETTINGS) == set(short_runs_module.SEEDS) <= set(SYSTEMS)
    for system in short_runs_module.SETTINGS:
        build(system, short_runs_module.SETTINGS, ["O"], 13)


def test_the_crf_gives_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_runs_module, "SENTENCES", 100)
    monkeypatch.setitem(short_runs_module.SETTINGS, "crf", {"c1": [0.1], "c2": [0.1], "max_iterations": 5})
    parts = short_runs_module.parts_of("sample")
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (100, 200, 500)
    first, second = (short_runs_module.train("sample", "crf", parts, [0]) for _ in range(2))
    assert first.is_deterministic
    assert set(first.runs[0]["scores"]) == set(METRICS)
    assert first.made_by["settings"] == {"c1": [0.1], "c2": [0.1], "max_iterations": 5, "sentences": 100}
    assert {verdict.outcome for verdict in verdicts(first, second)} == {Outcome.PASS}
    assert first.runs[0]["scores"] == second.runs[0]["scores"]


def test_a_corpus_that_cannot_be_had_is_left_out_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def parts_of(name: str) -> short_runs_module.Parts:
        if name != "sample":
            raise CorpusUnavailable("no network")
        return short_runs_module.Parts([], [], [], {})

    asked = []
    monkeypatch.setattr(short_runs_module, "parts_of", parts_of)
    monkeypatch.setattr(
        short_runs_module, "train", lambda corpus, system, parts, seeds: asked.append((corpus, system, seeds))
    )
    short_runs(is_for_reference=False)
    assert asked == [("sample", "crf", [0]), ("sample", "minilm", [13])]
    assert capsys.readouterr().out == "mit_movie_eng is left out: no network\n\n"
