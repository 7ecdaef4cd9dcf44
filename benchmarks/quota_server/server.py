"""The stand-in as a whole: admits, delays and answers calls, and keeps count of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from benchmarks.quota_server.athena import Athena
from benchmarks.quota_server.estate import Estate
from benchmarks.quota_server.glue import Glue
from benchmarks.quota_server.history import History
from benchmarks.quota_server.latency import Latencies
from benchmarks.quota_server.limits import Limits
from benchmarks.quota_server.log import CallLog
from benchmarks.quota_server.queries import Queries
from benchmarks.quota_server.settings import Settings
from benchmarks.quota_server.storage import Storage, sts_answer
from kada_athena_async.sandbox.operations import Operation, identify
from kada_athena_async.sandbox.wire import AwsError, Reply, Request, error_reply, json_reply

_UNCHANGING = frozenset({"athena:GetQueryResults", "athena:ListTableMetadata", "glue:GetTables"})
"""Operations whose answers never change once they have been given."""

_KEPT_ANSWERS = 512


class QuotaServer:
    """Athena, Glue, S3 and STS of one account behind one port.

    ``GET /_log`` shows what was asked so far, ``GET /_timeline`` when each call and each query
    began and ended, ``GET /_reset`` forgets it and fills the buckets; none of them is limited,
    delayed or counted. Safe to call from any thread.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._estate = Estate(settings)
        self._started_s = time.time()
        self._history = History(settings, self._started_s)
        self._guard = threading.Lock()
        self.log = CallLog()
        self._forget()

    def _forget(self) -> None:
        self._limits = Limits(self._settings.adaptive, scale=self._settings.quota_scale)
        self._latencies = Latencies(self._settings.seed, self._settings.latency_scale)
        self._queries = Queries(self._settings, self._estate, self._latencies)
        self._athena = Athena(self._estate, self._history, self._queries)
        self._glue = Glue(self._estate)
        self._storage = Storage(self._queries)
        self._kept: dict[tuple[str, bytes], Reply] = {}
        self.log.clear()

    def answer(self, request: Request) -> Reply:
        """The reply to *request*, after as long as AWS would take."""
        if request.path.startswith("/_"):
            with self._guard:
                return self._manage(request)

        delay_s, reply = self.receive(request)
        if delay_s:
            time.sleep(delay_s)

        return reply()

    def receive(self, request: Request) -> tuple[float, Callable[[], Reply]]:
        """Seconds until *request* is answered, and the call that then makes the reply."""
        is_form = "x-www-form-urlencoded" in request.headers.get("content-type", "")
        operation = identify(request, "sts" if is_form and request.path == "/" else "s3")
        name = operation.full_name
        if operation.service == "s3":
            name = "s3:GET" if request.method in ("GET", "HEAD") else "s3:PUT"

        with self._guard:
            call = self.log.begin(name, self._elapsed_s())
            error = None
            if not self._limits.grant(name, time.monotonic()):
                error = AwsError("ThrottlingException", "Rate exceeded")
                call.entry.throttled += 1

            delay_s = self._latencies.draw_s("throttled" if error else name)

        def reply() -> Reply:
            with self._guard:
                self.log.end(call, self._elapsed_s())
                try:
                    if error is not None:
                        raise error

                    return self._serve(request, operation)
                except AwsError as refused:
                    return error_reply(operation.service, refused)

        return delay_s, reply

    def _serve(self, request: Request, operation: Operation) -> Reply:
        if operation.service == "s3":
            return self._storage.answer(request, time.time())

        if operation.service == "sts":
            return sts_answer(operation.name, operation.form)

        name = operation.full_name
        kept = self._kept.get((name, request.body))
        if kept is not None:
            return kept

        services = {"athena": self._athena.handlers, "glue": self._glue.handlers}
        handler = services.get(operation.service, {}).get(operation.name)
        if handler is None:
            raise AwsError("UnknownOperationException", f"the stand-in has no {name}")

        reply = json_reply(handler(operation.parameters, time.time()))
        if name in _UNCHANGING:
            if len(self._kept) >= _KEPT_ANSWERS:
                del self._kept[next(iter(self._kept))]

            self._kept[name, request.body] = reply

        return reply

    def _manage(self, request: Request) -> Reply:
        if request.path == "/_reset":
            self._forget()

        if request.path == "/_timeline":
            return json_reply(
                {
                    "calls": self.log.spans,
                    "queries": self._queries.spans(self._started_s),
                    "slots": self._settings.active_dml,
                }
            )

        return json_reply(
            self.log.document()
            | {
                "started_epoch_s": self._started_s,
                "most_active_queries": self._queries.most_active,
            }
        )

    def _elapsed_s(self) -> float:
        return time.time() - self._started_s
