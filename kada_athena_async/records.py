"""The rows of the extracts: one tuple type for each kind, fields in column order.

The names and their order are the output contract (design.md, section 4). Every record is a
``NamedTuple``: immutable, and already a row for a CSV writer. ``None`` is an empty field.

The string below a field is its meaning in docs/extracts.md; what follows ``Example:`` is a value.
Columns of several kinds, such as ``server``, are explained once, in ``extracts.schema``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import UnionType
from typing import NamedTuple, TypeAlias, get_args


class CatalogRecord(NamedTuple):
    """A data catalog."""

    server: str
    catalog: str
    catalog_type: str | None
    """``GLUE``, ``LAMBDA``, ``HIVE`` or ``FEDERATED``. Example: ``GLUE``"""
    status: str | None
    """Empty for catalogs that have no status. Example: ``CREATE_COMPLETE``"""
    description: str | None


class SchemaRecord(NamedTuple):
    """A schema (Athena's API says database) of a catalog."""

    server: str
    catalog: str
    schema: str
    description: str | None
    location: str | None
    """Default folder of its tables. Example: ``s3://bucket/sales/``"""
    created_at: datetime | None


class TableRecord(NamedTuple):
    """A table or a view."""

    server: str
    catalog: str
    schema: str
    table: str
    table_type: str
    """``TABLE`` or ``VIEW``."""
    table_format: str | None
    """``hive``, ``iceberg``, ``hudi``, ``delta``, ...; empty for a view or where no source says."""
    location: str | None
    """Folder of the data; empty for a view. Example: ``s3://bucket/sales/orders/``"""
    owner: str | None
    """Owner in the catalog, by name. Example: ``hadoop``"""
    comment: str | None
    created_at: datetime | None
    updated_at: datetime | None
    """When the catalog's entry was changed last."""
    last_access_at: datetime | None
    """Last access as the catalog has it; most writers leave it empty."""
    partition_keys: tuple[str, ...] | None
    """Names, a JSON list in the extract; empty where no source says."""
    parameters: Mapping[str, str] | None
    """JSON object in the extract; empty where no source says."""
    found_by: str
    """``sql``, ``api`` or ``both``."""
    row_count: int | None = None
    """Number of rows by the table's statistics. Example: ``3520731``"""
    size_bytes: int | None = None
    """Size of the data by the table's statistics. Example: ``306303597``"""
    file_count: int | None = None
    """Number of data files by the table's statistics. Example: ``36``"""
    stats_at: datetime | None = None
    """When the three were written, or the last time at which they can have been."""
    stats_source: str | None = None
    """Writer of the statistics: ``iceberg``, ``spark``, ``athena``, ``hive`` or ``crawler``."""


class ColumnRecord(NamedTuple):
    """A column of a table or a view."""

    server: str
    catalog: str
    schema: str
    table: str
    column: str
    """Name of the column. Example: ``order_id``"""
    ordinal_position: int
    """From 1; partition keys last. Example: ``1``"""
    data_type: str
    """Trino's spelling, whatever the source. Example: ``varchar``"""
    source_type: str | None
    """The catalog's own spelling; empty when only SQL was asked. Example: ``string``"""
    is_nullable: bool
    """``false`` where the type or the table format demands a value."""
    is_partition_key: bool
    """``true`` for a column of ``partition_keys``."""
    comment: str | None


class FieldRecord(NamedTuple):
    """A named field inside a column's type."""

    server: str
    catalog: str
    schema: str
    table: str
    column: str
    """The column that holds the field. Example: ``items``"""
    field_path: str
    """From the column on, such as ``items[].parts{}.name``: ``[]`` is an array's element, ``{}`` a
    map's value."""
    field_name: str
    """Last name of the path. Example: ``name``"""
    ordinal_position: int
    """From 1, among the fields of its row. Example: ``1``"""
    depth: int
    """1 for a field of the column's own row, or of the rows in it. Example: ``1``"""
    data_type: str
    """Trino's spelling. Example: ``varchar``"""


class ViewRecord(NamedTuple):
    """The text of a view."""

    server: str
    catalog: str
    schema: str
    view: str
    """Name of the view. Example: ``customer_orders``"""
    definition: str | None
    """SQL, masked when ``mask`` is on; empty where it cannot be read. Example: ``SELECT ?``"""
    dialect: str | None
    """``athena``, ``hive``, or another as Glue names it, such as ``spark`` or ``redshift``."""


class TagRecord(NamedTuple):
    """A value of a tag on a database, a table or a column."""

    server: str
    catalog: str
    schema: str
    table: str | None
    """Empty: the tag is the database's. Example: ``orders``"""
    column: str | None
    """Empty: the tag is the table's or the database's. Example: ``customer_id``"""
    tag_key: str
    """Key of the LF-tag. Example: ``sensitivity``"""
    tag_value: str
    """One of its values. Example: ``confidential``"""
    source: str
    """``lakeformation``."""
    inherited: bool
    """True if the database (of a table) or the table (of a column) has the same value."""


class UserRecord(NamedTuple):
    """A workgroup, which is what K calls an Athena user; or a principal that ran a query."""

    server: str
    user: str
    """``athena_workgroup_<workgroup>``, or a principal. Example: ``athena_workgroup_adhoc``"""
    workgroup: str | None
    """Empty for a principal. Example: ``etl_nightly``"""
    state: str | None
    """``ENABLED`` or ``DISABLED``; empty for a principal."""
    engine_version: str | None
    """Effective engine of the workgroup. Example: ``Athena engine version 3``"""
    description: str | None
    created_at: datetime | None
    user_type: str = "workgroup"
    """``workgroup`` or ``principal``."""


class QueryRecord(NamedTuple):
    """A finished query execution."""

    server: str
    query_id: str
    user: str
    workgroup: str
    """Workgroup of the execution. Example: ``adhoc``"""
    catalog: str | None
    """Catalog of the session; empty where none was given. Example: ``AwsDataCatalog``"""
    schema: str | None
    """Schema of the session; empty where none was given. Example: ``sales``"""
    statement_type: str | None
    """``DML``, ``DDL`` or ``UTILITY``."""
    substatement_type: str | None
    """Athena's finer kind. Example: ``CREATE_TABLE_AS_SELECT``"""
    query: str | None
    """SQL, up to 262,144 characters; masked when ``mask`` is on. Example: ``SELECT ?``"""
    status: str
    """``SUCCEEDED``, ``FAILED`` or ``CANCELLED``."""
    status_reason: str | None
    """Athena's message, masked when ``mask`` is on. Example: ``line 1:18: mismatched input ?``"""
    error_category: int | None
    """1 system, 2 user, 3 other (AthenaError). Example: ``2``"""
    error_type: int | None
    """Number of the error (AthenaError). Example: ``1301``"""
    submitted_at: datetime | None
    """SubmissionDateTime."""
    completed_at: datetime | None
    """CompletionDateTime; it decides the window. Empty where Athena gives none."""
    total_ms: int | None
    """TotalExecutionTimeInMillis. Example: ``10380``"""
    queue_ms: int | None
    """QueryQueueTimeInMillis. Example: ``265``"""
    planning_ms: int | None
    """QueryPlanningTimeInMillis. Example: ``558``"""
    engine_ms: int | None
    """EngineExecutionTimeInMillis. Example: ``9984``"""
    service_ms: int | None
    """ServiceProcessingTimeInMillis. Example: ``131``"""
    scanned_bytes: int | None
    """DataScannedInBytes. Example: ``5677865169``"""
    reused_result: bool | None
    """``true`` if Athena gave an earlier result again and scanned nothing."""
    engine_version: str | None
    """Engine that ran it. Example: ``Athena engine version 3``"""
    output_location: str | None
    """Where the result lies. Example: ``s3://results/adhoc/427ef3b9.csv``"""
    fingerprint: str | None
    """Equal for statements that differ in literals only. Example:
    ``0fa3dd378daa98131a98b21934411c15``"""
    service_preprocessing_ms: int | None = None
    """ServicePreProcessingTimeInMillis. Example: ``45``"""
    retryable: bool | None = None
    """Of a failure: ``true`` if the same statement may succeed when it is run again."""
    dpu_count: float | None = None
    """DPUs of its capacity reservation; empty where bytes are charged. Example: ``6.5``"""
    data_manifest_location: str | None = None
    """List of the files that a CTAS, INSERT or UNLOAD wrote. Example: ``s3://b/m.csv``"""


class LinkageRecord(NamedTuple):
    """A flow of data from a column (or table) to another: one row an edge and run."""

    server: str
    source_catalog: str | None
    source_schema: str | None
    source_table: str | None
    """Table, view or S3 location. Example: ``orders``"""
    source_column: str | None
    """Empty for a link of whole tables. Example: ``customer_id``"""
    target_catalog: str | None
    target_schema: str | None
    target_table: str | None
    """Table, view or S3 location. Example: ``customer_orders``"""
    target_column: str | None
    """Empty for a link to the whole table. Example: ``customer_id``"""
    linkage_type: str
    """``VIEW``, ``CTAS``, ``INSERT``, ``MERGE``, ``UPDATE``, ``UNLOAD``, ``RENAME`` (from the old
    name to the new), or ``LOCATION``: the S3 folder of an external table."""
    query_id: str | None
    """The newest execution of the run that showed the edge; empty for a view's own text. Example:
    ``427ef3b9-53b4-49a7-8ff7-679eee77a4d1``"""
    confidence: str
    """``exact`` (a value flows), ``table`` or ``partial``."""
    dependency: str = "direct"
    """``direct`` or ``indirect``, as OpenLineage's ColumnLineageDatasetFacet has it."""
    transformation: str | None = None
    """``identity``, ``transformation`` or ``aggregation``; of an indirect one ``filter``, ``join``,
    ``group_by``, ``sort``, ``window`` or ``conditional``; empty between tables."""
    executions: int | None = None
    """Number of executions of the run that showed the edge. Example: ``39``"""
    first_at: datetime | None = None
    """When the first of these was completed; empty for a view's own text."""
    last_at: datetime | None = None
    """When the last of these was completed; empty for a view's own text."""


class EventRecord(NamedTuple):
    """An effect of an execution on an object."""

    server: str
    event_id: str
    """``query_id`` and a number, unique over all runs. Example: ``427ef3b9-...-1``"""
    query_id: str
    event_type: str
    """``READ``, ``WRITE``, ``CREATE``, ``ALTER`` or ``DROP``."""
    user: str
    catalog: str | None
    schema: str | None
    table: str
    """Table, view or S3 location. Example: ``orders``"""
    columns: tuple[str, ...] | None
    """JSON list in the extract."""
    occurred_at: datetime | None
    """When the execution was completed, or submitted where Athena gives no completion."""


class UsageRecord(NamedTuple):
    """The executions of a user and day that read or wrote a table; counted from events."""

    server: str
    catalog: str
    schema: str
    table: str
    usage_date: str | None
    """Day in UTC on which they were completed. Example: ``2026-11-27``"""
    user: str
    event_type: str
    """``READ`` or ``WRITE``."""
    executions: int
    """Executions, failed ones included where they have events. Example: ``12``"""
    failed_executions: int
    """Of these, the FAILED ones: 0 unless ``include_failed_events`` is on. Example: ``0``"""
    distinct_statements: int
    """Distinct fingerprints of these. Example: ``3``"""
    scanned_bytes: int
    """Of READ: an execution's bytes, shared evenly among the tables read. Example: ``513``"""
    last_at: datetime | None
    """When the last of them was completed."""


class PrincipalRecord(NamedTuple):
    """The principal that ran an execution."""

    server: str
    query_id: str
    principal_arn: str | None
    """ARN of the caller; empty for a service. Example: ``arn:aws:iam::...:user/ann``"""
    principal_type: str | None
    """CloudTrail's type: ``IAMUser``, ``AssumedRole``, ``AWSService``, ``Root``, ..."""
    principal: str | None
    """The first that is known of: identity centre user, source identity, e-mail-like session, role,
    user name, ARN. Example: ``ann@example.com``"""
    session_name: str | None
    """Session of the role. Example: ``ann@example.com``"""
    on_behalf_of: str | None
    """User id of IAM Identity Center. Example: ``90676c5e-a011-70c1-...``"""
    client: str | None
    """``console``, ``jdbc``, ``quicksight``, ``dbt``, ...; empty where no source says."""
    source: str
    """``cloudtrail`` or ``system_table``."""
    event_time: datetime | None
    """When the execution was started, by CloudTrail."""


class TableColumns(NamedTuple):
    """The names of a table's columns, in order, or of some that follow each other."""

    catalog: str
    schema: str
    table: str
    columns: list[str]


Record: TypeAlias = (
    CatalogRecord | SchemaRecord | TableRecord | ColumnRecord | FieldRecord | ViewRecord | TagRecord
    | UserRecord | QueryRecord | LinkageRecord | EventRecord | UsageRecord | PrincipalRecord
)  # fmt: skip

RECORD_TYPES: dict[str, type[Record]] = {
    "metadata_catalogs": CatalogRecord,
    "metadata_schemas": SchemaRecord,
    "metadata_tables": TableRecord,
    "metadata_columns": ColumnRecord,
    "metadata_fields": FieldRecord,
    "metadata_views": ViewRecord,
    "metadata_tags": TagRecord,
    "users": UserRecord,
    "databaselog": QueryRecord,
    "linkages": LinkageRecord,
    "events": EventRecord,
    "usage": UsageRecord,
    "query_principals": PrincipalRecord,
}
"""Kind of extract (a part of its file name) -> type of its records; in the order of a run."""

KINDS: tuple[str, ...] = tuple(RECORD_TYPES)


def column_type(hint: object) -> tuple[type, bool]:
    """The type of the values of a field, ``object`` for JSON; and True if it may be null."""
    members = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
    known = (each for each in (bool, datetime, int, float, str) if each in members)
    return next(known, object), type(None) in members
