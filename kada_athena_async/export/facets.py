"""Facets of OpenLineage, each with the version of the schema that it is written by.

https://openlineage.io/docs/spec/facets/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from kada_athena_async.export.naming import Json, dataset_name, namespace
from kada_athena_async.records import ColumnRecord, FieldRecord, LinkageRecord, TableRecord
from kada_athena_async.sql.names import TableName
from kada_athena_async.version import __version__

PRODUCER = f"pkg:pypi/kada-athena-async@{__version__}"
"""Identifies this package in every event: its package URL (github.com/package-url), a URI."""

_FACETS = "https://openlineage.io/spec/facets"
_VERSIONS = {
    "ColumnLineageDatasetFacet": "1-2-0",
    "DataQualityMetricsDatasetFacet": "1-0-0",
    "DatasetTypeDatasetFacet": "1-0-1",
    "DatasourceDatasetFacet": "1-0-1",
    "DocumentationDatasetFacet": "1-1-0",
    "ErrorMessageRunFacet": "1-0-1",
    "ExternalQueryRunFacet": "1-0-2",
    "JobTypeJobFacet": "2-0-4",
    "LifecycleStateChangeDatasetFacet": "1-0-1",
    "OwnershipDatasetFacet": "1-0-1",
    "OwnershipJobFacet": "1-0-1",
    "ProcessingEngineRunFacet": "1-1-1",
    "SQLJobFacet": "1-1-0",
    "SchemaDatasetFacet": "1-2-0",
    "StorageDatasetFacet": "1-0-1",
    "SymlinksDatasetFacet": "1-0-1",
    "TagsRunFacet": "1-0-0",
}
_TABLE_LAYERS = ("iceberg", "delta", "hudi")


def facet(kind: str, **content: object) -> Json:
    """A facet of the schema *kind*, such as ``SQLJobFacet``."""
    url = f"{_FACETS}/{_VERSIONS[kind]}/{kind}.json#/$defs/{kind}"
    return {"_producer": PRODUCER, "_schemaURL": url, **content}


def timestamp(at: datetime) -> str:
    """ISO 8601 with milliseconds, in UTC."""
    return at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def schema_facet(columns: Sequence[ColumnRecord], fields: Sequence[FieldRecord]) -> Json:
    """The columns of a table, with the fields inside their types."""
    nodes: dict[str, Json] = {}
    top = []
    for column in columns:
        node: Json = {"name": column.column, "type": column.data_type}
        if column.comment:
            node["description"] = column.comment

        node["ordinal_position"] = column.ordinal_position
        nodes[column.column] = node
        top.append(node)

    # A row's own fields come before theirs; a name may hold a dot, then its parent is the column.
    for nested in sorted(fields, key=lambda each: (each.depth, each.ordinal_position)):
        parent = nested.field_path.removesuffix(f".{nested.field_name}")
        above = nodes.get(_without_brackets(parent)) or nodes.get(nested.column)
        if above is not None:
            node = {"name": nested.field_name, "type": nested.data_type}
            nodes[nested.field_path] = node
            above.setdefault("fields", []).append(node)

    return facet("SchemaDatasetFacet", fields=top)


def _without_brackets(path: str) -> str:
    """The path of the field whose array's elements or map's values *path* is."""
    while path.endswith(("[]", "{}")):
        path = path[:-2]

    return path


def table_facets(table: TableRecord) -> Json:
    """The facets that a row of ``metadata_tables`` says."""
    found = {"datasetType": facet("DatasetTypeDatasetFacet", datasetType=table.table_type)}
    if table.comment:
        found["documentation"] = facet("DocumentationDatasetFacet", description=table.comment)

    if table.owner:
        owners = [{"name": table.owner, "type": "OWNER"}]
        found["ownership"] = facet("OwnershipDatasetFacet", owners=owners)

    if table.table_format in _TABLE_LAYERS:
        found["storage"] = facet("StorageDatasetFacet", storageLayer=table.table_format)

    sizes = {"rowCount": table.row_count, "bytes": table.size_bytes, "fileCount": table.file_count}
    known: Json = {name: value for name, value in sizes.items() if value is not None}
    if known:
        if table.stats_at:
            known["lastUpdated"] = timestamp(table.stats_at)

        metrics = facet("DataQualityMetricsDatasetFacet", **known, columnMetrics={})
        found["dataQualityMetrics"] = metrics

    return found


def column_lineage(region: str, linkages: Iterable[LinkageRecord]) -> Json | None:
    """The flow between columns that *linkages*, all into one table, show; None if there is none.

    What decides which rows there are, as a filter or a join does, belongs to the whole dataset.
    """
    fields: dict[str, dict[tuple[TableName, str], Json]] = {}
    dataset: dict[tuple[TableName, str], Json] = {}
    for linkage in linkages:
        source = _source(linkage)
        if source is None or not linkage.source_column or not linkage.transformation:
            continue

        is_of_all = not linkage.target_column
        inputs = dataset if is_of_all else fields.setdefault(linkage.target_column or "", {})
        inputs_field = inputs.setdefault(
            (source, linkage.source_column),
            {
                "namespace": namespace(region),
                "name": dataset_name(source),
                "field": linkage.source_column,
                "transformations": [],
            },
        )
        transformation = {
            "type": linkage.dependency.upper(),
            "subtype": linkage.transformation.upper(),
            "masking": False,
        }
        if linkage.confidence == "partial":
            transformation["description"] = "not sure: the column may be another table's"
        if transformation not in inputs_field["transformations"]:
            inputs_field["transformations"].append(transformation)

    if not fields and not dataset:
        return None

    content: Json = {"fields": {to: {"inputFields": [*of.values()]} for to, of in fields.items()}}
    if dataset:
        content["dataset"] = [*dataset.values()]

    return facet("ColumnLineageDatasetFacet", **content)


def _source(linkage: LinkageRecord) -> TableName | None:
    if not linkage.source_catalog or not linkage.source_schema or not linkage.source_table:
        return None

    return TableName(linkage.source_catalog, linkage.source_schema, linkage.source_table)


def sources_of(linkages: Iterable[LinkageRecord]) -> list[TableName]:
    """The tables that data flows from, each once."""
    return list(dict.fromkeys(found for each in linkages if (found := _source(each))))
