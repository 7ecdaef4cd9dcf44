"""Without ``again`` no finished execution is published a second time, whatever is asked for."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.errors import StateError
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Workgroup
from kada_athena_async.sandbox.policy import Policy
from tests.conftest import Extracts
from tests.faults.world import START, WallClock, World, finished
from tests.kit.small_estate import tiny_estate
from tests.unit.commit.disk import CrashingFiles, SimulatedCrash

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
STAMP = "%Y-%m-%d %H:%M:%S"


@pytest.fixture
def sandbox(wall: WallClock) -> Iterator[Sandbox]:
    estate = tiny_estate(START)
    estate.executions.clear()
    estate.workgroups = {name: Workgroup(name=name) for name in ("primary", "adhoc")}
    with Sandbox(estate, now=wall.now) as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, sandbox: Sandbox, wall: WallClock) -> World:
    """A query every ten minutes of the last two days and the next one, in turn of workgroup."""
    made = World(tmp_path, sandbox, wall)
    for number in range(6 * 72):
        at = START - 2 * DAY + number * 10 * MINUTE
        made.submit(at, workgroup=("primary", "adhoc")[number % 2], took_ms=90_000)

    return made


def databaselog_of(world: World, manifest: dict[str, Any]) -> list[dict[str, str]]:
    (name,) = [file["name"] for file in manifest["files"] if file["kind"] == "databaselog"]
    return Extracts.read(world.out / name)


def windows(world: World) -> list[tuple[str, str]]:
    return sorted((m["start"], m["end"]) for m in world.manifests())


def check_once(world: World, end: datetime, *, start: datetime | None = None) -> None:
    """Each execution that finished in the time is told once, and the windows do not overlap."""
    ledger = finished(world.sandbox.estate, end)
    if start is not None:
        ledger -= finished(world.sandbox.estate, start)

    assert world.told() == ledger
    found = windows(world)
    assert all(before[1] <= after[0] for before, after in pairwise(found))


async def die(world: World, moment: datetime) -> None:
    """A run that is killed while it extracts: some units are finished, nothing is published."""
    died = False
    try:
        await world.run(moment, files=CrashingFiles(60))
    except BaseException as exc:
        died = is_crash(exc)
        if not died:
            raise

    assert died
    assert world.leftovers()


def is_crash(error: BaseException) -> bool:
    """True if the simulated process died, in whichever task."""
    within = getattr(error, "exceptions", ())
    return isinstance(error, SimulatedCrash) or any(is_crash(child) for child in within)


async def test_d2_a_start_in_what_is_published_tells_only_the_rest(world: World) -> None:
    """``--start-hwm`` an hour before the mark: the published hour is left out, and that is said."""
    first = await world.run(START)
    second = await world.run(START + HOUR, start_hwm=first.end - HOUR)

    assert second.start == first.end
    assert any("is published already is left out" in message for message in second.warnings)
    check_once(world, second.end)


async def test_d2_a_window_around_packages_tells_what_lies_before_between_and_behind(
    world: World,
) -> None:
    """Two packages with a hole between them: three windows of their own, no row twice."""
    for days in (1.5, 0.5):
        start = START - days * DAY
        await world.run(START, start_hwm=start, end_hwm=start + HOUR, manage_hwm=False)

    report = await world.run(START, start_hwm=START - 2 * DAY, manage_hwm=False)

    assert report.exit_code == 0
    assert len(windows(world)) == 5
    check_once(world, report.end, start=START - 2 * DAY)


async def test_d2_a_window_that_is_published_whole_is_refused_before_any_call(
    world: World,
) -> None:
    """The sentence names a manifest and `again=True`; Athena is asked for no list and no query."""
    first = await world.run(START)
    calls = Counter(world.sandbox.calls)
    with pytest.raises(StateError) as caught:
        await world.run(START + HOUR, start_hwm=first.end - HOUR, end_hwm=first.end)

    assert str(first.manifest) in caught.value.message
    assert "`again=True`" in caught.value.hint
    assert Counter(world.sandbox.calls) == calls
    check_once(world, first.end)


async def test_h3_again_with_a_later_start_and_the_same_end_is_refused_before_any_call(
    world: World,
) -> None:
    """A part of a package is not extracted again; the sentence says what to type instead."""
    first = await world.run(START)
    calls = Counter(world.sandbox.calls)
    with pytest.raises(StateError) as caught:
        await world.run(START + HOUR, start_hwm=first.end - HOUR, end_hwm=first.end, again=True)

    assert f'`again=True` `start_hwm=...` "{first.start:{STAMP}}"' in caught.value.hint
    assert Counter(world.sandbox.calls) == calls
    check_once(world, first.end)


async def test_h3_again_extracts_each_package_in_its_own_window(world: World) -> None:
    """Three packages in the window are replaced by their own names; no row is lost or doubled."""
    ends = [(await world.run(START + hours * HOUR)).end for hours in (0, 3, 6)]
    names, before = world.in_sight(), windows(world)
    runs = {m["run_id"] for m in world.manifests()}

    report = await world.run(
        START + 7 * HOUR, start_hwm=START - 60 * DAY, end_hwm=ends[-1], again=True
    )

    assert report.exit_code == 0
    assert windows(world)[1:] == before
    assert set(names) <= set(world.in_sight())
    assert not runs & {m["run_id"] for m in world.manifests()}
    check_once(world, ends[-1])

    last = await world.run(START + 8 * HOUR)
    assert last.start == ends[-1]
    check_once(world, last.end)


async def test_h3_again_keeps_what_became_listable_late(world: World) -> None:
    """It finished in the first package's window and is told in the second: there it stays."""
    await world.run(START)
    late = world.submit(START - HOUR / 2)
    second = await world.run(START + HOUR)
    assert world.told()[late] == 1

    await world.run(START + 2 * HOUR, start_hwm=START - 60 * DAY, end_hwm=second.end, again=True)

    assert world.told()[late] == 1
    check_once(world, second.end)


