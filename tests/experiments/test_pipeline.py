"""The pipeline from end to end, in a copy of the repository where the real corpora are out of reach."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bert_ner import load_tagger
from bert_ner.corpus import read_bio
from bert_ner.scoring import METRICS, score

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.name for path in (ROOT / "experiments").glob("*.py") if "run_main(main)" in path.read_text())

# A smaller pipeline of the same shape.
SMALL = {
    "corpora": ["mit_movie_eng", "sample"],
    "seeds": [13],
    "more": {"rest": {"corpora": ["sample"], "systems": ["minilm"], "seeds": [42]}},
    "crf": {"c1": [0.1], "c2": [0.1], "max_iterations": 40},
    "minilm": {"epochs": 1, "learning_rate": 0.0005},
}


Workplace = Any  # the one in tests/conftest.py


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory, workplaces: type[Workplace]) -> Workplace:
    return workplaces(tmp_path_factory.mktemp("pipeline"), SMALL)


@pytest.fixture(scope="module")
def first_run(workplace: Workplace) -> str:
    return workplace.succeed("python", "experiments/repro.py")


def test_where_the_corpus_cannot_be_had_it_says_what_it_tried_and_runs_on_the_sample(first_run: str) -> None:
    for text in (
        "$BERT_NER_CORPORA is not set",
        "shared/corpora/mit_movie_eng/engtrain.bio: No such file",
        "download cache",
        "https://",
        "GOING ON WITH THE CORPUS 'sample'",
        "None of the paper's claims is judged on it",
        "To run: 10 stages",
        "train_encoder@sample-minilm-13",
        "| **entity F1 (conlleval)** |",
        "results/sample/report.md",
    ):
        assert text in first_run
    assert "94.47" not in first_run


def test_results_have_the_promised_files_and_agree_with_each_other(workplace: Workplace, first_run: str) -> None:
    assert first_run
    results = workplace.folder / "results" / "sample"
    assert not (workplace.folder / "results" / "mit_movie_eng").exists()
    scores = pd.read_csv(results / "scores.csv").set_index("system")
    assert list(scores["seed"]) == [0, 13]
    gold = [sentence.tags for sentence in read_bio(workplace.folder / "data/prepared/sample/test.bio")]
    assert set(scores["n_sentences"]) == {len(gold)} == {500}
    for system, seed in (("crf", 0), ("minilm", 13)):
        lines = (results / "predictions" / f"{system}-{seed}.tags").read_text().splitlines()
        ours = score(gold, [line.split(" ") for line in lines])
        for metric in METRICS:
            assert scores.loc[system, metric] == pytest.approx(ours[metric].value, abs=5e-7)
    assert 0.75 < scores.loc["crf", "entity_f1"] < 0.92
    history = pd.read_csv(results / "history.csv")
    assert list(history["system"]) == ["minilm"]
    assert history["train_loss"].between(0, 10).all()
    provenance = json.loads((workplace.folder / "results" / "provenance.json").read_text())["sample"]
    trained = provenance["runs"]["minilm-13"]
    assert trained["weights"]["sha256"].startswith("53aa5117")
    assert trained["environment"]["revision"] == workplace.git("rev-parse", "HEAD").strip()
    statistics = json.loads((results / "corpus.json").read_text())
    assert (statistics["types"], statistics["tags"], statistics["train"]["sentences"]) == (12, 25, 1800)


def test_saved_models_load_and_hold_no_pickle(workplace: Workplace, first_run: str) -> None:
    assert first_run
    words = [sentence.words for sentence in read_bio(workplace.folder / "data/prepared/sample/test.bio")]
    for run in ("crf-0", "minilm-13"):
        lines = (workplace.folder / "results/sample/predictions" / f"{run}.tags").read_text().splitlines()
        tagger = load_tagger(workplace.folder / "models/sample" / run, quantised=False)
        assert tagger.tag(words) == [line.split(" ") for line in lines]
    suffixes = {path.suffix for path in (workplace.folder / "models").rglob("*") if path.is_file()}
    assert suffixes == {".json", ".safetensors", ".crfsuite", ".onnx", ""}  # the last of SHA256SUMS


def test_a_second_run_finds_nothing_to_do(workplace: Workplace, first_run: str) -> None:
    table = first_run[first_run.index("| **entity F1") :]
    second = workplace.succeed("python", "experiments/repro.py")
    assert "Nothing to do" in second
    assert second.endswith(table)
    assert "up to date" in workplace.succeed("dvc", "repro", "report@sample")


def test_dvc_asked_for_the_real_corpus_fails_with_the_remedy(workplace: Workplace) -> None:
    done = workplace.run("dvc", "repro", "report@mit_movie_eng")
    assert done.returncode != 0
    assert "Set BERT_NER_CORPORA to a folder that holds mit_movie_eng/engtrain.bio" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (workplace.folder / "data/raw/mit_movie_eng").exists()


def test_dvc_shows_metrics_parameters_and_plots(workplace: Workplace, first_run: str) -> None:
    assert first_run
    workplace.git("add", "--all")
    workplace.git("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message=run")
    shown = json.loads(workplace.succeed("dvc", "metrics", "show", "--json"))
    assert "results/sample/metrics.json" in shown[""]["data"]
    workplace.succeed("dvc", "plots", "show", "--out", "plots_page")
    page = (workplace.folder / "plots_page" / "index.html").read_text()
    assert "loss on sample" in page
    assert "validation_loss" in page
    shutil.rmtree(workplace.folder / "plots_page")


def test_an_experiment_with_another_parameter_retrains_only_what_depends_on_it(
    workplace: Workplace, first_run: str
) -> None:
    assert first_run
    output = workplace.succeed("dvc", "exp", "run", "-S", "minilm.learning_rate=1e-4", "report@sample")
    assert "Running stage 'train_encoder@sample-minilm-13'" in output
    assert "Running stage 'train_baseline@sample-crf-0'" not in output
    parameters = json.loads(workplace.succeed("dvc", "params", "diff", "--json"))
    assert parameters["params.yaml"]["minilm.learning_rate"] == {"old": 0.0005, "new": 0.0001, "diff": -0.0004}
    metrics = json.loads(workplace.succeed("dvc", "metrics", "diff", "--json"))
    assert "minilm.entity_f1.mean" in metrics["results/sample/metrics.json"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_explains_itself(script: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "experiments" / script, "--help"], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0
    assert "usage:" in done.stdout


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        (
            "train.py",
            ["--corpus", "sample", "--system", "crf"],
            "data/prepared/sample/labels.txt is missing; run python experiments/prepare.py --corpus sample",
        ),
        (
            "evaluate.py",
            ["--corpus", "sample"],
            "data/prepared/sample/labels.txt is missing; run python experiments/prepare.py --corpus sample",
        ),
        (
            "report.py",
            ["--corpus", "sample"],
            "results/sample/scores.csv is missing or has no rows; run python experiments/eval",
        ),
        (
            "prepare.py",
            ["--corpus", "sample"],
            "data/raw/sample/sampletrain.bio: No such file or directory; run python experiments/acquire.py",
        ),
        ("train.py", ["--corpus", "nowhere", "--system", "crf"], "invalid choice: 'nowhere'"),
    ],
)
def test_a_script_run_too_early_or_wrongly_ends_with_one_message(
    script: str, arguments: list[str], message: str, tmp_path: Path, workplaces: type[Workplace]
) -> None:
    empty = workplaces(tmp_path, SMALL)
    done = empty.run("python", f"experiments/{script}", *arguments)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
