"""Changes that Athena makes to its history, and the extracts of it: F14 to F25, F50 to F52."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path

import pytest

from kada_athena_async.sandbox import Sandbox
from tests.faults.world import SETTLE, START, WallClock, World
from tests.kit.small_estate import make_execution, tiny_estate

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
MS = timedelta(milliseconds=1)


def counts(world: World, workgroup: str = "primary") -> dict[str, int]:
    """The account of a workgroup in the newest manifest."""
    found: dict[str, int] = world.manifests()[-1]["facts"]["history"][workgroup]
    return found


async def test_f14_a_query_of_three_days_is_carried_over_and_told_once(world: World) -> None:
    """A query that runs over three runs is in none of them, and once in the one after its end."""
    running = world.submit(START - HOUR, state="RUNNING")
    for day in range(3):
        await world.run(START + day * DAY)
        assert world.told()[running] == 0
        assert counts(world)["pending"] == 1

    world.sandbox.finish(running, completed_at=START + 2 * DAY + 5 * HOUR)
    await world.run(START + 3 * DAY)
    assert counts(world)["late"] == 1
    await world.run(START + 4 * DAY)
    world.check()


async def test_f15_back_to_the_queue_changes_nothing(world: World) -> None:
    """RUNNING, QUEUED, RUNNING, SUCCEEDED: one row, with the final figures."""
    restless = world.submit(START - 5 * MINUTE, state="RUNNING")
    for number, state in enumerate(("RUNNING", "QUEUED", "RUNNING")):
        world.sandbox.finish(restless, state=state)
        await world.run(START + number * HOUR)

    world.sandbox.finish(restless, completed_at=START + 3 * HOUR, total_ms=4711)
    await world.run(START + 4 * HOUR)
    await world.run(START + 5 * HOUR)
    (row,) = [row for row in world.rows("databaselog") if row["query_id"] == restless]
    assert (row["status"], row["total_ms"]) == ("SUCCEEDED", "4711")
    world.check()


async def test_f16_a_failure_that_athena_takes_back_is_not_told(world: World) -> None:
    """FAILED, queued again by Athena, SUCCEEDED, all within a minute: one row, SUCCEEDED."""
    undead = world.submit(START - 10 * MINUTE, state="FAILED", took_ms=None)
    world.sandbox.finish(undead, state="FAILED", completed_at=START - timedelta(seconds=20))
    await world.run(START)
    assert world.told()[undead] == 0

    world.sandbox.finish(undead, state="QUEUED", completed_at=None)
    world.sandbox.finish(undead, completed_at=START + timedelta(seconds=10))
    await world.run(START + HOUR)
    (row,) = [row for row in world.rows("databaselog") if row["query_id"] == undead]
    assert row["status"] == "SUCCEEDED"
    world.check()


async def test_f17_the_start_belongs_to_the_window_and_the_end_to_the_next(world: World) -> None:
    """Completed at the end less a millisecond: now. At the end itself: the next run, once."""
    end = START - SETTLE
    just_in = world.submit(end - MINUTE, took_ms=59_999)
    just_out = world.submit(end - MINUTE, took_ms=60_000)
    await world.run(START)
    told = world.told()
    assert (told[just_in], told[just_out]) == (1, 0)

    await world.run(START + HOUR)
    assert world.manifests()[-1]["start"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"
    told = world.told()
    assert (told[just_in], told[just_out]) == (1, 1)
    world.check()


async def test_f19_an_id_that_comes_later_than_the_overlap_is_outside_the_promise(
    world: World,
) -> None:
    """Listable three hours late it is not told; listable within the hour it is, and counted."""
    too_late = world.submit(START - 5 * MINUTE)
    in_time = world.submit(START - 4 * MINUTE)
    world.sandbox.behaviour.visible_after[too_late] = START + 3 * HOUR
    world.sandbox.behaviour.visible_after[in_time] = START + 10 * MINUTE
    await world.run(START)
    await world.run(START + 20 * MINUTE)
    assert counts(world)["late"] == 1

    await world.run(START + 2 * HOUR)
    await world.run(START + 4 * HOUR)
    told = world.told()
    assert (told[too_late], told[in_time]) == (0, 1)


async def test_f20_an_id_on_two_pages_is_told_once(world: World) -> None:
    """Pages that tell an id again cost nothing: here the listing is done twice over."""
    for number in range(120):
        world.submit(START - 2 * HOUR - number * MINUTE)

    twice = world.sandbox.faults.add(
        "expired_page_token", "athena:ListQueryExecutions", where={"workgroup": "primary"}, calls=3
    )
    await world.run(START)
    assert world.sandbox.faults.struck(twice) == 1
    pages = [
        call
        for call in world.sandbox.log
        if call.operation == "athena:ListQueryExecutions" and call.facts["workgroup"] == "primary"
    ]
    assert len(pages) == 6
    world.check()


async def test_f22_queries_submitted_while_the_pages_are_read_shift_nothing_away(
    world: World,
) -> None:
    """Every page is one shorter than asked while new queries arrive at the top: none is lost."""
    for number in range(150):
        world.submit(START - 2 * HOUR - number * MINUTE)

    def submit_one(event: object) -> None:
        if type(event).__name__ == "UnitProgress":
            world.submit(START - timedelta(seconds=90), took_ms=100)

    world.sandbox.faults.add("short_page", "athena:ListQueryExecutions", size=7)
    await world.run(START, observers=[submit_one])
    await world.run(START + HOUR)
    world.check()


@pytest.mark.parametrize("page", [2, 3, 4])
async def test_f23_a_refused_token_begins_the_scan_again(world: World, page: int) -> None:
    """A page token that expires in the middle costs a second scan, and no row."""
    for number in range(190):
        world.submit(START - 2 * HOUR - number * MINUTE)

    fault = world.sandbox.faults.add(
        "expired_page_token",
        "athena:ListQueryExecutions",
        where={"workgroup": "primary"},
        calls=page,
    )
    # Pages come faster than the executions they name, as they do when those are large.
    world.sandbox.faults.add("slow", "athena:BatchGetQueryExecution", seconds=0.15)
    report = await world.run(START)
    assert report.committed, report.failed
    assert world.sandbox.faults.struck(fault) == 1
    world.check()


async def test_f23_a_token_that_is_always_refused_fails_the_workgroup(world: World) -> None:
    """After three scans the workgroup is named as failed, and nothing is committed."""
    for number in range(120):
        world.submit(START - 2 * HOUR - number * MINUTE)

    world.sandbox.faults.add("expired_page_token", "athena:ListQueryExecutions")
    report = await world.run(START)
    assert [outcome.unit_id for outcome in report.failed] == ["history/primary"]
    assert world.in_sight() == []


async def test_f23_a_token_refused_while_rows_are_written_costs_no_row(world: World) -> None:
    """However the refusal falls between a page's account and its rows, every row is written."""
    for number in range(190):
        world.submit(START - 2 * HOUR - number * MINUTE, query="SELECT '" + "x" * 200_000 + "'")

    world.sandbox.faults.add(
        "expired_page_token", "athena:ListQueryExecutions", where={"workgroup": "primary"}, calls=4
    )
    world.sandbox.faults.add(
        "slow", "athena:ListQueryExecutions", where={"workgroup": "primary"}, seconds=0.1
    )
    report = await world.run(START)
    assert report.committed, report.failed
    world.check()


