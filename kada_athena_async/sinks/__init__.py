"""From records to files that nobody sees yet: CSV parts in a run's staging directory."""

from __future__ import annotations

from kada_athena_async.sinks.interface import RecordSink, RecordWriter
from kada_athena_async.sinks.journal import RunIntent
from kada_athena_async.sinks.part import PartFile, PartWriter
from kada_athena_async.sinks.staging import SealedUnit, Staging, lock_path, staging_root

__all__ = [
    "PartFile",
    "PartWriter",
    "RecordSink",
    "RecordWriter",
    "RunIntent",
    "SealedUnit",
    "Staging",
    "lock_path",
    "staging_root",
]
