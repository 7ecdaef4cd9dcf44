"""``openlineage``: run events of executions, dataset events of tables, a JSON object a line.

https://openlineage.io/spec/2-0-2/OpenLineage.json
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from kada_athena_async.export.facets import (
    PRODUCER,
    column_lineage,
    facet,
    schema_facet,
    table_facets,
    timestamp,
)
from kada_athena_async.export.history import History
from kada_athena_async.export.interface import STEP_RECORDS, OutputFolder
from kada_athena_async.export.naming import (
    Json,
    dataset_name,
    namespace,
    place_of,
    symlinks,
    table_of,
)
from kada_athena_async.records import EventRecord, LinkageRecord, QueryRecord, TableRecord
from kada_athena_async.sql.names import TableName

FILE = "openlineage.ndjson"

_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs"
_EVENT_TYPES = {"SUCCEEDED": "COMPLETE", "FAILED": "FAIL", "CANCELLED": "ABORT"}
_LINKAGE_TYPES = {"CREATE_TABLE_AS_SELECT": "CTAS", "CREATE_VIEW": "VIEW"}
"""Athena's type of a statement -> its ``linkage_type``, where the two differ."""


def write_openlineage(history: History, folder: OutputFolder) -> Iterator[None]:
    """See ``Target``: dataset events first, so that the runs find their datasets."""
    with folder.create(FILE) as output:
        for table in history.tables():
            event = dataset_event(history, table)
            output.write_line(event)
            if output.count % STEP_RECORDS == 0:
                yield

        for execution in history.executions():
            event = run_event(history, execution)
            output.write_line(event)
            if output.count % STEP_RECORDS == 0:
                yield


def dataset_event(history: History, table: TableRecord) -> Json:
    """A table or view as the newest run found it; a view with the lineage of its text."""
    name = TableName(table.catalog, table.schema, table.table)
    facets = {"schema": schema_facet(history.columns(name), history.fields(name))}
    facets |= {
        "dataSource": facet(
            "DatasourceDatasetFacet", name=table.server, uri=namespace(history.region)
        ),
        **table_facets(table),
    }
    others = symlinks(history, name, table.location)
    if others:
        facets["symlinks"] = facet("SymlinksDatasetFacet", identifiers=others)

    if table.table_type == "VIEW":
        of_text = [each for each in history.linkages_to(name) if each.linkage_type == "VIEW"]
        if lineage := column_lineage(history.region, of_text):
            facets["columnLineage"] = lineage

    return {
        "eventTime": timestamp(history.newest.manifest.started_at),
        "producer": PRODUCER,
        "schemaURL": f"{_SPEC}/DatasetEvent",
        "dataset": {**_dataset(history.region, name), "facets": facets},
    }


def run_event(history: History, execution: QueryRecord) -> Json:
    """An execution, with what it read and what it wrote."""
    region = history.region
    events = history.events(execution.query_id)
    at = execution.completed_at or execution.submitted_at or history.newest.manifest.end
    job = {"namespace": namespace(region), "name": execution.fingerprint or execution.query_id}
    return {
        "eventTime": timestamp(at),
        "producer": PRODUCER,
        "schemaURL": f"{_SPEC}/RunEvent",
        "eventType": _EVENT_TYPES.get(execution.status, "OTHER"),
        "run": {
            "runId": _run_id(region, execution.query_id),
            "facets": _run_facets(history, execution),
        },
        "job": {**job, "facets": _job_facets(history, execution)},
        "inputs": _inputs(region, events),
        "outputs": _outputs(history, execution, events),
    }


def _run_id(region: str, query_id: str) -> str:
    try:
        return str(uuid.UUID(query_id))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{namespace(region)}/{query_id}"))


