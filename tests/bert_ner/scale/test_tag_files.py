"""`bert-ner tag-files` in real processes: what is killed, or finds the disk full, ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harm import in_mounts
from pyarrow import fs

from baselines.gazetteer import GazetteerSettings, GazetteerTagger
from bert_ner.corpus.bio import Sentence
from bert_ner.scoring import entity_f1

pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
psutil = pytest.importorskip("psutil")

pytestmark = pytest.mark.slow  # each starts Ray several times
ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
QUERY_WORDS = "show me films with ada brook or bo lund from the nineties about dogs and cats"
ROWS = 60_000  # some fifteen pieces


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model, a folder of queries, and the outputs of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("tag-files")
    tags = ["O", "B-ACTOR", "I-ACTOR"]
    sentences = [Sentence(["with", *name], tags) for name in (["ada", "brook"], ["bo", "lund"])]
    settings = GazetteerSettings(min_count=[1], min_share=[0.5])
    tagger = GazetteerTagger(settings, scoring=entity_f1, labels=tags)
    tagger.fit(sentences, sentences)
    for name in ("model", "queries", "queries/more"):
        (folder / name).mkdir()
    tagger.save(folder / "model")
    draw = random.Random(0)
    lines = [" ".join(draw.choices(QUERY_WORDS.split(), k=draw.randint(3, 12))) for _ in range(ROWS)]
    (folder / "queries/large.txt").write_text("\n".join(lines))
    records = [json.dumps({"text": line, "id": i}) for i, line in enumerate(lines[:100])]
    (folder / "queries/more/small.jsonl").write_text("\n".join([*records, "no JSON"]))
    done = run(folder, "undisturbed")
    assert done.returncode == 1, done.stderr
    assert done.stdout == f"2 files tagged: {ROWS + 101:,} rows in undisturbed\n"
    assert messages(done.stderr) == [f"bert-ner: 1 of {ROWS + 101:,} rows can't be read; their records say why"]
    return folder


def messages(errors: str) -> list[str]:
    """Return the lines of standard error that are ours; Ray has some of its own, in brackets."""
    assert "Traceback" not in errors
    return [line for line in errors.splitlines() if not line.startswith("[")]


def command(target: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "bert_ner", "tag-files", "queries", target, "--model", "model", *options]


def run(folder: Path, target: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(target, *options), cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


def started(folder: Path, target: str, *options: str) -> subprocess.Popen[str]:
    """Start a run, and return when it has some parts, but not all."""
    shutil.rmtree(folder / target, ignore_errors=True)
    process = subprocess.Popen(
        command(target, *options), cwd=folder, env=ENVIRONMENT, text=True,
        stderr=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    while not [*(folder / target).glob(".tag-files/parts/large.jsonl/*/0*")]:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


def contents(folder: Path) -> dict[str, bytes]:
    """Return the outputs, and the records of what they were made from."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_undisturbed(place: Path, target: str) -> None:
    assert contents(place / target) == contents(place / "undisturbed")


def test_the_output_is_that_of_tag(place: Path) -> None:
    for name in ("large.txt", "more/small.jsonl"):
        tagging = [sys.executable, "-m", "bert_ner", "tag", f"queries/{name}", "--model", "model"]
        tagged = subprocess.run(tagging, cwd=place, env=ENVIRONMENT, capture_output=True, check=False).stdout
        assert (place / "undisturbed" / name).with_suffix(".jsonl").read_bytes() == tagged


def test_a_complete_output_is_not_made_again(place: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (place / "undisturbed").rglob("*")}
    done = run(place, "undisturbed")
    assert done.stdout == f"0 files tagged; 2 others complete before: {ROWS + 101:,} rows in undisturbed\n"
    assert {path: path.stat().st_mtime_ns for path in (place / "undisturbed").rglob("*")} == before


def test_addresses_and_one_actor(place: Path) -> None:
    done = run(place, f"file://{place}/addressed", "--actors", "1")
    assert done.returncode == 1, done.stderr
    assert_undisturbed(place, "addressed")


