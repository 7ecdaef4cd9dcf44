"""``datahub``: the queries for its ``sql-queries`` source, the metadata for its ``file`` source.

https://docs.datahub.com/docs/generated/ingestion/sources/sql-queries
https://docs.datahub.com/docs/generated/ingestion/sources/metadata-file
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

import msgspec

from kada_athena_async.export.facets import sources_of, timestamp
from kada_athena_async.export.history import History
from kada_athena_async.export.interface import STEP_RECORDS, OutputFolder
from kada_athena_async.export.naming import GLUE_CATALOG, Json, table_of
from kada_athena_async.records import ColumnRecord, EventRecord, LinkageRecord, TableRecord
from kada_athena_async.sql.names import TableName

QUERIES = "queries.jsonl"
METADATA = "metadata.json"

_UNSURE_SCORE = 0.5
_PLATFORM = "urn:li:dataPlatform:athena"
# Trino's type -> the class of DataHub's SchemaFieldDataType.
_TYPES = {
    "boolean": "BooleanType",
    "tinyint": "NumberType",
    "smallint": "NumberType",
    "integer": "NumberType",
    "bigint": "NumberType",
    "real": "NumberType",
    "double": "NumberType",
    "decimal": "NumberType",
    "varchar": "StringType",
    "char": "StringType",
    "varbinary": "BytesType",
    "date": "DateType",
    "time": "TimeType",
    "timestamp": "TimeType",
    "array": "ArrayType",
    "map": "MapType",
    "row": "RecordType",
}


def write_datahub(history: History, folder: OutputFolder) -> Iterator[None]:
    """See ``Target``."""
    yield from _write_queries(history, folder)
    yield from _write_metadata(history, folder)


def _write_queries(history: History, folder: OutputFolder) -> Iterator[None]:
    """The executions that succeeded and touched a table."""
    with folder.create(QUERIES) as output:
        for number, execution in enumerate(history.executions()):
            if number % STEP_RECORDS == 0:
                yield

            events = history.events(execution.query_id)
            at = execution.completed_at or execution.submitted_at
            if execution.status != "SUCCEEDED" or not execution.query or not events or not at:
                continue

            entry = {
                "query": execution.query,
                "timestamp": timestamp(at),
                "user": history.user(execution),
                "session_id": execution.query_id,
                "upstream_tables": _names(events, "READ"),
                "downstream_tables": _names(events, "WRITE"),
            }
            output.write_line(entry)


def _names(events: Sequence[EventRecord], event_type: str) -> list[str]:
    found = [table_of(event) for event in events if event.event_type == event_type]
    return list(dict.fromkeys(dataset_name(table) for table in found if table))


def dataset_name(table: TableName) -> str:
    """DataHub's own Athena source knows no catalogs: names of the account's have two parts."""
    is_of_account = table.catalog.lower() == GLUE_CATALOG
    return ".".join(table[1:] if is_of_account else table)


def dataset_urn(table: TableName) -> str:
    """The URN of a table or view; its name quoted where it would break the URN."""
    return f"urn:li:dataset:({_PLATFORM},{_quoted(dataset_name(table))},PROD)"


def _quoted(name: str) -> str:
    return "".join(quote(each) if each in "(),%" else each for each in name)


def _write_metadata(history: History, folder: OutputFolder) -> Iterator[None]:
    """One JSON array of change proposals, an aspect each."""
    with folder.create(METADATA) as output:
        output.write(b"[")
        for number, table in enumerate(history.tables()):
            if number % STEP_RECORDS == 0:
                yield

            name = TableName(table.catalog, table.schema, table.table)
            for aspect, value in _aspects(history, table, name):
                proposal = {
                    "entityType": "dataset",
                    "entityUrn": dataset_urn(name),
                    "changeType": "UPSERT",
                    "aspectName": aspect,
                    "aspect": {"json": value},
                }
                between = b",\n" if output.count else b"\n"
                output.write(between + msgspec.json.encode(proposal), count=1)

        output.write(b"\n]\n")


def _aspects(history: History, table: TableRecord, name: TableName) -> Iterator[tuple[str, Json]]:
    yield "datasetProperties", _properties(table)
    yield "subTypes", {"typeNames": ["View" if table.table_type == "VIEW" else "Table"]}
    yield "schemaMetadata", _schema(name, history.columns(name))
    if table.owner:
        owner = {"owner": f"urn:li:corpuser:{_quoted(table.owner)}", "type": "TECHNICAL_OWNER"}
        yield "ownership", {"owners": [owner]}

    view = history.view(name) if table.table_type == "VIEW" else None
    if view and view.definition:
        text = {"viewLogic": view.definition, "viewLanguage": "SQL", "materialized": False}
        yield "viewProperties", text

    lineage = _lineage(name, history.linkages_to(name))
    if lineage:
        yield "upstreamLineage", lineage


def _properties(table: TableRecord) -> Json:
    facts = {
        "catalog": table.catalog,
        "table_format": table.table_format,
        "location": table.location,
        "row_count": table.row_count,
        "size_bytes": table.size_bytes,
        "file_count": table.file_count,
    }
    found: Json = {
        "name": table.table,
        "qualifiedName": ".".join((table.catalog, table.schema, table.table)),
        "customProperties": {key: str(value) for key, value in facts.items() if value is not None},
        "tags": [],
    }
    if table.comment:
        found["description"] = table.comment

    for key, at in (("created", table.created_at), ("lastModified", table.updated_at)):
        if at:
            found[key] = {"time": round(at.timestamp() * 1000)}

    return found


def _schema(name: TableName, columns: Sequence[ColumnRecord]) -> Json:
    return {
        "schemaName": dataset_name(name),
        "platform": _PLATFORM,
        "version": 0,
        "hash": "",
        "platformSchema": {"com.linkedin.schema.MySqlDDL": {"tableSchema": ""}},
        "fields": [_field(column) for column in columns],
    }


def _field(column: ColumnRecord) -> Json:
    kind = _TYPES.get(column.data_type.partition("(")[0].split(" ")[0].lower(), "NullType")
    found: Json = {
        "fieldPath": column.column,
        "nullable": column.is_nullable,
        "type": {"type": {f"com.linkedin.schema.{kind}": {}}},
        "nativeDataType": column.source_type or column.data_type,
        "recursive": False,
        "isPartOfKey": False,
        "isPartitioningKey": column.is_partition_key,
    }
    if column.comment:
        found["description"] = column.comment

    return found


def _lineage(name: TableName, linkages: Sequence[LinkageRecord]) -> Json | None:
    sources = sources_of(linkages)
    if not sources:
        return None

    kind = "VIEW" if linkages[0].linkage_type == "VIEW" else "TRANSFORMED"
    return {
        "upstreams": [{"dataset": dataset_urn(each), "type": kind} for each in sources],
        "fineGrainedLineages": _fine_lineage(name, linkages),
    }


def _fine_lineage(name: TableName, linkages: Sequence[LinkageRecord]) -> list[Json]:
    """The columns whose values flow into each column; those that may be others' score less."""
    of: dict[tuple[str, float], dict[str, None]] = {}
    for edge in linkages:
        table = sources_of([edge])
        if table and edge.dependency == "direct" and edge.source_column and edge.target_column:
            urn = f"urn:li:schemaField:({dataset_urn(table[0])},{_quoted(edge.source_column)})"
            score = 1.0 if edge.confidence == "exact" else _UNSURE_SCORE
            of.setdefault((edge.target_column, score), {})[urn] = None

    return [
        {
            "upstreamType": "FIELD_SET",
            "upstreams": [*upstreams],
            "downstreamType": "FIELD",
            "downstreams": [f"urn:li:schemaField:({dataset_urn(name)},{_quoted(column)})"],
            "confidenceScore": score,
        }
        for (column, score), upstreams in of.items()
    ]
