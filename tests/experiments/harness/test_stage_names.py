"""What the names of stages say, also where a corpus has hyphens and ends in digits."""

from __future__ import annotations

from harness import stage_names
from harness.dvc_runs import open_repository
from harness.paths import ROOT
from harness.stage_names import StageName, is_training, parse_stage

import pytest

from bert_ner.corpus.catalog import corpus_names


@pytest.fixture(autouse=True)
def corpora(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add corpora with hyphens and digits."""
    monkeypatch.setattr(stage_names, "corpus_names", lambda: ["conll", "conll-2003", *corpus_names()])


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("pipeline/dvc.yaml:train_baseline@sample-crf-0", ("train_baseline", "sample-crf-0", "sample", "crf", 0)),
        ("seeds@sample-minilm_crf-7", ("seeds", "sample-minilm_crf-7", "sample", "minilm_crf", 7)),
        ("x:train_encoder@conll-2003-minilm-13", ("train_encoder", "conll-2003-minilm-13", "conll-2003", "minilm", 13)),
        ("x:report@conll-2003", ("report", "conll-2003", "conll-2003")),
        ("x:report@sample", ("report", "sample", "sample")),
        ("x:search@minilm", ("search", "minilm", "", "minilm")),
        ("x:search@minilm fold 1 trial 2", ("search", "minilm fold 1 trial 2", "", "minilm fold 1 trial 2")),
        ("x:study@sample-crf-0", ("study", "sample-crf-0")),
        ("x:train_encoder@conll-2003-oracle-13", ("train_encoder", "conll-2003-oracle-13")),
        ("x:train_encoder@conll-2003-13", ("train_encoder", "conll-2003-13")),
        ("domains", ("domains", "")),
    ],
)  # fmt: skip
def test_the_parts_of_a_name(name: str, parts: tuple[str, ...]) -> None:
    assert parse_stage(name) == StageName(*parts)  # type: ignore[arg-type]
    assert is_training(name) == (len(parts) == 5)


@pytest.mark.parametrize("corpus", ["conll-2003", "sample"])
def test_no_stage_of_a_corpus_but_a_training_trains(corpus: str) -> None:
    names = ("acquire", "prepare", "evaluate", "audit", "compare", "judge", "report")
    assert not any(is_training(f"pipeline/dvc.yaml:{name}@{corpus}") for name in names)


def test_the_trainings_of_the_pipeline_are_those_that_run_train_py() -> None:
    with open_repository(ROOT) as repo:
        commands = {stage.addressing: str(stage.cmd) for stage in repo.index.stages}
    trainings = {name for name, command in commands.items() if "experiments/train.py" in command}
    assert trainings == set(filter(is_training, commands))
    for name in trainings:
        parts = parse_stage(name)
        options = f"--corpus {parts.corpus} --system {parts.system} --seed {parts.seed}"
        assert commands[name] == f"python experiments/train.py {options}"