def test_s3(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    query = f"?endpoint_override=http%3A%2F%2F{host}%3A{port}&allow_bucket_creation=true"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setitem(ENVIRONMENT, name, "any")
        monkeypatch.setenv(name, "any")
    try:
        filesystem, _ = fs.FileSystem.from_uri(f"s3://bucket/{query}")
        filesystem.create_dir("bucket")
        fs.copy_files(str(place / "queries"), "bucket/queries", destination_filesystem=filesystem)
        arguments = [
            f"s3://bucket/{word}{query}" if word in ("queries", "tagged") else word for word in command("tagged")
        ]
        for status in ("2 files tagged", "0 files tagged; 2 others complete before"):
            done = subprocess.run(arguments, cwd=place, env=ENVIRONMENT, capture_output=True, text=True, check=False)
            assert done.stdout.startswith(status), done.stderr
        fs.copy_files("bucket/tagged", str(place / "tagged"), source_filesystem=filesystem)
    finally:
        server.stop()
    for name in ("large.jsonl", "more/small.jsonl"):
        assert (place / "tagged" / name).read_bytes() == (place / "undisturbed" / name).read_bytes()


def test_an_actor_is_killed(place: Path) -> None:
    process = started(place, "actor")
    family = psutil.Process(process.pid).children(recursive=True)
    actors = [child for child in family if "MapWorker" in " ".join(child.cmdline())]
    assert actors
    actors[0].kill()
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    assert len(messages(errors)) == 1
    assert_undisturbed(place, "actor")


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_driver_is_killed(place: Path, kind: signal.Signals) -> None:
    process = started(place, "driver")
    process.send_signal(kind)
    process.communicate()
    assert process.returncode == {signal.SIGINT: 130}.get(kind, process.returncode)
    assert not (place / "driver/large.jsonl").exists()
    parts = len([*(place / "driver").glob(".tag-files/parts/large.jsonl/*/0*")])
    assert parts > 0
    again = run(place, "driver")
    assert again.returncode == 1, again.stderr
    assert_undisturbed(place, "driver")


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - slow to import

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield nodes
    nodes.shutdown()


def test_a_node_vanishes(place: Path, cluster: Any) -> None:
    node = cluster.add_node(num_cpus=1)
    process = started(place, "node", "--address", cluster.address)
    cluster.remove_node(node, allow_graceful=False)  # by SIGKILL
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    assert "rows can't be read" in messages(errors)[-1]
    assert_undisturbed(place, "node")


def test_a_full_disk(place: Path) -> None:
    """The first run fails on a disk of 64 KiB; the second, on the same disk made larger, completes it."""
    (place / "full").mkdir(exist_ok=True)
    once = " ".join(command("full"))
    script = f"{once}; echo first: $?; mount -o remount,size=100m {place}/full; {once}; cp -r full full-copy"
    done = subprocess.run(
        in_mounts(["sh", "-c", script], small=str(place / "full")),
        cwd=place, env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "first: 1\n" in done.stdout
    first, second = messages(done.stderr)
    assert "No space left on device" in first
    assert "rows can't be read" in second
    assert_undisturbed(place, "full-copy")


def test_a_second_run_at_the_same_time(place: Path) -> None:
    process = started(place, "twice")
    second = run(place, "twice")
    assert second.returncode == 1
    assert second.stderr == f"bert-ner: another run writes to {place}/twice; wait for its end, or name another folder\n"
    process.communicate()
    assert_undisturbed(place, "twice")


@pytest.mark.parametrize(
    ("source", "target", "complaint"),
    [
        ("queries", "queries/tagged", "queries/tagged would lie in the input, queries"),
        ("queries", "queries", "queries would lie in the input"),
        ("absent", "out", "absent: no such file or folder"),
        ("undisturbed/large.jsonl", "undisturbed", "undisturbed/large.jsonl is an input, too"),
        ("queries", "nowhere://x", "nowhere://x is no address that pyarrow reads"),
    ],
)
def test_what_is_refused(place: Path, source: str, target: str, complaint: str) -> None:
    arguments = [word.replace("queries", source) if word == "queries" else word for word in command(target)]
    done = subprocess.run(arguments, cwd=place, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1