@pytest.mark.parametrize("code", ["INTERNAL_FAILURE", "ThrottlingException"])
async def test_f24_unprocessed_ids_are_asked_for_again(world: World, code: str) -> None:
    """Two of a batch's ids that come back unprocessed twice are told all the same."""
    for number in range(48):
        world.submit(START - 2 * HOUR - number * MINUTE)

    struck = world.sandbox.faults.add("unprocessed", times=4, code=code)
    await world.run(START)
    assert world.sandbox.faults.struck(struck) == 4
    world.check()


async def test_f24_executions_that_may_not_be_read_are_counted_and_asked_for_later(
    world: World,
) -> None:
    """Denied ids do not stop the run; the manifest counts them, and once allowed they are told."""
    denied = world.submit(START - 2 * HOUR)
    fault = world.sandbox.faults.add(
        "unprocessed", code="AccessDeniedException", where={"query_execution_id": denied}
    )
    report = await world.run(START)
    assert report.committed
    assert counts(world)["unauthorised"] == 1
    scopes = {tuple(s["name"]): s for s in world.manifests()[-1]["facts"]["completeness"]}
    assert scopes["primary",]["outcome"] == "partial"

    world.sandbox.faults.clear(fault)
    await world.run(START + HOUR)
    world.check()


async def test_f24_ids_that_stay_throttled_fail_the_workgroup(world: World) -> None:
    """Throttled for ever is no fact about an id: the workgroup fails by name, the mark stays."""
    stuck = world.submit(START - 2 * HOUR)
    world.sandbox.faults.add(
        "unprocessed", code="ThrottlingException", where={"query_execution_id": stuck}
    )
    report = await world.run(START)
    (failed,) = report.failed
    assert failed.unit_id == "history/primary"
    assert "unprocessed: ThrottlingException" in failed.reason
    assert (world.in_sight(), world.mark()) == ([], None)


