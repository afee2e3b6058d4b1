"""Every route to a corpus, every way a download fails, and what each leaves behind. Traffic is loopback only."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.client import HTTPMessage
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request

import pytest
from publisher import TEST, TRAIN, Behaviour, Handler, Server, publishing, says, sends, stops

from bert_ner.corpus import acquire as acquire_module
from bert_ner.corpus import download
from bert_ner.corpus.acquire import ChecksumMismatch, CorpusUnavailable, acquire
from bert_ner.corpus.catalog import Corpus, CorpusFile
from bert_ner.errors import BertNerError
from bert_ner.files import cache_folder, write_whole

WRONG = b"<html>please log in</html>"
NAMES = ["test.bio", "train.bio"]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def hangs(handler: Handler) -> None:
    handler.server.closing.wait(10)


def drips(handler: Handler) -> None:
    """A byte now and then, so that no single wait is long."""
    handler.start(200, Content_Length=len(TRAIN))
    while not handler.server.closing.wait(0.02):
        handler.wfile.write(b"B")


def never_ends(handler: Handler) -> None:
    handler.start(200)
    while not handler.server.closing.is_set():
        handler.wfile.write(b"x" * 4096)


@pytest.fixture
def server() -> Iterator[Server]:
    with publishing() as server:
        yield server


@dataclass
class Place:
    """Where everything is that one acquisition reads and writes."""

    root: Path
    corpus: Corpus
    variable: Path = field(init=False)  # the folder in $BERT_NER_CORPORA, once it is made
    shared: Path = field(init=False)
    cache: Path = field(init=False)
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.variable = self.root / "mirror"
        self.shared = self.root / "shared"
        self.cache = self.root / "cache" / "bert-ner" / "corpora" / self.corpus.name
        self.folder = self.root / "data" / "raw" / self.corpus.name

    def acquire(self) -> dict[str, str]:
        return acquire(self.corpus, self.folder, self.shared)

    def fill(self, folder: Path, train: bytes = TRAIN, test: bytes = TEST) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "train.bio").write_bytes(train)
        (folder / "test.bio").write_bytes(test)

    def assert_whole(self) -> None:
        assert listing(self.folder) == NAMES
        assert (self.folder / "train.bio").read_bytes() == TRAIN
        assert (self.folder / "test.bio").read_bytes() == TEST
        assert listing(self.folder.parent) == [self.corpus.name]

    def assert_untouched(self) -> None:
        assert not listing(self.folder)
        assert not listing(self.folder.parent)

    def sources(self, source: str) -> dict[str, str]:
        return {"train.bio": source, "test.bio": source}


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture
def place(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Place:
    for variable in ("BERT_NER_CORPORA", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "READ_TIMEOUT", 0.2)
    corpus = Corpus(
        name="films",
        title="Films",
        train=CorpusFile("train.bio", sha256(TRAIN), f"{server.url}/train.bio"),
        test=CorpusFile("test.bio", sha256(TEST), f"{server.url}/test.bio"),
        types=("YEAR",),
    )
    return Place(tmp_path, corpus)


# The download


def test_a_download_arrives_whole_and_is_kept(place: Place, server: Server) -> None:
    assert place.acquire() == {name: f"{server.url}/{name}" for name in ("train.bio", "test.bio")}
    place.assert_whole()
    assert server.requests == [("/train.bio", None), ("/test.bio", None)]
    assert listing(place.cache) == NAMES
    assert cache_folder("corpora") / "films" == place.cache


def test_the_cache_spares_the_second_download(place: Place, server: Server) -> None:
    place.acquire()
    asked = len(server.requests)
    assert place.acquire() == place.sources("download cache")
    assert len(server.requests) == asked
    place.assert_whole()


def test_wrong_bytes_leave_nothing_and_both_sums_are_named(place: Place, server: Server) -> None:
    server.behaviours["/train.bio"] = [sends(WRONG)]
    with pytest.raises(ChecksumMismatch) as caught:
        place.acquire()
    message = str(caught.value)
    assert message.startswith(f"{server.url}/train.bio is not the train.bio that")
    assert f"found    {sha256(WRONG)}" in message
    assert f"expected {sha256(TRAIN)}" in message
    assert "run again" in message
    place.assert_untouched()
    assert not listing(place.cache)
    assert server.requests == [("/train.bio", None)]


def test_both_files_or_neither(place: Place, server: Server) -> None:
    server.behaviours["/test.bio"] = [sends(WRONG)]
    with pytest.raises(ChecksumMismatch, match=r"test\.bio"):
        place.acquire()
    place.assert_untouched()
    assert listing(place.cache) == ["train.bio"]


def test_a_cut_connection_is_resumed(place: Place, server: Server) -> None:
    server.behaviours["/train.bio"] = [sends(TRAIN, cut=1_000), sends(TRAIN, cut=500), sends(TRAIN)]
    place.acquire()
    place.assert_whole()
    assert [asked for path, asked in server.requests if path == "/train.bio"] == [None, "bytes=1000-", "bytes=1500-"]
    assert listing(place.cache) == NAMES


def test_a_hang_halfway_is_resumed(place: Place, server: Server) -> None:
    server.behaviours["/train.bio"] = [stops(TRAIN, 1_000), sends(TRAIN)]
    place.acquire()
    place.assert_whole()
    assert server.requests[1] == ("/train.bio", "bytes=1000-")


def test_a_server_that_ignores_range_starts_again(place: Place, server: Server) -> None:
    server.behaviours["/train.bio"] = [sends(TRAIN, cut=1_000), sends(TRAIN, ranges=False)]
    place.acquire()
    place.assert_whole()
    assert server.requests[1] == ("/train.bio", "bytes=1000-")


def test_a_server_that_sends_another_range_starts_again(place: Place, server: Server) -> None:
    def sends_another_range(handler: Handler) -> None:
        handler.start(206, Content_Length=len(TRAIN), Content_Range=f"bytes 0-{len(TRAIN) - 1}/{len(TRAIN)}")
        handler.wfile.write(TRAIN)

    server.behaviours["/train.bio"] = [sends(TRAIN, cut=1_000), sends_another_range, sends(TRAIN)]
    place.acquire()
    place.assert_whole()
    assert [asked for _, asked in server.requests[:3]] == [None, "bytes=1000-", None]


def test_always_cut_off_is_unavailable_and_the_next_run_goes_on(place: Place, server: Server) -> None:
    server.behaviours["/train.bio"] = [sends(TRAIN, cut=100)]
    with pytest.raises(CorpusUnavailable, match=f"cut off after 300 of {len(TRAIN)} bytes, in 3 attempts; 300 bytes"):
        place.acquire()
    place.assert_untouched()
    assert listing(place.cache) == ["train.bio.part"]
    server.behaviours["/train.bio"] = [sends(TRAIN)]
    place.acquire()
    place.assert_whole()
    assert server.requests[3] == ("/train.bio", "bytes=300-")
    assert listing(place.cache) == NAMES


def test_ctrl_c_keeps_what_has_arrived(place: Place, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(download.tqdm, "update", interrupt)
    server.behaviours["/train.bio"] = [stops(TRAIN, 1_000)]
    with pytest.raises(KeyboardInterrupt):
        place.acquire()
    assert (place.cache / "train.bio.part").read_bytes() == TRAIN[:1_000]
    place.assert_untouched()


def test_a_part_longer_than_the_file_starts_again(place: Place, server: Server) -> None:
    place.cache.mkdir(parents=True)
    (place.cache / "train.bio.part").write_bytes(TRAIN + WRONG)
    place.acquire()
    place.assert_whole()
    assert [asked for _, asked in server.requests[:2]] == [f"bytes={len(TRAIN + WRONG)}-", None]
    assert listing(place.cache) == NAMES


def test_a_part_of_another_file_is_a_wrong_sum_and_removed(place: Place) -> None:
    place.cache.mkdir(parents=True)
    (place.cache / "train.bio.part").write_bytes(WRONG)
    with pytest.raises(ChecksumMismatch, match="run again"):
        place.acquire()
    assert not listing(place.cache)
    place.acquire()
    place.assert_whole()


def test_a_body_of_unknown_length_is_accepted_by_its_sum(place: Place, server: Server) -> None:
    def behave(handler: Handler) -> None:
        handler.start(200)
        handler.wfile.write(TRAIN)

    server.behaviours["/train.bio"] = [behave]
    place.acquire()
    place.assert_whole()


def test_the_cache_that_cannot_be_written_is_told_and_does_no_harm(place: Place, server: Server) -> None:
    (place.root / "cache").write_text("a file in the way")
    assert f"{server.url}/train.bio (not cached, as {place.cache}" in place.acquire()["train.bio"]
    place.assert_whole()


# The download that fails


@pytest.mark.parametrize(
    ("behaviour", "reason", "requests"),
    [
        (says(404), "HTTP 404 Not Found", 1),
        (says(503), "HTTP 503 Service Unavailable", 1),
        (hangs, "timed out after 0.2 s, in 3 attempts", 3),
        (drips, "not whole after 0.3 s", 1),
        (never_ends, "larger than 65536 bytes, so it is not the corpus", 1),
        (sends(b"x" * 100_000), "larger than 65536 bytes, so it is not the corpus", 1),
        (sends(TRAIN, cut=0), f"cut off after 0 of {len(TRAIN)} bytes, in 3 attempts", 3),
        (lambda _: None, "no HTTP answer (Remote end closed connection without response), in 3 attempts", 3),
        (lambda handler: handler.wfile.write(b"SSH-2\x1b\r\n\r\n"), "no HTTP answer (SSH-2), in 3 attempts", 3),
        (says(302, Location="http://example.org/x"), "refused, as http://example.org/x is not an https:// address", 1),
        (says(302, Location="ftp://127.0.0.1/x"), "refused, as ftp://127.0.0.1/x is not an https:// address", 1),
        (says(302, Location="http://[x/"), "Invalid IPv6 URL", 1),
        (says(302, Location="/train.bio"), "HTTP 302 The HTTP server returned a redirect error that would", None),
    ],
    ids=[
        "404", "503", "hang", "drip", "endless", "oversized", "cut at once", "no answer", "no HTTP",
        "to HTTP", "to FTP", "to nowhere", "loop",
    ],
)  # fmt: skip
def test_a_failed_download_says_why_and_leaves_nothing(
    place: Place,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: Behaviour,
    reason: str,
    requests: int | None,
) -> None:
    monkeypatch.setattr(download, "DEADLINE", 0.3 if behaviour is drips else 5.0)
    monkeypatch.setattr(download, "MAX_BYTES", 65_536)
    server.behaviours["/train.bio"] = [behaviour]
    begin = time.monotonic()
    with pytest.raises(CorpusUnavailable, match=re.escape(f"{server.url}/train.bio: {reason}")):
        place.acquire()
    assert time.monotonic() - begin < 3
    assert requests in (None, len(server.requests))
    place.assert_untouched()
    assert listing(place.cache) == (["train.bio.part"] if behaviour is drips else [])


def test_nobody_listens(place: Place) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    place.corpus = at(place.corpus, f"http://127.0.0.1:{port}/train.bio")
    with pytest.raises(CorpusUnavailable, match="refused"):
        place.acquire()


def test_an_unknown_host(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    place.corpus = at(place.corpus, "https://corpora.invalid/train.bio")
    with pytest.raises(CorpusUnavailable, match=r"train\.bio: name resolution failed \(Name or service not known\)"):
        place.acquire()


@pytest.mark.parametrize(
    "url", ["http://example.org/train.bio", "http://localhost@example.org/", "ftp://127.0.0.1/", "file:///train.bio"]
)
def test_only_https_is_asked_for(place: Place, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("a connection was made"))
    place.corpus = at(place.corpus, url)
    with pytest.raises(CorpusUnavailable, match=re.escape(f"{url}: refused, as {url} is not an https:// address")):
        place.acquire()


def test_a_redirect_is_followed(place: Place, server: Server) -> None:
    server.behaviours["/train.bio"] = [says(302, Location="/moved")]
    server.behaviours["/moved"] = [sends(TRAIN)]
    place.acquire()
    place.assert_whole()


@pytest.mark.parametrize("target", ["http://127.0.0.1/x", "http://example.org/x", "https://example.org/x"])
def test_a_redirect_never_leaves_https(target: str) -> None:
    asked = Request("https://127.0.0.1/x")
    handler = download._HttpsRedirects()
    if target.startswith("https:"):
        assert handler.redirect_request(asked, BytesIO(), 302, "Found", HTTPMessage(), target)
    else:
        with pytest.raises(URLError, match="is not an https:// address"):
            handler.redirect_request(asked, BytesIO(), 302, "Found", HTTPMessage(), target)


def at(corpus: Corpus, url: str) -> Corpus:
    return replace(corpus, train=replace(corpus.train, url=url))


# The routes


def test_the_routes_come_in_order(place: Place, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    place.acquire()
    assert place.acquire() == place.sources("download cache")
    place.fill(place.shared / "corpora" / "films")
    assert place.acquire() == place.sources(str(place.shared / "corpora"))
    place.fill(place.variable / "films")
    monkeypatch.setenv("BERT_NER_CORPORA", str(place.variable))
    assert place.acquire() == place.sources("folder $BERT_NER_CORPORA")
    (place.variable / "films" / "test.bio").unlink()
    assert place.acquire() == {
        "train.bio": "folder $BERT_NER_CORPORA",
        "test.bio": str(place.shared / "corpora"),
    }
    assert len(server.requests) == 2
    place.assert_whole()


def test_the_shared_folder_is_beside_the_working_directory(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.fill(place.shared / "corpora" / "films")
    (place.root / "checkout").mkdir()
    monkeypatch.chdir(place.root / "checkout")
    assert acquire(place.corpus, Path("data", "raw", "films")) == place.sources(str(Path("..", "shared", "corpora")))
    assert listing(Path("data", "raw", "films")) == NAMES


@pytest.mark.parametrize("mirror", ["variable", "shared"])
def test_a_wrong_file_in_a_mirror_stops_at_once(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch, mirror: str
) -> None:
    folder = place.variable / "films" if mirror == "variable" else place.shared / "corpora" / "films"
    place.fill(folder, test=WRONG)
    monkeypatch.setenv("BERT_NER_CORPORA", str(place.variable))
    with pytest.raises(ChecksumMismatch) as caught:
        place.acquire()
    message = str(caught.value)
    assert f"{folder / 'test.bio'} is not the test.bio that" in message
    assert sha256(WRONG) in message
    assert sha256(TEST) in message
    assert ("unset BERT_NER_CORPORA" in message) == (mirror == "variable")
    assert (folder / "test.bio").read_bytes() == WRONG, "a user's file is left alone"
    place.assert_untouched()
    assert not server.requests


def test_a_wrong_file_in_the_cache_is_removed(place: Place, server: Server) -> None:
    place.fill(place.cache, train=WRONG)
    with pytest.raises(
        ChecksumMismatch, match=f"(?s)download cache: .*{sha256(WRONG)}.*{sha256(TRAIN)}.*run again"
    ) as caught:
        place.acquire()
    place.assert_untouched()
    assert listing(place.cache) == ["test.bio"]
    assert not server.requests
    assert isinstance(caught.value, RuntimeError)
    place.acquire()
    place.assert_whole()


def test_an_unavailable_corpus_lists_every_route_and_the_remedy(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.behaviours["/train.bio"] = [says(404)]
    with pytest.raises(CorpusUnavailable) as caught:
        place.acquire()
    missing = os.strerror(errno.ENOENT)
    assert str(caught.value).splitlines() == [
        "films/train.bio can't be had here. Tried, in this order:",
        "  - $BERT_NER_CORPORA is not set",
        f"  - {place.shared / 'corpora' / 'films' / 'train.bio'}: {missing}",
        f"  - download cache: {place.cache / 'train.bio'}: {missing}",
        f"  - {server.url}/train.bio: HTTP 404 Not Found",
        "Set BERT_NER_CORPORA to a folder that holds films/train.bio and films/test.bio, or go online; then run again.",
    ]
    assert isinstance(caught.value, BertNerError)
    assert isinstance(caught.value, RuntimeError)
    assert not (place.root / "data").exists()
    monkeypatch.setenv("BERT_NER_CORPORA", str(place.variable))
    path = place.variable / "films" / "train.bio"
    with pytest.raises(CorpusUnavailable, match=re.escape(f"folder $BERT_NER_CORPORA: {path}: {missing}")):
        place.acquire()


def test_a_corpus_without_an_address_comes_from_a_folder(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, test = (replace(file, url=None) for file in place.corpus.files)
    place.corpus = replace(place.corpus, train=train, test=test)
    with pytest.raises(CorpusUnavailable) as caught:
        place.acquire()
    assert str(caught.value).splitlines()[-2:] == [
        "  - its publisher: the catalog has no address of it",
        "Set BERT_NER_CORPORA to a folder that holds films/train.bio and films/test.bio; then run again.",
    ]
    place.fill(place.variable / "films", test=WRONG)
    monkeypatch.setenv("BERT_NER_CORPORA", str(place.variable))
    with pytest.raises(ChecksumMismatch, match="put the sum that was found into the catalog"):
        place.acquire()
    place.fill(place.variable / "films")
    assert place.acquire() == place.sources("folder $BERT_NER_CORPORA")
    place.assert_whole()
    assert not server.requests


# The generated corpus


@pytest.fixture
def generated(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    place.corpus = replace(
        place.corpus,
        train=replace(place.corpus.train, url=None),
        test=replace(place.corpus.test, url=None),
        is_generated=True,
    )
    monkeypatch.setattr("bert_ner.corpus.sample.write_sample", place.fill)
    return place


def test_the_generated_corpus_is_generated(generated: Place, server: Server) -> None:
    assert generated.acquire() == generated.sources("generated")
    generated.assert_whole()
    assert not server.requests


def test_a_generator_that_changed_is_a_wrong_sum(generated: Place) -> None:
    generated.corpus = replace(generated.corpus, test=replace(generated.corpus.test, sha256=sha256(WRONG)))
    with pytest.raises(ChecksumMismatch, match=r"the generator is not the test\.bio that"):
        generated.acquire()
    generated.assert_untouched()


# The folder


def test_old_files_are_replaced_and_others_left(place: Place) -> None:
    place.fill(place.folder, train=WRONG, test=WRONG)
    (place.folder / "notes.txt").write_text("mine")
    place.acquire()
    assert (place.folder / "train.bio").read_bytes() == TRAIN
    assert listing(place.folder) == ["notes.txt", *NAMES]


def test_old_files_survive_a_failure(place: Place, server: Server) -> None:
    place.acquire()
    (place.cache / "test.bio").unlink()
    server.behaviours["/test.bio"] = [says(404)]
    with pytest.raises(CorpusUnavailable):
        place.acquire()
    place.assert_whole()


def test_a_folder_that_cannot_take_the_second_file_does_not_keep_the_first(place: Place) -> None:
    (place.folder / "test.bio").mkdir(parents=True)
    with pytest.raises(BertNerError, match=re.escape(f"{place.folder} can't be written: ")):
        place.acquire()
    assert listing(place.folder) == ["test.bio"]
    assert listing(place.folder.parent) == ["films"]


def test_a_full_disk_leaves_the_folder_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.acquire()  # so that the cache has both
    (place.folder / "train.bio").write_bytes(WRONG)

    def full(path: Path, content: bytes) -> None:
        if path.name == "test.bio":
            raise OSError(errno.ENOSPC, "No space left on device")
        write_whole(path, content)

    monkeypatch.setattr(acquire_module, "write_whole", full)
    with pytest.raises(BertNerError, match="No space left on device"):
        place.acquire()
    assert (place.folder / "train.bio").read_bytes() == WRONG
    assert listing(place.folder.parent) == ["films"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_the_files_are_readable_by_others(place: Place) -> None:
    before = os.umask(0o022)
    try:
        place.acquire()
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in place.folder.iterdir()} == {0o644}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses to replace a file while another process moves one")
def test_many_at_once_do_not_spoil_each_other(place: Place, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "READ_TIMEOUT", 5.0)
    server.behaviours["/train.bio"] = [sends(TRAIN, cut=1_000), sends(TRAIN, cut=700), sends(TRAIN)]
    errors: list[BaseException] = []

    def work() -> None:
        try:
            place.acquire()
        except BaseException as error:  # noqa: BLE001 - a thread's error would be lost
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not errors
    place.assert_whole()
    assert listing(place.cache) == NAMES
