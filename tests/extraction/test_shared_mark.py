"""Two configurations that differ in output_path alone do not share an HWM by accident."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import RunReport
from kada_athena_async.config import load_sites
from kada_athena_async.engine import SitesExtractor
from kada_athena_async.errors import StateError
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Workgroup
from tests.faults.world import START, WallClock, World, fields_of
from tests.kit.command import command
from tests.kit.small_estate import tiny_estate

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    estate = tiny_estate(START)
    estate.executions.clear()
    estate.workgroups = {"primary": Workgroup(name="primary")}
    with Sandbox(estate) as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in whose directory the process works, so that its mark lies where runs put it."""
    monkeypatch.chdir(tmp_path)
    return World(tmp_path, sandbox, WallClock(START))


async def run(world: World, out: str, moment: Any = START, **fields: Any) -> RunReport:
    return await world.run(moment, out=world.path / out, **{"hwm_path": None, **fields})


def check_refusal(error: StateError, path: Path, first: str, second: str) -> None:
    assert (
        f"the high-water mark {path / 'athena_hwm.txt'} belongs to runs with output_path "
        f"{path / first}, not {path / second}"
    ) in error.message
    assert "give this one a name of its own with `name=...`" in error.hint
    assert f"`hwm_path=...` {path / 'athena_hwm.txt'}" in error.hint


async def test_the_second_of_two_configurations_in_one_directory_is_refused(world: World) -> None:
    """Same server, account, Region and name, another output_path: nothing is asked, the mark
    stays; the first goes on, and the second has its own history under a name of its own."""
    first = await run(world, "a")
    before, calls = world.mark(), dict(world.sandbox.calls)
    with pytest.raises(StateError) as caught:
        await run(world, "b", START + HOUR)

    check_refusal(caught.value, world.path, "a", "b")
    assert dict(world.sandbox.calls) == calls
    assert world.mark() == before == first.end
    with pytest.raises(StateError, match="two configurations would share it"):
        await world.extractor(out=world.path / "b", hwm_path=None).plan()

    report = await world.extractor(out=world.path / "b", hwm_path=None).examine()
    (found,) = [f for f in report.findings if f.area == "mark" and f.state == "problem"]
    assert "two configurations would share it" in found.detail
    own = await run(world, "b", START + HOUR, name="b")
    assert own.start == START + HOUR - timedelta(days=45)
    again = await run(world, "a", START + HOUR)
    assert again.start == first.end


async def test_a_mark_that_was_set_by_hand_is_not_shared_either(world: World) -> None:
    """The state says whose it is, whatever the line says."""
    await run(world, "a")
    for text in ("2026-10-31 00:00:00\n", None):
        world.hwm_path.write_text(text) if text else world.hwm_path.unlink()
        with pytest.raises(StateError) as caught:
            await run(world, "b", START + HOUR)

        check_refusal(caught.value, world.path, "a", "b")


@pytest.mark.parametrize("how", ["with its files", "through a link", "said once"])
async def test_an_output_path_that_moved_goes_on(world: World, how: str) -> None:
    """Its packages come along, or another path leads there, or the mark is named for one run."""
    first = await run(world, "a")
    given: dict[str, Any] = {}
    if how == "with its files":
        (world.path / "a").rename(world.path / "b")
    elif how == "through a link":
        (world.path / "b").symlink_to(world.path / "a")
    else:
        given["hwm_path"] = Path("athena_hwm.txt")

    second = await run(world, "b", START + HOUR, **given)
    third = await run(world, "b", START + 2 * HOUR)

    assert (second.start, third.start) == (first.end, second.end)


async def test_a_mark_at_a_place_that_was_named_may_serve_several_output_paths(
    world: World,
) -> None:
    """A directory for each night: the mark is named in the configuration, or in the call."""
    (world.path / "marks").mkdir()
    store = {"hwm_store": (world.path / "marks").as_uri()}
    first = await run(world, "a", **store)
    second = await run(world, "b", START + HOUR, **store)
    assert second.start == first.end


async def test_a_state_of_an_earlier_version_is_taken_over(world: World) -> None:
    """It names no output_path: the run goes on, and from then on it names one."""
    first = await run(world, "a")
    text = world.state_path.read_text()
    shown = f'"output_path": "{world.path / "a"}",'
    assert shown in text
    world.state_path.write_text(text.replace(shown, ""))
    second = await run(world, "b", START + HOUR)

    assert second.start == first.end
    assert f'"output_path": "{world.path / "b"}",' in world.state_path.read_text()


async def test_two_configurations_of_the_same_sites_are_refused(world: World) -> None:
    """Each site by itself; with hwm_store, the remedy of the sentence, both go on."""
    key = {"sites": [{"name": "north"}], **fields_of(world.sandbox, world.path / "a")}
    first = await SitesExtractor(load_sites(key, environment={}), clock=world.wall).run()
    key["output_path"] = str(world.path / "b")
    second = await SitesExtractor(load_sites(key, environment={}), clock=world.wall).run()

    assert (first.exit_code, second.exit_code) == (0, 3)
    (site,) = second.sites
    assert f"belongs to runs with output_path {world.path / 'a'}" in site.reason
    remedy = f'(with sites: set hwm_store to "{world.path.as_uri()}")'
    assert remedy in site.hint
    key["hwm_store"] = world.path.as_uri()
    world.wall.time += HOUR
    third = await SitesExtractor(load_sites(key, environment={}), clock=world.wall).run()
    assert third.exit_code == 0


def test_the_command_says_what_to_type(sandbox: Sandbox, tmp_path: Path) -> None:
    """Exit code 3; what the sentence says to type works."""
    path = tmp_path.resolve()
    code, said = command(["run"], fields_of(sandbox, path / "a"), path)
    assert code == 0, said
    moved = fields_of(sandbox, path / "b")
    code, said = command(["run"], moved, path)
    assert code == 3, said
    assert f"type once --hwm-path {path}/athena_hwm.txt" in said
    code, said = command(["run", "--hwm-path", f"{path}/athena_hwm.txt"], moved, path)
    assert code == 0, said
