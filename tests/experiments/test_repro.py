"""The plan of `make repro`: its target, its fallback, the times it expects, and the stages it leaves out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.dvc_runs import REPRO
from harness.params import Params, read_params

import pytest

import repro
from bert_ner.corpus.acquire import CorpusUnavailable
from bert_ner.corpus.catalog import corpus_named
from bert_ner.errors import BertNerError

ROOT = Path(__file__).resolve().parents[2]
PAPER, SAMPLE = corpus_named("mit_movie_eng"), corpus_named("sample")
REPORT = "pipeline/dvc.yaml:report@sample"
RECORD = {
    "runs": {
        "crf-0": {"system": "crf", "seed": 0, "seconds": 60.0},
        "minilm-13": {"system": "minilm", "seed": 13, "seconds": 120.0},
    },
    "evaluated": {"processor": "A"},
}
TRAININGS = ["pipeline/dvc.yaml:train_baseline@sample-crf-0", "pipeline/dvc.yaml:train_encoder@sample-minilm-13"]


@pytest.fixture
def params() -> Params:
    return read_params()


class Called(Exception):
    """The pipeline would run."""


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Stages to run by target, with the arguments of the pipeline raised instead of a run."""

    def run(*arguments: Any, **options: Any) -> None:
        raise Called(arguments, options)

    stages: dict[str, list[str]] = {"domains": ["pipeline/dvc.yaml:acquire@mit_movie_eng", "domains"], REPORT: [REPORT]}
    monkeypatch.setattr(
        repro, "stages_to_run", lambda *targets: stages[targets[0]] if targets else [*TRAININGS, REPORT]
    )
    monkeypatch.setattr(repro, "run_pipeline", run)
    monkeypatch.setattr(repro, "recorded", lambda corpus: RECORD)
    return stages


def run_one(name: str | None, params: Params) -> tuple[Any, ...]:
    with pytest.raises(Called) as call:
        repro.repro_one(name, params)
    return tuple(call.value.args[0])


@pytest.mark.usefixtures("pipeline")
def test_the_papers_corpus_ends_with_the_comparison_of_corpora(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repro, "acquire", lambda *_, **__: None)
    stages, prepare, last = run_one(None, params)
    assert stages[-1] == "domains"
    assert (prepare, last) == (["pipeline/dvc.yaml:prepare@mit_movie_eng"], [*REPRO, "domains"])
    assert run_one("sample", params) == ([REPORT], ["pipeline/dvc.yaml:prepare@sample"], [*REPRO, REPORT])


