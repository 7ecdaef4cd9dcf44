"""F04 to F06: signals and cancellation leave nothing behind, neither here nor in Athena."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import anyio
import pytest

from kada_athena_async.concurrency import SystemClock
from tests.faults.dying import ROOT
from tests.faults.test_answers import statements
from tests.faults.world import START, World, fields_of
from tests.kit.command import start_command

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")

HOUR = timedelta(hours=1)


def own_states(world: World) -> list[str]:
    """The states of our own statements, as the sandbox sees them."""
    executions = world.sandbox.estate.executions.values()
    return [e.state for e in executions if "kada_athena_async" in e.query]


def descriptors() -> list[str]:
    """Open files of this process, without the sandbox's side of connections that are closing."""
    found = []
    for path in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(path.readlink()))
        except OSError:
            continue

    return sorted(name for name in found if not name.startswith("/proc"))


def count(items: list[str]) -> Counter[str]:
    """How many are sockets, and how many everything else."""
    return Counter("sockets" if item.startswith("socket:") else "others" for item in items)


def threads() -> Counter[str]:
    return Counter(t.name for t in threading.enumerate() if not t.name.startswith("sandbox"))


def children() -> set[str]:
    """Processes that this one has started and not collected."""
    found = set()
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError):  # a thread of the sandbox that has ended meanwhile
            found |= set(path.read_text().split())
    return found


def settles(check: Callable[[], bool]) -> bool:
    """True if *check* holds before long; a closed connection's other side needs its moment."""
    deadline = time.monotonic() + 60
    while not check():
        if time.monotonic() > deadline:
            return False

        time.sleep(0.02)

    return True


def asked(world: World, run_id: str) -> set[str]:
    """The different statements of a run."""
    executions = world.sandbox.estate.executions.values()
    return {e.query.replace(run_id, "") for e in executions if run_id in e.query}


def leaves_nothing(world: World, interrupt: Callable[[World], Any]) -> None:
    """Run *interrupt* in a loop of its own, and compare what is open before and after.

    There may be less afterwards: what an earlier run left to its sandbox ends at any time.
    """
    before, names, processes = count(descriptors()), threads(), children()
    anyio.run(interrupt, world)
    assert children() <= processes
    assert settles(lambda: threads() <= names), threads()
    assert settles(lambda: count(descriptors()) <= before), (before, descriptors())


async def until_it_queries(world: World) -> None:
    while world.sandbox.calls["athena:StartQueryExecution"] < 2:  # noqa: ASYNC110 - not our loop's
        await asyncio.sleep(0.01)


async def stopped(world: World) -> None:
    """Checks made in the loop of an interrupted run, right after it."""
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert world.sandbox.calls["athena:StopQueryExecution"] >= 1
    assert set(own_states(world)) == {"CANCELLED"}
    assert world.in_sight() == []
    assert world.mark() is None


async def cancel_task(world: World) -> None:
    """An embedding service cancels the task in which it runs the extraction."""
    task = asyncio.create_task(world.run(START, metadata_source="auto"))
    await until_it_queries(world)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await stopped(world)


async def time_out(world: World) -> None:
    """A timeout around the run."""
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                await until_it_queries(world)
                scope.cancel()

            group.start_soon(watch)
            await world.run(START, metadata_source="auto")

    assert scope.cancelled_caught
    await stopped(world)


async def wait_for(world: World) -> None:
    """asyncio's own timeout, which cancels the task from outside."""
    task = asyncio.create_task(world.run(START, metadata_source="auto"))
    await until_it_queries(world)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(task, 0.01)

    await stopped(world)


@pytest.mark.parametrize("interrupt", [cancel_task, time_out, wait_for])
def test_a_cancelled_run_leaves_nothing_behind(world: World, interrupt: Any) -> None:
    """Queries stopped, no task, thread, connection or file left; the next run tells it all."""
    world.sandbox.behaviour.engine_s = 60
    leaves_nothing(world, interrupt)

    # The queries were stopped, so the run that goes on must not take up the cancelled ones.
    world.sandbox.behaviour.engine_s = 0
    report = anyio.run(lambda: world.run(START + HOUR, metadata_source="auto"))
    assert report.committed, report.failed
    assert report.continued is not None
    # The run that went on asked just what the calm run after it asked: no statement was cut into
    # pieces to find out why it "failed".
    assert asked(world, report.continued.run_id) == asked(world, report.run_id)
    world.check()
    found = {row["found_by"] for row in world.rows("metadata_tables") if row["schema"] == "sales"}
    assert found == {"both"}
    for manifest in world.manifests():
        assert all(
            not s["reason"] for s in manifest["facts"]["completeness"] if s["name"] == "sales"
        )


def test_a_run_interrupted_again_and_again_still_ends(world: World) -> None:
    """Three runs are cancelled in the middle of the same statements; the fourth tells it all."""
    world.sandbox.behaviour.engine_s = 60

    async def interrupt() -> None:
        begun = world.sandbox.calls["athena:StartQueryExecution"]
        task = asyncio.create_task(world.run(START, metadata_source="auto"))
        while world.sandbox.calls["athena:StartQueryExecution"] < begun + 2:
            assert not task.done(), task
            await asyncio.sleep(0.01)

        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for _ in range(3):
        anyio.run(interrupt)

    world.sandbox.behaviour.engine_s = 0
    report = anyio.run(lambda: world.run(START + HOUR, metadata_source="auto"))
    assert report.committed, report.failed
    world.check()
    found = {row["found_by"] for row in world.rows("metadata_tables") if row["schema"] == "sales"}
    assert found == {"both"}


