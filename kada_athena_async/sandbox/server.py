"""A threaded HTTP/1.1 server on loopback that can also break, cut and stall its connections."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedReader
from typing import cast

from kada_athena_async.sandbox.wire import Reply, Request

MAX_LINE_BYTES = 65_536
JOIN_S = 5.0

# Closing with a linger time of zero makes the client see a reset, not an orderly end.
LINGER_ZERO = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An event on the socket in place of a proper reply.

    Attributes:
        reply: Sent in part, with the length of all of it; None sends nothing.
        sent_bytes: How much of the reply's body is sent before the connection breaks.
    """

    reply: Reply | None = None
    sent_bytes: int = 0


Answer = Callable[[Request], "Reply | Broken"]


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves *answer* on ``127.0.0.1`` with keep-alive, one thread a connection.

    ``stop()`` returns when no socket is open and no thread of it lives.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, port: int, answer: Answer) -> None:
        self.answer = answer
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox-accept"
        )
        self._thread.daemon = True

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join(JOIN_S)
        self.server_close()
        with self._guard:
            open_connections = dict(self._connections)

        for connection in open_connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

        for thread in open_connections.values():
            thread.join(JOIN_S)

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        connection = cast("socket.socket", request)
        thread = threading.Thread(
            target=self._serve, args=(connection, client_address), name="sandbox-connection"
        )
        thread.daemon = True
        with self._guard:
            self._connections[connection] = thread

        thread.start()

    def _serve(self, connection: socket.socket, client_address: object) -> None:
        try:
            with contextlib.suppress(OSError):
                self.finish_request(connection, client_address)
        finally:
            self.shutdown_request(connection)
            with self._guard:
                self._connections.pop(connection, None)


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while (request := self._read()) is not None:
            outcome = cast("Server", self.server).answer(request)
            if isinstance(outcome, Broken):
                self._break(request, outcome)
                return

            self.connection.sendall(_render(outcome, is_head=request.method == "HEAD"))
            for chunk in outcome.chunks:
                self.connection.sendall(chunk)

            if request.headers.get("connection", "").lower() == "close":
                return

    def _read(self) -> Request | None:
        """The next request; None where the client is done or does not speak HTTP."""
        parts = self.rfile.readline(MAX_LINE_BYTES).decode("latin-1").split()
        if len(parts) != 3:
            return None

        headers = _read_headers(cast("BufferedReader", self.rfile))
        if headers.get("expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

        path, _, query = parts[1].partition("?")
        try:
            body = _read_body(cast("BufferedReader", self.rfile), headers)
        except ValueError:
            return None

        return Request(method=parts[0], path=path, query=query, headers=headers, body=body)

    def _break(self, request: Request, broken: Broken) -> None:
        if broken.reply is not None:
            whole = _render(broken.reply, is_head=request.method == "HEAD")
            unsent_bytes = len(broken.reply.body) - broken.sent_bytes
            self.connection.sendall(whole[: len(whole) - unsent_bytes])
            return

        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)


def _read_headers(stream: BufferedReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    while (line := stream.readline(MAX_LINE_BYTES).strip()) != b"":
        # botocore sends header values beyond ASCII as UTF-8 and signs them so.
        name, _, value = line.decode("utf-8", "surrogateescape").partition(":")
        headers[name.strip().lower()] = value.strip()

    return headers


def _read_body(stream: BufferedReader, headers: dict[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        return stream.read(int(headers.get("content-length") or 0))

    chunks: list[bytes] = []
    while (size_bytes := int(stream.readline(MAX_LINE_BYTES).split(b";")[0] or b"0", 16)) > 0:
        chunks.append(stream.read(size_bytes))
        stream.readline(MAX_LINE_BYTES)

    while stream.readline(MAX_LINE_BYTES).strip():
        pass

    return b"".join(chunks)


def _render(reply: Reply, *, is_head: bool) -> bytes:
    try:
        phrase = HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Unknown"

    lines = [f"HTTP/1.1 {reply.status} {phrase}", f"Date: {formatdate(usegmt=True)}"]
    lines.extend(f"{name}: {value}" for name, value in reply.headers)
    # A 204 has no body and no length of one (RFC 9110, section 8.6).
    has_length = any(name.lower() == "content-length" for name, _ in reply.headers)
    if not has_length and reply.status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {len(reply.body)}")

    head = "\r\n".join([*lines, "", ""]).encode("utf-8")
    return head if is_head else head + reply.body