@pytest.mark.parametrize(
    ("code", "why"),
    [("STRANGE", "unreadable"), ("INTERNAL_FAILURE", "unreadable"), ("INVALID_INPUT", "missing")],
)
async def test_h16_an_id_that_cannot_be_read_is_withheld_and_told_once_it_can(
    world: World, code: str, why: str
) -> None:
    """It is counted, its workgroup is partial, the others are published, and nothing is fatal."""
    stuck = world.submit(START - 2 * HOUR)
    fault = world.sandbox.faults.add("unprocessed", code=code, where={"query_execution_id": stuck})
    report = await world.run(START)
    assert (report.exit_code, report.committed) == (0, True)
    assert counts(world)[why] == 1
    scopes = {tuple(s["name"]): s for s in world.manifests()[-1]["facts"]["completeness"]}
    assert scopes["primary",]["outcome"] == "partial"
    assert "1 executions cannot be read" in scopes["primary",]["reason"]

    world.sandbox.faults.clear(fault)
    await world.run(START + HOUR)
    world.check()


async def test_h16_a_workgroup_made_anew_does_not_block_runs(world: World) -> None:
    """Deleted with a query under way and made anew: its id is withheld, new queries are told."""
    lost = world.submit(START - HOUR, workgroup="adhoc", state="RUNNING")
    await world.run(START)
    del world.sandbox.estate.executions[lost]
    new = world.submit(START + 5 * MINUTE, workgroup="adhoc")

    report = await world.run(START + HOUR)
    assert report.exit_code == 0
    assert counts(world, "adhoc")["missing"] == 1
    assert world.told()[new] == 1
    world.check()


async def test_h16_a_batch_that_is_refused_for_one_id_is_read_without_it(world: World) -> None:
    """The batch is halved until the id is alone; all others are told, and it is asked for again."""
    ids = [world.submit(START - 2 * HOUR - number * MINUTE) for number in range(20)]

    world.sandbox.faults.add(
        "error",
        "athena:BatchGetQueryExecution",
        code="InvalidRequestException",
        message="QueryExecution x was not found",
        calls=(1, 2, 3),
    )
    report = await world.run(START)
    assert report.exit_code == 0
    assert sum(world.told()[query_id] for query_id in ids) >= 15

    world.sandbox.faults.clear()
    await world.run(START + HOUR)
    world.check()


async def test_f25_an_id_that_athena_leaves_out_is_withheld(world: World) -> None:
    """Listed, asked for, and neither answered nor refused: counted, partial, asked for again."""
    # The estate is bent until the listing shows "b" and "c" and the batch answers both with "c".
    b, c, k = (make_execution(n, submitted_at=START - HOUR) for n in (501, 502, 503))
    executions = world.sandbox.estate.executions
    executions["another name"] = k
    executions[k.query_execution_id] = b
    executions[b.query_execution_id] = executions[c.query_execution_id] = c

    report = await world.run(START)

    assert report.exit_code == 0
    assert counts(world)["unreadable"] == 1
    scopes = {tuple(s["name"]): s for s in world.manifests()[-1]["facts"]["completeness"]}
    assert scopes["primary",]["outcome"] == "partial"
    carried = world.manifests()[-1]["carried"]["workgroups"]["primary"]["pending"]
    assert b.query_execution_id in carried


