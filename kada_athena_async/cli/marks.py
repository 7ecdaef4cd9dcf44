"""The high-water mark, shown and set by hand."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import anyio

from kada_athena_async.cli.request import invocation
from kada_athena_async.cli.talk import Talk
from kada_athena_async.config import check_name
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.events import Warned
from kada_athena_async.files import Files
from kada_athena_async.hwm.formats import format_hwm, parse_hwm
from kada_athena_async.hwm.store import FileHwmStore


def show_mark(talk: Talk, name: str, path: Path | None) -> int:
    """Print the mark and where it is kept; the exit code."""
    store = _store(name, path)
    mark = anyio.run(store.read)
    shown = format_hwm(mark.hwm) if mark.hwm else None
    facts = {
        "hwm": shown,
        "path": str(store.hwm_path),
        "has_state": mark.carried is not None,
        "was_edited": mark.was_edited,
    }
    talk.data(facts, kind="hwm", lines=[shown] if shown else [])
    if shown is None:
        talk.say(f"no mark yet: {store.hwm_path} does not exist; the next run reads all it can")
    elif mark.was_edited:
        talk.say("the mark was set by hand since the last run")

    return 0


def set_mark(talk: Talk, time: str, name: str, path: Path | None) -> int:
    """Write the mark; warn where the step leaves history out or reads it twice; the exit code."""
    store = _store(name, path)
    now = datetime.now(timezone.utc)
    wanted = _wanted(time, now)
    files = Files()
    with files.lock(store.lock_path, run_id="hwm set", now=now):
        before = anyio.run(store.read).hwm
        anyio.run(store.publish, wanted)

    if before is not None and before < wanted:
        talk.warn(
            Warned(
                code="gap",
                message=f"queries that ended from {format_hwm(before)} to {format_hwm(wanted)} "
                "will not be extracted",
                hint=f'{invocation()} hwm set "{format_hwm(before)}" to undo it',
            )
        )
    elif before is not None and wanted < before:
        talk.warn(
            Warned(
                code="twice",
                message=f"queries that ended from {format_hwm(wanted)} to {format_hwm(before)} "
                "will be extracted again",
                hint=f'{invocation()} hwm set "{format_hwm(before)}" to undo it',
            )
        )

    shown = format_hwm(wanted)
    talk.data({"hwm": shown, "path": str(store.hwm_path)}, kind="hwm", lines=[shown])
    return 0


def _wanted(time: str, now: datetime) -> datetime:
    remedy = ""
    try:
        wanted = parse_hwm(time)
        if wanted > now:
            remedy = f"must not lie in the future; it is {format_hwm(now.replace(microsecond=0))}"
    except ValueError:
        remedy = 'write YYYY-MM-DD HH:MM:SS in quotes, such as "2026-11-01 00:00:00", in UTC'

    if remedy:
        raise ConfigError([Problem("time", ascii(time[:80]), remedy)], source="command")

    return wanted


def _store(name: str, path: Path | None) -> FileHwmStore:
    return FileHwmStore(path or Path(f"{check_name(name)}_hwm.txt"), Files())
