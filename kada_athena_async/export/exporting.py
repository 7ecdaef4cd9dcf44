"""From published runs to files of a target, all of them or none."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

import anyio

from kada_athena_async.errors import CommitError, ConfigError, LockedError, Problem, StateError
from kada_athena_async.export.history import History
from kada_athena_async.export.interface import OutputFolder, Target
from kada_athena_async.extracts import Package, newest_packages
from kada_athena_async.files import Files, Lock, failing
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm.window import HWM_FORMAT

TARGETS: dict[str, str] = {
    "openlineage": "openlineage:write_openlineage",
    "datahub": "datahub:write_datahub",
    "coalesce": "coalesce:write_coalesce",
    "dbt-sources": "dbt_sources:write_dbt_sources",
    "parquet": "parquet:write_parquet",
    "duckdb": "duckdb_file:write_duckdb",
}
"""Target -> the module and function that write it, loaded when they are wanted."""

_Steps: TypeAlias = "Generator[dict[Path, int] | None, None, None]"

_DIRECTORY = "directory with -o"
"""Names, in a remedy, the option that sets the directory of the files."""

_STEP_S = 0.1  # how long a cancelled caller may wait for the step under way


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """The files that an export wrote.

    Attributes:
        target: As in ``TARGETS``.
        files: Path of each file -> the records in it.
        runs: How many runs were read.
        start, end: From the start of the first window to the end of the last.
    """

    target: str
    files: dict[Path, int]
    runs: int
    start: datetime
    end: datetime

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {
            "target": self.target,
            "files": {str(path): count for path, count in self.files.items()},
            "runs": self.runs,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
        }


async def export(
    target: str,
    *,
    output_path: Path | str,
    directory: Path | str,
    name: str = "athena",
    newest: bool = False,
    since: datetime | None = None,
    region: str = "",
    files: Files | None = None,
) -> ExportReport:
    """Write the published runs of *name* in *output_path* as *target* wants them.

    The files appear in *directory* when all of them are complete and durable; one that has the
    name of an earlier export replaces it. The same runs give the same bytes (of a DuckDB file:
    the same rows). When the caller is cancelled, nothing appears.

    Args:
        target: One of ``TARGETS``.
        output_path: Directory of the extracts.
        directory: Where the files go; made if it is not there.
        newest: Export only the newest run.
        since: Export only runs whose window ends after this time; a naive one is UTC.
        region: AWS Region, for extracts of earlier versions, which do not say it.

    Raises:
        ConfigError: There is no such target, or the extra that it needs is not installed.
        StateError: There are no such runs, or an extract is missing or torn.
        LockedError: Another export writes the same target into the same directory.
        CommitError: The files cannot be written.
    """
    write = _load(target)
    files, folder = files or Files(), Path(directory)
    chosen = await in_thread(
        lambda: choose_packages(Path(output_path), name, files, newest=newest, since=since)
    )
    steps = _steps(write, target, chosen, folder, region, files)
    done: dict[Path, int] | None = None
    try:
        while done is None:
            done = await in_thread(lambda: _advance(steps))
    finally:
        with anyio.CancelScope(shield=True):
            await in_thread(steps.close)

    first, last = chosen[0].manifest, chosen[-1].manifest
    return ExportReport(
        target=target, files=done, runs=len(chosen), start=first.start, end=last.end
    )


def _load(target: str) -> Target:
    if target not in TARGETS:
        raise ConfigError(
            [Problem("--to", ascii(target), f"name one of {', '.join(TARGETS)}")], source="command"
        )

    module, function = TARGETS[target].split(":")
    try:
        found: Target = getattr(import_module(f"{__package__}.{module}"), function)
    except ModuleNotFoundError as error:
        remedy = "install it: pip install 'kada-athena-async[export]'"
        problem = Problem(f"--to {target}", f"(needs {error.name})", remedy)
        raise ConfigError([problem], source="installation") from None

    return found


def choose_packages(
    output_path: Path, name: str, files: Files, *, newest: bool, since: datetime | None
) -> list[Package]:
    """The runs to export, oldest window first.

    Raises:
        StateError: There are none.
    """
    found = newest_packages(output_path, name, files, count=1 if newest else None)[::-1]
    if since is None:
        return found

    since = since if since.tzinfo else since.replace(tzinfo=timezone.utc)
    chosen = [package for package in found if package.manifest.end > since]
    if chosen:
        return chosen

    raise StateError(
        f"no run of {name!r} in {output_path} ends after {since:{HWM_FORMAT}} UTC",
        hint=f"--since with an earlier time: the newest window ends at "
        f"{found[-1].manifest.end:{HWM_FORMAT}}",
    )


def _advance(steps: _Steps) -> dict[Path, int] | None:
    """Take steps for a moment; the result of the last one."""
    until = time.monotonic() + _STEP_S
    result = next(steps)
    while result is None and time.monotonic() < until:
        result = next(steps)

    return result


def _steps(
    write: Target,
    target: str,
    packages: Sequence[Package],
    directory: Path,
    region: str,
    files: Files,
) -> _Steps:
    """Write, publish, and tidy up whatever happens; the last step gives the files."""
    staging = directory / f".{target}.tmp"
    with failing(directory, field=_DIRECTORY), ExitStack() as held:
        directory.mkdir(parents=True, exist_ok=True)
        held.enter_context(_lock(target, directory, files))
        files.remove_tree(staging)
        files.make_dir(staging)
        held.callback(files.remove_tree, staging)
        history = History(packages, staging / "joined.sqlite", region=region)
        held.callback(history.close)
        folder = OutputFolder(staging, files)
        try:
            for _ in write(history, folder):
                yield None
        except sqlite3.Error as error:
            raise CommitError(
                f"cannot join the extracts in {staging}: {error}",
                hint="free space there, or name another directory with -o",
            ) from error

        for name in folder.counts:
            files.rename(staging / name, directory / name)

        files.sync_dir(directory)
        yield {directory / name: count for name, count in folder.counts.items()}


def _lock(target: str, directory: Path, files: Files) -> Lock:
    path = directory / f".{target}.lock"
    try:
        now = datetime.now(timezone.utc)
        return files.lock(path, run_id="export", now=now, field=_DIRECTORY)
    except LockedError:
        raise LockedError(
            f"another export to {target} writes into {directory}",
            hint="wait for it to end, or name another directory with -o",
        ) from None