async def test_f50_nothing_in_the_window_gives_empty_files_with_headers(world: World) -> None:
    """A window without a query commits: a header, no row, and the manifest says 0."""
    await world.run(START)
    report = await world.run(START + HOUR)
    assert report.rows["databaselog"] == 0
    (file,) = [f for f in world.manifests()[-1]["files"] if f["kind"] == "databaselog"]
    assert file["rows"] == 0
    header = gzip.decompress((world.out / file["name"]).read_bytes()).decode()
    assert header.count("\n") == 1
    assert header.startswith("server,query_id,")
    world.check()


async def test_f51_a_workgroup_deleted_while_its_history_is_read_is_left_out_by_name(
    world: World,
) -> None:
    """It is named as gone and costs the others nothing; a workgroup of that name starts anew."""
    world.sandbox.faults.add(
        "error",
        "athena:ListQueryExecutions",
        where={"workgroup": "adhoc"},
        code="InvalidRequestException",
        message="WorkGroup adhoc is not found.",
        times=1,
    )
    first = await world.run(START)
    assert first.committed, first.failed
    scopes = {tuple(s["name"]): s for s in world.manifests()[-1]["facts"]["completeness"]}
    assert scopes["adhoc",]["outcome"] == "skipped"
    assert "WorkGroup adhoc is not found" in scopes["adhoc",]["reason"]

    await world.run(START + HOUR)
    world.check()


async def test_f51_a_workgroup_that_is_gone_is_no_error(world: World) -> None:
    """Deleted between two runs, with a query that was under way: the next run commits."""
    world.submit(START - HOUR, workgroup="adhoc", state="RUNNING")
    await world.run(START)
    del world.sandbox.estate.workgroups["adhoc"]
    report = await world.run(START + HOUR)
    assert report.committed, report.failed
    users = [r["workgroup"] for r in world.rows("users")]
    assert users.count("adhoc") == 1


async def test_f52_fields_that_are_missing_are_empty(world: World) -> None:
    """An execution of which Athena tells next to nothing is told by its submission."""
    bare = make_execution(600, submitted_at=START - HOUR, took_ms=None)
    for name in ("statement_type", "substatement_type", "catalog", "database", "output_location"):
        setattr(bare, name, None)

    world.sandbox.submit(bare)
    await world.run(START)
    (row,) = [r for r in world.rows("databaselog") if r["query_id"] == bare.query_execution_id]
    assert (row["catalog"], row["statement_type"], row["completed_at"]) == ("", "", "")
    world.check()


async def test_f52_an_unknown_state_is_carried_over_and_reported(world: World) -> None:
    """A state that AWS has not documented yet is no end: counted, waited for, told once."""
    odd = world.submit(START - HOUR, state="PAUSED")
    await world.run(START)
    assert world.told()[odd] == 0
    assert counts(world)["unknown_state"] == 1

    world.sandbox.finish(odd, completed_at=START + MINUTE)
    await world.run(START + HOUR)
    world.check()


async def test_f45_texts_of_any_kind_come_back_as_they_were(tmp_path: Path) -> None:
    """The longest text, NUL, every line end, an escape, quotes: one row each, readable."""
    wall = WallClock()
    texts = [
        "SELECT '" + "x" * 262_135 + "'",
        "SELECT 'a\x00b'",
        "SELECT 'line\r\nline\rline\nline\u2028line'",
        "SELECT '\x1b]0;title\x07'",
        "SELECT \"a\"\"b\", 'it''s'",
        "=cmd|' /C calc'!A0",
        "SELECT '\U0001f600 \u202e e\u0301'",
    ]
    with Sandbox(tiny_estate(START), now=wall.now) as sandbox:
        world = World(tmp_path, sandbox, wall)
        ids = [world.submit(START - HOUR - n * MINUTE, query=text) for n, text in enumerate(texts)]
        await world.run(START, mask=False)
        rows = {row["query_id"]: row["query"] for row in world.rows("databaselog")}
        assert [rows[i] for i in ids] == [text.replace("\0", "\ufffd") for text in texts]
        world.check()
