"""The one table of permissions: action, what it is used for, what is lost without it. Pure.

Which action has which type of resource: Service Authorization Reference of Athena, Glue and S3
(docs.aws.amazon.com/service-authorization/latest/reference).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kada_athena_async.config import Config
from kada_athena_async.permissions.destinations import (
    assume_permissions,
    hwm_permissions,
    landing_permissions,
)
from kada_athena_async.permissions.permission import Permission, Target
from kada_athena_async.permissions.requirements import Principal, Requirements


class _Row(NamedTuple):
    """A row of the table; ``is_needed`` says None where the permission has no use."""

    action: str
    target: Target
    used_for: str
    lost: str
    is_needed: Callable[[Requirements], bool | None]


def _where(asked: str, *, is_needed: bool) -> Callable[[Requirements], bool | None]:
    """Needed or an extra where *asked*, an attribute of ``Requirements``, is true; else no use."""
    return lambda needs: is_needed if getattr(needs, asked) else None


_sql = _where("asks_sql", is_needed=True)
_sql_costs = _where("asks_sql", is_needed=False)
_glue = _where("reads_glue", is_needed=True)
_trail = _where("asks_trail", is_needed=False)
_tags = _where("asks_tags", is_needed=False)
_system_table = _where("asks_system_table", is_needed=False)


def _always(_: Requirements) -> bool:
    return True


def _others_by_api(needs: Requirements) -> bool | None:
    """Needed for catalogs that Glue does not list; for Glue's own it stands in."""
    return needs.has_others if needs.asks_api else None


def _describe(needs: Requirements) -> bool:
    return needs.asks_sql and not needs.asks_api and needs.has_others


def _glue_by_sql(needs: Requirements) -> bool | None:
    return True if needs.reads_glue and needs.asks_sql else None


_NO_TABLE = "Athena's system table is not used: the history comes from the API, 250 executions/s"
_NO_SQL = "SQL is not asked: `sql` fails, `auto` has the API alone and no cross-check"
_NO_RESULT_PLACE = f"Athena cannot write results: {_NO_SQL}"
_NO_HISTORY = "the history of its workgroup is not extracted"

