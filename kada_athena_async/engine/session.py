"""An instance's locks, state and destination, held while one call works."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kada_athena_async.config import Config
from kada_athena_async.engine.cut import Cutter, cutter_of
from kada_athena_async.engine.delivery import Outside, Store
from kada_athena_async.engine.handover import Handover
from kada_athena_async.engine.preflight import check_disk
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.files import MARK_FIELDS, OUTPUT_FIELD, Files, in_thread, locks_in_thread
from kada_athena_async.hwm import FileHwmStore
from kada_athena_async.sinks import lock_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The locks, the state and the destination of an instance.

    Attributes:
        store: None where the caller keeps the high-water mark.
    """

    outside: Outside
    output_path: Path
    store: Store | None
    handover: Handover
    cutter: Cutter

    async def check_disk(self) -> None:
        """Warn of little space and of network file systems.

        Raises:
            CommitError: There is no space even for a run without a row.
        """
        at = self.outside
        hwm_path = self.store.hwm_path if isinstance(self.store, FileHwmStore) else None
        await check_disk(self.output_path, at.name, hwm_path, at.files, at.notify)


@asynccontextmanager
async def open_session(
    outside: Outside, hwm_path: Path | None, *, run_id: str, keeps_state: bool
) -> AsyncIterator[Session]:
    """Lock the output directory and the high-water mark; both are released at the end.

    Args:
        hwm_path: File of the high-water mark; None for the configured place.
        run_id: Who holds the locks, for the message to others.
        keeps_state: False where the caller keeps the high-water mark.

    Raises:
        ConfigError: The output directory cannot be made or written.
        LockedError: Another call holds a lock.
    """
    config, files = outside.config, outside.files
    async with locks_in_thread() as take, AsyncExitStack() as stack:

        async def lock(path: Path, field: str) -> None:
            now = outside.clock.now()
            await take(lambda: files.lock(path, run_id=run_id, now=now, field=field))

        output_path = await output_directory(config, files)
        await lock(lock_path(output_path, outside.name), OUTPUT_FIELD)
        store: Store | None = None
        if keeps_state:
            store = await stack.enter_async_context(outside.store(hwm_path))
            if isinstance(store, FileHwmStore):
                await lock(store.lock_path, MARK_FIELDS)

        yield Session(
            outside=outside,
            output_path=output_path,
            store=store,
            handover=Handover(outside=outside, store=store, output_path=output_path, files=files),
            cutter=cutter_of(
                config, outside.name, output_path=output_path, store=store, files=files
            ),
        )


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
