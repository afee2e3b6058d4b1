"""Interrupted downloads are resumed, and every way a download fails leaves nothing wrong. All traffic is loopback."""

from __future__ import annotations

import re
import socket
import time
from http.client import HTTPMessage
from io import BytesIO
from urllib.error import URLError
from urllib.request import Request

import pytest
from acquisition import NAMES, WRONG, Place, listing
from publisher import TRAIN, Behaviour, Handler, Server, says, sends, stops

from bert_ner.corpus import download
from bert_ner.corpus.acquire import ChecksumMismatch, CorpusUnavailable
from bert_ner.corpus.catalog import Corpus


def hangs(handler: Handler) -> None:
    handler.server.closing.wait(10)


def drips(handler: Handler) -> None:
    """Send a byte now and then, so that no single wait is long."""
    handler.start(200, Content_Length=len(TRAIN))
    while not handler.server.closing.wait(0.02):
        handler.wfile.write(b"B")


def never_ends(handler: Handler) -> None:
    handler.start(200)
    while not handler.server.closing.is_set():
        handler.wfile.write(b"x" * 4096)


def with_url(corpus: Corpus, url: str) -> Corpus:
    """Return the corpus with another address of its training file."""
    return corpus.model_copy(update={"train": corpus.train.model_copy(update={"url": url})})


# Resumed downloads


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


def test_a_download_that_is_always_cut_off_fails_and_the_next_run_continues_it(place: Place, server: Server) -> None:
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


def test_ctrl_c_saves_the_bytes_that_have_arrived(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
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


# Failed downloads


@pytest.mark.parametrize(
    ("behaviour", "reason", "requests"),
    [
        (says(404), "HTTP 404 Not Found", 1),
        (says(503), "HTTP 503 Service Unavailable", 1),
        (hangs, "timed out after 0.2 s, in 3 attempts", 3),
        (drips, "incomplete after 0.3 s", 1),
        (never_ends, "larger than 65536 bytes, so it is not the corpus", 1),
        (sends(b"x" * 100_000), "larger than 65536 bytes, so it is not the corpus", 1),
        (sends(TRAIN, cut=0), f"cut off after 0 of {len(TRAIN)} bytes, in 3 attempts", 3),
        (lambda _: None, "no HTTP answer (Remote end closed connection without response), in 3 attempts", 3),
        (lambda handler: handler.wfile.write(b"SSH-2\x1b\r\n\r\n"), "no HTTP answer (SSH-2), in 3 attempts", 3),
        (says(302, Location="http://example.org/x"), "refused, because http://example.org/x is not an https", 1),
        (says(302, Location="ftp://127.0.0.1/x"), "refused, because ftp://127.0.0.1/x is not an https:// address", 1),
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


def test_a_refused_connection(place: Place) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    place.corpus = with_url(place.corpus, f"http://127.0.0.1:{port}/train.bio")
    with pytest.raises(CorpusUnavailable, match="refused"):
        place.acquire()


def test_an_unknown_host(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    place.corpus = with_url(place.corpus, "https://corpora.invalid/train.bio")
    with pytest.raises(CorpusUnavailable, match=r"train\.bio: name resolution failed \(Name or service not known\)"):
        place.acquire()


@pytest.mark.parametrize(
    "url", ["http://example.org/train.bio", "http://localhost@example.org/", "ftp://127.0.0.1/", "file:///train.bio"]
)
def test_only_https_addresses_are_requested(place: Place, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("a connection was made"))
    place.corpus = with_url(place.corpus, url)
    with pytest.raises(CorpusUnavailable, match=re.escape(f"{url}: refused, because {url} is not an https:// address")):
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
