"""The stand-in as a whole: admits, delays and answers calls, and keeps count of them."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator

from benchmarks.quota_server.athena import Athena
from benchmarks.quota_server.errors import ServiceError
from benchmarks.quota_server.estate import Estate
from benchmarks.quota_server.glue import Glue
from benchmarks.quota_server.history import History
from benchmarks.quota_server.http import Answer, Connection, Request
from benchmarks.quota_server.latency import Latencies
from benchmarks.quota_server.limits import Limits
from benchmarks.quota_server.log import CallLog, Operation
from benchmarks.quota_server.queries import Queries
from benchmarks.quota_server.settings import Settings
from benchmarks.quota_server.storage import Storage, sts_answer

_UNCHANGING = frozenset({"athena:GetQueryResults", "athena:ListTableMetadata", "glue:GetTables"})
"""Operations whose answers never change once they have been given."""

_KEPT_ANSWERS = 512

_SERVICES = {"AmazonAthena": "athena", "AWSGlue": "glue"}


class QuotaServer:
    """Athena, Glue, S3 and STS of one account behind one port.

    ``GET /_log`` tells what was asked so far, ``POST /_reset`` forgets it and fills the buckets;
    neither is limited, delayed or counted.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._estate = Estate(settings)
        self._started_s = time.time()
        self._history = History(settings, self._started_s)
        self._request_ids = itertools.count(1)
        self.log = CallLog()
        self._forget()

    def _forget(self) -> None:
        self._limits = Limits(self._settings.adaptive, scale=self._settings.quota_scale)
        self._latencies = Latencies(self._settings.seed, self._settings.latency_scale)
        self._queries = Queries(self._settings, self._estate, self._latencies)
        self._athena = Athena(self._estate, self._history, self._queries)
        self._glue = Glue(self._estate)
        self._storage = Storage(self._queries)
        self._kept: dict[tuple[str, bytes], bytes] = {}
        self.log.clear()

    def receive(self, request: Request) -> tuple[float, Callable[[], Answer]]:
        """When and how *request* is answered (an ``http.Application``)."""
        if request.target.startswith("/_"):
            return 0.0, lambda: self._manage(request)

        operation = self._operation(request)
        now_s = time.monotonic()
        entry = self.log.begin(operation, self._elapsed_s())
        if not self._limits.grant(operation, now_s):
            entry.throttled += 1
            error = ServiceError("ThrottlingException", "Rate exceeded")
            return self._latencies.draw_s("throttled"), lambda: self._refuse(request, entry, error)

        delay_s = self._latencies.draw_s(operation)
        entry.latency_sum_s += delay_s
        return delay_s, lambda: self._serve(request, operation, entry)

    def _operation(self, request: Request) -> str:
        if request.operation:
            service, _, name = request.operation.partition(".")
            return f"{_SERVICES.get(service, service)}:{name}"

        if request.is_form and request.target in ("/", ""):
            action = request.body.partition(b"Action=")[2].partition(b"&")[0].decode()
            return f"sts:{action}"

        return "s3:GET" if request.method in ("GET", "HEAD") else "s3:PUT"

    def _serve(self, request: Request, operation: str, entry: Operation) -> Answer:
        try:
            answer = self._answer(request, operation)
        except ServiceError as error:
            entry.refused += 1
            return self._refuse(request, entry, error)

        self.log.end(entry, self._elapsed_s())
        entry.sent_bytes += answer.size_bytes
        return answer

    def _answer(self, request: Request, operation: str) -> Answer:
        service, _, name = operation.partition(":")
        now_s = time.time()
        if service == "s3":
            body = self._storage.answer(request.method, request.target, request.byte_range, now_s)
            return self._reply(body.status, body.chunks, body.size_bytes, *body.headers)

        if service == "sts":
            _, xml = sts_answer(request.body)
            return self._reply(200, iter([xml]), len(xml), ("Content-Type", "text/xml"))

        handlers = {"athena": self._athena.handlers, "glue": self._glue.handlers}.get(service, {})
        if name not in handlers:
            raise ServiceError("UnknownOperationException", f"the stand-in has no {operation}")

        text = self._kept.get((operation, request.body))
        if text is None:
            text = handlers[name](json.loads(request.body or b"{}"), now_s).encode()
            if operation in _UNCHANGING:
                self._keep(operation, request.body, text)

        return self._reply(200, iter([text]), len(text), _JSON)

    def _keep(self, operation: str, body: bytes, text: bytes) -> None:
        if len(self._kept) >= _KEPT_ANSWERS:
            del self._kept[next(iter(self._kept))]

        self._kept[operation, body] = text

    def _refuse(self, request: Request, entry: Operation, error: ServiceError) -> Answer:
        self.log.end(entry, self._elapsed_s())
        if request.operation:
            document = {"__type": error.code, "message": error.message}
            if error.code == "TooManyRequestsException" and error.reason:
                document = {"__type": error.code, "Message": error.message, "Reason": error.reason}

            text = json.dumps(document).encode()
            return self._reply(error.status, iter([text]), len(text), _JSON)

        xml = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f"<Error><Code>{error.code}</Code><Message>{error.message}</Message></Error>"
        ).encode()
        if request.is_form:
            xml = b"<ErrorResponse>" + xml.partition(b"?>")[2] + b"</ErrorResponse>"

        if request.method == "HEAD":
            xml = b""

        return self._reply(error.status, iter([xml]), len(xml), ("Content-Type", "text/xml"))

    def _reply(
        self, status: int, chunks: Iterator[bytes], size_bytes: int, *headers: tuple[str, str]
    ) -> Answer:
        request_id = ("x-amzn-RequestId", f"00000000-0000-4000-8000-{next(self._request_ids):012x}")
        return Answer(
            status=status, headers=(request_id, *headers), size_bytes=size_bytes, chunks=chunks
        )

    def _manage(self, request: Request) -> Answer:
        if request.target == "/_reset":
            self._forget()

        document = self.log.document() | {
            "started_epoch_s": self._started_s,
            "most_active_queries": self._queries.most_active,
        }
        text = json.dumps(document).encode()
        return self._reply(200, iter([text]), len(text), _JSON)

    def _elapsed_s(self) -> float:
        return time.time() - self._started_s


_JSON = ("Content-Type", "application/x-amz-json-1.1")


async def serve(settings: Settings, *, port: int, ready: Callable[[str], None]) -> None:
    """Serve on the loopback interface until cancelled; *ready* hears the URL."""
    application = QuotaServer(settings)
    connections: set[Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(application, connections), "127.0.0.1", port, backlog=1024
    )
    try:
        ready(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await server.serve_forever()
    finally:
        server.close()
        for connection in list(connections):
            connection.close()
