"""A run as OpenTelemetry spans and metrics; needs the extra ``otel``.

Spans and attributes hold names, counts and outcomes: no SQL, no reason of a failure, no secret.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from time import time_ns
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode, set_span_in_context

from kada_athena_async.events import (
    CallFinished,
    CallRates,
    Event,
    FileCommitted,
    QueryFinished,
    QueryStarted,
    RetryScheduled,
    RunFinished,
    RunStarted,
    SiteEvent,
    SiteFinished,
    StageFinished,
    StageStarted,
    Throttled,
    UnitFinished,
    UnitStarted,
)
from kada_athena_async.version import __version__

_SCOPE = "kada_athena_async"


class Telemetry:
    """Observer that turns events into spans and metrics of the providers that it is given.

    Args:
        takes_calls: True if each request to AWS becomes a span: there are many of them.
        traces, metrics: OpenTelemetry's ``TracerProvider`` and ``MeterProvider``; whoever made
            them shuts them down, after ``close``.
    """

    def __init__(self, traces: Any, metrics: Any, *, takes_calls: bool = True) -> None:
        self.takes_calls = takes_calls
        self._tracer = traces.get_tracer(_SCOPE, __version__)
        meter = metrics.get_meter(_SCOPE, __version__)
        counter = meter.create_counter
        self._rows = counter("kada_athena.rows", "{row}", "Rows of committed extracts")
        self._calls = counter("kada_athena.calls", "{call}", "Requests to AWS")
        self._throttles = counter("kada_athena.throttles", "{call}", "Requests refused by rate")
        self._retries = counter("kada_athena.retries", "{call}", "Requests tried again")
        self._duration = meter.create_histogram("kada_athena.run.duration", "s", "Length of runs")
        self._lag = meter.create_gauge(
            "kada_athena.hwm.lag", "s", "How far the high-water mark is behind now"
        )
        self._runs: dict[str, _Run] = {}

    def __call__(self, event: Event) -> None:
        site = ""
        if isinstance(event, SiteEvent):
            site, event = event.site, event.event

        if isinstance(event, RunStarted):
            self._end(site, is_error=False)
            self._runs[site] = _Run(self._tracer, event, site)
            self._measure_lag(self._runs[site], event.start)
        elif isinstance(event, SiteFinished):
            self._end(event.site, is_error=bool(event.exit_code))
        elif (run := self._runs.get(site)) is not None:
            self._count(run, event)
            run.add(event)
            if isinstance(event, RunFinished):
                self._end(site, is_error=bool(event.exit_code))

    def close(self) -> None:
        """End the spans of runs that ended by an error or were interrupted."""
        for site in list(self._runs):
            self._end(site, is_error=True)

    def _end(self, site: str, *, is_error: bool) -> None:
        run = self._runs.pop(site, None)
        if run is not None:
            run.end(is_error=is_error)

    def _count(self, run: _Run, event: Event) -> None:
        match event:
            case FileCommitted():
                self._rows.add(event.rows, {**run.labels, "kind": event.kind})
            case Throttled():
                self._throttles.add(1, {**run.labels, "operation": event.operation})
            case RetryScheduled():
                self._retries.add(1, {**run.labels, "operation": event.operation})
            case CallRates():
                self._count_calls(run, event.calls)
            case RunFinished():
                self._count_calls(run, event.calls)
                outcome = "committed" if event.committed else "not committed"
                self._duration.record(event.duration_s, {**run.labels, "outcome": outcome})
                if event.committed:
                    self._measure_lag(run, run.end_of_window)
            case _:
                pass

    def _count_calls(self, run: _Run, calls: dict[str, int]) -> None:
        for operation, count in calls.items():
            more = count - run.calls.get(operation, 0)
            if more > 0:
                self._calls.add(more, {**run.labels, "operation": operation})
                run.calls[operation] = count

    def _measure_lag(self, run: _Run, mark: datetime) -> None:
        self._lag.set((datetime.now(timezone.utc) - mark).total_seconds(), run.labels)


class _Run:
    """The open spans of one run; stages, units and queries lie below it."""

    def __init__(self, tracer: Any, event: RunStarted, site: str) -> None:
        self.labels = {"name": event.name, **({"site": site} if site else {})}
        self.end_of_window = event.end
        self.calls: dict[str, int] = {}
        self._tracer = tracer
        self._open: dict[tuple[str, str], Any] = {}
        facts = {"run_id": event.run_id, "is_resumed": event.is_resumed}
        self._span = tracer.start_span("run", attributes={**self.labels, **facts})
        self._context = set_span_in_context(self._span)

    def add(self, event: Event) -> None:
        match event:
            case StageStarted():
                self._begin("stage", event.stage)
            case StageFinished():
                self._finish("stage", event.stage)
            case UnitStarted():
                self._begin("unit", event.unit_id)
            case UnitFinished():
                facts = {"outcome": event.outcome, "rows": event.rows}
                is_error = event.outcome == "failed"
                self._finish("unit", event.unit_id, is_error=is_error, **facts)
            case QueryStarted():
                self._begin(
                    "query", event.query_execution_id, ("unit", event.unit_id), event.workgroup
                )
            case QueryFinished():
                facts = {"state": event.state, "scanned_bytes": event.scanned_bytes}
                is_error = event.state == "FAILED"
                self._finish("query", event.query_execution_id, is_error=is_error, **facts)
            case CallFinished():
                self._add_call(event)
            case RunFinished():
                self._span.set_attributes({"committed": event.committed})
                self._span.set_attributes({"exit_code": int(event.exit_code)})
            case _:
                pass

    def end(self, *, is_error: bool) -> None:
        for kind, name in list(self._open):
            self._finish(kind, name, is_error=is_error)

        if is_error:
            self._span.set_status(Status(StatusCode.ERROR))

        self._span.end()

    def _begin(
        self, kind: str, name: str, above: tuple[str, str] = ("", ""), workgroup: str = ""
    ) -> None:
        parent = self._open.get(above)
        context = set_span_in_context(parent) if parent is not None else self._context
        facts = {kind: name, **({"workgroup": workgroup} if workgroup else {})}
        span = self._tracer.start_span(kind, context=context, attributes=facts)
        self._open[kind, name] = span

    def _add_call(self, event: CallFinished) -> None:
        """A span that ends now, below the run: a call serves units that share its answer."""
        end_ns = time_ns()
        span = self._tracer.start_span(
            "call",
            context=self._context,
            start_time=end_ns - round(event.duration_s * 1e9),
            attributes={"operation": event.operation},
        )
        if event.error:
            span.set_attributes({"error.type": event.error})
            span.set_status(Status(StatusCode.ERROR))

        span.end(end_time=end_ns)

    def _finish(self, kind: str, name: str, *, is_error: bool = False, **facts: Any) -> None:
        span = self._open.pop((kind, name), None)
        if span is None:
            return

        span.set_attributes(facts)
        if is_error:
            span.set_status(Status(StatusCode.ERROR))

        span.end()


@contextmanager
def exporting() -> Iterator[Telemetry]:
    """An observer whose spans and metrics go where the ``OTEL_*`` variables say, until the end.

    Variables: opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "kada-athena-async"}
    resource = Resource.create({**named, "service.version": __version__})
    traces = TracerProvider(resource=resource, shutdown_on_exit=False)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    metrics = MeterProvider(resource=resource, metric_readers=[reader], shutdown_on_exit=False)
    telemetry = Telemetry(traces, metrics)
    try:
        yield telemetry
    finally:
        telemetry.close()
        traces.shutdown()
        metrics.shutdown()