def test_the_fallback_is_only_for_an_unavailable_corpus_that_is_needed(
    pipeline: dict[str, list[str]],
    params: Params,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def acquire(*_: Any, **__: Any) -> None:
        raise CorpusUnavailable("no network")

    monkeypatch.setattr(repro, "acquire", acquire)
    assert run_one(None, params)[2] == [*REPRO, REPORT]
    assert "no network\n\nCONTINUING WITH THE CORPUS 'sample'." in capsys.readouterr().out
    assert run_one("mit_movie_eng", params)[2] == [*REPRO, "domains"]  # a corpus that is named is never replaced
    pipeline["domains"] = ["domains"]  # the corpus is there
    assert run_one(None, params)[2] == [*REPRO, "domains"]


def test_a_corpus_that_params_yaml_lacks(params: Params) -> None:
    with pytest.raises(BertNerError, match="sample is not among the corpora"):
        repro.repro_one("sample", params.model_copy(update={"corpora": ["mit_movie_eng"]}))


@pytest.mark.usefixtures("pipeline")
def test_expected_times_come_from_the_record(params: Params) -> None:
    expected = repro.training_seconds(SAMPLE, params)
    assert expected == dict(zip(TRAININGS, (60.0, 120.0), strict=True))
    assert repro.plan(SAMPLE, [*TRAININGS, REPORT], expected) == "3 stages to run on sample, about 4 minutes on A"
    assert repro.plan(SAMPLE, [REPORT], expected) == "1 stages to run on sample"


@pytest.mark.usefixtures("pipeline")
def test_all_leaves_out_systems_without_weights(
    params: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = ["systems@mit_movie_eng-mpnet-13", "students@mit_movie_eng-minilm_best-13"]
    absent += ["search@mpnet", "search@minilm_best"]
    stale = [f"pipeline/dvc.yaml:{stage}" for stage in absent]
    stale += [*TRAININGS, "pipeline/dvc.yaml:search@minilm", "pipeline/dvc.yaml:study@warmup"]
    monkeypatch.setattr(repro, "stages_to_run", lambda: stale)
    monkeypatch.setattr(
        "bert_ner.encoder.weights.availability", lambda encoder: (encoder.name != "all-mpnet-base-v2", "")
    )
    with pytest.raises(Called) as call:
        repro.repro_all(params)
    stages, _, first, again, transfer, domains = call.value.args[0]
    assert stages == stale[len(absent) :]
    assert first == [*REPRO, *stages]
    assert again[: len(REPRO) + 3] == [*REPRO, "--force", "--single-item", "pipeline/dvc.yaml:evaluate@mit_movie_eng"]
    assert transfer[1:] == ["experiments/transfer.py"]  # its table is for the last stage
    assert domains == [*REPRO, "--force", "--single-item", "domains"]
    assert capsys.readouterr().out.startswith("mpnet is left out: weights that it needs are unavailable")


def test_all_without_the_papers_corpus_compares_no_corpora(
    pipeline: dict[str, list[str]], params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pipeline
    monkeypatch.setattr(repro, "stages_to_run", lambda: [REPORT, "domains"])
    with pytest.raises(Called) as call:
        repro.repro_all(params.model_copy(update={"corpora": ["sample"]}))
    stages, _, *commands = call.value.args[0]
    assert stages == [REPORT]
    assert not any("domains" in command or "experiments/transfer.py" in command for command in commands)


@pytest.mark.usefixtures("pipeline")
def test_without_ray_all_trains_here_and_an_address_is_an_error(
    params: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(repro, "find_spec", lambda name: None)
    with pytest.raises(Called) as call:
        repro.repro_all(params)
    assert "train" not in call.value.args[1]
    assert "install Ray: pip install 'bert-ner[cluster]'" in capsys.readouterr().out
    with pytest.raises(BertNerError, match="--address needs Ray"):
        repro.repro_all(params, "auto")


@pytest.mark.usefixtures("pipeline")
def test_with_ray_all_trains_on_the_cluster(params: Params) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
    with pytest.raises(BertNerError, match=r"no Ray cluster answers at 127\.0\.0\.1:1 "):
        repro.repro_all(params, "127.0.0.1:1")
    with pytest.raises(Called) as call:
        repro.repro_all(params, "local")
    _, options = call.value.args
    assert all(options["trains"](stage) for stage in [*TRAININGS, "pipeline/dvc.yaml:study@warmup"])
    assert not options["trains"](REPORT)


def test_only_one_run_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repro, "LOCK", tmp_path / "a/repro.lock")
    with repro.only_run(), pytest.raises(BertNerError, match="the pipeline already runs"), repro.only_run():
        pass
    with repro.only_run():
        pass


def test_the_locks_of_dead_processes_are_released(tmp_path: Path) -> None:
    locks = tmp_path / "rwlock"
    with subprocess.Popen(["true"]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has reaped it
        held = {"write": {"a": {"pid": zombie.pid, "cmd": "dvc"}}, "read": {"b": [{"pid": os.getpid(), "cmd": "dvc"}]}}
        locks.write_text(json.dumps(held))
        repro.release_dead(locks)
        assert locks.is_file()  # this process is alive
        del held["read"]
        locks.write_text(json.dumps(held))
        repro.release_dead(locks)
        assert not locks.exists()
    repro.release_dead(locks)  # nothing to release


@pytest.mark.parametrize("script", ["repro.py", "check.py", "benchmark.py"])
def test_the_commands_start_without_torch(script: str) -> None:
    code = f"""
import runpy, sys
sys.path.insert(0, "experiments")
sys.argv = ["{script}", "--help"]
try:
    runpy.run_path("experiments/{script}", run_name="__main__")
except SystemExit:
    pass
sys.exit(str(heavy) if (heavy := {{"torch", "transformers", "onnxruntime", "dvc"}} & sys.modules.keys()) else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage:")
