"""Trainings on a cluster of two nodes in this machine, of which a worker and then a whole node are killed."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.params import Params, read_params
from harness.tables import read_table

import psutil
import pytest
from harm import contents, untimed
from workplace import Workplace

SEEDS = (13, 17)
STAGES = {seed: f"pipeline/dvc.yaml:train_encoder@sample-minilm-{seed}" for seed in SEEDS}
STUDY, SEARCH = "pipeline/dvc.yaml:study@curve", "pipeline/dvc.yaml:search@gazetteer"
CRF = "pipeline/dvc.yaml:train_baseline@sample-crf-0"
DRIVER = (sys.executable, "-m", "bench.cluster_trainings")


def wait_for(found: Callable[[], Any], process: subprocess.Popen[bytes], log: Path) -> Any:
    while not (result := found()):
        assert process.poll() is None, log.read_text(errors="replace")
        time.sleep(0.05)
    return result


def training(seed: int, raylets: set[int]) -> list[psutil.Process]:
    """Return the process that trains with a seed on one of the nodes and those above it; nothing if none does."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "experiments/train.py" in command and command[-1] == str(seed):
            line = [process, *process.parents()]
            if raylets & {each.pid for each in line}:
                return line
    return []


def search_path(place: Workplace) -> str:
    return f"{place.folder}:{place.folder / 'experiments'}"


def models(place: Workplace) -> dict[str, bytes]:
    """Return the files of all models that are equal in every run: no times, and no exported copy."""
    files = untimed(contents(place, ("models",)))
    return {name: data for name, data in files.items() if "/int8/" not in name}


