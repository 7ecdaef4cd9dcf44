"""Parts that an embedding program may bring: event loops, threads, observers of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from kada_athena_async import ConfigError, Event, Extractor, Shared, Site, SitesExtractor
from kada_athena_async.events import Warned
from kada_athena_async.sandbox import Sandbox
from tests.conftest import Extracts, FastClock


class NoProcesses(asyncio.SelectorEventLoop):
    """A loop as Windows' SelectorEventLoop is under Jupyter and tornado: it starts no process."""

    async def _make_subprocess_transport(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


def test_a_loop_that_cannot_start_processes_extracts_all_the_same(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Committed; what only the parser's process tells is guessed, not missing."""
    loop = NoProcesses()
    settings = {"catalogs": ["*"], "metadata_source": "api", "quota_share": 1.0}
    extractor = Extractor(
        **sandbox.config(tmp_path / "out", **settings),
        clock=FastClock(),
        hwm_path=tmp_path / "athena_hwm.txt",
    )
    try:
        report = loop.run_until_complete(extractor.run(manage_hwm=True))
    finally:
        loop.close()

    assert report.committed
    assert report.rows["events"] > 0
    found = {row["confidence"] for row in Extracts(tmp_path / "out").rows("linkages")}
    assert found <= {"partial", "table"}  # nothing is exact that no parser has read


def raises(_: Event) -> None:
    """An observer with a defect."""
    raise ValueError("canary-message")


async def waits(_: Event) -> None:
    """An observer that would have to be awaited."""


async def test_an_observer_that_raises_is_named_and_dropped(
    make: Callable[..., Extractor], caplog: pytest.LogCaptureFixture
) -> None:
    """The others are warned, the report and the log say it, and the run commits."""
    told: list[Event] = []

    report = await make(observers=[raises, told.append]).run()

    warnings = [e for e in told if isinstance(e, Warned) and e.code == "observer_failed"]
    name = f"{__name__}.raises"
    message = f"the observer {name} raised ValueError and receives no more events"
    assert report.committed
    assert [warning.message for warning in warnings] == [message]
    assert message in report.warnings
    assert message in caplog.text
    assert "canary-message" not in caplog.text + str(report)


async def test_an_observer_that_returns_a_coroutine_is_dropped_as_well(
    make: Callable[..., Extractor],
) -> None:
    """An ``async def`` that is hidden is found when first called; nothing stays un-awaited."""
    report = await make(observers=[lambda event: waits(event)]).run()

    assert report.committed
    assert "raised TypeError and receives no more events" in "".join(report.warnings)


class Waits:
    async def __call__(self, _: Event) -> None: ...


@pytest.mark.parametrize("observer", [waits, partial(waits), Waits(), Waits().__call__, "print"])
def test_an_async_observer_is_refused(make: Callable[..., Extractor], observer: Any) -> None:
    """Before anything is called, with what to give instead."""
    with pytest.raises(ConfigError, match=r"observers = \S+: (is async|give a function)"):
        make(observers=[observer])


@pytest.mark.parametrize("observers", [print, 5, None])
def test_observers_are_a_list(make: Callable[..., Extractor], observers: Any) -> None:
    """One function alone is refused with what to write."""
    with pytest.raises(ConfigError, match=r"observers = \S+: give a list of functions"):
        make(observers=observers)


async def test_observers_may_come_from_a_generator(make: Callable[..., Extractor]) -> None:
    """It is read once, and the run notifies what it gave."""
    told: list[Event] = []
    await make(observers=(observer for observer in [told.append])).run()

    assert told


@pytest.mark.parametrize("observer", [waits, Waits()])
def test_an_async_observer_of_sites_is_refused(
    make: Callable[..., Extractor], observer: Any
) -> None:
    """As with one site."""
    site = Site("a", make().config)

    with pytest.raises(ConfigError, match=r"queue\.put_nowait"):
        SitesExtractor([site], observers=[observer])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"at_once": 0}, "at_once = 0: give 1 or more"),
        ({"at_once": -3}, "at_once = -3: give 1 or more"),
        ({"deadline_s": 0.0}, "deadline_s = 0.0: give seconds above 0"),
        ({"sites": 0}, r"sites = \(empty\): give at least one site"),
        ({"sites": 2}, "sites = 'a': comes 2 times; name each once"),
    ],
)
def test_sites_that_could_never_be_extracted_are_refused(
    make: Callable[..., Extractor], arguments: dict[str, Any], said: str
) -> None:
    """An exit code of 0 for nothing at all would hide the mistake for weeks."""
    sites = [Site("a", make().config)] * arguments.pop("sites", 1)

    with pytest.raises(ConfigError, match=said):
        SitesExtractor(sites, **arguments)


async def test_a_shared_in_use_is_refused_to_another_thread(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A task that waits in one event loop cannot be woken from another: it would hang."""
    shared = Shared()
    there = Extractor(**sandbox.config(tmp_path / "out"), shared=shared)

    def elsewhere() -> object:
        return asyncio.run(there.test_connection())

    async with shared.used():
        with pytest.raises(ConfigError, match=r"shared = \(in use\): .*one Shared for each event"):
            await to_thread.run_sync(elsewhere)

    assert await to_thread.run_sync(elsewhere)
    assert await there.test_connection()


def test_an_observer_that_is_a_generator_is_refused() -> None:
    """A call of it would do nothing, and nobody would learn that."""

    async def later(event: object) -> Any:
        yield event

    def now(event: object) -> Any:
        yield event

    for observer in (later, now):
        with pytest.raises(ConfigError, match="is async or a generator; give a plain function"):
            Extractor(observers=[observer])
