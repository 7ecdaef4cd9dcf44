"""`run --otel`: what a real OTLP receiver gets of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Cli
from tests.kit.receiver import Receiver, receiving


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def messages(collector: Receiver, path: str, kind: Any) -> list[Any]:
    """Bodies posted to *path*, as messages of *kind*."""
    return [kind.FromString(post.body) for post in collector.posts if post.path == path]


def spans_of(collector: Receiver) -> list[Any]:
    pytest.importorskip("opentelemetry.proto", reason="needs the extra otel")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = messages(collector, "/v1/traces", ExportTraceServiceRequest)
    return [s for m in found for r in m.resource_spans for c in r.scope_spans for s in c.spans]


def metrics_of(collector: Receiver) -> dict[str, Any]:
    """Name -> the last that was sent of each metric."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )

    found = messages(collector, "/v1/metrics", ExportMetricsServiceRequest)
    return {
        metric.name: metric
        for message in found
        for resource in message.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def by(metric: Any, key: str) -> dict[str, int]:
    """A counter's values, by an attribute."""
    return {
        attribute.value.string_value: point.as_int
        for point in metric.sum.data_points
        for attribute in point.attributes
        if attribute.key == key
    }


def test_spans_and_metrics_arrive(
    cli: Cli, configure: Callable[..., Path], collector: Receiver
) -> None:
    """Run, stages, units, queries and calls as a tree; rows and calls as the report has them."""
    pytest.importorskip("opentelemetry.proto", reason="needs the extra otel")
    configure(workgroups=["primary"], quota_share=1.0)
    url = collector.url

    done = cli("run", "--otel", "--json", OTEL_EXPORTER_OTLP_ENDPOINT=url)

    assert done.returncode == 0, done.stderr
    spans = spans_of(collector)
    names = {span.name for span in spans}
    (run,) = [span for span in spans if span.name == "run"]
    units = {span.span_id for span in spans if span.name == "unit"}
    assert names == {"run", "stage", "unit", "query", "call"}
    below = ("stage", "unit", "call")
    assert {s.parent_span_id for s in spans if s.name in below} == {run.span_id}
    assert {s.parent_span_id for s in spans if s.name == "query"} <= units
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in spans)

    metrics = metrics_of(collector)
    assert {"kada_athena.rows", "kada_athena.calls", "kada_athena.run.duration"} <= set(metrics)
    assert by(metrics["kada_athena.rows"], "kind")["metadata_tables"] > 10
    calls = by(metrics["kada_athena.calls"], "operation")
    assert calls["athena:ListQueryExecutions"] > 0
    spans_of_calls = Counter(
        attribute.value.string_value
        for span in spans
        if span.name == "call"
        for attribute in span.attributes
        if attribute.key == "operation"
    )
    # Those before the run began, which says whose it is, have no span.
    assert spans_of_calls["athena:ListQueryExecutions"] == calls["athena:ListQueryExecutions"]
    assert "call_finished" not in done.stdout
    (lag,) = metrics["kada_athena.hwm.lag"].gauge.data_points
    assert 0 < lag.as_double < 3600


def test_a_run_that_cannot_start_leaves_an_error_and_no_open_span(
    cli: Cli, configure: Callable[..., Path], collector: Receiver
) -> None:
    """Without credentials that count there is no run, and the command ends as without --otel."""
    pytest.importorskip("opentelemetry.proto", reason="needs the extra otel")
    configure(secret="another-secret-that-is-wrong")
    url = collector.url

    done = cli("run", "--otel", OTEL_EXPORTER_OTLP_ENDPOINT=url)

    assert done.returncode == 3, done.stderr
    assert spans_of(collector) == []


def test_without_an_endpoint_the_variable_is_named(
    cli: Cli, configure: Callable[..., Path]
) -> None:
    """The switch alone does not say where to."""
    configure()

    done = cli("run", "--otel")

    assert done.returncode == 2
    assert "OTEL_EXPORTER_OTLP_ENDPOINT = (not set): export it" in done.stderr


def test_without_the_extra_its_installation_is_named(
    cli: Cli, configure: Callable[..., Path], tmp_path: Path, environment: dict[str, str]
) -> None:
    """The command to type stands in the message."""
    configure()
    (tmp_path / "opentelemetry.py").write_text(
        "raise ModuleNotFoundError('no', name='opentelemetry')"
    )
    path = f"{tmp_path}:{environment['PYTHONPATH']}"

    done = cli("run", "--otel", PYTHONPATH=path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    assert done.returncode == 2
    assert "install it: pip install 'kada-athena-async[otel]'" in done.stderr


def test_the_variable_alone_changes_nothing(
    cli: Cli, configure: Callable[..., Path], collector: Receiver
) -> None:
    """A machine whose other programs use OpenTelemetry has the variable too."""
    configure(workgroups=["primary"], metadata_source="api", quota_share=1.0)
    url = collector.url

    done = cli("run", OTEL_EXPORTER_OTLP_ENDPOINT=url)

    assert done.returncode == 0, done.stderr
    assert collector.posts == []
