"""Athena's system table in place of the API: looked for before the window of a run is planned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from kada_athena_async.codes import WarningCode
from kada_athena_async.config import Config
from kada_athena_async.engine.connection import Connection
from kada_athena_async.errors import ConfigError, Problem, UnitError
from kada_athena_async.events import Warned
from kada_athena_async.hwm.window import HWM_FORMAT
from kada_athena_async.inventory import SystemTableFacts
from kada_athena_async.plan import HistoryUnit, Plan
from kada_athena_async.sources.strategy import asks_system_table, history_source, user_source

SETTLE_S = 900
"""Seconds behind now at which a window read from the table ends: rows come later than the API
knows them, and AWS does not say how much later."""


def settle_of(config: Config, table: SystemTableFacts | None) -> timedelta:
    """Distance between the end of the window and now."""
    is_table = table is not None and history_source(config).asks_table
    return timedelta(seconds=max(config.settle_seconds, SETTLE_S if is_table else 0))


def held_since(config: Config, table: SystemTableFacts | None) -> datetime | None:
    """Begin of the history that a run may read; None where only the API is asked."""
    return table.earliest if table is not None and history_source(config).asks_table else None


async def find_system_table(connection: Connection, run_id: str) -> SystemTableFacts | None:
    """Look whether the table is on and may be read; None where it is not asked for or cannot be.

    Raises:
        ConfigError: It was asked for by name and the account does not have it.
    """
    config = connection.config
    if not asks_system_table(config):
        return None

    is_needed = history_source(config).needs_table or user_source(config).needs_table

    try:
        is_on = await _is_on(connection)
    except UnitError as exc:
        is_on = True  # only a try shows it
        if not is_needed:
            _say(connection, f"it is unknown whether it is on: {exc.message}", exc.hint)
            return None

    if not is_on and is_needed:
        raise ConfigError([_off(config)])

    if not is_on:
        _say(connection, "it is off in this account and Region", "")
        return None

    from kada_athena_async.aws.results import Results
    from kada_athena_async.sources.system_table import SystemTable

    table = SystemTable(
        queries=connection.queries(run_id),
        results=Results(connection.client, source=config.results),
        unit_id="system_table",
    )
    try:
        return await table.describe()
    except UnitError as exc:
        _say(connection, exc.message, exc.hint)
        return None


def reaching(
    connection: Connection, table: SystemTableFacts | None, start: datetime
) -> SystemTableFacts | None:
    """*table* if it holds all that ended since *start*, and None, said once, if not.

    Turned on lately it holds the last days only; to read it alone would lose what came before.
    """
    if table is None or table.reaches(start):
        return table

    if history_source(connection.config).asks_table:
        _say(connection, _too_young(table, f"the history begins at {start:{HWM_FORMAT}}"), "")

    return None


def say_unreached(connection: Connection, table: SystemTableFacts | None, plan: Plan) -> None:
    """Warn of workgroups that the API is asked for, since their own windows begin earlier."""
    if table is None or not history_source(connection.config).asks_table:
        return

    windows = {
        unit.workgroup.name: unit.workgroup_window.window
        for unit in plan.units
        if isinstance(unit, HistoryUnit) and unit.table is None
    }
    if windows:
        start, names = min(w.start for w in windows.values()), ", ".join(windows)
        what = f"the history of workgroup {names} begins at {start:{HWM_FORMAT}}"
        _say(connection, _too_young(table, what), "")


def _too_young(table: SystemTableFacts, what: str) -> str:
    reach = f"from {table.earliest:{HWM_FORMAT}} on" if table.earliest else "nothing"
    return f"it holds {reach}, {what}"


async def _is_on(connection: Connection) -> bool:
    answer = await connection.client.call("athena", "ListSystemTableStatuses", MaxResults=50)
    return any(
        item.get("TableName") == "QUERY_EXECUTIONS" and item.get("Enabled") is True
        for item in answer.get("Items") or []
        if isinstance(item, Mapping)
    )


def _off(config: Config) -> Problem:
    field = "history_source" if history_source(config).needs_table else "attribute_users"
    return Problem(
        field,
        '"system_table"',
        'system tables are off in this account and Region; turn them on in Athena, or write "auto"',
    )


def _say(connection: Connection, why: str, hint: str) -> None:
    """Warn, unless the table was only a second choice: CloudTrail is asked first."""
    config = connection.config
    if not history_source(config).asks_table and user_source(config).asks_trail:
        return

    connection.notify(
        Warned(
            code=WarningCode.SYSTEM_TABLE_UNUSED,
            message=f"Athena's system table is not used: {why}",
            hint=hint,
        )
    )
