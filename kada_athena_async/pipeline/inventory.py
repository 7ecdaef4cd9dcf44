"""Extracts the inventory: catalogs, schemas and users, with what the run leaves out of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import anyio

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.concurrency import map_bounded
from kada_athena_async.config import Config
from kada_athena_async.errors import NotFoundError, UnitError
from kada_athena_async.filters import (
    INFORMATION_SCHEMA,
    is_schema_included,
    is_workgroup_included,
)
from kada_athena_async.inventory import Inventory, WorkgroupFacts
from kada_athena_async.pipeline.context import ExtractionContext
from kada_athena_async.records import CatalogRecord, Record, SchemaRecord, UserRecord
from kada_athena_async.report import UnitFacts
from kada_athena_async.scopes import SPARK, ScopeFacts, WorkgroupLimits
from kada_athena_async.sources.query_history import user_of

_LEFT_OUT_SCHEMA = "left out by include_schemas and exclude_schemas"
_LEFT_OUT_WORKGROUP = "left out by workgroups and exclude_workgroups"

DEADLINE_S = 30
"""After that the rest stays unknown: advice is not worth waiting for."""

_AT_ONCE = 8


async def extract_inventory(
    unit_id: str, inventory: Inventory, context: ExtractionContext
) -> UnitFacts:
    """Write down catalogs, schemas and users; which of them the run leaves out, and limits."""
    config = context.config
    server = config.server
    catalogs = [
        CatalogRecord(server, c.name, c.type, c.status, c.description) for c in inventory.catalogs
    ]
    schemas = [
        SchemaRecord(server, c.name, s.name, s.description, s.location, s.created_at)
        for c in inventory.catalogs
        for s in c.schemas
        if is_schema_included(config, c.name, s.name)
    ]
    users = [
        UserRecord(
            server,
            user_of(w.name),
            w.name,
            w.state,
            w.engine_version,
            w.description,
            w.created_at,
        )
        for w in inventory.workgroups
    ]
    rows: Counter[str] = Counter()
    kinds: dict[str, list[Record]] = {
        "metadata_catalogs": [*catalogs],
        "metadata_schemas": [*schemas],
        "users": [*users],
    }
    for kind, records in kinds.items():
        async with context.sink.part(unit_id, kind) as part:
            await part.write(records)

        rows[kind] = len(records)

    spark = tuple(
        ScopeFacts(scope="workgroup", name=(w.name,), outcome="skipped", reason=SPARK)
        for w in inventory.workgroups
        if w.is_spark
    )
    scopes = (*spark, *_notes_of(inventory), *_excluded(config, inventory))
    limits = await _workgroup_limits(context.client, config, inventory.workgroups)
    return UnitFacts(rows=dict(rows), scopes=scopes, limits=limits)


def _notes_of(inventory: Inventory) -> list[ScopeFacts]:
    """Notes about the lists of catalogs, schemas and workgroups; ``*``: all catalogs."""
    lists = [(c.name, c.unreadable, c.stand_in) for c in inventory.catalogs]
    lists.append(("*", inventory.unreadable, "; ".join(inventory.unlisted)))
    return [
        ScopeFacts(
            scope="catalog",
            name=(name,),
            outcome="partial" if unreadable else "complete",
            reason="; ".join(
                ["unreadable: " + "; ".join(unreadable)] * bool(unreadable)
                + [stand_in] * bool(stand_in)
            ),
        )
        for name, unreadable, stand_in in lists
        if unreadable or stand_in
    ]


def _excluded(config: Config, inventory: Inventory) -> tuple[ScopeFacts, ...]:
    """Schemas and workgroups that the configuration excludes: they are not gone."""
    schemas = [
        (c.name, s.name)
        for c in inventory.catalogs
        for s in c.schemas
        if s.name.lower() != INFORMATION_SCHEMA and not is_schema_included(config, c.name, s.name)
    ]
    workgroups = [
        w.name
        for w in inventory.workgroups
        if not w.is_spark and not is_workgroup_included(config, w.name)
    ]
    return (
        *(
            ScopeFacts(scope="schema", name=name, outcome="excluded", reason=_LEFT_OUT_SCHEMA)
            for name in schemas
        ),
        *(
            ScopeFacts(scope="workgroup", name=(w,), outcome="excluded", reason=_LEFT_OUT_WORKGROUP)
            for w in workgroups
        ),
    )


async def _workgroup_limits(
    client: AwsClient, config: Config, workgroups: Sequence[WorkgroupFacts]
) -> WorkgroupLimits:
    """Ask GetWorkGroup for each workgroup whose history is read.

    The right to do so is optional. It is tried on one workgroup first, our own if its history is
    read, for that is the one that a policy names if it names any; and nobody is asked any more
    after the first refusal.
    """
    # Spark has sessions, and no limit of bytes.
    names = [w.name for w in workgroups if not w.is_spark and is_workgroup_included(config, w.name)]
    names.sort(key=lambda name: name != config.workgroup)
    found: dict[str, int | None] = {}
    refusals: list[str] = []

    async def ask(name: str) -> None:
        if refusals:
            return

        try:
            answer = await client.call("athena", "GetWorkGroup", WorkGroup=name)
        except NotFoundError:
            return  # deleted since it was listed
        except UnitError as exc:
            refusals.append(exc.message)
            return

        configuration = answer[DECODED].work_group.configuration
        if configuration is not None:
            found[name] = configuration.bytes_scanned_cutoff_per_query

    with anyio.move_on_after(DEADLINE_S) as scope:
        # One after the other: the second may be the first that is not our own.
        await map_bounded(ask, names[:2], limit=1)
        await map_bounded(ask, names[2:], limit=_AT_ONCE)

    if scope.cancelled_caught:
        refusals.append(f"athena:GetWorkGroup: no answer within {DEADLINE_S} s")

    return WorkgroupLimits(
        cutoff_bytes=dict(sorted(found.items())), unknown=refusals[0] if refusals else ""
    )
