"""The high-water mark, shown and set by hand."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import anyio

from kada_athena_async.cli.invocation import again
from kada_athena_async.cli.outcome import one_after_the_other
from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import RunRequest, configured_sites
from kada_athena_async.codes import WarningCode
from kada_athena_async.config import DEFAULT_FILE, Site, check_name
from kada_athena_async.config.landing import LocalPlace
from kada_athena_async.errors import ConfigError, Problem, StateError
from kada_athena_async.files import MARK_FIELDS, Files
from kada_athena_async.hwm import StoredState
from kada_athena_async.hwm.formats import format_hwm
from kada_athena_async.hwm.store import FileHwmStore
from kada_athena_async.hwm.times import parse_time, refusal_of_mark

if TYPE_CHECKING:
    from kada_athena_async.events import Warned
    from kada_athena_async.hwm.store import Store

Owner: TypeAlias = "tuple[str, Site | None]"
"""A collector's name, and its configuration if there is one."""


def show_marks(output: Output, request: RunRequest) -> int:
    """Print the HWM, or that of each site, and where it is kept; the exit code."""
    owners = _owners(output, request)

    def showing(name: str, site: Site | None) -> Callable[[], None]:
        return lambda: _show_mark(output, request, name, site)

    works = [(site.name if site else "", showing(name, site)) for name, site in owners]
    return one_after_the_other(output, works)


def _show_mark(output: Output, request: RunRequest, name: str, site: Site | None) -> None:
    (hwm, stored), place = anyio.run(_read, request, name, site)
    shown = format_hwm(hwm) if hwm else None
    has_state = stored is not None and stored.state.hwm == hwm
    was_edited = stored is not None and not has_state
    whose = f"{site.name}: " if site and site.name else ""
    facts = {
        "name": name,
        "hwm": shown,
        "path": place,
        "has_state": has_state,
        "was_edited": was_edited,
    }
    output.data(facts, kind="hwm", lines=[f"{whose}{shown}"] if shown else [])
    if shown is None:
        output.say(
            f"{whose}no high-water mark yet: {place} does not exist; the next run reads all it can"
        )
    elif was_edited:
        output.say(f"{whose}the high-water mark was set by hand since the last run")


def set_mark(output: Output, time: str, request: RunRequest) -> int:
    """Write the HWM, and warn if that leaves history out; the exit code."""
    now = datetime.now(timezone.utc)
    wanted = _wanted(time, now)
    owners = _owners(output, request)
    if len(owners) > 1:
        names = ", ".join(site.name for _, site in owners if site)
        problem = Problem(
            "--site", "(none)", f"a high-water mark is set for one site: name one of {names}"
        )
        raise ConfigError([problem], source="command")

    name, site = owners[0]
    before, place = anyio.run(_write, request, name, site, wanted, now)
    if isinstance(before, StateError):
        output.say(f"replaced what could not be read: {before.message}")
    elif before is not None and before != wanted:
        output.warn(_step(before, wanted, again(exchanged={time: format_hwm(before)})))

    shown = format_hwm(wanted)
    output.data({"name": name, "hwm": shown, "path": place}, kind="hwm", lines=[shown])
    return 0


def _owners(output: Output, request: RunRequest) -> list[Owner]:
    """Owners of the high-water marks that are asked for.

    Without a configuration, or where a file is named, the HWM is a file here. Otherwise it is
    where a run with that configuration keeps it.
    """
    name = check_name(request.name, key="--name")
    is_configured = (
        request.config is not None
        or bool(request.sites)
        or Path(DEFAULT_FILE).exists()
        or "KADA_ATHENA_HWM_STORE" in os.environ
    )
    if not is_configured or (request.hwm_path is not None and request.config is None):
        return [(name, None)]

    return [(site.instance(name), site) for site in configured_sites(output, request)]


@asynccontextmanager
async def _store(request: RunRequest, name: str, site: Site | None) -> AsyncIterator[Store]:
    """The store of an HWM; closes its connections in any case."""
    place = site.config.hwm_store if site else None
    if place == "landing" and site is not None:
        place = site.config.landing

    if request.hwm_path is not None or place is None:
        yield FileHwmStore(request.hwm_path or Path(f"{name}_hwm.txt"), Files())
    elif isinstance(place, LocalPlace):
        yield FileHwmStore(place.path / f"{name}_hwm.txt", Files())
    else:
        assert site is not None
        async with _remote_store(site, name) as store:
            yield store


@asynccontextmanager
async def _remote_store(site: Site, name: str) -> AsyncIterator[Store]:
    """The store in S3 or Azure; only it needs the SDKs, which take a second to load."""
    from random import Random

    from kada_athena_async.concurrency import SystemClock
    from kada_athena_async.engine.aws_secrets import with_aws_secrets
    from kada_athena_async.engine.destination import Destination
    from kada_athena_async.fanout import Fanout

    clock, rng, notify = SystemClock(), Random(), Fanout(())
    config = await with_aws_secrets(site.config, clock=clock, rng=rng, notify=notify)
    destination = Destination(
        config=config, name=name, files=Files(), clock=clock, rng=rng, notify=notify
    )
    async with destination.store(None) as store:
        yield store


async def _read(
    request: RunRequest, name: str, site: Site | None
) -> tuple[tuple[datetime | None, StoredState | None], str]:
    async with _store(request, name, site) as store:
        return await store.read(), store.place


async def _write(
    request: RunRequest, name: str, site: Site | None, wanted: datetime, now: datetime
) -> tuple[datetime | StateError | None, str]:
    """Set the HWM; its value before, or why that cannot be read, and its place.

    In an object store the write is conditional on what was read; a file is locked meanwhile.
    """
    before: datetime | StateError | None
    async with _store(request, name, site) as store:
        lock = None
        if isinstance(store, FileHwmStore):
            lock = Files().lock(store.lock_path, run_id="hwm set", now=now, field=MARK_FIELDS)

        with lock or nullcontext():
            try:
                before, _ = await store.read()
            except StateError as exc:
                # To set it anew is the remedy for an HWM that is damaged.
                before = exc

            await store.publish(wanted)

        return before, store.place


def _step(before: datetime, wanted: datetime, undo: str) -> Warned:
    from kada_athena_async.events import Warned

    first, last = sorted((before, wanted))
    is_forward = before < wanted
    span = f"{format_hwm(first)} to {format_hwm(last)}"
    return Warned(
        code=WarningCode.GAP if is_forward else WarningCode.HWM_MOVED_BACK,
        message=f"queries that ended from {span} will not be extracted"
        if is_forward
        else f"of the time from {span} what is published already is left out; run --reprocess "
        "extracts it once more",
        hint=f"{undo} to undo it",
    )


def _wanted(time: str, now: datetime) -> datetime:
    try:
        wanted = parse_time(time, now=now)
        if remedy := refusal_of_mark(wanted, now=now):
            raise ValueError(remedy)
    except ValueError as error:
        problem = Problem("time", ascii(time[:80]), str(error))
        raise ConfigError([problem], source="command") from None

    return wanted
