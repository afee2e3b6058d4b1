"""A full disk, a read-only folder, and too little memory: one message, and nothing half-written."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harm import TRAIN_ENCODER, contents, in_mounts, put_back, untimed
from workplace import Workplace

WRITERS = {  # a script -> the folder that it writes to
    "experiments/acquire.py": "data/raw",
    "experiments/prepare.py": "data/prepared/sample",
    "experiments/evaluate.py": "results/sample",
    "experiments/report.py": "results/sample",
    "experiments/train.py --system crf": "models",
}

pytestmark = pytest.mark.slow  # many processes or trainings


def run_on_mount(place: Workplace, script: str, mount: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script while a folder is on such a mount; the last line, after LEFT:, lists the files it left there."""
    listing = f'status=$?; echo LEFT: $(find "{folder}" -type f) >&2; exit $status'
    command = f"python {script} --corpus sample; {listing}"
    return place.run(*in_mounts(["sh", "-c", command], **{mount: str(folder)}))


@pytest.mark.parametrize(
    "script",
    [
        "experiments/acquire.py",
        "experiments/prepare.py",
        "experiments/train.py --system crf",
        "experiments/evaluate.py",
        "experiments/report.py",
    ],
)
def test_a_read_only_folder(place: Workplace, script: str) -> None:
    before = contents(place)
    done = run_on_mount(place, script, "fixed", place.folder / WRITERS[script])
    assert done.returncode == 1, done.stderr
    assert "Read-only file system" in done.stderr
    assert WRITERS[script].partition("/")[0] in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(place) == before
    place.succeed("python", *script.split(), "--corpus", "sample")


@pytest.mark.parametrize(
    "script", ["experiments/acquire.py", "experiments/evaluate.py", "experiments/train.py --system crf"]
)
def test_a_full_disk(place: Workplace, script: str) -> None:
    """Mount a disk of 64 KiB for the model, or of 8 KiB for the rest, over the folder: no incomplete file stays."""
    folder = place.folder / WRITERS[script]
    known = {Path(name).name for name in contents(place)}
    done = run_on_mount(place, script, "small" if "train" in script else "tiny", folder)
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    left = done.stderr.splitlines()[-1].removeprefix("LEFT:").split()
    assert all(Path(path).name in known for path in left)
    assert not any(part.startswith(".") for path in left for part in Path(path).relative_to(folder).parts)


def test_an_encoder_that_does_not_fit_on_the_disk(place: Workplace, faulty: Callable[..., Any]) -> None:
    """Limit the size of files (RLIMIT_FSIZE), so that writes fail in the libraries that write weights, too."""
    with faulty(place, TRAIN_ENCODER) as run:
        before = contents(place)
        assert run()["status"] == 0
        whole = contents(place)
        put_back(place, before)
        failed = run(file=100_000)
        assert failed["status"] == 1
        assert "minilm_crf-13.safetensors can't be written" in failed["output"]
        assert "Traceback" not in failed["output"]
        assert contents(place) == before
        assert run()["status"] == 0
        assert untimed(contents(place)) == untimed(whole)


def test_out_of_memory(place: Workplace, faulty: Callable[..., Any]) -> None:
    """Limit the memory (RLIMIT_AS) to little more than the imports took.

    Some libraries end the process when an allocation fails, so at some limits there is no message. At no limit is
    anything half-written.
    """
    with faulty(place, TRAIN_ENCODER) as run:
        before = contents(place)
        explained = 0
        for mebibytes in (2, 4, 6, 8):
            failed = run(memory=mebibytes)
            assert failed["status"] != 0
            explained += failed["status"] == 1 and "close other programs, or process less at once" in failed["output"]
            assert contents(place) == before
        assert explained
        assert run()["status"] == 0


def test_out_of_memory_with_a_large_file(place: Workplace, tmp_path: Path) -> None:
    """Check a file of two million words with little memory."""
    large = tmp_path / "large.bio"
    large.write_text("O\tword\n" * 100 * 20_000)
    limit = 'ulimit -v 400000; exec "$@"'
    done = place.run("sh", "-c", limit, "sh", "bert-ner", "check", str(large))
    assert done.returncode == 1, done.stderr
    assert "not enough memory" in done.stderr
    assert "Traceback" not in done.stderr
