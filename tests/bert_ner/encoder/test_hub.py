"""An encoder from a hub: the real client, in a process of its own, before a server of ours that plays the hub."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bert_ner.encoder.weights import MIRROR_VARIABLE

REPOSITORY, REVISION = "some/tiny", "0123456789abcdef" * 2 + "01234567"
ADDRESS = f"hub {REPOSITORY}@{REVISION}"
WEIGHTS = "model.safetensors"
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "tokenizer.json": b'{"version": "1.0"}',
    "tokenizer_config.json": b"{}",
    WEIGHTS: bytes(range(256)) * 1000,
}
ENDLESS = 2**24  # bytes: more than the client reads at once

# HF_ENDPOINT is read when the client is imported, so each case has a process of its own, as a user's run has.
PROGRAM = """
import json, sys, time
from bert_ner.encoder import hub, weights

question, entry, limits = json.loads(sys.argv[1])
vars(hub).update(limits)
time.sleep = lambda _: None  # the client's, between two attempts
weights.ENCODERS["tiny"] = encoder = weights.Encoder(**entry)
try:
    answer = weights.find_weights("tiny") if question == "find" else weights.availability(encoder)
except weights.WeightsUnavailable as error:
    sys.exit(str(error))
print(json.dumps([str(part) for part in answer]))
"""


class Handler(BaseHTTPRequestHandler):
    """What the client asks a hub: a repository's files with their sizes, and each file; large ones lie elsewhere."""

    server: Server

    def do_GET(self) -> None:
        self.close_connection = True
        if self.path == "/api/agent-harnesses":  # the client asks that of its own accord, once a day
            self.start(404, Content_Length=0)
            return
        self.server.requests.append((self.command, self.path))
        if behave := next((each for path, each in self.server.behaviours.items() if self.path.startswith(path)), None):
            behave(self)
        elif self.path.startswith("/api/models/"):
            self.say_what_there_is()
        elif self.path == f"/elsewhere/{WEIGHTS}":
            self.send(self.server.files[WEIGHTS])
        else:
            self.send_or_redirect(self.path.removeprefix(f"/{REPOSITORY}/resolve/{REVISION}/"))

    do_HEAD = do_GET  # noqa: N815 - its name there

    def say_what_there_is(self) -> None:
        if not self.path.startswith(f"/api/models/{self.server.repository}/"):
            self.start(404, X_Error_Code="RepoNotFound", Content_Length=0)
        elif not self.path.startswith(f"/api/models/{self.server.repository}/revision/{self.server.revision}?"):
            self.start(404, X_Error_Code="RevisionNotFound", Content_Length=0)
        else:
            files = [{"rfilename": name, "size": len(data)} for name, data in self.server.files.items()]
            self.send(json.dumps({"id": REPOSITORY, "sha": REVISION, "siblings": files}).encode())

    def send_or_redirect(self, name: str) -> None:
        if name not in self.server.files:
            self.start(404, X_Error_Code="EntryNotFound", X_Repo_Commit=REVISION, Content_Length=0)
            return
        data = self.server.files[name]
        facts: dict[str, object] = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X_Repo_Commit": REVISION}
        if name == WEIGHTS:
            facts |= {"X_Linked_ETag": f'"{hashlib.sha256(FILES[name]).hexdigest()}"', "X_Linked_Size": len(data)}
            elsewhere = f"http://localhost:{self.server.server_port}/elsewhere/{name}"  # another host for the client
            self.start(302, Location=elsewhere, Content_Length=0, **facts)
        else:
            self.send(data, **facts)

    def send(self, data: bytes, cut: int | None = None, **headers: object) -> None:
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if start:
            headers["Content_Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self.start(206 if start else 200, Content_Length=len(data) - start, **headers)
        if self.command == "GET":
            self.wfile.write(data[start:cut])

    def start(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


Behaviour = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    """A hub with one repository, a record of requests, and other behaviours for paths that begin with a key."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repository, self.revision = REPOSITORY, REVISION
        self.files = dict(FILES)
        self.behaviours: dict[str, Behaviour] = {}
        self.requests: list[tuple[str, str]] = []
        self.closing = threading.Event()

    def handle_error(self, *_: object) -> None:
        """Ignore a client that hangs up."""


def mute(handler: Handler) -> None:
    handler.server.closing.wait(30)


def cut_at(place: int, times: int) -> Behaviour:
    """Return the weights, cut off at a byte, as many times."""
    left = [place] * times
    return lambda handler: handler.send(handler.server.files[WEIGHTS], left.pop() if left else None)


def trickles(handler: Handler) -> None:
    handler.start(200, Content_Length=len(FILES[WEIGHTS]))
    while not handler.server.closing.wait(0.1):
        handler.wfile.write(b"?")


def without_end(handler: Handler) -> None:
    handler.start(200)
    for _ in range(16):
        handler.wfile.write(bytes(ENDLESS))


@dataclass
class Answer:
    """What the process said: on standard output, or its error."""

    found: list[str]
    error: str


@dataclass
class Machine:
    """A machine with a cache and a hub."""

    folder: Path
    server: Server
    url: str
    environment: dict[str, str] = field(default_factory=dict)

    def ask(self, question: str, **limits: float) -> Answer:
        entry = {
            "name": "tiny",
            "sha256": hashlib.sha256(FILES[WEIGHTS]).hexdigest(),
            "parameters": 1,
            "repository": REPOSITORY,
            "revision": REVISION,
        }
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HF_", "HUGGING", "TRANSFORMERS_")) and not name.lower().endswith("_proxy")
        } | {"HF_ENDPOINT": self.url, "HF_HOME": str(self.folder), **self.environment}
        environment.pop(MIRROR_VARIABLE, None)
        process = subprocess.run(
            [sys.executable, "-c", PROGRAM, json.dumps([question, entry, limits])],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in process.stderr
        assert process.returncode == (0 if process.stdout else 1)
        return Answer(json.loads(process.stdout or "[]"), process.stderr)

    def cached(self) -> list[bytes]:
        """Return the weights, whole or not, that lie anywhere in the cache."""
        contents = {path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        return [data for data in contents if len(data) > 10_000]

    def asked_for(self, path: str) -> bool:
        return any(asked.startswith(path) for _, asked in self.server.requests)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Machine(tmp_path, server, f"http://127.0.0.1:{server.server_port}")
        server.closing.set()
        server.shutdown()


def assert_found(machine: Machine, answer: Answer) -> None:
    folder, source, sha256 = answer.found
    assert {path.name: path.read_bytes() for path in Path(folder).iterdir()} == FILES
    assert (source, sha256) == (ADDRESS, hashlib.sha256(FILES[WEIGHTS]).hexdigest())
    assert machine.cached() == [FILES[WEIGHTS]]


def test_found_and_kept(machine: Machine) -> None:
    machine.server.files |= {"pytorch_model.bin": b"a pickle", "modeling.py": b"code"}
    assert machine.ask("look").found == ["True", ADDRESS]
    assert [path for _, path in machine.server.requests] == [
        f"/api/models/{REPOSITORY}/revision/{REVISION}?blobs=true"
    ]  # nothing is downloaded
    assert_found(machine, machine.ask("find"))
    machine.server.requests.clear()
    assert_found(machine, machine.ask("find"))
    assert machine.ask("look").found == ["True", "hub cache"]
    assert machine.server.requests == []


@pytest.mark.parametrize(
    ("attribute", "value", "reason"),
    [
        ("repository", "some/other", "no such repository there, or a private one"),
        ("revision", "f" * 40, "the repository has no such revision"),
        ("files", {**FILES, WEIGHTS: bytes(2**20)}, "its files have 1048618 bytes, more than the limit of 1000000"),
        ("files", {WEIGHTS: FILES[WEIGHTS], "tokenizer_config.json": b"{}"}, "it holds no config.json and no tokeniz"),
    ],
)
def test_not_what_is_wanted(machine: Machine, attribute: str, value: Any, reason: str) -> None:
    setattr(machine.server, attribute, value)
    assert f"\n  - {ADDRESS}: {reason}" in machine.ask("find", MAX_BYTES=1_000_000).error
    found, why = machine.ask("look", MAX_BYTES=1_000_000).found
    assert found == "False"
    assert why.partition(f"{ADDRESS}: ")[2].startswith(reason)
    assert machine.cached() == []
    assert not machine.asked_for(f"/{REPOSITORY}/")


def test_cut_off_and_continued(machine: Machine) -> None:
    machine.server.behaviours["/elsewhere/"] = cut_at(100_000, times=1)
    assert_found(machine, machine.ask("find"))


def test_cut_off_for_good(machine: Machine) -> None:
    machine.server.behaviours["/elsewhere/"] = cut_at(100_000, times=99)
    error = machine.ask("find").error
    assert f"\n  - {ADDRESS}: peer closed connection" in error
    assert machine.cached() == []
    machine.server.behaviours.clear()
    assert_found(machine, machine.ask("find"))


def test_wrong_bytes_are_removed(machine: Machine) -> None:
    wrong = FILES[WEIGHTS][:-1] + b"?"
    machine.server.files[WEIGHTS] = wrong
    error = machine.ask("find").error
    for part in (hashlib.sha256(wrong).hexdigest(), hashlib.sha256(FILES[WEIGHTS]).hexdigest(), WEIGHTS, "run again"):
        assert part in error
    assert machine.cached() == []
    machine.server.files[WEIGHTS] = FILES[WEIGHTS]
    assert_found(machine, machine.ask("find"))


def test_damage_in_the_cache_is_found_and_removed(machine: Machine) -> None:
    folder = Path(machine.ask("find").found[0])
    (folder / WEIGHTS).write_bytes(FILES[WEIGHTS][:20_000])
    assert "It was removed: run again" in machine.ask("find").error
    assert_found(machine, machine.ask("find"))


def test_body_without_end(machine: Machine) -> None:
    machine.server.behaviours["/elsewhere/"] = without_end
    error = machine.ask("find", MAX_BYTES=1_000_000).error
    assert f"{ADDRESS}: a file is longer than the limit of 1000000 bytes" in error
    assert machine.cached() == []


def test_nobody_there(machine: Machine) -> None:
    machine.server.server_close()
    assert f"\n  - {ADDRESS}: [Errno 111] Connection refused" in machine.ask("find").error
    found, why = machine.ask("look").found
    assert (found, "Connection refused" in why) == ("False", True)


def test_offline(machine: Machine) -> None:
    machine.environment["HF_HUB_OFFLINE"] = "1"
    assert "offline" in machine.ask("find").error
    assert machine.server.requests == []


@pytest.mark.parametrize("question", ["find", "look"])
def test_hub_that_never_answers(machine: Machine, question: str) -> None:
    machine.server.behaviours["/api/"] = mute
    started = time.monotonic()
    answer = machine.ask(question, TIMEOUT=0.5)
    assert f"{ADDRESS}: " in f"{answer.error} {answer.found}"
    assert "timed out" in f"{answer.error} {answer.found}"
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("path", "behaviour"), [("/elsewhere/", mute), ("/elsewhere/", trickles), (f"/{REPOSITORY}/resolve/", mute)]
)
def test_file_that_takes_too_long(machine: Machine, path: str, behaviour: Behaviour) -> None:
    machine.server.behaviours[path] = behaviour
    assert f"{ADDRESS}: not done after 1 s" in machine.ask("find", DEADLINE=1.0).error
    assert machine.asked_for(path)


def test_server_error(machine: Machine) -> None:
    machine.server.behaviours["/api/"] = lambda handler: handler.start(503, Content_Length=0)
    assert f"\n  - {ADDRESS}: Server error '503 Service Unavailable'" in machine.ask("find").error


def test_login_page_instead_of_a_hub(machine: Machine) -> None:
    machine.server.behaviours["/"] = lambda handler: handler.send(b"<html>please log in</html>")
    assert (
        f"\n  - {ADDRESS}: the answer is not a hub's; does it come from a proxy or a login page?"
        in machine.ask("find").error
    )