async def test_a_workgroup_in_another_case_is_the_same_one(world: World) -> None:
    """Its history comes once, also where the name changes back, and its packages can go again."""
    workgroups, executions = world.sandbox.estate.workgroups, world.sandbox.estate.executions

    def rename(old: str, new: str) -> None:
        workgroups[new] = workgroups.pop(old)
        workgroups[new].name = new
        for execution in executions.values():
            execution.workgroup = new if execution.workgroup == old else execution.workgroup

        world.sandbox.submit(executions.popitem()[1])  # so that it lists by the new name

    running = world.submit(START - HOUR, state="RUNNING", workgroup="adhoc")
    first = await world.run(START)
    rename("adhoc", "AdHoc")
    world.sandbox.finish(running, completed_at=START + HOUR)
    await world.run(START + 3 * HOUR)
    rename("AdHoc", "adhoc")
    last = await world.run(START + 6 * HOUR)
    check_once(world, last.end)

    rename("adhoc", "AdHoc")
    await world.run(START + 7 * HOUR, start_hwm=first.start, end_hwm=last.end, again=True)
    check_once(world, last.end)


async def test_h3_again_does_not_empty_a_package_that_athena_has_forgotten(world: World) -> None:
    """Refused with the number of executions that would be lost, before anything is extracted."""
    for hours in (1, 2, 30):
        world.submit(START - 44 * DAY - hours * HOUR)

    first = await world.run(START - 44 * DAY)
    before, names = world.told(), world.in_sight()
    with pytest.raises(StateError) as caught:
        await world.run(START, start_hwm=first.start, end_hwm=first.end, again=True)

    assert "holds executions that Athena has forgotten (1, submitted before" in caught.value.message
    assert "move it and its files away" in caught.value.hint
    assert (world.told(), world.in_sight()) == (before, names)


@pytest.mark.parametrize("what", ["denied", "unprocessed", "made anew", "gone", "left out"])
async def test_h3_again_never_takes_executions_out_of_a_package(world: World, what: str) -> None:
    """What Athena does not give now fails the run, also with `skip`; the package stays."""
    first = await world.run(START)
    before, names = world.told(), world.in_sight()
    estate, faults = world.sandbox.estate, world.sandbox.faults
    match what:
        case "denied":
            where = {"workgroup": "adhoc"}
            faults.add("access_denied", "athena:ListQueryExecutions", where=where)
        case "unprocessed":
            faults.add("unprocessed", where={"query_execution_id": next(iter(before))}, code="X")
        case "made anew" | "gone":
            for query_id in [i for i, e in estate.executions.items() if e.workgroup == "adhoc"]:
                del estate.executions[query_id]
            if what == "gone":
                del estate.workgroups["adhoc"]

    again = {"start_hwm": first.start, "end_hwm": first.end, "again": True, "on_error": "skip"}
    if what in ("gone", "left out"):
        again["workgroups"] = ["*"] if what == "gone" else ["primary"]
        with pytest.raises(StateError, match=r"gone, denied or left out now \(adhoc\)"):
            await world.run(START + HOUR, **again)
    else:
        report = await world.run(START + HOUR, **again)
        assert not report.committed
        assert len(report.failed) == 1

    assert (world.told(), world.in_sight()) == (before, names)


