"""An instance's locks, state and destination, held while one call works."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from kada_athena_async.config import Config
from kada_athena_async.engine.destination import Destination
from kada_athena_async.engine.ownership import Owner, origin_of
from kada_athena_async.engine.pending_delivery import PendingDelivery
from kada_athena_async.engine.window_planner import WindowPlanner
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.files import MARK_FIELDS, OUTPUT_FIELD, Files
from kada_athena_async.files.threads import in_thread, locks_in_thread
from kada_athena_async.hwm.store import FileHwmStore, Store
from kada_athena_async.sinks.staging import lock_path


@asynccontextmanager
async def open_session(
    destination: Destination,
    hwm_path: Path | None,
    *,
    run_id: str,
    keeps_state: bool,
    learn_account: Callable[[], Awaitable[str]],
) -> AsyncIterator[tuple[PendingDelivery, WindowPlanner]]:
    """Lock the output directory and the high-water mark; both are released at the end.

    Yields the state and the destination of the instance, and the planner of its windows.

    Args:
        hwm_path: File of the high-water mark; None for the configured place.
        run_id: Who holds the locks, for the message to others.
        keeps_state: False where the caller keeps the high-water mark.
        learn_account: Returns the id of the account that the credentials belong to.

    Raises:
        ConfigError: The output directory cannot be made or written.
        LockedError: Another call holds a lock.
    """
    config, files = destination.config, destination.files
    async with locks_in_thread() as take, AsyncExitStack() as stack:

        async def lock(path: Path, field: str) -> None:
            now = destination.clock.now()
            await take(lambda: files.lock(path, run_id=run_id, now=now, field=field))

        output_path = await output_directory(config, files)
        await lock(lock_path(output_path, destination.name), OUTPUT_FIELD)
        store: Store | None = None
        if keeps_state:
            store = await stack.enter_async_context(destination.store(hwm_path))
            if isinstance(store, FileHwmStore):
                await lock(store.lock_path, MARK_FIELDS)

        delivery = PendingDelivery(
            files=files,
            notify=destination.notify,
            destination=destination,
            owner=Owner(origin_of(config, destination.name), learn_account),
            store=store,
            output_path=output_path,
        )
        yield delivery, destination.planner(store, output_path)


async def output_directory(config: Config, files: Files) -> Path:
    """The output directory, made if need be and with its links resolved.

    Raises:
        ConfigError: It cannot be made or written.
    """
    path = config.output_path

    def make() -> Path:
        files.make_dir(path)
        return path.resolve(strict=True)

    try:
        return await in_thread(make)
    except OSError as exc:
        remedy = f"cannot be used ({exc.strerror}); name a directory that this user may write"
        if isinstance(exc, FileNotFoundError):
            # Made with its parents, a misspelt mount point would swallow the extracts.
            remedy = "the directory above it does not exist; make it, or name another"

        problem = Problem("output_path", repr(str(path)), remedy)
        raise ConfigError([problem]) from exc
