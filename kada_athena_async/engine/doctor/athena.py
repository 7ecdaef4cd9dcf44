"""Tries the permissions on Athena and Glue; runs no query and changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.wire import ExecutionBatch, QueryExecution
from kada_athena_async.aws.wire_workgroup import WorkgroupConfiguration
from kada_athena_async.codes import FINAL_STATES
from kada_athena_async.discover import discover_workgroups
from kada_athena_async.engine.connection import Connection
from kada_athena_async.engine.doctor.report import GRANTED, CheckResult, outcome, together, untried
from kada_athena_async.errors import AccessDeniedError, UnitError
from kada_athena_async.filters import is_schema_included, is_workgroup_included
from kada_athena_async.inventory import CatalogFacts, WorkgroupFacts
from kada_athena_async.permissions import Permission, Target

WORKGROUPS_TRIED = 20
"""Workgroups whose history is tried: the list calls of all of them would take AWS's quota."""

IDS = 50

# Athena refuses two statements in one request, so this runs nothing.
NO_STATEMENT = "SELECT 1; SELECT 2"
NO_TABLE = "kada_athena_async_doctor"
DEFAULT_DATABASE = "default"

LONG_OVER = timedelta(hours=1)
"""Athena may take back the end of a query soon after it; stopping one that ended long ago does
nothing."""


_PLAIN: Mapping[str, Mapping[str, object]] = {
    "cloudtrail:LookupEvents": {"MaxResults": 1},
    "athena:ListSystemTableStatuses": {"MaxResults": 1},
    "athena:ListDataCatalogs": {"MaxResults": 50},
    "glue:GetCatalogs": {"Recursive": True, "MaxResults": 1},
    "glue:GetDatabase": {"Name": DEFAULT_DATABASE},
}
"""Permission -> parameters of a call that shows it by its answer alone."""