@pytest.mark.parametrize("kept", ["all packages", "the replaced one"])
async def test_h3_again_asks_by_id_for_what_no_list_reaches(world: World, kept: str) -> None:
    """Submitted days before the package's window and finished in it: there it stays, once."""
    long_ones = [
        world.submit(START - hours * HOUR, state="RUNNING", workgroup=workgroup)
        for hours, workgroup in ((1, "primary"), (30, "adhoc"))
    ]
    ends = [(await world.run(START + days * DAY)).end for days in (0, 1)]
    for query_id in long_ones:
        world.sandbox.finish(query_id, completed_at=START + 2 * DAY)

    third = await world.run(START + 3 * DAY)
    assert [world.told()[query_id] for query_id in long_ones] == [1, 1]
    before = world.told()
    if kept == "the replaced one":
        for manifest in world.manifests()[:2]:
            before -= Counter(row["query_id"] for row in databaselog_of(world, manifest))
            for file in manifest["files"]:
                (world.out / file["name"]).unlink()

            stamp = datetime.fromisoformat(manifest["end"].replace("Z", "+00:00"))
            (world.out / f"athena_manifest_{stamp:%Y%m%dT%H%M%SZ}.json").unlink()

    await world.run(START + 4 * DAY, start_hwm=ends[1], end_hwm=third.end, again=True)

    assert world.told() == before
    last = await world.run(START + 4 * DAY)
    assert last.start == third.end
    assert [world.told()[query_id] for query_id in long_ones] == [1, 1]


async def test_h3_again_where_the_package_is_not_is_refused(world: World, tmp_path: Path) -> None:
    """A second machine of one landing does not extract anew what the first one delivered."""
    (tmp_path / "landing").mkdir()
    shared = {
        "landing": {"path": str(tmp_path / "landing")},
        "hwm_store": "landing",
        "hwm_path": None,
    }
    first = await world.run(START, **shared)
    second = await world.run(START + HOUR, **shared)
    (tmp_path / "other").mkdir()
    calls = Counter(world.sandbox.calls)
    for start, end in ((first.end, second.end), (first.end - HOUR, first.end + HOUR / 2)):
        with pytest.raises(StateError, match=r"no package in .*other/out holds it") as caught:
            await world.run(
                START + 2 * HOUR,
                start_hwm=start,
                end_hwm=end,
                again=True,
                out=tmp_path / "other" / "out",
                **shared,
            )

        assert "ask for it on the machine that extracted it" in caught.value.hint

    assert Counter(world.sandbox.calls) == calls


async def test_h3_a_wider_window_with_the_same_end_tells_what_is_new(world: World) -> None:
    """From an hour earlier to the same end: the hour alone, in a package of its own."""
    start = START - DAY
    first = await world.run(START, start_hwm=start, end_hwm=START - HOUR, manage_hwm=False)
    second = await world.run(START, start_hwm=start - HOUR, end_hwm=START - HOUR, manage_hwm=False)

    assert (second.start, second.end) == (start - HOUR, first.start)
    check_once(world, START - HOUR, start=start - HOUR)


@pytest.mark.parametrize("lost", ["mark and state", "working directory"])
async def test_h8_a_lost_mark_goes_on_from_the_newest_package(
    world: World, lost: str, tmp_path: Path
) -> None:
    """The mark deleted, or another working directory: named, and nothing is told twice."""
    first = await world.run(START)
    if lost == "mark and state":
        world.hwm_path.unlink()
        world.state_path.unlink()
    else:
        (tmp_path / "elsewhere").mkdir()
        world.hwm_path = tmp_path / "elsewhere" / "athena_hwm.txt"

    second = await world.run(START + HOUR)

    assert second.start == first.end
    assert any(
        f"goes on from {first.manifest.name}" in message
        for message in second.warnings
        if first.manifest
    )
    check_once(world, second.end)
    assert world.mark() == second.end


