"""The commands in errors: each names a stage that the pipeline has."""

from __future__ import annotations

from harness.params import WEIGHTS_OF, Run, read_params
from harness.paths import DOMAINS, ROOT
from harness.remedies import stage_remedy, training_remedy
from harness.tables import NO_STAGES, TABLES, table_remedy

import pytest

from bert_ner.yaml_files import load_yaml

STAGES = load_yaml(ROOT / "pipeline/dvc.yaml")["stages"]


def test_stages_are_named_with_their_corpus() -> None:
    by_dvc = "dvc repro pipeline/dvc.yaml:prepare@sample"
    assert stage_remedy("prepare", "sample") == f"run python experiments/prepare.py --corpus sample, or {by_dvc}"


@pytest.mark.parametrize("name", TABLES)
def test_tables_name_a_stage_only_if_one_writes_them(name: str) -> None:
    stage = table_remedy(name, "sample").partition("pipeline/dvc.yaml:")[2].removesuffix("@sample")
    producer = TABLES[name].producer
    assert stage == ("" if producer in NO_STAGES or producer.startswith("make ") else producer)
    assert not stage or stage in STAGES
    assert (ROOT / f"experiments/{producer}.py").is_file() or producer.startswith("make ")


def test_no_stage_writes_the_tables_of_commands() -> None:
    assert not {*NO_STAGES} & {*STAGES}


def test_the_comparison_of_corpora_is_a_stage_of_plain_dvc_repro() -> None:
    assert table_remedy("claims", DOMAINS) == "run python experiments/judge.py --domains, or dvc repro"


@pytest.mark.parametrize(
    ("corpus", "run", "system", "item"),
    [
        ("sample", Run("crf", 0), "crf", "train_baseline@sample-crf-0"),
        ("mit_restaurant", Run("minilm", 13), "minilm", "train_encoder@mit_restaurant-minilm-13"),
        ("mit_movie_eng", Run("minilm", 7), "minilm", "seeds@mit_movie_eng-minilm-7"),
        ("mit_movie_eng", Run("minilm_legal", 7), "minilm", "seeds@mit_movie_eng-minilm-7"),
        ("mit_movie_eng", Run("mpnet_legal", 13), "mpnet", "systems@mit_movie_eng-mpnet-13"),
        ("sample", Run("mpnet", 13), "mpnet", ""),
        ("mit_movie_eng", Run("minilm", 1), "minilm", ""),
    ],
)
def test_trainings_name_the_stage_that_has_them(corpus: str, run: Run, system: str, item: str) -> None:
    command = f"run python experiments/train.py --corpus {corpus} --system {system} --seed {run.seed}"
    assert training_remedy(corpus, run) == command + (f", or dvc repro pipeline/dvc.yaml:{item}" if item else "")


def test_every_training_of_the_pipeline_has_its_stage() -> None:
    params = read_params()
    for corpus in params.corpora:
        for run in params.all_runs(corpus):
            stage, _, item = training_remedy(corpus, run).partition("pipeline/dvc.yaml:")[2].partition("@")
            assert stage in STAGES
            assert item == f"{corpus}-{params[run.system].get(WEIGHTS_OF, run.system)}-{run.seed}"