def _run_facets(history: History, execution: QueryRecord) -> Json:
    facets = {
        "externalQuery": facet(
            "ExternalQueryRunFacet", externalQueryId=execution.query_id, source="awsathena"
        ),
        "tags": facet("TagsRunFacet", tags=_tags(history, execution)),
    }
    if execution.engine_version:
        facets["processing_engine"] = facet(
            "ProcessingEngineRunFacet", version=execution.engine_version, name="Athena"
        )

    if execution.status != "SUCCEEDED" and execution.status_reason:
        facets["errorMessage"] = facet(
            "ErrorMessageRunFacet", message=execution.status_reason, programmingLanguage="SQL"
        )

    return facets


def _tags(history: History, execution: QueryRecord) -> list[Json]:
    """Facts without a standard facet: user, times and bytes."""
    principal = history.principal(execution.query_id)
    facts = {
        "workgroup": execution.workgroup,
        "principal": principal and principal.principal,
        "client": principal and principal.client,
        "submitted_at": execution.submitted_at and timestamp(execution.submitted_at),
        "total_ms": execution.total_ms,
        "queue_ms": execution.queue_ms,
        "engine_ms": execution.engine_ms,
        "scanned_bytes": execution.scanned_bytes,
    }
    return [
        {"key": key, "value": str(value), "source": "ATHENA"}
        for key, value in facts.items()
        if value is not None
    ]


def _job_facets(history: History, execution: QueryRecord) -> Json:
    facets = {
        "jobType": facet(
            "JobTypeJobFacet", processingType="BATCH", integration="ATHENA", jobType="QUERY"
        ),
        "ownership": facet("OwnershipJobFacet", owners=[{"name": history.user(execution)}]),
    }
    if execution.query:
        facets["sql"] = facet("SQLJobFacet", query=execution.query, dialect="athena")

    return facets


def _dataset(region: str, name: TableName) -> Json:
    return {"namespace": namespace(region), "name": dataset_name(name)}


def _dataset_of(region: str, event: EventRecord) -> Json | None:
    """The dataset of an event; None if its name is not known."""
    table = table_of(event)
    if table is not None:
        return _dataset(region, table)

    place = place_of(event.table)
    return {"namespace": place[0], "name": place[1]} if place else None


def _inputs(region: str, events: Sequence[EventRecord]) -> list[Json]:
    found: list[Json] = []
    for event in events:
        dataset = _dataset_of(region, event) if event.event_type == "READ" else None
        if dataset is not None and dataset not in found:
            found.append(dataset)

    return found


def _outputs(history: History, execution: QueryRecord, events: Sequence[EventRecord]) -> list[Json]:
    found: dict[tuple[str, str], Json] = {}
    read = [table_of(event) for event in events if event.event_type == "READ"]
    sources = {table for table in read if table}
    for event in events:
        dataset = _dataset_of(history.region, event) if event.event_type != "READ" else None
        if dataset is None:
            continue

        key = (dataset["namespace"], dataset["name"])
        facets = found.setdefault(key, {**dataset, "facets": {}})["facets"]
        if event.event_type != "WRITE" and execution.status == "SUCCEEDED":
            facets["lifecycleStateChange"] = facet(
                "LifecycleStateChangeDatasetFacet", lifecycleStateChange=event.event_type
            )

        target = table_of(event) or TableName("", "", event.table)
        edges = _edges(history, execution, target, sources)
        if lineage := column_lineage(history.region, edges):
            facets["columnLineage"] = lineage

    return [*found.values()]


def _edges(
    history: History, execution: QueryRecord, target: TableName, sources: set[TableName]
) -> list[LinkageRecord]:
    """The edges that *execution* showed.

    An edge names the newest execution of a run that showed it, and the time between the first and
    the last of them: the others are those of the same kind of statement, between the same tables,
    in that time.
    """
    kind = _LINKAGE_TYPES.get(execution.substatement_type or "", execution.substatement_type)
    at = execution.completed_at
    return [
        edge
        for edge in history.linkages_to(target)
        if edge.query_id == execution.query_id
        or (
            edge.linkage_type == kind
            and (edge.source_catalog, edge.source_schema, edge.source_table) in sources
            and (at and edge.first_at and edge.last_at and edge.first_at <= at <= edge.last_at)
        )
    ]
