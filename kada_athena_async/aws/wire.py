"""Athena's and Glue's answers as typed values; timestamps are epoch seconds.

Names are AWS's (docs.aws.amazon.com/athena/latest/APIReference, .../glue/latest/webapi). Every
field may be absent, null or of another JSON type; a new field is ignored. A field without a
default is needed: an item without it cannot be read and is left out, and an answer without its
list is none of AWS's (see ``lenient``).
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NewType, TypeAlias

import msgspec


class Wire(msgspec.Struct, rename="pascal", kw_only=True, gc=False):
    """An object of an answer: AWS's PascalCase names outside, ours inside; new fields ignored."""


class Page(Wire, kw_only=True):
    """An answer that may go on: its token is that of the next page."""

    next_token: str | None = None


Quantity = NewType("Quantity", float)
"""A number with a fraction that is no time."""

Texts: TypeAlias = dict[str, str | None]
"""A map of texts, such as a table's parameters; ListTableMetadata sends nulls for Iceberg tables
(github.com/awslabs/aws-sdk-rust/issues/1443)."""


def without_nulls(texts: Texts | None) -> dict[str, str]:
    """The members of a map that have a value."""
    return {name: value for name, value in (texts or {}).items() if value is not None}


MILLISECONDS_FROM = 1e11
"""A time of so many seconds would lie in the year 5138: it is meant in milliseconds."""