@pytest.mark.parametrize("source", ["api", "auto"])
def test_cancelled_at_any_moment_nothing_is_lost_or_told_twice(world: World, source: str) -> None:
    """Cancelled at one event after the other, from the first to the last; then all is told."""
    events: list[object] = []
    processes = children()
    anyio.run(lambda: world.run(START, metadata_source=source, observers=[events.append]))
    assert children() <= processes
    moment = START
    for k in range(1, len(events), max(1, len(events) // 6)):
        moment += timedelta(minutes=10)
        world.submit(moment - timedelta(minutes=5))

        async def cancelled_run(at: int = k, moment: datetime = moment) -> None:
            seen = 0
            with anyio.CancelScope() as scope:

                def cancel(_: object) -> None:
                    nonlocal seen
                    seen += 1
                    if seen == at:
                        scope.cancel()

                await world.run(moment, metadata_source=source, observers=[cancel])

        anyio.run(cancelled_run)
        assert children() <= processes
        assert max(world.told().values()) == 1
        world.check_files()

    anyio.run(lambda: world.run(moment + HOUR, metadata_source=source))
    assert world.leftovers() == []
    world.check()


def test_without_the_right_to_stop_the_run_ends_all_the_same(world: World) -> None:
    """StopQueryExecution is denied: said once, and the run is over."""
    world.sandbox.behaviour.engine_s = 60
    world.sandbox.faults.add("access_denied", "athena:StopQueryExecution")
    said: list[Any] = []

    async def interrupt(world: World) -> None:
        task = asyncio.create_task(
            world.run(START, metadata_source="auto", observers=[said.append])
        )
        await until_it_queries(world)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert asyncio.all_tasks() == {asyncio.current_task()}

    leaves_nothing(world, interrupt)
    messages = [e.message for e in said if type(e).__name__ == "Warned"]
    assert any("athena:StopQueryExecution is missing" in message for message in messages)


def test_a_start_under_way_is_stopped_too(world: World) -> None:
    """Cancelled while StartQueryExecution is under way: what Athena accepted does not go on."""
    world.sandbox.behaviour.engine_s = 60
    world.sandbox.faults.add("slow", "athena:StartQueryExecution", seconds=0.4)

    async def interrupt(world: World) -> None:
        task = asyncio.create_task(world.run(START, metadata_source="auto"))
        await until_it_queries(world)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    leaves_nothing(world, interrupt)
    time.sleep(0.6)
    assert set(own_states(world)) <= {"CANCELLED"}


class Command:
    """The command line in a process of its own, against a world's sandbox."""

    def __init__(self, world: World, **fields: Any) -> None:
        self.world = world
        path = world.path / "config.json"
        path.write_text(json.dumps(fields_of(world.sandbox, world.out, **fields)))
        path.chmod(0o600)

    def start(self) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.world.path),
            "PYTHONPATH": str(ROOT),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return start_command(
            ["run", "--json", "--config", "config.json"],
            cwd=self.world.path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def command(live_world: World) -> Command:
    return Command(live_world, metadata_source="auto")


def wait_until(process: subprocess.Popen[str], check: Callable[[], bool]) -> None:
    while not check():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_f04_a_signal_stops_the_queries_and_the_run(
    command: Command, number: signal.Signals, code: int
) -> None:
    """The exit code names the signal, no query goes on, the mark stays, the next run finishes."""
    world = command.world
    world.sandbox.behaviour.engine_s = 60
    process = command.start()
    wait_until(process, lambda: world.sandbox.calls["athena:StartQueryExecution"] >= 2)
    process.send_signal(number)
    _, said = process.communicate(timeout=200)
    assert process.returncode == code, said
    assert "Traceback" not in said
    assert set(own_states(world)) == {"CANCELLED"}
    assert (world.in_sight(), world.mark()) == ([], None)

    world.sandbox.behaviour.engine_s = 0
    process = command.start()
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    world.check()


def test_f06_a_second_signal_ends_it_at_once(command: Command) -> None:
    """While the queries are being stopped, another signal ends the process; a run recovers."""
    world = command.world
    world.sandbox.behaviour.engine_s = 8
    stopping = world.sandbox.faults.add("hang", "athena:StopQueryExecution", seconds=60)
    process = command.start()
    wait_until(process, lambda: world.sandbox.calls["athena:StartQueryExecution"] >= 2)
    process.send_signal(signal.SIGINT)
    wait_until(process, lambda: world.sandbox.faults.struck(stopping) > 0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=200)
    assert process.returncode == 130, said
    assert "CANCELLED" not in own_states(world)

    world.sandbox.faults.clear()
    world.sandbox.behaviour.engine_s = 0
    process = command.start()
    # What the first run started goes on for some seconds, and the second one waits for it.
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert set(statements(world.sandbox).values()) == {1}
    world.check()


def test_f05_a_signal_during_the_commit_lets_it_finish(live_world: World) -> None:
    """Once the commit has begun, a cancelled run commits; the mark moves and nothing is left."""
    world = live_world

    async def interrupt(world: World) -> None:
        with anyio.CancelScope() as scope:

            def cancel(event: Any) -> None:
                if type(event).__name__ == "FileCommitted":
                    scope.cancel()

            await world.run(observers=[cancel], clock=Live())

    leaves_nothing(world, interrupt)
    assert world.mark() is not None
    assert world.leftovers() == []
    world.check()


class Live(SystemClock):
    """The real clock, its wall a minute ahead so that what just happened is settled."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)