async def test_h15_a_mark_set_back_to_an_earlier_end_repeats_nothing(world: World) -> None:
    """Set by hand to the end of the first of three runs: the next tells only what is new."""
    ends = [(await world.run(START + hours * HOUR)).end for hours in (0, 3, 6)]
    world.hwm_path.write_text(f"{ends[0]:{STAMP}}\n")

    report = await world.run(START + 9 * HOUR)

    assert report.start == ends[-1]
    assert any("is published already is left out" in message for message in report.warnings)
    check_once(world, report.end)
    assert world.mark() == report.end


async def test_h15_a_mark_set_back_behind_packages_that_were_removed_repeats_nothing(
    world: World,
) -> None:
    """After their delivery packages may be removed: the state still says what was told."""
    told: Counter[str] = Counter()
    for hours in (0, 3, 6):
        await world.run(START + hours * HOUR)
        told += world.told()
        shutil.rmtree(world.out)

    mark = world.mark()
    assert mark is not None
    world.hwm_path.write_text(f"{mark - 4 * HOUR:{STAMP}}\n")
    report = await world.run(START + 9 * HOUR)

    assert told + world.told() == finished(world.sandbox.estate, report.end)


async def test_h15_a_killed_night_retried_from_its_mark_is_told_once(world: World) -> None:
    """Killed while it extracts; retried with ``--start-hwm <the mark>``: first the rest of the
    interrupted window, then what follows it."""
    first = await world.run(START)
    await die(world, START + 3 * HOUR)
    report = await world.run(START + 6 * HOUR, start_hwm=first.end)

    assert report.exit_code == 0
    check_once(world, report.end)


async def test_h12_a_workgroup_skipped_in_the_first_run_keeps_where_its_history_begins(
    world: World,
) -> None:
    """Lookback of a day, denied for three nights, then allowed: nothing since the first start."""
    fields: dict[str, Any] = {"initial_lookback_days": 1, "on_error": "skip"}
    fault = world.sandbox.faults.add(
        "access_denied", "athena:ListQueryExecutions", where={"workgroup": "adhoc"}
    )
    first = await world.run(START, **fields)
    await world.run(START + 6 * HOUR, **fields)
    world.sandbox.faults.clear(fault)
    third = await world.run(START + DAY, **fields)
    fourth = await world.run(START + DAY + HOUR, **fields)

    assert third.exit_code == fourth.exit_code == 0
    check_once(world, fourth.end, start=first.start)


async def test_h12_workgroups_that_nobody_could_list_keep_where_their_history_begins(
    world: World,
) -> None:
    """ListWorkGroups denied in the first run: all of them are read from its start."""
    fields: dict[str, Any] = {"initial_lookback_days": 1, "on_error": "skip"}
    fault = world.sandbox.faults.add("access_denied", "athena:ListWorkGroups")
    first = await world.run(START, **fields)
    world.sandbox.faults.clear(fault)
    second = await world.run(START + 12 * HOUR, **fields)

    assert (first.exit_code, second.exit_code) == (0, 0)
    check_once(world, second.end, start=first.start)


async def test_callers_with_own_marks_who_ask_in_any_order_get_each_row_once(
    world: World,
) -> None:
    """Later windows first, overlapping ones, a repeat with a later end: every row once."""
    asked = [(30, 20), (44, 36), (40, 25), (25, 10), (46, 5)]
    for begin, end in asked:
        await world.run(
            START,
            start_hwm=START - begin * HOUR,
            end_hwm=START - end * HOUR,
            manage_hwm=False,
        )

    check_once(world, START - 5 * HOUR, start=START - 46 * HOUR)


OTHER = "210987654321"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"server": "another.example.com"}, "server"),
        ({"region": "eu-west-1"}, "Region us-east-1, not eu-west-1"),
        ({"role": f"arn:aws:iam::{OTHER}:role/KadaAthenaRole"}, f"not {OTHER}"),
    ],
    ids=["server", "region", "account"],
)
@pytest.mark.parametrize("left", ["all", "the mark alone", "the packages alone"])
async def test_d5_another_server_region_or_account_never_goes_on(
    world: World, changed: dict[str, Any], named: str, left: str
) -> None:
    """By the state or by a package: refused in a sentence that says what to type, nothing moves."""
    first = await world.run(START, region="us-east-1")
    if left == "the packages alone":
        world.hwm_path.unlink()
        world.state_path.unlink()
    elif left == "the mark alone":
        world.out = world.path / "elsewhere"

    before, calls = world.mark(), Counter(world.sandbox.calls)
    with pytest.raises(StateError) as caught:
        await world.run(START + HOUR, **{"region": "us-east-1", **changed})

    assert "belongs to" in caught.value.message
    assert named in caught.value.message
    assert "`name=...`" in caught.value.hint
    assert world.mark() == before
    assert Counter(world.sandbox.calls) == calls
    assert first.committed


