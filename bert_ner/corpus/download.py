"""Download a small file over HTTPS, with limits on time and size.

The body stays in memory, so two processes never share an open file, and a download that is killed starts from zero.
"""

import re
import socket
import textwrap
import time
from contextlib import suppress
from http.client import BadStatusLine, HTTPException
from pathlib import Path
from typing import Any
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
_LOOPBACK = ("127.0.0.1", "localhost")  # plain HTTP is allowed for a mirror on this machine


class DownloadError(Exception):
    """A download failed; the message says why."""


def download(url: str, part: Path) -> bytes:
    """Return the complete body at an address, or raise DownloadError.

    A failed download saves the bytes it has to the file `part`, and the next one continues from them.
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
                body.clear()  # 416, range not satisfiable: the part is of another file
            except (URLError, ValueError) as error:  # no connection, or an invalid address
                raise DownloadError(f"{url}: {_reason(error)}") from None
            except (OSError, HTTPException) as error:  # the connection broke: try again from there
                problem = _reason(error)
            else:
                with suppress(OSError):
                    part.unlink()
                return bytes(body)
        saved = f"; {len(body)} bytes are saved, and the next run continues from there" if body else ""
        raise DownloadError(f"{url}: {problem}, in {ATTEMPTS} attempts{saved}")
    except BaseException:
        with suppress(OSError):
            write_whole(part, bytes(body)) if body else part.unlink()
        raise


def _fetch(url: str, body: bytearray, deadline: float) -> None:
    """Complete `body` with one request; start from zero if the server does not continue it."""
    _require_https(url)
    headers = {"User-Agent": "bert-ner"} | ({"Range": f"bytes={len(body)}-"} if body else {})
    with build_opener(_HttpsRedirects).open(Request(url, headers=headers), timeout=READ_TIMEOUT) as response:
        if response.status == 206 and not re.match(rf"bytes {len(body)}-", response.headers.get("Content-Range", "")):
            body.clear()
            raise HTTPException("the server sent another range than the one requested")
        if response.status != 206:
            body.clear()
        size = None if response.length is None else len(body) + response.length
        name = url.rpartition("/")[2]
        with tqdm(desc=name, total=size, initial=len(body), unit="B", unit_scale=True, disable=None) as bar:
            while chunk := response.read1(_CHUNK):  # read() would wait for a full chunk, past the deadline
                body += chunk
                bar.update(len(chunk))
                if max(len(body), size or 0) > MAX_BYTES:
                    body.clear()
                    raise DownloadError(f"{url}: larger than {MAX_BYTES} bytes, so it is not the corpus")
                if time.monotonic() > deadline:
                    raise DownloadError(f"{url}: incomplete after {DEADLINE:g} s")
    if size is not None and len(body) < size:
        raise ConnectionError(f"cut off after {len(body)} of {size} bytes")


class _HttpsRedirects(HTTPRedirectHandler):
    def redirect_request(self, req: Request, *answer: Any) -> Request | None:
        _require_https(answer[-1], loopback=not req.full_url.lower().startswith("https:"))  # the new address
        return super().redirect_request(req, *answer)


def _require_https(url: str, loopback: bool = True) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (loopback and parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise URLError(f"refused, because {url} is not an https:// address")


def _reason(error: Exception) -> str:
    """Describe an error in one line; a server's text is shortened and stripped of control characters."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"timed out after {READ_TIMEOUT:g} s"
    if isinstance(cause, socket.gaierror):
        return f"name resolution failed ({cause.strerror})"
    printable = "".join(letter if letter.isprintable() else " " for letter in str(cause) or type(cause).__name__)
    text = textwrap.shorten(printable, 200, placeholder=" ...")
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {text}"
    return f"no HTTP answer ({text})" if isinstance(cause, BadStatusLine) else text
