"""Runs statements as Athena would, against the invented estate and with no AWS."""

from __future__ import annotations

from kada_athena_async.sandbox.execute.outcome import QueryOutcome
from kada_athena_async.sandbox.execute.results import result_csv, result_txt
from kada_athena_async.sandbox.execute.run import execute

__all__ = ["QueryOutcome", "execute", "result_csv", "result_txt"]