async def test_d5_the_keys_of_another_account_are_refused_after_one_call_of_each_kind(
    world: World,
) -> None:
    """Keys alone do not say whose they are: STS does, and nothing is listed before that."""
    await world.run(START)
    before = world.mark()
    key = add_stranger(world.sandbox)
    with pytest.raises(StateError) as caught:
        await world.run(START + HOUR, key=key.access_key_id, secret=key.secret)

    assert f"account {world.sandbox.account_id}, not {OTHER}" in caught.value.message
    assert world.mark() == before
    assert len(world.manifests()) == 1


async def test_h14_an_interrupted_run_of_another_account_is_not_continued(world: World) -> None:
    """Killed, then run with another account's keys: its parts are swept, none is published."""
    await die(world, START)
    key = add_stranger(world.sandbox)
    report = await world.run(START + MINUTE, key=key.access_key_id, secret=key.secret)

    assert (report.exit_code, report.continued) == (0, None)
    assert any(f"account {world.sandbox.account_id}" in message for message in report.warnings)
    assert world.told() == Counter()
    (manifest,) = world.manifests()
    assert manifest["carried"]["origin"]["account_id"] == OTHER


async def test_h14_an_interrupted_run_with_other_statements_is_not_continued(
    world: World,
) -> None:
    """Rows extracted by another statement do not join what is extracted now."""
    await die(world, START)
    world.wall.time = START + MINUTE
    async with world.extractor() as extractor:
        text = extractor.get_sql("TABLES_SQL")
        extractor.overwrite_sql("TABLES_SQL", f"{text}\n-- mine")
        report = await extractor.run(manage_hwm=True)

    assert (report.exit_code, report.continued) == (0, None)
    assert any("its statements were others" in message for message in report.warnings)
    (manifest,) = world.manifests()
    assert len(manifest["statements_digest"]) == 64
    check_once(world, report.end)


async def test_an_account_that_cannot_be_learned_is_said_and_stops_nothing(world: World) -> None:
    """STS out of reach: server and Region are compared still."""
    world.sandbox.faults.add("access_denied", "sts:GetCallerIdentity")
    report = await world.run(START)

    assert report.exit_code == 0
    assert any("the AWS account is not known" in message for message in report.warnings)
    (manifest,) = world.manifests()
    assert manifest["carried"]["origin"]["account_id"] == ""


async def test_states_and_packages_of_earlier_versions_are_taken_over_once(world: World) -> None:
    """They name nobody: a note in the next run, none in the one after it; every row once."""
    await world.run(START)
    age(world)
    second = await world.run(START + HOUR)
    third = await world.run(START + 2 * HOUR)

    assert any("does not say whose it is" in message for message in second.warnings)
    assert not any("does not say whose it is" in message for message in third.warnings)
    check_once(world, third.end)


def age(world: World) -> None:
    """Make state and manifests such as version 1 wrote them."""
    for path in (world.state_path, *world.out.glob("*_manifest_*.json")):
        document = json.loads(path.read_text())
        document["schema_version"] = 1
        for field in ("mask", "statements_digest"):
            document.pop(field, None)

        del document["carried"]["origin"]
        for mark in document["carried"]["workgroups"].values():
            del mark["since"]

        path.write_text(json.dumps(document))


def add_stranger(sandbox: Sandbox) -> Any:
    """A key of another account, which has one empty workgroup and no table."""
    estate = tiny_estate(START)
    estate.executions.clear()
    estate.workgroups = {"primary": Workgroup(name="primary")}
    estate.account_id = OTHER
    sandbox.add_account(OTHER, sandbox.region, estate, policy="admin")
    policy = Policy.parse(sandbox._policy_document(OTHER, "admin"))
    return sandbox.directory.add_user(OTHER, "stranger", policy)
