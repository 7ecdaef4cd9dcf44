"""Limits of the bytes that a query may scan, where they may be read: an extra of every run."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.concurrency import map_bounded
from kada_athena_async.config import Config
from kada_athena_async.errors import NotFoundError, UnitError
from kada_athena_async.inventory import WorkgroupFacts
from kada_athena_async.plan import is_workgroup_included
from kada_athena_async.scopes import WorkgroupLimits

DEADLINE_S = 30
"""After that the rest stays unknown: advice is not worth waiting for."""

_AT_ONCE = 8


async def workgroup_limits(
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
