"""An HTTP server that keeps what is posted to it, for whatever a run sends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Post(NamedTuple):
    """A request: its path, its headers and its body, and the status of the answer."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int


class Receiver(ThreadingHTTPServer):
    """Keeps each POST.

    Attributes:
        status: Of each answer for which *statuses* has none.
        statuses: Of the next answers.
        location: Where a redirect leads; empty for back to where it came.
    """

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.statuses: list[int] = []
        self.location = ""
        self.posts: list[Post] = []
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client may go away."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.guard:
            status = self.server.statuses.pop(0) if self.server.statuses else self.server.status
            self.server.posts.append(Post(self.path, dict(self.headers.items()), body, status))

        self.send_response(status)
        self.send_header("Location", self.server.location or self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiving(status: int = 200) -> Iterator[Receiver]:
    """A receiver in threads of its own; it ends with the block."""
    with Receiver(status) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
