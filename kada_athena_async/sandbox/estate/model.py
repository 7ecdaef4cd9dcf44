"""The nouns of the invented estate: what the sandbox serves and what its tests know to be true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple


class TableRef(NamedTuple):
    """A table by its full name."""

    catalog: str
    schema: str
    table: str


class ColumnRef(NamedTuple):
    """A column by its full name."""

    catalog: str
    schema: str
    table: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as the catalog holds it.

    Attributes:
        type: The catalog's own spelling (Hive's, such as ``struct<a:int>``).
        trino_type: What ``information_schema.columns.data_type`` says for it.
        is_current: False for an Iceberg column that was dropped (``iceberg.field.current``).
        parameters: What Glue keeps beside it.
        lf_tags: Those that were assigned to it in Lake Formation.
    """

    name: str
    type: str
    trino_type: str
    comment: str | None = None
    is_partition_key: bool = False
    is_current: bool = True
    is_nullable: bool = True
    parameters: dict[str, str] = field(default_factory=dict)
    lf_tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table or view.

    Attributes:
        table_type: As the catalog says: EXTERNAL_TABLE, MANAGED_TABLE, VIRTUAL_VIEW, EXTERNAL,
            customer, or None where it says nothing.
        table_format: hive, iceberg, hudi or delta; None for a view.
        columns: In ordinal order, partition keys last; includes columns no longer current.
        view_sql: A view's SQL text as its author wrote it; None for a table.
        view_dialect: ``athena`` (Presto view, base64 JSON in Glue), ``hive`` (raw text in Glue)
            ``spark``, or None for a table.
        view_schema: The schema in which an Athena view was made; None for the one it lies in.
        reads: What a view reads, directly.
        column_sources: For a view: output column -> the columns its values come from.
        column_bearings: Output column -> the columns that only bear upon it: of CASE conditions and
            window clauses.
        glue: Members of Glue's answer that replace the usual ones; None leaves one out.
        lf_tags: Those that were assigned to it in Lake Formation.
        sample_rows: Small data, one tuple of Python values a row, in column order.
    """

    name: str
    table_type: str | None
    table_format: str | None
    columns: tuple[Column, ...]
    location: str | None = None
    owner: str | None = None
    comment: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    serde: str | None = None
    input_format: str | None = None
    output_format: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_access_at: datetime | None = None
    view_sql: str | None = None
    view_dialect: str | None = None
    view_schema: str | None = None
    reads: tuple[TableRef, ...] = ()
    column_sources: dict[str, tuple[ColumnRef, ...]] = field(default_factory=dict)
    column_bearings: dict[str, tuple[ColumnRef, ...]] = field(default_factory=dict)
    glue: dict[str, object] = field(default_factory=dict)
    lf_tags: dict[str, str] = field(default_factory=dict)
    sample_rows: tuple[tuple[object, ...], ...] = ()

    @property
    def is_view(self) -> bool:
        return self.view_sql is not None

    @property
    def current_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.is_current)


@dataclass(slots=True, kw_only=True)
class Schema:
    """A schema; its tables by name (mutable, so that a test can add and drop)."""

    name: str
    description: str | None = None
    location: str | None = None
    created_at: datetime | None = None
    tables: dict[str, Table] = field(default_factory=dict)
    lf_tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Catalog:
    """A data catalog.

    Attributes:
        type: GLUE, LAMBDA, HIVE or FEDERATED.
        status: CREATE_COMPLETE, CREATE_FAILED, ...; None where Athena says nothing.
    """

    name: str
    type: str
    status: str | None = None
    description: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    schemas: dict[str, Schema] = field(default_factory=dict)

    @property
    def is_nested(self) -> bool:
        """True if it lies below the account's own Glue catalog, unknown to Athena's lists."""
        return "/" in self.name


@dataclass(slots=True, kw_only=True)
class Workgroup:
    """A workgroup.

    Attributes:
        state: ENABLED or DISABLED.
        engine_version: Such as ``Athena engine version 3`` or ``PySpark engine version 3``.
        cutoff_bytes: What a query may scan; None for no limit.
    """

    name: str
    state: str = "ENABLED"
    engine_version: str = "Athena engine version 3"
    description: str | None = None
    created_at: datetime | None = None
    output_location: str | None = None
    is_enforced: bool = False
    has_managed_results: bool = False
    identity_center_application_arn: str | None = None
    reserved_dpus: int | None = None
    cutoff_bytes: int | None = None

    @property
    def is_spark(self) -> bool:
        return "spark" in self.engine_version.lower()


class Failure(NamedTuple):
    """Reason of a failure, as in Athena's Status.

    Attributes:
        category: 1 system, 2 user, 3 other.
        type: A number of Athena's error catalog (Athena user guide).
        message: The text of both StateChangeReason and AthenaError.ErrorMessage.
    """

    category: int
    type: int
    message: str
    is_retryable: bool = False


@dataclass(slots=True, kw_only=True)
class Execution:
    """A query execution.

    Attributes:
        state: QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED.
        statement_type: DDL, DML or UTILITY.
        reads, writes: The tables the statement refers to and the ones it changes (truth for
            lineage; only for statements that SUCCEEDED or would have).
        write_locations: The S3 locations it writes to (UNLOAD).
        caller_arn, user_agent: Who started it, and with what, where it was started in the sandbox.
    """

    query_execution_id: str
    query: str
    workgroup: str
    submitted_at: datetime
    state: str
    statement_type: str | None = None
    substatement_type: str | None = None
    catalog: str | None = None
    database: str | None = None
    completed_at: datetime | None = None
    state_change_reason: str | None = None
    error_category: int | None = None
    error_type: int | None = None
    error_message: str | None = None
    is_retryable: bool = False
    total_ms: int | None = None
    queue_ms: int | None = None
    planning_ms: int | None = None
    engine_ms: int | None = None
    preprocessing_ms: int | None = None
    service_ms: int | None = None
    scanned_bytes: int | None = None
    dpu_count: float | None = None
    data_manifest_location: str | None = None
    reused_result: bool = False
    engine_version: str = "Athena engine version 3"
    output_location: str | None = None
    reads: tuple[TableRef, ...] = ()
    writes: tuple[TableRef, ...] = ()
    write_locations: tuple[str, ...] = ()
    caller_arn: str | None = None
    user_agent: str | None = None

    @property
    def is_final(self) -> bool:
        return self.state in ("SUCCEEDED", "FAILED", "CANCELLED")

    def fail(self, failure: Failure) -> None:
        """Ends FAILED, with the same text in both places that Athena has for it."""
        self.state = "FAILED"
        self.error_category, self.error_type, self.error_message, self.is_retryable = failure
        self.state_change_reason = failure.message


@dataclass(slots=True, kw_only=True)
class Estate:
    """An organisation's Athena in one account and region; everything by name.

    Attributes:
        system_table_lag: How far the system table of executions lags behind; None where the
            account has none.
        system_table_since: When it was turned on: executions that ended before are not in it.
        system_table_without: Columns that it lacks.
        system_table_accessed: Execution -> the tables that it says were accessed, where these are
            not the ones the statement refers to.
        lf_tags: Lake Formation's tags: key -> the values it may have.
        secrets: What Secrets Manager and Systems Manager keep: ARN or name -> value.
    """

    account_id: str
    region: str
    system_table_lag: timedelta | None = None
    system_table_since: datetime | None = None
    system_table_without: frozenset[str] = frozenset()
    system_table_accessed: dict[str, tuple[TableRef, ...]] = field(default_factory=dict)
    lf_tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    catalogs: dict[str, Catalog] = field(default_factory=dict)
    workgroups: dict[str, Workgroup] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)

    def tables(self) -> Iterator[tuple[Catalog, Schema, Table]]:
        """Every table and view with where it lies, in order of insertion."""
        for catalog in self.catalogs.values():
            for schema in catalog.schemas.values():
                for table in schema.tables.values():
                    yield catalog, schema, table
