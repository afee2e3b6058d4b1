"""What tests of faults share: the files that stages make, mounts, and a publisher that stops half-way."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Workplace = Any  # the one in tests/conftest.py
# What holds times: equal in two runs but for those.
TIMED = {"run.json", "SHA256SUMS", "history.csv", "costs.csv", "provenance.json"}


def contents(place: Workplace, names: tuple[str, ...] = ("data", "models", "results")) -> dict[str, bytes]:
    """The files that stages make, by path, without hidden ones: parts that a killed process left."""
    paths = [path for name in names for path in sorted((place.folder / name).rglob("*")) if path.is_file()]
    named = {str(path.relative_to(place.folder)): path for path in paths}
    return {name: path.read_bytes() for name, path in named.items() if not any(p[0] == "." for p in Path(name).parts)}


def untimed(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files that are equal from run to run, to the bit."""
    return {name: data for name, data in files.items() if Path(name).name not in TIMED}


def put_back(place: Workplace, files: dict[str, bytes]) -> None:
    """Make the data, models and results of a place these."""
    for name in ("data", "models", "results"):
        shutil.rmtree(place.folder / name, ignore_errors=True)
    for name, data in files.items():
        path = place.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def in_mounts(command: list[str], **mounts: str) -> list[str]:
    """A command with mounts of its own, on folders: a `small` or `tiny` disk, or the same folder, read-only (`fixed`).

    Skips the test where the system gives no namespace for them.
    """
    kinds = {
        "small": 'mount -t tmpfs -o size=64k none "{0}"',
        "tiny": 'mount -t tmpfs -o size=8k none "{0}"',
        "fixed": 'mount --bind "{0}" "{0}" && mount -o remount,ro,bind "{0}"',
    }
    steps = [kinds[kind].format(path) for kind, path in mounts.items()]
    unshare = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--mount"]
    try:
        able = subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        able = False
    if not able:
        pytest.skip("no namespace of mounts can be had here (unshare --mount)")
    return [*unshare, "sh", "-c", " && ".join([*steps, 'exec "$@"']), "sh", *command]


class Publisher(ThreadingHTTPServer):
    """Serves two files of a corpus from this machine; it can stop in the middle of one and wait to be killed for it."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {"/train.bio": b"B-YEAR\t1994\nO\tmovies\n\n" * 2_000, "/test.bio": b"O\tmovies\n\n" * 300}
        self.stop_after: int | None = None  # bytes
        self.is_stopped = threading.Event()
        self.is_over = threading.Event()
        self.ranges: list[str | None] = []  # that were asked for

    def handle_error(self, *_: object) -> None:
        """Who is killed hangs up."""


class Answer(BaseHTTPRequestHandler):
    """A file, or what Range asks for of it."""

    server: Publisher

    def do_GET(self) -> None:
        asked, data = self.headers["Range"], self.server.files[self.path]
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:][: self.server.stop_after])
        if self.server.stop_after is not None:
            self.wfile.flush()
            self.server.is_stopped.set()
            self.server.is_over.wait(60)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


def publish(place: Workplace, publisher: Publisher) -> None:
    """Put a corpus that this publisher has into a place's catalog, under the name of 'published'."""
    files = ", ".join(
        f'{part}=CorpusFile("{part}.bio", "{hashlib.sha256(publisher.files[f"/{part}.bio"]).hexdigest()}", '
        f'"http://127.0.0.1:{publisher.server_port}/{part}.bio")'
        for part in ("train", "test")
    )
    catalog = place.folder / "bert_ner/corpus/catalog.py"
    entry = f'CORPORA["published"] = Corpus(name="published", title="Published", {files}, types=_MOVIE_TYPES)'
    catalog.write_text(f"{catalog.read_text()}\n\n{entry}\n")
