"""The pipeline from end to end, in a copy of the repository that cannot reach the real corpora."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from workplace import TEST_SENTENCES, TRAIN_SENTENCES, Workplace

from bert_ner import load_tagger
from bert_ner.corpus import read_bio
from bert_ner.files import sha256_of
from bert_ner.scoring import METRICS, score

# Runs a script, and then prints which of the two heavy libraries it has imported.
PRINT_LOADED = (
    "import atexit, runpy, sys; from pathlib import Path; del sys.argv[0];"
    "sys.path.insert(0, str(Path(sys.argv[0]).resolve().parent));"
    "atexit.register(lambda: print('LOADED:', *sorted({'torch', 'transformers'} & set(sys.modules))));"
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.fixture(scope="module")
def first_run(finished: Workplace) -> str:
    """Return the output of the first `make repro`."""
    return (finished.folder.parent / "first_run.log").read_text(encoding="utf-8")


def tags_of(place: Workplace, run: str) -> list[list[str]]:
    lines = (place.folder / "results/sample/predictions" / f"{run}.tags").read_text().splitlines()
    return [line.split(" ") for line in lines]


def test_without_the_corpus_it_lists_what_it_tried_and_runs_on_the_sample(first_run: str) -> None:
    for text in (
        "$BERT_NER_CORPORA is not set",
        "shared/corpora/mit_movie_eng/engtrain.bio: No such file",
        "download cache",
        "https://",
        "CONTINUING WITH THE CORPUS 'sample'",
        "None of the paper's claims is judged on it",
        "sample-minilm-13: done",
        "| **entity F1 (conlleval)** |",
        "results/sample/report.md",
    ):
        assert text in first_run
    assert "94.47" not in first_run


def test_results_have_the_promised_files_and_agree_with_each_other(finished: Workplace) -> None:
    results = finished.folder / "results" / "sample"
    assert not (finished.folder / "results" / "mit_movie_eng").exists()
    scores = pd.read_csv(results / "scores.csv").set_index("system")
    assert list(scores["seed"]) == [0, 13]
    gold = [sentence.tags for sentence in read_bio(finished.folder / "data/prepared/sample/test.bio")]
    assert set(scores["n_sentences"]) == {len(gold)} == {TEST_SENTENCES}
    for system, seed in (("crf", 0), ("minilm", 13)):
        expected = score(gold, tags_of(finished, f"{system}-{seed}"))
        for metric in METRICS:
            assert scores.loc[system, metric] == pytest.approx(expected[metric].value, abs=5e-7)
    assert 0.3 < scores.loc["crf", "entity_f1"] < 0.9
    history = pd.read_csv(results / "history.csv")
    assert list(history["system"]) == ["minilm", "minilm"]
    assert history["train_loss"].between(0, 10).all()
    statistics = json.loads((results / "corpus.json").read_text())
    assert (statistics["types"], statistics["tags"]) == (12, 25)
    assert statistics["train"]["sentences"] + statistics["validation"]["sentences"] == TRAIN_SENTENCES


def test_provenance_has_the_weights_and_the_revision(finished: Workplace, encoder_folder: Path) -> None:
    provenance = json.loads((finished.folder / "results" / "provenance.json").read_text())["sample"]
    trained = provenance["runs"]["minilm-13"]
    assert trained["weights"]["sha256"] == sha256_of(encoder_folder / "model.safetensors")
    assert trained["environment"]["revision"] == finished.git("rev-parse", "HEAD").strip()


def test_saved_models_load_and_hold_no_pickle(finished: Workplace) -> None:
    words = [sentence.words for sentence in read_bio(finished.folder / "data/prepared/sample/test.bio")]
    for run in ("crf-0", "minilm-13"):
        tagger = load_tagger(finished.folder / "models/sample" / run, quantised=False)
        assert tagger.tag(words) == tags_of(finished, run)
    suffixes = {path.suffix for path in (finished.folder / "models").rglob("*") if path.is_file()}
    assert suffixes == {".json", ".safetensors", ".crfsuite", ".onnx", ""}  # the last is SHA256SUMS


def test_a_second_run_finds_nothing_to_do_and_loads_no_torch(place: Workplace, first_run: str) -> None:
    table = first_run[first_run.index("| **entity F1") : first_run.index("Report: ")]
    second = place.succeed("python", "-c", PRINT_LOADED, "experiments/repro.py")
    assert "Nothing to do" in second
    assert table in second
    assert second.endswith("LOADED:\n")
    assert "up to date" in place.succeed("dvc", "repro", "pipeline/dvc.yaml:report@sample")


@pytest.mark.parametrize("script", ["compare.py", "judge.py"])
def test_stages_that_compare_tables_load_no_torch(place: Workplace, script: str) -> None:
    output = place.succeed("python", "-c", PRINT_LOADED, f"experiments/{script}", "--corpus", "sample")
    assert output.splitlines()[-1] == "LOADED:"


def test_the_gate_loads_no_torch(place: Workplace) -> None:
    done = place.run("python", "-c", PRINT_LOADED, "experiments/check.py")
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED:"


def test_a_stage_runs_the_code_of_its_own_checkout(place: Workplace, tmp_path: Path) -> None:
    """Run without PYTHONPATH: only the workplace's code generates so short a corpus."""
    del place.environment["PYTHONPATH"]
    written = place.folder / "data/raw/sample/sampletrain.bio"
    written.unlink()
    place.run("python", str(place.folder / "experiments/acquire.py"), "--corpus", "sample")
    assert len(read_bio(written)) == TRAIN_SENTENCES
    assert tmp_path in written.parents


