"""Athena's own table of finished executions: a workgroup's days of history by one statement.

AWS keeps ``"s3tablescatalog/aws-athena"."metadata"."query_executions"`` where the account has
turned system tables on: a row for each finished execution, partitioned by the day of submission
and the workgroup (Athena's guide, system tables). Its list of columns could not be read to its end,
so columns are looked up first and never assumed; ``execution_parameters`` is never selected, for
it holds the values of parameterised statements.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, get_type_hints

from kada_athena_async.aws.athena import AthenaQueries, Statement
from kada_athena_async.aws.pages import LIST_EXECUTIONS, pages
from kada_athena_async.aws.result_csv import Cells
from kada_athena_async.aws.results import Results
from kada_athena_async.aws.wire import (
    AthenaError,
    EngineVersion,
    Quantity,
    QueryContext,
    QueryExecution,
    ResultConfiguration,
    ResultReuse,
    Statistics,
    Status,
)
from kada_athena_async.errors import RequestError
from kada_athena_async.hwm.window import HWM_FORMAT, LONGEST_QUERY
from kada_athena_async.inventory import SystemTableFacts
from kada_athena_async.records import PrincipalRecord
from kada_athena_async.sources.principals import principal_of_arn
from kada_athena_async.sources.query_history import WorkgroupHistory
from kada_athena_async.sources.statement_texts import TAG, quote_identifier, quote_value
from kada_athena_async.sources.tables_accessed import (
    COLUMN,
    Tables,
    is_readable,
    selected,
    tables_of,
)

CATALOG, SCHEMA, TABLE = "s3tablescatalog/aws-athena", "metadata", "query_executions"
_SOURCE = ".".join(map(quote_identifier, (CATALOG, SCHEMA, TABLE)))

STATEMENTS_MAX = 3
"""Statements that a workgroup's window is cut into: each takes seconds to start, and they follow
each other."""

DAYS_A_STATEMENT = 7
"""Days of submission, at least, of a statement: a nightly run asks one a workgroup."""

_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:E-?[0-9]{1,2})?")


def _number(text: str) -> Quantity | None:
    return Quantity(float(text)) if _NUMBER.fullmatch(text) else None


def _whole(text: str) -> int | None:
    number = _number(text)
    if number is None:
        return None

    return int(text) if text.lstrip("-").isdecimal() else int(number)


# Fields of Statistics by name: the table has a column of the same name for each.
_READERS: Mapping[object, Callable[[str], Any]] = {
    int | None: _whole,
    Quantity | None: _number,
    str | None: str,
}
_STATISTICS = {
    field: _READERS[hint] for field, hint in get_type_hints(Statistics).items() if hint in _READERS
}

# Field of ours -> names that the column may have, the likeliest first: GetQueryExecution's fields
# in snake case, as far as AWS's pages could be read.
_NAMES: Mapping[str, Sequence[str]] = {
    "query_execution_id": ("query_execution_id", "query_id"),
    "query": ("query_string", "query", "query_text"),
    "workgroup": ("work_group_name", "workgroup_name", "work_group", "workgroup"),
    "state": ("state", "status_state", "query_state", "status"),
    "submitted_at": ("submission_date_time", "submission_time"),
    "completed_at": ("completion_date_time", "completion_time"),
    "statement_type": ("statement_type",),
    "substatement_type": ("substatement_type", "sub_statement_type"),
    "catalog": ("catalog_name", "catalog", "query_execution_context_catalog"),
    "database": ("database_name", "database", "query_execution_context_database"),
    "reason": ("state_change_reason", "status_state_change_reason"),
    "error_category": ("athena_error_category", "error_category"),
    "error_type": ("athena_error_type", "error_type"),
    "retryable": ("athena_error_retryable", "retryable"),
    "error_message": ("athena_error_message", "error_message"),
    **{field: (field,) for field in _STATISTICS},
    "reused": ("reused_previous_result",),
    "engine_version": ("effective_engine_version", "engine_version"),
    "output_location": ("output_location", "result_output_location"),
    "principal_arn": ("principal_arn",),
    COLUMN: (COLUMN,),
}
_ESSENTIAL = ("query_execution_id", "query", "workgroup", "state", "submitted_at", "completed_at")

_COLUMNS_SQL = (
    f"SELECT column_name, data_type FROM {quote_identifier(CATALOG)}.information_schema.columns "
    f"WHERE table_schema = '{SCHEMA}' AND table_name = '{TABLE}'"
)

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?: ?(?:UTC|Z|\+00:00))?")


def facts_of(names: Sequence[str], earliest: datetime | None) -> SystemTableFacts:
    """The facts of a table with the columns *names*.

    Raises:
        RequestError: It lacks a column without which nothing can be extracted.
    """
    there = {name.lower() for name in names}
    columns = {
        field: name
        for field, candidates in _NAMES.items()
        if (name := next((c for c in candidates if c in there), None)) is not None
    }
    if missing := [field for field in _ESSENTIAL if field not in columns]:
        raise RequestError(
            f"Athena's system table has no column for {', '.join(missing)}",
            code="MissingColumn",
            hint='set history_source to "api"',
        )

    return SystemTableFacts(columns=columns, earliest=earliest)


class TableExecution(QueryExecution):
    """An execution as the table has it.

    Attributes:
        tables_accessed: None where the table does not say.
    """

    tables_accessed: Tables | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTable:
    """Asks the table.

    Args:
        catalog: In which our statements run; the table is named in full.
        unit_id: The unit that asks; names the statements, so that a resumed run finds them again.
    """

    queries: AthenaQueries
    results: Results
    unit_id: str
    catalog: str = "AwsDataCatalog"

    async def describe(self) -> SystemTableFacts:
        """Look up the columns and how far the table reaches back: two statements.

        Raises:
            UnitError: The table may not be read, or lacks an essential column.
        """
        names: list[str] = []
        rows = self._rows("columns", _COLUMNS_SQL, ("column_name", "data_type"))
        async with aclosing(rows) as batches:
            async for found, types in batches:
                names += [
                    name
                    for name, data_type in zip(found, types, strict=True)
                    if name and is_readable(name, data_type or "")
                ]

        facts = facts_of(names, None)
        sql = f"SELECT min({_end_time(facts)}) AS earliest FROM {_SOURCE}"
        earliest: datetime | None = None
        async with aclosing(self._rows("earliest", sql, ("earliest",))) as batches:
            async for batch in batches:
                earliest = moment_of(batch[0][0])

        return SystemTableFacts(columns=facts.columns, earliest=earliest)

    async def executions(
        self,
        facts: SystemTableFacts,
        *,
        workgroup: str,
        submitted_since: datetime,
        start: datetime,
        end: datetime,
    ) -> AsyncGenerator[list[QueryExecution], None]:
        """Yield batches of a workgroup's executions that ended from *start* on and before *end*.

        Args:
            submitted_since: No execution of interest was submitted earlier; prunes partitions.
        """
        fields = [field for field in facts.columns if field != "principal_arn"]
        for since, until in day_slices(submitted_since, end):
            sql = _select(
                facts, fields, since=since, until=until, ended=(start, end), workgroup=workgroup
            )
            names = [facts.columns[field] for field in fields]
            async with aclosing(self._rows(f"{since:%Y-%m-%d}", sql, names)) as batches:
                async for batch in batches:
                    yield _executions(fields, batch)

    async def principals(
        self, facts: SystemTableFacts, *, server: str, start: datetime, end: datetime
    ) -> AsyncGenerator[list[PrincipalRecord], None]:
        """Yield the principals of the executions that were submitted from *start* to *end*."""
        fields = ("query_execution_id", "principal_arn", "submitted_at")
        for since, until in day_slices(start, end):
            sql = _select(facts, fields, since=since, until=until)
            names = [facts.columns[field] for field in fields]
            async with aclosing(self._rows(f"who {since:%Y-%m-%d}", sql, names)) as batches:
                async for query_ids, arns, times in batches:
                    yield [
                        principal_of_arn(
                            arn, server=server, query_id=query_id, submitted_at=moment_of(at)
                        )
                        for query_id, arn, at in zip(query_ids, arns, times, strict=True)
                        if query_id and arn
                    ]

    async def _rows(
        self, key: str, sql: str, columns: Sequence[str]
    ) -> AsyncGenerator[Cells, None]:
        statement = Statement(
            key=f"{self.unit_id}/system_table/{key}",
            sql=TAG.format(run_id=self.queries.run_id) + sql,
            catalog=self.catalog,
        )
        execution = await self.queries.run(statement, unit_id=self.unit_id)
        async with aclosing(self.results.read(execution, columns)) as batches:
            async for batch in batches:
                yield batch


@dataclass(slots=True, kw_only=True)
class TableHistory(WorkgroupHistory):
    """Reads one workgroup's window from the table; the API checks it.

    What was under way when the last run looked is asked of the API by id. Then the rows of the
    window, and then the newest page of ListQueryExecutions: an execution in it that the table does
    not show yet, because its row comes late, is taken from the API.
    """

    table: SystemTable
    facts: SystemTableFacts

    async def _scan(self) -> None:
        workgroup_window, window = self.workgroup_window, self.workgroup_window.window
        rows = self.table.executions(
            self.facts,
            workgroup=workgroup_window.workgroup,
            submitted_since=window.start - LONGEST_QUERY,
            # What ended before the window may be news where the last run is known.
            start=workgroup_window.news_since if workgroup_window.previous else window.start,
            end=window.end,
        )
        async with aclosing(rows) as batches:
            async for batch in batches:
                found = {execution.query_execution_id: execution for execution in batch}
                await self._take(self._ledger.admit(found), found)

        listing = pages(
            self.client,
            LIST_EXECUTIONS,
            scope=f"workgroup {workgroup_window.workgroup}",
            WorkGroup=workgroup_window.workgroup,
        )
        async with aclosing(listing) as newest:
            async for page in newest:
                await self._take(self._ledger.admit(page.items))
                return


def day_slices(since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Spans of whole days in UTC that cover *since* to *until*, at most ``STATEMENTS_MAX``.

    Up to ``DAYS_A_STATEMENT`` days are one.
    """
    day = timedelta(days=1)
    first = since.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    days = -(-(until - first) // day) or 1
    size = max(DAYS_A_STATEMENT, -(-days // STATEMENTS_MAX))
    return [(first + at * day, first + (at + size) * day) for at in range(0, days, size)]


def moment_of(text: str | None) -> datetime | None:
    """A time as Trino writes it, ``2026-11-28 06:00:00.123456 UTC``; None where it is none."""
    match = _TIME.fullmatch(text) if text else None
    if match is None:
        return None

    date, clock, fraction = match.groups()
    try:
        return datetime.fromisoformat(f"{date}T{clock}.{(fraction or '0'):0<6.6}+00:00")
    except ValueError:  # the 31st of February
        return None


def _select(
    facts: SystemTableFacts,
    fields: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    ended: tuple[datetime, datetime] | None = None,
    workgroup: str | None = None,
) -> str:
    submitted = quote_identifier(facts.columns["submitted_at"])
    shown = ", ".join(selected(facts.columns[field]) for field in fields)
    conditions = [f"{submitted} >= {_literal(since)}", f"{submitted} < {_literal(until)}"]
    if workgroup is not None:
        column = quote_identifier(facts.columns["workgroup"])
        conditions.append(f"{column} = {quote_value(workgroup)}")

    if ended is not None:
        end_time = _end_time(facts)
        conditions += [f"{end_time} >= {_literal(ended[0])}", f"{end_time} < {_literal(ended[1])}"]

    return f"SELECT {shown} FROM {_SOURCE} WHERE {' AND '.join(conditions)}"


def _end_time(facts: SystemTableFacts) -> str:
    """The end of an execution, as ``hwm.disposition.completion`` has it."""
    submitted = quote_identifier(facts.columns["submitted_at"])
    completed = quote_identifier(facts.columns["completed_at"])
    return f"greatest(coalesce({completed}, {submitted}), {submitted})"


def _literal(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.astimezone(timezone.utc):{HWM_FORMAT}} UTC'"


def _executions(fields: Sequence[str], batch: Cells) -> list[QueryExecution]:
    rows = zip(*batch, strict=True)
    cells = (dict(zip(fields, row, strict=True)) for row in rows)
    return [read_row(cell) for cell in cells if cell["query_execution_id"]]


def read_row(cell: Mapping[str, str | None]) -> TableExecution:
    """An execution as GetQueryExecution would give it."""

    def number(field: str) -> int | None:
        return _whole(cell.get(field) or "")

    def flag(field: str) -> bool | None:
        text = cell.get(field)
        return text == "true" if text else None

    has_error = cell.get("error_type") is not None or cell.get("error_message") is not None
    return TableExecution(
        query_execution_id=cell["query_execution_id"] or "",
        query=cell["query"],
        statement_type=cell.get("statement_type"),
        substatement_type=cell.get("substatement_type"),
        work_group=cell["workgroup"],
        result_configuration=ResultConfiguration(output_location=cell.get("output_location")),
        query_execution_context=QueryContext(
            catalog=cell.get("catalog"), database=cell.get("database")
        ),
        status=Status(
            state=cell["state"] or "UNKNOWN",
            state_change_reason=cell.get("reason"),
            submission_date_time=_epoch_s(cell["submitted_at"]),
            completion_date_time=_epoch_s(cell["completed_at"]),
            athena_error=AthenaError(
                error_category=number("error_category"),
                error_type=number("error_type"),
                retryable=flag("retryable"),
                error_message=cell.get("error_message"),
            )
            if has_error
            else None,
        ),
        statistics=Statistics(
            **{name: read(text) for name, read in _STATISTICS.items() if (text := cell.get(name))},
            result_reuse_information=ResultReuse(reused_previous_result=flag("reused")),
        ),
        engine_version=EngineVersion(effective_engine_version=cell.get("engine_version")),
        tables_accessed=tables_of(cell.get(COLUMN)),
    )


def _epoch_s(text: str | None) -> float | None:
    moment = moment_of(text)
    return moment.timestamp() if moment else None
