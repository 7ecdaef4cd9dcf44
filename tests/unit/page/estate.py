"""Small packages of extracts, written as a run writes them."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kada_athena_async.files.document import to_bytes
from kada_athena_async.hwm import RunState
from kada_athena_async.manifest import (
    Manifest,
    ManifestFile,
    RunFacts,
    extract_name,
    manifest_name,
)
from kada_athena_async.records import (
    KINDS,
    CatalogRecord,
    ColumnRecord,
    LinkageRecord,
    QueryRecord,
    Record,
    SchemaRecord,
    TableRecord,
)
from kada_athena_async.scopes import ScopeFacts
from kada_athena_async.sinks.csv_format import encode, header

END = datetime(2026, 11, 25, tzinfo=timezone.utc)
SERVER = "athena.example"
CATALOG = "AwsDataCatalog"

Records = Mapping[str, Sequence[Record]]


def write_package(
    directory: Path,
    records: Records,
    *,
    end: datetime = END,
    completeness: Sequence[ScopeFacts] = (),
    config_digest: str = "same",
    server: str = SERVER,
    compress: bool = True,
    name: str = "athena",
    **facts: Any,
) -> Path:
    """Write extracts and their manifest; its path."""
    directory.mkdir(exist_ok=True)
    files = []
    for kind in KINDS:
        rows = records.get(kind, ())
        data = header(kind) + encode(kind, rows)
        data = gzip.compress(data, mtime=0) if compress else data
        file = extract_name(name, kind, end, compress=compress)
        (directory / file).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        files.append(
            ManifestFile(name=file, kind=kind, rows=len(rows), size_bytes=len(data), sha256=digest)
        )

    manifest = Manifest(
        run_id="20261125T000100Z-0a1b2c3d",
        name=name,
        start=end - timedelta(days=1),
        end=end,
        started_at=end + timedelta(minutes=1),
        config_digest=config_digest,
        plan_digest="p",
        manages_hwm=True,
        files=tuple(files),
        facts=RunFacts(version="1.0", server=server, completeness=tuple(completeness), **facts),
        state=RunState(hwm=end),
    )
    path = directory / manifest_name(name, end)
    path.write_bytes(to_bytes(manifest))
    return path


def catalog(name: str = CATALOG) -> CatalogRecord:
    return CatalogRecord(SERVER, name, "GLUE", None, None)


def schema(name: str, in_catalog: str = CATALOG) -> SchemaRecord:
    return SchemaRecord(SERVER, in_catalog, name, None, None, None)


def table(
    schema_name: str,
    name: str,
    *,
    table_format: str | None = "hive",
    parameters: Mapping[str, str] | None = None,
    in_catalog: str = CATALOG,
) -> TableRecord:
    return TableRecord(
        server=SERVER,
        catalog=in_catalog,
        schema=schema_name,
        table=name,
        table_type="TABLE" if table_format else "VIEW",
        table_format=table_format,
        location=None,
        owner=None,
        comment=None,
        created_at=None,
        updated_at=None,
        last_access_at=None,
        partition_keys=(),
        parameters=parameters or {},
        found_by="both",
    )


def column(schema_name: str, table_name: str, name: str, data_type: str = "bigint") -> ColumnRecord:
    return ColumnRecord(
        SERVER, CATALOG, schema_name, table_name, name, 1, data_type, None, True, False, None
    )


def query(query_id: str, workgroup: str = "primary", **changes: Any) -> QueryRecord:
    """An execution: a SELECT that succeeded at noon, unless *changes* say otherwise."""
    at = changes.pop("completed_at", END - timedelta(hours=12))
    fields: dict[str, Any] = {
        "catalog": CATALOG,
        "schema": "sales",
        "statement_type": "DML",
        "substatement_type": "SELECT",
        "query": "SELECT ?",
        "status": "SUCCEEDED",
        "total_ms": 1_000,
        "scanned_bytes": 0,
        "reused_result": False,
        "fingerprint": "f",
        **changes,
    }
    empty = dict.fromkeys(QueryRecord._fields)
    return QueryRecord(
        **{
            **empty,
            "server": SERVER,
            "query_id": query_id,
            "user": f"athena_workgroup_{workgroup}",
            "workgroup": workgroup,
            "submitted_at": at,
            "completed_at": at,
            **fields,
        }
    )


def link(
    source: str,
    target: str,
    source_column: str | None = None,
    target_column: str | None = None,
    kind: str = "VIEW",
    schema_name: str = "sales",
) -> LinkageRecord:
    return LinkageRecord(
        server=SERVER,
        source_catalog=CATALOG,
        source_schema=schema_name,
        source_table=source,
        source_column=source_column,
        target_catalog=CATALOG,
        target_schema=schema_name,
        target_table=target,
        target_column=target_column,
        linkage_type=kind,
        query_id=None,
        confidence="exact",
    )


def complete(schema_name: str, outcome: Any = "complete") -> ScopeFacts:
    return ScopeFacts(scope="schema", name=(CATALOG, schema_name), outcome=outcome)