def test_dvc_asked_for_the_real_corpus_fails_with_the_remedy(place: Workplace) -> None:
    done = place.run("dvc", "repro", "pipeline/dvc.yaml:report@mit_movie_eng")
    assert done.returncode != 0
    assert "Set BERT_NER_CORPORA to a folder that holds mit_movie_eng/engtrain.bio" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (place.folder / "data/raw/mit_movie_eng").exists()


def test_dvc_shows_metrics_and_plots(place: Workplace) -> None:
    place.commit("run")
    shown = place.succeed("dvc", "metrics", "show").splitlines()
    files = [line.split()[0] for line in shown if "/sample/" in line]
    assert files == [f"results/sample/metrics/{system}.json" for system in ("crf", "minilm")]
    assert shown[0].split() == ["Path", "entity_f1", "token_micro_f1"]
    assert max(map(len, shown)) <= 80  # fits a terminal
    place.succeed("dvc", "plots", "show", "--out", "plots_page")
    page = (place.folder / "plots_page" / "index.html").read_text()
    assert "loss on sample" in page
    assert "Without a\n    network, open results/" in page  # DVC's page fetches Vega
    assert "validation_loss" in page


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--temp"]])
def test_an_experiment_with_another_parameter_retrains_only_what_depends_on_it(
    place: Workplace, options: list[str]
) -> None:
    place.commit("run")
    target = "pipeline/dvc.yaml:report@sample"
    output = place.succeed("dvc", "exp", "run", *options, "--name", "slower", "-S", "minilm.learning_rate=1e-4", target)
    assert "train_encoder@sample-minilm-13'" in output
    assert "Running stage 'pipeline/dvc.yaml:train_baseline@sample-crf-0'" not in output
    parameters = json.loads(place.succeed("dvc", "params", "diff", "--json", "HEAD", "slower"))
    assert parameters["params.yaml"]["minilm.learning_rate"] == {"old": 0.005, "new": 0.0001, "diff": -0.0049}
    metrics = json.loads(place.succeed("dvc", "metrics", "diff", "--json", "HEAD", "slower"))
    assert "entity_f1" in metrics["results/sample/metrics/minilm.json"]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, small: dict[str, Any]) -> Workplace:
    """Return a workplace where nothing has run."""
    return Workplace.create(tmp_path_factory.mktemp("empty"), small)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "train.py --corpus sample --system crf",
            "data/prepared/sample/labels.txt is missing; run python experiments/prepare.py --corpus sample",
        ),
        (
            "evaluate.py --corpus sample",
            "data/prepared/sample/labels.txt is missing; run python experiments/prepare.py --corpus sample",
        ),
        (
            "report.py --corpus sample",
            "results/sample/scores.csv is missing or has no rows; run python experiments/eval",
        ),
        (
            "prepare.py --corpus sample",
            "data/raw/sample/sampletrain.bio: No such file or directory; run python experiments/acquire.py",
        ),
        ("train.py --corpus nowhere --system crf", "invalid choice: 'nowhere'"),
    ],
)
def test_a_script_run_too_early_ends_with_one_message(empty: Workplace, command: str, message: str) -> None:
    script, *arguments = command.split()
    done = empty.run(sys.executable, f"experiments/{script}", *arguments)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
