"""Fetch a small file over HTTPS: resumed where it was cut, limited in time and size.

The body is held in memory until it is whole, and two processes at once share no open file. The price: a download that
is killed outright starts again; cut, timed out or interrupted by Ctrl-C it leaves its part, and the next one goes on.
"""

from __future__ import annotations

import re
import socket
import textwrap
import time
from contextlib import suppress
from http.client import BadStatusLine, HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tqdm import tqdm

from bert_ner.files import write_whole

READ_TIMEOUT = 20.0  # seconds without a byte
DEADLINE = 300.0  # seconds for one file, all attempts together
ATTEMPTS = 3
MAX_BYTES = 64 * 2**20  # the largest file of the catalog has 2 MB
_CHUNK = 64 * 2**10
_LOOPBACK = ("127.0.0.1", "localhost")  # may be plain HTTP, for a mirror on this machine


class DownloadError(Exception):
    """A file can't be downloaded; the message says why."""


def download(url: str, part: Path) -> bytes:
    """The whole body at an address, continued from the file `part`, which keeps what arrived if that is not all.

    Raises:
        DownloadError: it can't be had; the message says why.
    """
    body = bytearray()
    with suppress(OSError):
        body += part.read_bytes()
    deadline, problem = time.monotonic() + DEADLINE, ""
    try:
        for _ in range(ATTEMPTS):
            try:
                _fetch(url, body, deadline)
            except HTTPError as error:
                error.close()
                problem = _reason(error)
                if error.code != 416:
                    raise DownloadError(f"{url}: {problem}") from None
                body.clear()  # 416: what we have is no beginning of the file there
            except (URLError, ValueError) as error:  # no connection, or no address
                raise DownloadError(f"{url}: {_reason(error)}") from None
            except (OSError, HTTPException) as error:  # the connection was made, then broke: go on from there
                problem = _reason(error)
            else:
                with suppress(OSError):
                    part.unlink()
                return bytes(body)
        kept = f"; {len(body)} bytes are kept, and the next run goes on from there" if body else ""
        raise DownloadError(f"{url}: {problem}, in {ATTEMPTS} attempts{kept}")
    except BaseException:
        with suppress(OSError):
            if body:
                write_whole(part, bytes(body))
            else:
                part.unlink()
        raise


def _fetch(url: str, body: bytearray, deadline: float) -> None:
    """Complete `body` by one request; it starts afresh where the server doesn't continue it."""
    _require_https(url)
    headers = {"User-Agent": "bert-ner"} | ({"Range": f"bytes={len(body)}-"} if body else {})
    with build_opener(_HttpsRedirects).open(Request(url, headers=headers), timeout=READ_TIMEOUT) as response:
        if response.status == 206 and not re.match(rf"bytes {len(body)}-", response.headers.get("Content-Range", "")):
            body.clear()
            raise HTTPException("the server answered with another range than it was asked for")
        if response.status != 206:
            body.clear()
        whole = None if response.length is None else len(body) + response.length
        with tqdm(
            desc=url.rpartition("/")[2], total=whole, initial=len(body), unit="B", unit_scale=True, disable=None
        ) as bar:
            while chunk := response.read1(_CHUNK):  # what has come: read() would wait for more, past the deadline
                body += chunk
                bar.update(len(chunk))
                if max(len(body), whole or 0) > MAX_BYTES:
                    body.clear()
                    raise DownloadError(f"{url}: larger than {MAX_BYTES} bytes, so it is not the corpus")
                if time.monotonic() > deadline:
                    raise DownloadError(f"{url}: not whole after {DEADLINE:g} s")
    if whole is not None and len(body) < whole:
        raise ConnectionError(f"cut off after {len(body)} of {whole} bytes")


class _HttpsRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        _require_https(newurl, loopback=not req.full_url.lower().startswith("https:"))
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_https(url: str, loopback: bool = True) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (loopback and parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise URLError(f"refused, as {url} is not an https:// address")


def _reason(error: Exception) -> str:
    """What went wrong, in one line; a server's own words are cut and lose what could steer a terminal."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"timed out after {READ_TIMEOUT:g} s"
    if isinstance(cause, socket.gaierror):
        return f"name resolution failed ({cause.strerror})"
    words = "".join(letter if letter.isprintable() else " " for letter in str(cause) or type(cause).__name__)
    words = textwrap.shorten(words, 200, placeholder=" ...")
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {words}"
    return f"no HTTP answer ({words})" if isinstance(cause, BadStatusLine) else words
