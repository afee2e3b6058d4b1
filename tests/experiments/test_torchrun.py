"""A training that torchrun starts: a kill of one process ends all, and the next run goes on from the checkpoint."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import psutil
import pytest
from harm import contents, untimed
from workplace import Workplace

TRAIN = ["experiments/train.py", "--corpus", "sample", "--system", "minilm_crf", "--seed", "13"]
COMMAND = ["torchrun", "--standalone", "--nproc-per-node", "2", *TRAIN]


def trained(place: Workplace) -> dict[str, bytes]:
    return untimed(contents(place, ("models",)))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Workplace:
    settings = {"name": str(encoder_folder), "epochs": 30, "learning_rate": 0.005}
    place = Workplace.create(tmp_path_factory.mktemp("torchrun"), {"minilm": settings, "minilm_crf": settings})
    place.environment["OMP_NUM_THREADS"] = "1"
    place.succeed("dvc", "repro", "pipeline/dvc.yaml:prepare@sample")
    return place


@pytest.mark.slow
def test_a_killed_rank_ends_all_and_the_next_run_has_the_same_weights(prepared: Workplace, tmp_path: Path) -> None:
    killed, undisturbed = (prepared.copy(tmp_path / name) for name in ("killed", "undisturbed"))
    for place in (killed, undisturbed):
        place.environment["OMP_NUM_THREADS"] = "1"
    undisturbed.succeed(*COMMAND)
    checkpoint = killed.folder / "data/unfinished/sample/minilm_crf-13.safetensors"
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(COMMAND, cwd=killed.folder, env=killed.environment, stdout=output, stderr=output) as process,
    ):
        while not checkpoint.is_file():
            assert process.poll() is None, log.read_text(errors="replace")
            time.sleep(0.02)
        children = psutil.Process(process.pid).children(recursive=True)
        ranks = [each for each in children if each.environ().get("RANK") == "1"]
        ranks[-1].kill()
        assert process.wait(timeout=60) != 0
        psutil.wait_procs(children, timeout=20)
        assert not [each for each in children if each.is_running()]
    assert "SIGKILL" in log.read_text(errors="replace")  # the launcher's own report
    assert not trained(killed)
    assert "resuming after epoch" in killed.run(*COMMAND).stderr
    assert trained(killed) == trained(undisturbed)
