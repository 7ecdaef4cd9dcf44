"""HTTP/1.1 over asyncio: enough for the SDKs, and cheap enough not to be what is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol


@dataclass(slots=True, kw_only=True)
class Request:
    """What was asked: the few headers that matter have fields of their own."""

    method: str
    target: str
    operation: str
    byte_range: str
    is_form: bool
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, headers and a body of known size, made piece by piece while it is sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    size_bytes: int
    chunks: Iterator[bytes]


class Application(Protocol):
    """Decides when and how a request is answered."""

    def receive(self, request: Request) -> tuple[float, Callable[[], Answer]]:
        """Seconds to wait, and the call that then makes the answer."""
        ...


class Connection(asyncio.Protocol):
    """One keep-alive connection, a request at a time."""

    def __init__(self, application: Application, connections: set[Connection]) -> None:
        self._application = application
        self._connections = connections
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._is_busy = False
        self._chunks: Iterator[bytes] | None = None
        self._is_paused = False
        self._has_invited = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._chunks = None
        self._connections.discard(self)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_busy:
            self._take_request()

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._pump()

    def _take_request(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._transport is None:
            return

        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()

        size = int(headers.get("content-length", "0"))
        if len(self._buffer) < end + 4 + size:
            if "expect" in headers and not self._has_invited:
                self._has_invited = True
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

            return

        body = bytes(self._buffer[end + 4 : end + 4 + size])
        del self._buffer[: end + 4 + size]
        self._is_busy = True
        self._has_invited = False
        request = Request(
            method=method,
            target=target,
            operation=headers.get("x-amz-target", ""),
            byte_range=headers.get("range", ""),
            is_form="x-www-form-urlencoded" in headers.get("content-type", ""),
            body=body,
        )
        delay_s, answer = self._application.receive(request)
        if delay_s > 0:
            asyncio.get_running_loop().call_later(delay_s, self._send, answer)
        else:
            self._send(answer)

    def _send(self, make: Callable[[], Answer]) -> None:
        answer = make()
        if self._transport is None:
            return

        headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
        status = HTTPStatus(answer.status)
        head = (
            f"HTTP/1.1 {answer.status} {status.phrase}\r\n{headers}"
            f"Content-Length: {answer.size_bytes}\r\n\r\n"
        )
        self._chunks = answer.chunks
        self._transport.write(head.encode("latin-1"))
        self._pump()

    def _pump(self) -> None:
        while self._chunks is not None and not self._is_paused and self._transport is not None:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._chunks = None
                self._is_busy = False
                self._take_request()
                return

            self._transport.write(chunk)
