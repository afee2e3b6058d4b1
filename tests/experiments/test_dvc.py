"""DVC as a team uses it: queued experiments, and a remote that shares the trained models."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from workplace import Workplace

REPORT = "pipeline/dvc.yaml:report@sample"


@pytest.mark.slow
def test_a_queued_experiment_runs_the_code_that_was_queued(place: Workplace) -> None:
    """The version is part of every signature. Without PYTHONPATH, only the experiment's own copy has the new one."""
    del place.environment["PYTHONPATH"]
    place.commit("run")
    place.replace("bert_ner/__init__.py", '__version__ = "0.1.0"', '__version__ = "9.9.9"')
    place.succeed("dvc", "exp", "run", "--queue", "--name", "queued", REPORT)
    place.replace("bert_ner/__init__.py", '__version__ = "9.9.9"', '__version__ = "0.1.0"')
    place.succeed("dvc", "exp", "run", "--run-all")
    place.succeed("dvc", "exp", "branch", "queued", "queued")
    assert "v:9.9.9" in place.git("show", "queued:results/sample/scores.csv")
    assert "v:0.1.0" in (place.folder / "results/sample/scores.csv").read_text()


@pytest.fixture(params=["folder", "S3"])
def remote(request: pytest.FixtureRequest, place: Workplace, tmp_path: Path) -> Iterator[list[tuple[str, ...]]]:
    """Return the arguments of `dvc remote` that set up an empty remote."""
    if request.param == "folder":
        yield [("add", "--default", "team", str(tmp_path / "store"))]
        return
    pytest.importorskip("moto.server", reason="needs moto, which stands in for S3")
    pytest.importorskip("dvc_s3", reason="needs dvc-s3, with which DVC speaks to S3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place.environment |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    address = f"http://127.0.0.1:{port}"
    create = f"import boto3; boto3.client('s3', endpoint_url={address!r}).create_bucket(Bucket='models')"
    with subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stderr=subprocess.DEVNULL) as server:
        try:
            while place.run(sys.executable, "-c", create).returncode:
                assert server.poll() is None
                time.sleep(0.2)
            yield [("add", "--default", "team", "s3://models/store"), ("modify", "team", "endpointurl", address)]
        finally:
            server.terminate()


@pytest.mark.slow
def test_a_team_shares_models_through_a_remote(place: Workplace, tmp_path: Path, remote: list[tuple[str, ...]]) -> None:
    for arguments in remote:
        place.succeed("dvc", "remote", *arguments)
    place.succeed("dvc", "push")
    place.commit("run")

    colleague = Workplace(tmp_path / "colleague")
    colleague.environment = {**place.environment, "PYTHONPATH": str(colleague.folder)}
    place.git("clone", "--quiet", str(place.folder), str(colleague.folder))
    colleague.succeed("dvc", "pull", "--run-cache", REPORT, "--with-deps")
    assert (colleague.folder / "models/sample/crf-0/SHA256SUMS").is_file()
    assert "Nothing to do" in colleague.succeed("python", "experiments/repro.py", "--corpus", "sample")
