"""The vendor's wrapper in every order of crash and repeat, with and without statements of its own.

Each night does what the script does: ``get_hwm``, perhaps ``overwrite_sql``, ``run`` with a window,
``publish_hwm``. A night may die while it extracts, or after its commit and before ``publish_hwm``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sync import get_hwm, publish_hwm
from tests.extraction.test_once import check_once, is_crash
from tests.faults.world import START, WallClock, World
from tests.kit.small_estate import tiny_estate
from tests.unit.commit.disk import CrashingFiles

NAME = "nightly"
HOUR = timedelta(hours=1)
SETTLE = timedelta(minutes=1)


class Night(NamedTuple):
    """One start of the script.

    Attributes:
        end: ``done``; ``unpublished``, if it dies before ``publish_hwm``; or ``killed``, if it dies
            while it extracts.
        has_own: It overwrites each statement.
    """

    end: str
    has_own: bool

    def __str__(self) -> str:
        return f"{self.end}-own" if self.has_own else self.end


ENDS = ("done", "unpublished", "killed")
NIGHTS = [Night(end, has_own) for end in ENDS for has_own in (True, False)]
ORDERS = [
    pytest.param(
        first,
        second,
        id=f"{first}-{second}",
        # By default each pair of ends once, in which a repeat has other statements.
        marks=() if first.has_own and not second.has_own else pytest.mark.slow,
    )
    for first, second in product(NIGHTS, repeat=2)
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Eight executions an hour, in two workgroups."""
    wall = WallClock(START)
    with Sandbox(tiny_estate(START), now=wall.now) as sandbox:
        made = World(tmp_path, sandbox, wall)
        for number in range(60):
            at = START - 4 * HOUR + number * HOUR / 8
            made.submit(at, workgroup=("primary", "adhoc")[number % 2], took_ms=90_000)

        yield made


async def begin(world: World, moment: datetime, night: Night) -> None:
    """Do what the script does at *moment*, as far as it comes."""
    world.wall.time = moment
    start, end = get_hwm(NAME, world.path, now=moment)
    has_died = False
    try:
        await extract(world, start, end, night)
    except BaseException as exc:
        has_died = is_crash(exc)
        if not has_died:
            raise

    assert has_died == (night.end == "killed")
    if night.end == "done":
        publish_hwm(NAME, end, world.path, now=moment)


async def extract(world: World, start: str, end: str, night: Night) -> None:
    files = {"files": CrashingFiles(60)} if night.end == "killed" else {}
    async with world.extractor(name=NAME, hwm_path=None, **files) as extractor:
        for name in extractor.list_sql() if night.has_own else ():
            extractor.overwrite_sql(name, f"{extractor.get_sql(name)}\n-- ours")

        report = await extractor.run(start_hwm=start, end_hwm=end, manage_hwm=False)

    assert report.committed


@pytest.mark.parametrize(("first", "second"), ORDERS)
async def test_every_order_of_crash_and_repeat_tells_each_execution_once(
    world: World, first: Night, second: Night
) -> None:
    """The third night, which ends well, leaves nothing untold, nothing twice and nothing behind."""
    last = Night("done", has_own=False)
    for number, night in enumerate((first, second, last)):
        await begin(world, START + number * HOUR, night)

    end = START + 2 * HOUR - SETTLE
    check_once(world, end)
    world.check_metadata()
    world.check_files()
    assert get_hwm(NAME, world.path, now=START + 9 * HOUR)[0] == f"{end:%Y-%m-%d %H:%M:%S}"
    assert world.leftovers() == []
    assert not list(world.path.glob("*state*"))


@pytest.mark.parametrize("has_own", [True, False])
async def test_a_package_says_by_which_statements_it_was_made(
    world: World,
    has_own: bool,
) -> None:
    """Also where it is finished by the night after."""
    await begin(world, START, Night("killed", has_own=has_own))
    await begin(world, START + HOUR, Night("done", has_own=has_own))

    digests = {len(manifest["statements_digest"]) for manifest in world.manifests()}
    assert digests == {64 if has_own else 0}