@pytest.mark.slow
def test_a_killed_worker_and_a_killed_node_cost_their_runs_only(
    tmp_path: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - slow to import

    encoder = {"name": str(encoder_folder), "epochs": 40, "learning_rate": 0.005}
    place = Workplace.create(tmp_path / "a", {"seeds": [*SEEDS], "minilm": encoder})
    place.environment["OMP_NUM_THREADS"] = "1"
    place.succeed("dvc", "repro", "pipeline/dvc.yaml:prepare@sample")
    other = place.copy(tmp_path / "b")
    other.environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": search_path(other)}
    place.succeed("dvc", "repro", "--single-item", *STAGES.values())

    for name in ("PYTHONPATH", "PATH"):
        monkeypatch.setenv(name, other.environment[name])
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    room = {"num_cpus": 1, "memory": 10**9, "object_store_memory": 10**8}
    cluster = Cluster(initialize_head=True, head_node_args={**room, "include_dashboard": False})
    log = tmp_path / "log"
    try:
        second = cluster.add_node(**room)
        first_raylet, raylet = (node.all_processes["raylet"][0].process.pid for node in (cluster.head_node, second))
        command = [*DRIVER, cluster.address, *STAGES.values()]
        with (
            log.open("wb") as output,
            subprocess.Popen(command, cwd=other.folder, env=other.environment, stdout=output, stderr=output) as driver,
        ):
            state = other.folder / "data/unfinished/sample"
            wait_for(lambda: all((state / f"minilm-{seed}.safetensors").is_file() for seed in SEEDS), driver, log)
            lines = {
                seed: wait_for(lambda seed=seed: training(seed, {first_raylet, raylet}), driver, log) for seed in SEEDS
            }
            on_second = {seed: raylet in [each.pid for each in line] for seed, line in lines.items()}
            assert sorted(on_second.values()) == [False, True]
            for seed, line in lines.items():
                if not on_second[seed]:
                    [worker] = [each for each in line if each.name().startswith("ray::")]
                    worker.kill()
            cluster.remove_node(second, allow_graceful=False)
            psutil.wait_procs([line[0] for line in lines.values()], timeout=20)
            assert not any(line[0].is_running() for line in lines.values())  # nothing trains on
            assert driver.wait(timeout=300) == 0, log.read_text(errors="replace")
    finally:
        cluster.shutdown()
    rows = [line.split("|") for line in log.read_text().splitlines() if line.startswith("| sample-minilm")]
    assert [(row[2].strip(), row[4].strip()) for row in rows] == [("done", "2"), ("done", "2")]
    assert models(other) == models(place)
    assert "up to date" in other.succeed("dvc", "status", *STAGES.values())


@pytest.mark.slow
def test_with_a_remote_the_model_comes_from_there(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
    place, stage = Workplace.create(tmp_path, {"crf": {"c1": [0.1], "c2": [0.1], "max_iterations": 5}}), CRF
    place.succeed("dvc", "remote", "add", "--default", "team", str(tmp_path / "store"))
    place.environment["PYTHONPATH"] = search_path(place)
    output = place.succeed(*DRIVER, "local", stage)
    assert "| sample-crf-0 | done |" in output
    model = (place.folder / "models/sample/crf-0/run.json").read_bytes()
    assert "up to date" in place.succeed("dvc", "status", stage)
    shutil.rmtree(place.folder / ".dvc/cache")
    shutil.rmtree(place.folder / "models")
    place.succeed("dvc", "pull", stage)
    assert (place.folder / "models/sample/crf-0/run.json").read_bytes() == model


@pytest.mark.slow
def test_each_training_of_a_study_or_a_search_is_a_run_and_all_are_recorded_here(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
    curve = {"seeds": [1, 2], "fractions": [0.5], "crf": {}}
    search = {"folds": 2, "fewer_folds": {}, "trials": {"gazetteer": [{"min_count": [[1], [2]], "min_share": [[0.5]]}]}}
    crf = {"c1": [0.1], "c2": [0.1], "max_iterations": 5}
    place = Workplace.create(tmp_path / "a", {"crf": crf, "studies": {"curve": curve}, "search": search})
    pipeline = (place.folder / "pipeline/dvc.yaml").read_text()
    on_sample = re.sub(
        r"^  (study|search):.*?^$",
        lambda block: block[0].replace("mit_movie_eng", "sample"),
        pipeline,
        flags=re.M | re.S,
    )
    (place.folder / "pipeline/dvc.yaml").write_text(on_sample)
    place.environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": search_path(place)}
    place.succeed("dvc", "repro", "pipeline/dvc.yaml:prepare@sample")
    alone = place.copy(tmp_path / "b")
    alone.succeed("dvc", "repro", "--single-item", STUDY, SEARCH)
    output = place.succeed(*DRIVER, "local", STUDY, SEARCH)
    ran = sorted(line.split(" | ")[0] for line in output.splitlines() if " | done | " in line)
    assert ran == [
        *(f"| search gazetteer fold {fold} trial {trial}" for fold in (1, 2) for trial in (1, 2)),
        *(f"| study curve crf-0.5-{seed}" for seed in (1, 2)),
    ]
    for name in ("studies", "search"):
        tables = [read_table(each.folder / "results", "sample", name) for each in (place, alone)]
        assert tables[0] is not None
        assert tables[1] is not None
        assert tables[0].drop(columns="seconds").equals(tables[1].drop(columns="seconds"))
    assert "up to date" in place.succeed("dvc", "status", STUDY, SEARCH)
    assert not list((place.folder / "data/unfinished").rglob("*.json"))


def test_the_trainings_of_a_fold_with_teachers_are_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
    from harness import cluster_runs  # noqa: PLC0415 - imports ray

    plain = read_params()
    changed = {
        "teacher": plain["mpnet"],
        "student": {**plain["minilm"], "teachers": ["teacher-13"]},
        "search": {
            "folds": 3,
            "trials": {"minilm": [{"epochs": [1, 2]}], "student": [{"teachers": [[], ["teacher-13"]]}]},
        },
    }
    params = Params.model_validate(plain.model_dump() | changed)
    monkeypatch.setattr(cluster_runs, "command_of", lambda _: "python search.py --corpus mit_movie_eng")
    wanted = [{"trial": trial, "fold": fold} for trial, fold in ((1, 1), (1, 2), (2, 2))]
    monkeypatch.setattr(cluster_runs, "open_folds", lambda *_: wanted)
    alone, taught = (cluster_runs.search_runs(f"x:search@{name}", params, 0) for name in ("minilm", "student"))
    assert [list(run.commands[-1][-4:]) for run in alone] == [
        ["--fold", fold, "--trial", trial] for fold, trial in ("11", "21", "22")
    ]
    assert [run.commands[-1][-2:] for run in taught] == [["--fold", "1"], ["--fold", "2"]]
    names = [[Path(name).stem for name in run.files] for run in taught]  # no training is in two runs
    assert names == [["search-student-1-1"], ["search-student-1-2", "search-student-2-2"]]
    assert taught[1].memory > 2 * alone[0].memory  # that of its teacher


def test_a_student_fetches_the_models_of_its_teachers() -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
    from harness import cluster_runs  # noqa: PLC0415 - imports ray

    params = read_params()
    [student], [teacher] = (
        cluster_runs.cluster_runs(f"pipeline/dvc.yaml:{name}@mit_movie_eng-{system}-7", params, 0)
        for name, system in (("students", "minilm_best"), ("tuned", "mpnet_tuned"))
    )
    pulls = [run.commands[1][4:] for run in (student, teacher)]
    prepared, models = "pipeline/dvc.yaml:prepare@mit_movie_eng", "models/more/mit_movie_eng/mpnet_tuned-"
    assert pulls[0] == ("--quiet", prepared, *(f"{models}{seed}" for seed in (13, 42, 87)))
    assert pulls[1] == ("--quiet", prepared)


@pytest.mark.slow
@pytest.mark.alone
def test_ctrl_c_ends_everything_with_one_line(tmp_path: Path, encoder_folder: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
    place = Workplace.create(tmp_path, {"minilm": {"name": str(encoder_folder), "epochs": 1000}, "seeds": [13]})
    place.environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": search_path(place)}
    log = tmp_path / "log"
    command = [*DRIVER, "local", STAGES[13]]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=place.folder, env=place.environment, stdout=output, stderr=output) as process,
    ):
        state = place.folder / "data/unfinished/sample/minilm-13.safetensors"
        wait_for(state.is_file, process, log)
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    text = log.read_text(errors="replace")
    assert text.rstrip().endswith("cluster_trainings.py: interrupted")
    assert "Traceback" not in text
    _, alive = psutil.wait_procs(below, timeout=20)
    assert not alive
