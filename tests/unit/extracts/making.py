"""Packages made by hand, with the product's own writers."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kada_athena_async.extracts import Package
from kada_athena_async.files import to_bytes
from kada_athena_async.hwm import RunState
from kada_athena_async.manifest import (
    Manifest,
    ManifestFile,
    RunFacts,
    extract_name,
    manifest_name,
)
from kada_athena_async.records import KINDS, RECORD_TYPES, Record
from kada_athena_async.scopes import ScopeFacts
from kada_athena_async.sinks.csv_format import encode, header

AT = datetime(2026, 11, 24, tzinfo=timezone.utc)
GLUE = "AwsDataCatalog"


def record(kind: str, **values: Any) -> Record:
    """A record of *kind* with *values*; the others are empty."""
    fields = RECORD_TYPES[kind]._fields
    return RECORD_TYPES[kind]._make(values.get(name) for name in fields)


def table(name: str, kind: str = "TABLE", schema: str = "sales", **values: Any) -> Record:
    names = {"server": "srv", "catalog": GLUE, "schema": schema, "table": name}
    return record("metadata_tables", **names, table_type=kind, **values)


def columns(table: str, schema: str = "sales", /, **types: str) -> list[Record]:
    names = {"server": "srv", "catalog": GLUE, "schema": schema, "table": table}
    return [
        record("metadata_columns", **names, column=name, ordinal_position=place, data_type=kind)
        for place, (name, kind) in enumerate(types.items(), 1)
    ]


def query(number: int, **values: Any) -> Record:
    facts = {"server": "srv", "query_id": f"q{number}", "workgroup": "primary"}
    return record("databaselog", **{**facts, "status": "SUCCEEDED", **values})


def schema_record(name: str, outcome: Any = "complete", catalog: str = GLUE) -> ScopeFacts:
    return ScopeFacts(scope="schema", name=(catalog, name), outcome=outcome)


def make_package(
    directory: Path,
    records: Mapping[str, Sequence[Record]],
    *,
    name: str = "athena",
    day: int = 0,
    window_days: int = 1,
    compress: bool = True,
    digest: str = "same",
    completeness: Sequence[ScopeFacts] = (schema_record("sales"),),
    facts: Mapping[str, Any] | None = None,
) -> Package:
    """Write what a run of *day* would leave: an extract of each kind, and the manifest."""
    end = AT + timedelta(days=day)
    files = []
    for kind in KINDS:
        data = header(kind) + encode(kind, list(records.get(kind, ())))
        data = gzip.compress(data, mtime=0) if compress else data
        path = directory / extract_name(name, kind, end, compress=compress)
        path.write_bytes(data)
        files.append(
            ManifestFile(
                name=path.name,
                kind=kind,
                rows=len(records.get(kind, ())),
                size_bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
            )
        )

    manifest = Manifest(
        run_id=f"run-{day}",
        name=name,
        start=end - timedelta(days=window_days),
        end=end,
        started_at=end,
        config_digest=digest,
        plan_digest="plan",
        manages_hwm=True,
        files=tuple(files),
        facts=RunFacts(version="1", server="srv", completeness=tuple(completeness), **facts or {}),
        state=RunState(hwm=end),
    )
    path = directory / manifest_name(name, end)
    path.write_bytes(data := to_bytes(manifest))
    return Package(
        path=path,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        manifest=manifest,
    )
