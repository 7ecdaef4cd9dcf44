"""Checks of the disk before AWS is asked, and the first calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from kada_athena_async.codes import WarningCode
from kada_athena_async.commit.transaction import SPARE_BYTES
from kada_athena_async.concurrency import map_bounded
from kada_athena_async.engine.connection import Connection
from kada_athena_async.engine.pending_delivery import PendingDelivery
from kada_athena_async.errors import CommitError, StateError
from kada_athena_async.events import Warned
from kada_athena_async.files import Files, failing, is_remote
from kada_athena_async.files.threads import in_thread
from kada_athena_async.manifest import newest_manifest
from kada_athena_async.observers.wording import span

SKEW = timedelta(seconds=60)
"""A clock further from AWS's than this is reported."""

LEAST_BYTES = 64 << 20
"""Free space that no run is warned of: a first run of a small estate takes a fraction of it."""

GROWTH = 2
"""A run may need twice what the last one left: parts, and the extracts that are joined of them."""


async def meet(
    connection: Connection, *, looks_ahead: bool = False
) -> list[tuple[WarningCode, str]]:
    """Make the first calls of a run, which show AWS's clock and the account; notes about them.

    Args:
        looks_ahead: Look for the bucket, and find catalogs and schemas, beside these calls.

    Raises:
        ConfigError: Our workgroup cannot run statements, or there is no such bucket.
        CredentialsError: AWS does not accept us.
    """
    # First of all, so that AWS's clock is known before the window is cut.
    calls: list[Callable[[], Awaitable[object]]] = [connection.meet, connection.learn_account]
    if looks_ahead:
        calls += [connection.check_bucket, connection.discover_ahead]

    await map_bounded(lambda ask: ask(), calls, limit=len(calls))
    skew = connection.client.log.skew
    if abs(skew) <= SKEW:
        return []

    side = "ahead of" if skew > timedelta() else "behind"
    now = connection.clock.now()
    off = span(now, now + abs(skew))
    return [(WarningCode.CLOCK_SKEW, f"this machine's clock is {off} {side} AWS's")]


async def check_disk(delivery: PendingDelivery) -> None:
    """Warn of little space and of file systems whose promises cannot be relied on.

    Raises:
        CommitError: There is no space even for what a run without a row writes.
    """
    output_path, store = delivery.output_path, delivery.store
    files, notify = delivery.destination.files, delivery.destination.notify

    def look() -> tuple[int, int, dict[Path, str]]:
        places = [output_path, *([store.hwm_path.parent] if store and store.hwm_path else [])]
        kinds = {place: files.mount_kind(place) for place in places}
        left_bytes = last_bytes(output_path, delivery.destination.name, files)
        return files.free_bytes(output_path), left_bytes, kinds

    with failing(output_path):
        free_bytes, left_bytes, kinds = await in_thread(look)

    if free_bytes < SPARE_BYTES:
        raise CommitError(
            f"no space left in {output_path}: {free_bytes:,} bytes are free, "
            f"{needed_bytes(left_bytes):,} should be",
            hint="free space there or choose another output_path, then run again; nothing is lost",
        )

    if free_bytes < needed_bytes(left_bytes):
        notify(
            Warned(
                code=WarningCode.DISK_SPACE,
                message=f"little space left in {output_path}: {free_bytes:,} bytes are free, "
                f"{needed_bytes(left_bytes):,} should be",
                hint="free space there; a run that fills the disk commits nothing",
            )
        )

    for place, kind in kinds.items():
        if is_remote(kind):
            notify(
                Warned(
                    code=WarningCode.REMOTE_DISK,
                    message=f"{place} lies on a network file system ({kind}): locks and renames "
                    "may not hold there as they do on a local disk",
                    hint="keep output_path and the high-water mark on a local disk, "
                    "and push the extracts with `landing`",
                )
            )


def needed_bytes(left_bytes: int) -> int:
    """Free bytes that a run needs, if the last one left extracts of *left_bytes*."""
    return max(GROWTH * left_bytes, LEAST_BYTES)


def last_bytes(output_path: Path, name: str, files: Files) -> int:
    """Blocks. Size of the extracts that the last run left; 0 if unknown."""
    try:
        last = newest_manifest(output_path, name, files)
    except StateError:
        return 0  # what needs that manifest refuses it, with a remedy

    return sum(file.size_bytes for file in last.manifest.files) if last else 0
