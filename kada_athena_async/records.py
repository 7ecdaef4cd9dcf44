"""The rows of the extracts: one tuple type for each kind, fields in column order.

The names and their order are the output contract (design.md, section 4). Every record is a
``NamedTuple``: immutable, and already a row for a CSV writer. ``None`` is an empty field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias


class CatalogRecord(NamedTuple):
    """A data catalog."""

    server: str
    catalog: str
    catalog_type: str | None
    status: str | None
    description: str | None


class SchemaRecord(NamedTuple):
    """A schema (Athena's API says database) of a catalog."""

    server: str
    catalog: str
    schema: str
    description: str | None
    location: str | None
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
    """``hive``, ``iceberg``, ``hudi``, ``delta``, ...; None for a view or where nobody says."""
    location: str | None
    owner: str | None
    comment: str | None
    created_at: datetime | None
    updated_at: datetime | None
    last_access_at: datetime | None
    partition_keys: tuple[str, ...] | None
    """JSON list in the extract; None where nobody says."""
    parameters: Mapping[str, str] | None
    """JSON object in the extract; None where nobody says."""
    found_by: str
    """``sql``, ``api`` or ``both``."""
    row_count: int | None = None
    size_bytes: int | None = None
    file_count: int | None = None
    stats_at: datetime | None = None
    """When the three were written, or the last time at which they can have been."""
    stats_source: str | None = None
    """Who wrote them: ``iceberg``, ``spark``, ``athena``, ``hive`` or ``crawler``."""


class ColumnRecord(NamedTuple):
    """A column of a table or a view."""

    server: str
    catalog: str
    schema: str
    table: str
    column: str
    ordinal_position: int
    """From 1; partition keys last."""
    data_type: str
    """Trino's spelling, whoever said it."""
    source_type: str | None
    """The catalog's own spelling; None when only SQL was asked."""
    is_nullable: bool
    is_partition_key: bool
    comment: str | None


class FieldRecord(NamedTuple):
    """A named field inside a column's type."""

    server: str
    catalog: str
    schema: str
    table: str
    column: str
    field_path: str
    """From the column on, such as ``items[].parts{}.name``: ``[]`` is an array's element, ``{}`` a
    map's value."""
    field_name: str
    ordinal_position: int
    """From 1, among the fields of its row."""
    depth: int
    """1 for a field of the column's own row, or of the rows that the column holds."""
    data_type: str
    """Trino's spelling."""


class ViewRecord(NamedTuple):
    """The text of a view."""

    server: str
    catalog: str
    schema: str
    view: str
    definition: str | None
    dialect: str | None
    """``athena``, ``hive``, or another as Glue names it, such as ``spark`` or ``redshift``."""


class UserRecord(NamedTuple):
    """A workgroup, which is what K calls an Athena user; or a principal that ran a query."""

    server: str
    user: str
    """``athena_workgroup_<workgroup>``, or the principal's name."""
    workgroup: str | None
    state: str | None
    engine_version: str | None
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
    catalog: str | None
    schema: str | None
    statement_type: str | None
    substatement_type: str | None
    query: str | None
    status: str
    status_reason: str | None
    error_category: int | None
    error_type: int | None
    submitted_at: datetime | None
    completed_at: datetime | None
    total_ms: int | None
    queue_ms: int | None
    planning_ms: int | None
    engine_ms: int | None
    service_ms: int | None
    scanned_bytes: int | None
    reused_result: bool | None
    engine_version: str | None
    output_location: str | None
    fingerprint: str | None


class ImmediateRecord(NamedTuple):
    """The statement in the literal of an EXECUTE IMMEDIATE, masked; never published.

    The literal as a whole is hidden in the extract, so that lineage has it from here.
    """

    query_id: str
    query: str


class LinkageRecord(NamedTuple):
    """A flow of data from a column (or table) to another: one row an edge and run."""

    server: str
    source_catalog: str | None
    source_schema: str | None
    source_table: str | None
    source_column: str | None
    target_catalog: str | None
    target_schema: str | None
    target_table: str | None
    target_column: str | None
    linkage_type: str
    """``VIEW``, ``CTAS``, ``INSERT``, ``MERGE``, ``UPDATE``, ``UNLOAD``, or ``LOCATION``: the S3
    folder of an external table."""
    query_id: str | None
    """The newest execution of the run that showed the edge; None for a view's own text."""
    confidence: str
    """``exact`` (a value flows), ``table`` or ``partial``."""
    dependency: str = "direct"
    """``direct`` or ``indirect``, as OpenLineage's ColumnLineageDatasetFacet has it."""
    transformation: str | None = None
    """``identity``, ``transformation`` or ``aggregation``; of an indirect one ``filter``, ``join``,
    ``group_by``, ``sort``, ``window`` or ``conditional``. None between tables."""
    executions: int | None = None
    """How many of the run showed the edge."""
    first_at: datetime | None = None
    last_at: datetime | None = None


class EventRecord(NamedTuple):
    """What an execution did to an object."""

    server: str
    event_id: str
    query_id: str
    event_type: str
    """``READ``, ``WRITE``, ``CREATE``, ``ALTER`` or ``DROP``."""
    user: str
    catalog: str | None
    schema: str | None
    table: str
    columns: tuple[str, ...] | None
    """JSON list in the extract."""
    occurred_at: datetime | None


class PrincipalRecord(NamedTuple):
    """The principal that ran an execution."""

    server: str
    query_id: str
    principal_arn: str | None
    principal_type: str | None
    """CloudTrail's type: ``IAMUser``, ``AssumedRole``, ``AWSService``, ``Root``, ..."""
    principal: str | None
    """The name that a person would use: identity centre user, source identity, e-mail-like
    session, role, user name, ARN; the first that is known."""
    session_name: str | None
    on_behalf_of: str | None
    """User id of IAM Identity Center."""
    client: str | None
    """``console``, ``jdbc``, ``quicksight``, ``dbt``, ...; None where nobody says."""
    source: str
    """``cloudtrail`` or ``system_table``."""
    event_time: datetime | None


class TableColumns(NamedTuple):
    """The names of a table's columns, in order, or of some that follow each other."""

    catalog: str
    schema: str
    table: str
    columns: list[str]


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """The rows of many ``ColumnRecord``s, held field by field.

    Columns are the bulk of an estate: a tuple for each would cost more than all else that is done
    with it.

    Attributes:
        fields: One list for each field of ``ColumnRecord``, in its order, all of one length.
    """

    fields: tuple[list[Any], ...] = field(
        default_factory=lambda: tuple([] for _ in ColumnRecord._fields)
    )

    def __len__(self) -> int:
        return len(self.fields[0])

    def extend(self, *fields: Sequence[Any]) -> None:
        """Append rows, given field by field in the order of ``ColumnRecord``."""
        for held, more in zip(self.fields, fields, strict=True):
            held += more

    def records(self) -> list[ColumnRecord]:
        """The rows as records, for a reader who wants them one by one."""
        return list(map(ColumnRecord._make, zip(*self.fields, strict=True)))


Record: TypeAlias = (
    CatalogRecord
    | SchemaRecord
    | TableRecord
    | ColumnRecord
    | FieldRecord
    | ViewRecord
    | UserRecord
    | QueryRecord
    | ImmediateRecord
    | LinkageRecord
    | EventRecord
    | PrincipalRecord
)

Batch: TypeAlias = "Sequence[Record] | ColumnBlock"
"""Rows of one kind, as a part takes them."""

RECORD_TYPES: dict[str, type[Record]] = {
    "metadata_catalogs": CatalogRecord,
    "metadata_schemas": SchemaRecord,
    "metadata_tables": TableRecord,
    "metadata_columns": ColumnRecord,
    "metadata_fields": FieldRecord,
    "metadata_views": ViewRecord,
    "users": UserRecord,
    "databaselog": QueryRecord,
    "linkages": LinkageRecord,
    "events": EventRecord,
    "query_principals": PrincipalRecord,
}
"""Kind of extract (a part of its file name) -> type of its records; in the order of a run."""

KINDS: tuple[str, ...] = tuple(RECORD_TYPES)

IMMEDIATES = "immediates"
"""The kind of parts that hold ``ImmediateRecord``s."""

STAGED_TYPES: dict[str, type[Record]] = {**RECORD_TYPES, IMMEDIATES: ImmediateRecord}
"""All kinds of parts, with those that serve a run only."""
