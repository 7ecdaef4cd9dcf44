"""Stations on the way to AWS: TLS servers, a CONNECT proxy, servers of written bytes.

Each is a real server on a port of this machine, in threads of its own; use it as a context manager.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from typing_extensions import Self

_CHUNK_BYTES = 1 << 16


class _Listener:
    """Hands every connection to ``serve`` in a thread of its own."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()

    def serve(self, connection: socket.socket) -> None:
        """Speak on *connection* until it ends."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

        self._socket.close()
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.add(connection)

        try:
            with contextlib.suppress(OSError):
                self.serve(connection)
        finally:
            with self._guard:
                self._open.discard(connection)

            connection.close()


class TlsFront(_Listener):
    """Ends TLS with a certificate and passes the bytes on to a port of this machine.

    Attributes:
        handshakes: How many clients accepted the certificate.
        received_bytes: What they sent.
    """

    def __init__(self, target_port: int, files: tuple[Path, Path]) -> None:
        super().__init__()
        self._target_port = target_port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*files)
        self.handshakes = 0
        self.received_bytes = 0

    def serve(self, connection: socket.socket) -> None:
        """Shake hands, then pass on both ways."""
        with self._context.wrap_socket(connection, server_side=True) as inside:
            self.handshakes += 1
            with socket.create_connection(("127.0.0.1", self._target_port)) as destination:
                pipe(inside, destination, self._count)

    def _count(self, size: int) -> None:
        self.received_bytes += size


class ConnectProxy(_Listener):
    """A proxy that tunnels every host to one port of this machine.

    Args:
        login: ``user:password`` that it asks for.
        refusal: A status line to refuse every CONNECT with, such as ``403 Forbidden``.

    Attributes:
        asked: First lines of all requests that it was sent.
    """

    def __init__(self, target_port: int, *, login: str = "", refusal: str = "") -> None:
        super().__init__()
        self._target_port = target_port
        self._login = base64.b64encode(login.encode()).decode() if login else ""
        self._refusal = refusal
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        """Answer one request; a CONNECT becomes a tunnel."""
        head = read_head(connection)
        self.asked.append(head.partition("\r\n")[0])
        refusal = self._refusal
        if self._login and f"Basic {self._login}" not in head:
            refusal = "407 Proxy Authentication Required"

        if refusal or not head.startswith("CONNECT "):
            status = refusal or "501 Not Implemented"
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
            return

        with socket.create_connection(("127.0.0.1", self._target_port)) as destination:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            pipe(connection, destination)


class Greeter(_Listener):
    """Speaks first, and closes the connection."""

    def __init__(self, greeting: bytes) -> None:
        super().__init__()
        self._greeting = greeting

    def serve(self, connection: socket.socket) -> None:
        """Send the greeting once the other side has begun."""
        connection.recv(_CHUNK_BYTES)
        connection.sendall(self._greeting)
        connection.recv(_CHUNK_BYTES)


class BytesServer(_Listener):
    """Answers every request with the pieces that ``answer`` makes of its head.

    Attributes:
        heads: Of all requests.
    """

    def __init__(self, answer: Callable[[str], Iterator[bytes]]) -> None:
        super().__init__()
        self._answer = answer
        self.heads: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        """Read requests, write answers."""
        while head := read_head(connection):
            self.heads.append(head)
            for piece in self._answer(head):
                connection.sendall(piece)


@lru_cache(maxsize=1)
def closed_port() -> int:
    """A port of this machine at which nobody listens; it stays taken until this process ends."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    holder.detach()
    return port


def read_head(connection: socket.socket) -> str:
    """Head of the next request, its body read and dropped; empty at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(_CHUNK_BYTES)
        if not more:
            return ""

        data += more

    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    for line in text.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            missing = int(value) - len(body)
            while missing > 0 and (more := connection.recv(min(missing, _CHUNK_BYTES))):
                missing -= len(more)

    return text


def pipe(
    left: socket.socket, right: socket.socket, count: Callable[[int], None] = lambda _: None
) -> None:
    """Pass bytes both ways until either side ends."""

    def back() -> None:
        with contextlib.suppress(OSError):
            while data := right.recv(_CHUNK_BYTES):
                left.sendall(data)

        with contextlib.suppress(OSError):
            left.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=back, daemon=True)
    thread.start()
    with contextlib.suppress(OSError):
        while data := left.recv(_CHUNK_BYTES):
            count(len(data))
            right.sendall(data)

    with contextlib.suppress(OSError):
        right.shutdown(socket.SHUT_RDWR)

    thread.join()