@dataclass(slots=True)
class AthenaTrials:
    """Tries permissions, each once, and remembers what was seen on the way.

    Args:
        catalogs: Those of the configuration that exist.
        execution: An execution of our own, if one was run; stands in where history has none.

    Attributes:
        workgroups: None until they were listed.
        settings: What GetWorkGroup says of the workgroup of our own statements.
        answers: Catalog -> what became of asking Athena for its schemas.
    """

    connection: Connection
    catalogs: tuple[CatalogFacts, ...]
    execution: QueryExecution | None = None
    workgroups: tuple[WorkgroupFacts, ...] | None = None
    settings: WorkgroupConfiguration | None = None
    answers: dict[str, CheckResult] = field(default_factory=dict)
    _ids: dict[str, list[str]] = field(default_factory=dict)
    _schemas: dict[str, str] = field(default_factory=dict)
    _own: list[QueryExecution] | None = None
    _tag: tuple[str, list[str]] = (NO_TABLE, [NO_TABLE])

    async def check_permission(self, permission: Permission) -> CheckResult:
        """Result of using *permission*.

        Raises:
            CredentialsError: AWS does not accept us.
        """
        trials: dict[tuple[str, Target], Callable[[], Awaitable[CheckResult]]] = {
            ("athena:ListWorkGroups", Target.EVERYTHING): self._list_workgroups,
            ("athena:ListQueryExecutions", Target.HISTORY): self._list_history,
            ("athena:BatchGetQueryExecution", Target.HISTORY): self._get_history,
            ("athena:GetDataCatalog", Target.CATALOGS): self._describe_catalogs,
            ("athena:ListDatabases", Target.CATALOGS): self._list_databases,
            ("athena:ListTableMetadata", Target.CATALOGS): self._list_tables,
            ("glue:GetDatabases", Target.GLUE_DATABASES): self._glue_databases,
            ("glue:GetTables", Target.GLUE_TABLES): self._glue_tables,
            ("lakeformation:ListLFTags", Target.EVERYTHING): self._list_tags,
            ("lakeformation:SearchDatabasesByLFTags", Target.EVERYTHING): partial(
                self._search_tags, "lakeformation:SearchDatabasesByLFTags"
            ),
            ("lakeformation:SearchTablesByLFTags", Target.EVERYTHING): partial(
                self._search_tags, "lakeformation:SearchTablesByLFTags"
            ),
            ("glue:GetTable", Target.GLUE_TABLES): self._glue_table,
            ("athena:StartQueryExecution", Target.OWN_WORKGROUP): self._start,
            ("athena:BatchGetQueryExecution", Target.OWN_WORKGROUP): self._get_own,
            ("athena:GetQueryResults", Target.OWN_WORKGROUP): self._results,
            ("athena:StopQueryExecution", Target.OWN_WORKGROUP): self._stop,
            ("athena:GetWorkGroup", Target.OWN_WORKGROUP): self._workgroup,
            ("athena:GetWorkGroup", Target.HISTORY): self._limits,
        }
        if permission.action in _PLAIN:
            return await outcome(self._call(permission.action, **_PLAIN[permission.action]))

        trial = trials.get((permission.action, permission.target))
        if trial is None and permission.target is Target.SYSTEM_TABLE:
            return untried("only a statement shows it: run once with history_source auto")

        return await trial() if trial else untried("no way to try it is known")

    def _call(self, operation: str, **parameters: object) -> Awaitable[Mapping[str, Any]]:
        service, _, name = operation.partition(":")
        return self.connection.client.call(service, name, scope="", **parameters)

    async def _list_workgroups(self) -> CheckResult:
        try:
            self.workgroups = await discover_workgroups(self.connection.client)
        except AccessDeniedError as exc:
            return CheckResult("denied", exc.message)
        except UnitError as exc:
            return CheckResult("problem", exc.message)

        return GRANTED

    def _history_names(self) -> list[str]:
        config = self.connection.config
        if self.workgroups is None:
            plain = [name for name in config.workgroups if not set(name) & set("*?[")]
            return plain or [config.workgroup]

        return [
            w.name
            for w in self.workgroups
            if not w.is_spark and is_workgroup_included(config, w.name)
        ]

    async def _list_history(self) -> CheckResult:
        names = self._history_names()
        tried = {name: await self._list_ids(name) for name in names[:WORKGROUPS_TRIED]}
        rest = {name: untried("one of many") for name in names[WORKGROUPS_TRIED:]}
        return together({**tried, **rest})

    async def _list_ids(self, workgroup: str) -> CheckResult:
        async def ask() -> None:
            answer = await self._call(
                "athena:ListQueryExecutions", WorkGroup=workgroup, MaxResults=IDS
            )
            self._ids[workgroup] = answer[DECODED].query_execution_ids

        return await outcome(ask())

    async def _get_history(self) -> CheckResult:
        tried = {}
        for name, ids in self._ids.items():
            tried[name] = (
                await self._get(ids[:1]) if ids else untried("the workgroups have no executions")
            )

        return together(tried) if tried else untried("no executions can be listed")

    async def _get(self, ids: list[str], found: list[QueryExecution] | None = None) -> CheckResult:
        """Fetch executions; a refusal comes as an answer, not as an error."""
        try:
            answer = await self._call("athena:BatchGetQueryExecution", QueryExecutionIds=ids)
        except AccessDeniedError as exc:
            return CheckResult("denied", exc.message)
        except UnitError as exc:
            return CheckResult("problem", exc.message)

        batch: ExecutionBatch = answer[DECODED]
        if found is not None:
            found.extend(batch.query_executions)

        left_out = batch.unprocessed_query_execution_ids
        if any("AccessDenied" in (missing.error_code or "") for missing in left_out):
            return CheckResult("denied", "athena:BatchGetQueryExecution is not allowed")

        return GRANTED if batch.query_executions else untried("Athena gave no execution")

    async def _describe_catalogs(self) -> CheckResult:
        return together(
            {
                catalog.name: await outcome(self._call("athena:GetDataCatalog", Name=catalog.name))
                for catalog in self.catalogs
            }
        )

    async def _list_databases(self) -> CheckResult:
        self.answers = {c.name: await self._databases_of(c.name) for c in self._ready()}
        return together(self.answers)

    async def _databases_of(self, catalog: str) -> CheckResult:
        async def ask() -> None:
            answer = await self._call("athena:ListDatabases", CatalogName=catalog, MaxResults=50)
            self._note_schemas(catalog, [d.name for d in answer[DECODED].database_list])

        return await outcome(ask())

    def _note_schemas(self, catalog: str, names: list[str]) -> None:
        """Remember a schema that the configuration includes: rights may end at the others."""
        wanted = [n for n in names if is_schema_included(self.connection.config, catalog, n)]
        if wanted:
            self._schemas.setdefault(catalog, wanted[0])

    def _schema(self, catalog: str) -> str:
        return self._schemas.get(catalog, DEFAULT_DATABASE)

    async def _list_tables(self) -> CheckResult:
        return together(
            {
                catalog.name: await outcome(
                    self._call(
                        "athena:ListTableMetadata",
                        CatalogName=catalog.name,
                        DatabaseName=self._schema(catalog.name),
                        MaxResults=1,
                    )
                )
                for catalog in self._ready()
            }
        )

    def _ready(self) -> list[CatalogFacts]:
        return [c for c in self.catalogs if c.is_usable]

    def _own_catalog(self) -> str:
        return next((c.name for c in self.catalogs if c.is_own_glue), "AwsDataCatalog")

    async def _list_tags(self) -> CheckResult:
        async def ask() -> None:
            answer = await self._call("lakeformation:ListLFTags", MaxResults=1)
            for tag in answer[DECODED].lf_tags:
                self._tag = (tag.tag_key, tag.tag_values[:1])

        return await outcome(ask())

    async def _search_tags(self, operation: str) -> CheckResult:
        key, values = self._tag
        expression = [{"TagKey": key, "TagValues": values}]
        return await outcome(self._call(operation, Expression=expression, MaxResults=1))

    async def _glue_databases(self) -> CheckResult:
        async def ask() -> None:
            answer = await self._call("glue:GetDatabases", MaxResults=100)
            names = [d.name for d in answer[DECODED].database_list]
            self._note_schemas(self._own_catalog(), names)

        return await outcome(ask())

    async def _glue_tables(self) -> CheckResult:
        schema = self._schema(self._own_catalog())
        return await outcome(self._call("glue:GetTables", DatabaseName=schema, MaxResults=1))

    async def _glue_table(self) -> CheckResult:
        schema = self._schema(self._own_catalog())
        return await outcome(self._call("glue:GetTable", DatabaseName=schema, Name=NO_TABLE))

    async def _start(self) -> CheckResult:
        queries = self.connection.queries("doctor")
        location = queries.output_location
        place = {"ResultConfiguration": {"OutputLocation": location}} if location else {}
        return await outcome(
            self._call(
                "athena:StartQueryExecution",
                QueryString=NO_STATEMENT,
                WorkGroup=queries.workgroup,
                **place,
            )
        )

    async def _get_own(self) -> CheckResult:
        if self.execution is not None:
            self._own = [self.execution]
            return GRANTED  # its end was seen

        workgroup = self.connection.config.workgroup
        if workgroup not in self._ids:
            await self._list_ids(workgroup)

        ids = self._ids.get(workgroup, [])
        self._own = []
        return await self._get(ids, self._own) if ids else untried(_NONE_OF_OURS)

    async def _results(self) -> CheckResult:
        """Ask for a result that there is none of, or for our own: nobody else's is read."""
        mine = [e for e in self._own or () if e.status.state in ("FAILED", "CANCELLED")]
        mine += [self.execution] if self.execution else []
        if not mine:
            return untried(_NONE_OF_OURS)

        query_id = mine[0].query_execution_id
        return await outcome(
            self._call("athena:GetQueryResults", QueryExecutionId=query_id, MaxResults=1)
        )

    async def _stop(self) -> CheckResult:
        """Stop an execution that ended long ago, which does nothing."""
        now = self.connection.clock.now().timestamp()
        over = [
            execution
            for execution in self._own or ()
            if execution.status.state.upper() in FINAL_STATES
            and now - (execution.status.completion_date_time or now) > LONG_OVER.total_seconds()
        ]
        over += [self.execution] if self.execution else []
        if not over:
            return untried(_NONE_OF_OURS)

        query_id = over[0].query_execution_id
        return await outcome(self._call("athena:StopQueryExecution", QueryExecutionId=query_id))

    async def _workgroup(self) -> CheckResult:
        async def ask() -> None:
            workgroup = self.connection.config.workgroup
            answer = await self._call("athena:GetWorkGroup", WorkGroup=workgroup)
            configuration = answer[DECODED].work_group.configuration
            self.settings = configuration or WorkgroupConfiguration()

        return await outcome(ask())

    async def _limits(self) -> CheckResult:
        return together(
            {
                name: await outcome(self._call("athena:GetWorkGroup", WorkGroup=name))
                for name in self._history_names()[:WORKGROUPS_TRIED]
            }
        )


_NONE_OF_OURS = "the workgroup shows no execution to try it on; `--query` runs one"