# fmt: off
_TABLE: tuple[_Row, ...] = (
    _Row("athena:ListWorkGroups", Target.EVERYTHING, "find the workgroups",
         "no history at all and no users are extracted", _always),
    _Row("athena:ListQueryExecutions", Target.HISTORY, "list the executions of each workgroup",
         _NO_HISTORY, _always),
    _Row("athena:BatchGetQueryExecution", Target.HISTORY, "fetch the executions, 50 at a time",
         f"{_NO_HISTORY}: its executions are counted as unauthorised", _always),
    _Row("secretsmanager:GetSecretValue", Target.SECRETS,
         "read the secrets that the configuration refers to", "the run does not start",
         lambda needs: needs.reads_secrets("aws_secretsmanager")),
    _Row("ssm:GetParameter", Target.PARAMETERS,
         "read the parameters that the configuration refers to", "the run does not start",
         lambda needs: needs.reads_secrets("aws_ssm")),
    _Row("cloudtrail:LookupEvents", Target.EVERYTHING,
         "find who ran each query, and with which tool",
         "`query_principals` and the principals in `users` are missing", _trail),
    _Row("athena:ListSystemTableStatuses", Target.EVERYTHING, "see if Athena's system table is on",
         _NO_TABLE, _system_table),
    *(
        _Row(f"s3tables:{name}", Target.SYSTEM_TABLE, use, _NO_TABLE, _system_table)
        for name, use in (
            ("GetTableBucket", "find the bucket of Athena's system table"),
            ("ListNamespaces", "find the schema of Athena's system table"),
            ("GetNamespace", "find the schema of Athena's system table"),
            ("ListTables", "find Athena's system table"),
            ("GetTable", "read what Athena's system table is"),
            ("GetTableMetadataLocation", "read where Athena's system table keeps its metadata"),
            ("GetTableData", "read the rows of Athena's system table"),
        )
    ),
    _Row("athena:ListDataCatalogs", Target.EVERYTHING, "find the catalogs, their types and states",
         'catalogs "*" cannot be listed; named ones are tried without it, their type stays unknown',
         lambda needs: needs.names_all),
    _Row("athena:GetDataCatalog", Target.CATALOGS,
         "describe catalogs; Athena demands it for SQL on all but AwsDataCatalog",
         "no descriptions of catalogs, and SQL on registered catalogs is refused: the API "
         "replaces it",
         _describe),
    _Row("athena:ListDatabases", Target.CATALOGS,
         "list the schemas of catalogs other than AwsDataCatalog",
         "catalogs other than AwsDataCatalog cannot be read, and nothing replaces Glue",
         _others_by_api),
    _Row("athena:ListTableMetadata", Target.CATALOGS,
         "list the tables of catalogs other than AwsDataCatalog",
         "tables of other catalogs come by SQL alone or not at all, and nothing replaces Glue",
         _others_by_api),
    _Row("glue:GetDatabases", Target.GLUE_DATABASES,
         "list the schemas of AwsDataCatalog, also by Athena for us",
         "the schemas of AwsDataCatalog cannot be listed by an API", _glue),
    _Row("glue:GetCatalogs", Target.GLUE_DATABASES,
         "find nested and S3 Tables catalogs, which Athena does not list",
         'catalogs "*" does not include nested and S3 Tables catalogs',
         lambda needs: False if needs.names_all else None),
    _Row("glue:GetTables", Target.GLUE_TABLES,
         "list tables, columns and view texts of AwsDataCatalog, also by Athena for us",
         "locations, owners, view texts and Iceberg's column flags; statements on it fail too",
         _glue),
    _Row("glue:GetDatabase", Target.GLUE_DATABASES,
         "Athena's engine looks at the database `default` before each statement",
         f"statements may fail: {_NO_SQL}", _glue_by_sql),
    _Row("glue:GetTable", Target.GLUE_TABLES,
         "Athena's engine reads single tables for information_schema",
         f"statements may fail: {_NO_SQL}", _glue_by_sql),
    *(
        _Row(f"lakeformation:{name}", Target.EVERYTHING, use, "no `metadata_tags`", _tags)
        for name, use in (
            ("ListLFTags", "find the keys of LF-tags"),
            ("SearchDatabasesByLFTags", "find the databases that have LF-tags"),
            ("SearchTablesByLFTags", "find the tables and columns that have LF-tags"),
        )
    ),
    _Row("athena:StartQueryExecution", Target.OWN_WORKGROUP, "run SQL", _NO_SQL, _sql),
    _Row("athena:BatchGetQueryExecution", Target.OWN_WORKGROUP, "see when our statements end",
         _NO_SQL, _sql),
    _Row("athena:GetQueryResults", Target.OWN_WORKGROUP, "read our results", _NO_SQL, _sql),
    _Row("athena:StopQueryExecution", Target.OWN_WORKGROUP,
         "stop our statements when a run is interrupted",
         "an interrupted run leaves statements running, up to 30 minutes each", _sql_costs),
    _Row("athena:GetWorkGroup", Target.OWN_WORKGROUP,
         "let `doctor` see where the workgroup puts results",
         "`doctor` cannot see whether the workgroup enforces a place of its own for results",
         _sql_costs),
    _Row("athena:GetWorkGroup", Target.HISTORY,
         "see whether a workgroup limits the bytes that a query may scan",
         "no advice on workgroups without a limit", lambda needs: False),
    _Row("s3:GetBucketLocation", Target.RESULTS_BUCKET, "Athena verifies the bucket for results",
         _NO_RESULT_PLACE, _sql),
    _Row("s3:ListBucket", Target.RESULTS_BUCKET, "see that the bucket exists; Athena verifies it",
         "a missing bucket or object looks like a denied one", _sql),
    _Row("s3:PutObject", Target.RESULTS, "Athena writes results", _NO_RESULT_PLACE, _sql),
    _Row("s3:GetObject", Target.RESULTS, "read results; Athena reads them for us with our rights",
         f"results cannot be read: {_NO_SQL}", _sql),
    _Row("s3:AbortMultipartUpload", Target.RESULTS, "Athena gives up half-written results",
         "parts of results that failed stay in the bucket, unseen, and cost money", _sql_costs),
    _Row("s3:ListBucketMultipartUploads", Target.RESULTS_BUCKET,
         "Athena looks for half-written results", "large results may fail", _sql_costs),
    _Row("s3:ListMultipartUploadParts", Target.RESULTS,
         "Athena looks for parts of half-written results", "large results may fail", _sql_costs),
)
# fmt: on


def permissions_of(config: Config) -> tuple[Permission, ...]:
    """Every permission that *config* has a use for, in the order in which a run needs them."""
    needs = Requirements(config)
    found = [
        Permission(row.action, row.target, row.used_for, row.lost, is_needed)
        for row in _TABLE
        if (is_needed := row.is_needed(needs)) is not None
    ]
    return (
        *assume_permissions(config),
        *found,
        *landing_permissions(needs),
        *hwm_permissions(needs),
    )


def principals(config: Config) -> tuple[Principal, ...]:
    """Principals that need a policy for the configuration, the run's first."""
    return tuple(
        dict.fromkeys(["run", *(permission.principal for permission in permissions_of(config))])
    )


def lost_without(config: Config, action: str) -> str:
    """Losses of a run without *action*, joined; empty if it has no use for it."""
    lost = [permission.lost for permission in permissions_of(config) if permission.action == action]
    return "; ".join(dict.fromkeys(lost))
