"""A test of a connection: what a run needs first, without running a query."""

from __future__ import annotations

from collections.abc import Mapping

import anyio

from kada_athena_async.concurrency import map_bounded
from kada_athena_async.config import Config
from kada_athena_async.engine.connection import Connection
from kada_athena_async.errors import AccessDeniedError, RetriesExhaustedError, UnreachableError
from kada_athena_async.permissions import lost_without
from kada_athena_async.report import ConnectionReport

IDENTITY_DEADLINE_S = 5.0
"""Less than a run waits for its account: here a person waits."""


async def report_connection(connection: Connection) -> ConnectionReport:
    """Try what a run needs first, without running a query.

    Raises:
        CredentialsError: AWS does not accept us.
        NetworkError: There is no way to Athena.
        ConfigError: Catalog, workgroup, bucket, or what a filter names do not exist.
    """
    missing: list[str] = []
    caller: Mapping[str, object] = {}
    workgroups = catalogs = None

    async def ask_who() -> None:
        nonlocal caller
        try:
            with anyio.fail_after(IDENTITY_DEADLINE_S):
                caller = await connection.client.call("sts", "GetCallerIdentity")
        except (TimeoutError, RetriesExhaustedError, UnreachableError) as exc:
            # A private network may have a way to Athena and none to STS, which a run of fixed
            # credentials never asks.
            reason = "no answer" if isinstance(exc, TimeoutError) else exc.message
            missing.append(f"sts: {reason}: who we are is not known")

    async def count_workgroups() -> None:
        nonlocal workgroups
        try:
            workgroups = len(await connection.usable_workgroups())
        except AccessDeniedError as exc:
            missing.append(_missing(connection.config, exc))

    # Side by side: in a dead network each waits for its own time.
    await map_bounded(lambda ask: ask(), [ask_who, count_workgroups], limit=2)
    try:
        catalogs = await connection.check_catalogs()
    except AccessDeniedError as exc:
        missing.append(_missing(connection.config, exc))

    await connection.check_bucket()
    return ConnectionReport(
        identity=str(caller.get("Arn", "")),
        account=str(caller.get("Account", "")),
        region=connection.client.region,
        endpoint_url=connection.config.endpoint_url,
        catalogs=catalogs,
        workgroups=workgroups,
        missing=tuple(missing),
    )


def _missing(config: Config, denied: AccessDeniedError) -> str:
    """A permission that is missing, with what is lost by it."""
    lost = lost_without(config, denied.action)
    return f"{denied.message}: {lost}" if lost else denied.message
