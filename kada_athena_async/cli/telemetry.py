"""``--otel``: spans and metrics of a run, sent where OpenTelemetry's variables say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.events import Observer

_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_ENDPOINTS = (
    _ENDPOINT,
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)


@contextmanager
def telemetry(*, is_wanted: bool) -> Iterator[list[Observer]]:
    """The observer that exports, if it is wanted; what is left is sent at the end of the block.

    Raises:
        ConfigError: No variable says where to, or the extra is not installed.
    """
    if not is_wanted:
        yield []
        return

    if not any(os.environ.get(name) for name in _ENDPOINTS):
        remedy = "export it, such as http://localhost:4318, or leave --otel out"
        raise ConfigError([Problem(_ENDPOINT, "(not set)", remedy)], source="command")

    try:
        from kada_athena_async.observers.otel import exporting
    except ModuleNotFoundError as error:
        remedy = "install it: pip install 'kada-athena-async[otel]'"
        problem = Problem("--otel", f"(needs {error.name})", remedy)
        raise ConfigError([problem], source="installation") from None

    with exporting() as observer:
        yield [observer]
