"""A web server on this machine that publishes a corpus, and behaves as badly as a test asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TRAIN, TEST = b"B-YEAR\t1994\n\n" * 2_000, b"O\tmovies\n\n" * 300


class Handler(BaseHTTPRequestHandler):
    """Answers with the server's next behaviour for the path, and repeats the last one."""

    server: Server

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers["Range"]))
        behaviours = self.server.behaviours[self.path]
        (behaviours.pop(0) if len(behaviours) > 1 else behaviours[0])(self)
        self.close_connection = True

    def start(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


class Server(ThreadingHTTPServer):
    """A publisher that records the requests: each path and its Range header."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str | None]] = []
        self.behaviours: dict[str, list[Behaviour]] = {"/train.bio": [sends(TRAIN)], "/test.bio": [sends(TEST)]}
        self.stopped, self.closing = threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Ignore clients that hang up."""


Behaviour = Callable[[Handler], None]


def sends(data: bytes, cut: int | None = None, ranges: bool = True) -> Behaviour:
    """Send the file, or the part that Range asks for; `cut` closes the connection after that many bytes."""

    def behave(handler: Handler) -> None:
        asked = handler.headers["Range"] if ranges else None
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if start >= len(data):
            handler.start(416, Content_Range=f"bytes */{len(data)}", Content_Length=0)
            return
        extra = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if asked else {}
        handler.start(206 if asked else 200, Content_Length=len(data) - start, **extra)
        handler.wfile.write(data[start:] if cut is None else data[start : start + cut])

    return behave


def says(status: int, **headers: object) -> Behaviour:
    return lambda handler: handler.start(status, Content_Length=0, **headers)


def stops(data: bytes, after: int) -> Behaviour:
    """Send so many bytes of the file and then nothing, with the connection open."""

    def behave(handler: Handler) -> None:
        handler.start(200, Content_Length=len(data))
        handler.wfile.write(data[:after])
        handler.server.stopped.set()
        handler.server.closing.wait(60)

    return behave


@contextmanager
def publishing() -> Iterator[Server]:
    """Run a publisher."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.closing.set()
        server.shutdown()