def moment(epoch_s: float | None) -> datetime | None:
    """Epoch seconds as a moment in UTC; 0 is what the catalogs write for "never"."""
    if not epoch_s:
        return None

    if abs(epoch_s) > MILLISECONDS_FROM:
        epoch_s /= 1000

    try:
        # Rounded, because 1.7e9 + 0.123 has no exact double and would show as .122999.
        return datetime.fromtimestamp(round(epoch_s, 3), timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None


class AthenaError(Wire):
    error_category: int | None = None
    error_type: int | None = None
    retryable: bool | None = None
    error_message: str | None = None


class Status(Wire):
    state: str = "UNKNOWN"
    state_change_reason: str | None = None
    submission_date_time: float | None = None
    completion_date_time: float | None = None
    athena_error: AthenaError | None = None


class ResultReuse(Wire):
    reused_previous_result: bool | None = None


class Statistics(Wire):
    engine_execution_time_in_millis: int | None = None
    data_scanned_in_bytes: int | None = None
    total_execution_time_in_millis: int | None = None
    query_queue_time_in_millis: int | None = None
    service_pre_processing_time_in_millis: int | None = None
    query_planning_time_in_millis: int | None = None
    service_processing_time_in_millis: int | None = None
    dpu_count: Quantity | None = None
    data_manifest_location: str | None = None
    result_reuse_information: ResultReuse | None = None


class ResultConfiguration(Wire):
    output_location: str | None = None


class ManagedResults(Wire):
    enabled: bool | None = None


class QueryContext(Wire):
    catalog: str | None = None
    database: str | None = None


class EngineVersion(Wire):
    effective_engine_version: str | None = None


class QueryExecution(Wire):
    """One execution as GetQueryExecution and BatchGetQueryExecution give it."""

    query_execution_id: str
    query: str | None = None
    statement_type: str | None = None
    substatement_type: str | None = None
    result_configuration: ResultConfiguration | None = None
    managed_query_results_configuration: ManagedResults | None = None
    query_execution_context: QueryContext | None = None
    status: Status = msgspec.field(default_factory=Status)
    statistics: Statistics | None = None
    work_group: str | None = None
    engine_version: EngineVersion | None = None


class UnprocessedId(Wire):
    query_execution_id: str
    error_code: str | None = None
    error_message: str | None = None


class ExecutionBatch(Wire):
    """Answer of BatchGetQueryExecution: at most 50 executions, in any order."""

    query_executions: list[QueryExecution]
    unprocessed_query_execution_ids: list[UnprocessedId] = []


class Cell(Wire):
    """A value of a result row: absent for NULL, which is not the empty string."""

    var_char_value: str | None = None


class Row(Wire):
    data: list[Cell]


class ResultSet(Wire):
    rows: list[Row]


class ResultPage(Page):
    """Answer of GetQueryResults: at most 1,000 rows, the header row counted."""

    result_set: ResultSet


class CatalogColumn(Wire):
    """A column as Athena's ListTableMetadata and Glue's GetTables give it (Hive's spelling).

    The answers keep their columns as the JSON that they are: it is a third of the size of the
    values in it, and is decoded where they are needed, in a worker thread.
    """

    name: str
    type: str | None = None
    comment: str | None = None
    parameters: Texts | None = None


NOTHING = msgspec.Raw(b"null")


class TableMetadata(Wire):
    name: str
    create_time: float | None = None
    last_access_time: float | None = None
    table_type: str | None = None
    columns: msgspec.Raw = NOTHING
    partition_keys: msgspec.Raw = NOTHING
    parameters: Texts | None = None


class TableMetadataPage(Page):
    """Answer of ListTableMetadata: at most 50 tables."""

    table_metadata_list: list[TableMetadata]


class SerdeInfo(Wire):
    serialization_library: str | None = None
    parameters: Texts | None = None


class StorageDescriptor(Wire):
    columns: msgspec.Raw = NOTHING
    location: str | None = None
    input_format: str | None = None
    serde_info: SerdeInfo | None = None
    parameters: Texts | None = None


class ViewRepresentation(Wire):
    dialect: str | None = None
    view_original_text: str | None = None
    view_expanded_text: str | None = None


class ViewDefinition(Wire):
    representations: list[ViewRepresentation] | None = None


class LinkTarget(Wire):
    """The table, or schema, that a resource link of Lake Formation stands for."""

    catalog_id: str | None = None
    database_name: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        """``catalog.database.table``, as far as the link says."""
        return ".".join(filter(None, (self.catalog_id, self.database_name, self.name)))


class GlueTable(Wire):
    name: str
    description: str | None = None
    owner: str | None = None
    create_time: float | None = None
    update_time: float | None = None
    last_access_time: float | None = None
    storage_descriptor: StorageDescriptor | None = None
    partition_keys: msgspec.Raw = NOTHING
    view_original_text: str | None = None
    view_expanded_text: str | None = None
    view_definition: ViewDefinition | None = None
    is_materialized_view: bool | None = None
    target_table: LinkTarget | None = None
    table_type: str | None = None
    parameters: Texts | None = None


class GluePage(Page):
    """Answer of Glue's GetTables: at most 100 tables."""

    table_list: list[GlueTable]


class WorkgroupSummary(Wire):
    name: str
    state: str | None = None
    description: str | None = None
    creation_time: float | None = None
    engine_version: EngineVersion | None = None


class WorkgroupPage(Page):
    """Answer of ListWorkGroups: at most 50."""

    work_groups: list[WorkgroupSummary]


class CatalogSummary(Wire):
    catalog_name: str
    type: str | None = None
    status: str | None = None


class CatalogPage(Page):
    """Answer of ListDataCatalogs: at most 50."""

    data_catalogs_summary: list[CatalogSummary]


class NestedCatalog(Wire):
    """A catalog of Glue's below the account's own, as GetCatalogs gives it."""

    name: str
    catalog_id: str | None = None
    description: str | None = None


class NestedCatalogPage(Page):
    """Answer of GetCatalogs: at most 1,000."""

    catalog_list: list[NestedCatalog]


class DataCatalog(Wire):
    description: str | None = None
    parameters: Texts | None = None


class CatalogAnswer(Wire):
    """Answer of GetDataCatalog."""

    data_catalog: DataCatalog = msgspec.field(default_factory=DataCatalog)


class Database(Wire):
    """A schema as Athena's ListDatabases and Glue's GetDatabases give it."""

    name: str
    description: str | None = None
    location_uri: str | None = None
    create_time: float | None = None
    target_database: LinkTarget | None = None


class DatabasePage(Page):
    """Answer of ListDatabases (at most 50) and GetDatabases (at most 100)."""

    database_list: list[Database]


class ExecutionIdPage(Page):
    """Answer of ListQueryExecutions: at most 50 ids."""

    query_execution_ids: list[str]


class StartedQuery(Wire):
    """Answer of StartQueryExecution."""

    query_execution_id: str


class TrailEvent(Wire):
    """An event of CloudTrail's, as the JSON text that it recorded."""

    cloud_trail_event: str


class TrailEventPage(Page):
    """Answer of LookupEvents: at most 50."""

    events: list[TrailEvent]


class LFTag(Wire):
    """A tag of Lake Formation's: its key, and the values that a resource has or may have."""

    tag_key: str
    tag_values: list[str]


class LFTagPage(Page):
    """Answer of ListLFTags: at most 1,000."""

    lf_tags: list[LFTag] = msgspec.field(name="LFTags")


class DatabaseResource(Wire):
    name: str


class TaggedDatabase(Wire):
    database: DatabaseResource
    lf_tags: list[LFTag] = msgspec.field(name="LFTags", default_factory=list)


class TaggedDatabasePage(Page):
    """Answer of SearchDatabasesByLFTags: at most 100."""

    database_list: list[TaggedDatabase]


class TableResource(Wire):
    database_name: str
    name: str


class TaggedColumn(Wire):
    name: str
    lf_tags: list[LFTag] = msgspec.field(name="LFTags", default_factory=list)


class TaggedTable(Wire):
    """A table with its tags and those of its database and columns; each may be absent."""

    table: TableResource
    lf_tag_on_database: list[LFTag] = msgspec.field(name="LFTagOnDatabase", default_factory=list)
    lf_tags_on_table: list[LFTag] = msgspec.field(name="LFTagsOnTable", default_factory=list)
    lf_tags_on_columns: list[TaggedColumn] = msgspec.field(
        name="LFTagsOnColumns", default_factory=list
    )


class TaggedTablePage(Page):
    """Answer of SearchTablesByLFTags: at most 100."""

    table_list: list[TaggedTable]
