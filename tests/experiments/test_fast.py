"""Short trainings: what they are made of, and what happens where a corpus can't be had."""

from __future__ import annotations

import pytest

import fast
from bert_ner.corpus.acquire import CorpusUnavailable
from bert_ner.scoring import METRICS
from check import short_runs
from gate import Outcome, verdicts
from systems import SYSTEMS, build


def test_every_short_training_can_be_built() -> None:
    assert set(fast.SETTINGS) == set(fast.SEEDS) <= set(SYSTEMS)
    for system in fast.SETTINGS:
        build(system, fast.SETTINGS, ["O"], 13)


def test_the_crf_gives_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "SENTENCES", 100)
    monkeypatch.setitem(fast.SETTINGS, "crf", {"c1": [0.1], "c2": [0.1], "max_iterations": 5})
    parts = fast.parts_of("sample")
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (100, 200, 500)
    first, second = (fast.train("sample", "crf", parts, [0]) for _ in range(2))
    assert first.is_deterministic
    assert set(first.runs[0]["scores"]) == set(METRICS)
    assert first.made_by["settings"] == {"c1": [0.1], "c2": [0.1], "max_iterations": 5, "sentences": 100}
    assert {verdict.outcome for verdict in verdicts(first, second)} == {Outcome.PASS}
    assert first.runs[0]["scores"] == second.runs[0]["scores"]


def test_a_corpus_that_cannot_be_had_is_left_out_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def parts_of(name: str) -> fast.Parts:
        if name != "sample":
            raise CorpusUnavailable("no network")
        return fast.Parts([], [], [], {})

    asked = []
    monkeypatch.setattr(fast, "parts_of", parts_of)
    monkeypatch.setattr(fast, "train", lambda corpus, system, parts, seeds: asked.append((corpus, system, seeds)))
    short_runs(is_for_reference=False)
    assert asked == [("sample", "crf", [0]), ("sample", "minilm", [13])]
    assert capsys.readouterr().out == "mit_movie_eng is left out: no network\n\n"
