"""Each execution gets the person and the tool that ran it, once, however late CloudTrail is."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kada_athena_async.errors import DeliveryError
from kada_athena_async.events import Event, UnitAdvanced
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.cloudtrail import OLD_SECRET, event_at, person_of
from kada_athena_async.sandbox.execute.system_tables import PARAMETER_SECRET
from tests.faults.world import START, WallClock
from tests.kit.command import ROOT, run_command
from tests.kit.small_estate import make_execution, tiny_estate
from tests.landing.support import Bucket

HOUR = timedelta(hours=1)


@pytest.fixture
def sandbox(wall: WallClock) -> Iterator[Sandbox]:
    with Sandbox(tiny_estate(START), now=wall.now) as running:
        for number in range(240):
            submitted_at = START - timedelta(hours=40) + timedelta(minutes=10 * number)
            running.submit(make_execution(2000 + number, submitted_at=submitted_at))

        yield running


@pytest.fixture
def run_at(extractor: Any, wall: WallClock) -> Any:
    """Runs the extraction at a given moment of the wall clock."""

    async def run(moment: datetime, **fields: Any) -> Any:
        wall.time = moment
        settings = {
            "metadata_source": "api",
            "catalogs": ["AwsDataCatalog"],
            "attribute_users": "cloudtrail",
            "clock": wall,
            **fields,
        }
        asked = ("start_hwm", "end_hwm", "again")
        arguments = {name: settings.pop(name) for name in asked if name in settings}
        async with extractor(**settings) as made:
            return await made.run(manage_hwm=True, **arguments)

    return run


def manifest_of(report: Any) -> Any:
    """The manifest of a run, decoded."""
    return msgspec.json.decode(report.manifest.read_bytes())


def counts_of(report: Any) -> dict[str, int]:
    """Facts of principals in the manifest."""
    found: dict[str, int] = manifest_of(report)["facts"]["reconciliation"]["principals"]
    return found


def contents_below(directory: Path) -> list[bytes]:
    """The bytes of every file below *directory*."""
    return [path.read_bytes() for path in directory.rglob("*") if path.is_file()]


async def test_each_execution_gets_its_principal_once_over_three_runs(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Late events come in a later run's file; nothing twice; the sandbox's truth to the letter."""
    reports = [await run_at(START), await run_at(START + 8 * HOUR), await run_at(START + 30 * HOUR)]

    extracts = read_extracts(tmp_path / "out")
    told = {row["query_id"]: row for row in extracts.rows("query_principals")}
    times = Counter(row["query_id"] for row in extracts.rows("query_principals"))
    executions = sandbox.estate.executions
    wanted = {
        row["query_id"]
        for row in extracts.rows("databaselog")
        if (at := event_at(executions[row["query_id"]])) and at <= START + 30 * HOUR
    }
    assert set(told) == wanted
    assert set(times.values()) == {1}
    assert counts_of(reports[1])["late"] > 0
    for query_id, row in told.items():
        identity = person_of(executions[query_id]).identity
        assert row["principal_type"] == identity["type"]
        assert row["source"] == "cloudtrail"

    names = {row["principal"] for row in told.values()}
    assert "ann.smith@scfreight.example" in names
    assert {row["user"] for row in extracts.rows("users") if row["user_type"] == "principal"} == (
        names
    )


@pytest.mark.parametrize("which", ["the first", "the one with late events", "the last", "all"])
async def test_packages_that_are_extracted_again_hold_their_principals_once(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path, which: str
) -> None:
    """Late events stay in the package that held them, and what is asked for still comes later."""
    for number in range(270):
        submitted_at = START + timedelta(minutes=2 * number)
        sandbox.submit(make_execution(3000 + number, submitted_at=submitted_at))

    reports = [await run_at(START + hours * HOUR) for hours in (0, 8, 9)]
    extracts = read_extracts(tmp_path / "out")
    before = Counter(row["query_id"] for row in extracts.rows("query_principals"))
    assert counts_of(reports[1])["late"] > 0
    choice = {"the first": reports[:1], "the last": reports[2:], "all": reports}
    chosen = choice.get(which, reports[1:2])
    again = {"start_hwm": chosen[0].start, "end_hwm": chosen[-1].end, "again": True}

    # By now all events have come: those that a later package holds, and those still asked for.
    replaced = await run_at(START + 30 * HOUR, **again)
    told = Counter(row["query_id"] for row in extracts.rows("query_principals"))
    assert replaced.committed
    assert told == before

    last = await run_at(START + 31 * HOUR)
    told = Counter(row["query_id"] for row in extracts.rows("query_principals"))
    executions = sandbox.estate.executions
    wanted = {
        row["query_id"]
        for row in extracts.rows("databaselog")
        if (at := event_at(executions[row["query_id"]])) and at <= START + 31 * HOUR
    }
    assert set(told.values()) == {1}
    assert set(told) == wanted
    assert counts_of(last)["late"] > 0


async def test_a_package_that_another_machine_extracts_again_holds_its_principals_once(
    sandbox: Sandbox, run_at: Any, tmp_path: Path
) -> None:
    """Late events of earlier windows, and those that later packages hold: it has no package."""
    for number in range(270):
        submitted_at = START + timedelta(minutes=2 * number)
        sandbox.submit(make_execution(3000 + number, submitted_at=submitted_at))

    bucket = Bucket(sandbox, "landing")
    for name in ("marks", "elsewhere"):
        (tmp_path / name).mkdir()

    marks = (tmp_path / "marks").as_uri()
    shared = {"landing": {"bucket": "landing", "prefix": "lz/athena"}, "hwm_store": marks}
    _, chosen, _ = [await run_at(START + hours * HOUR, **shared) for hours in (0, 8, 9)]
    before = Counter(row["query_id"] for row in bucket.rows("query_principals"))
    sandbox.faults.add("access_denied", "s3:*Upload*", where={"key": "*_users_*"})
    again = {"start_hwm": chosen.start, "end_hwm": chosen.end, "again": True}
    with pytest.raises(DeliveryError):
        await run_at(START + 30 * HOUR, **shared, **again)

    sandbox.faults.clear()
    other = {**shared, "output_path": str(tmp_path / "elsewhere")}
    sandbox.faults.add("access_denied", "athena:BatchGetQueryExecution")
    broken = await run_at(START + 30 * HOUR, **other)
    assert not broken.committed

    sandbox.faults.clear()
    report = await run_at(START + 30 * HOUR, **other)
    assert report.committed
    after = Counter(row["query_id"] for row in bucket.rows("query_principals"))
    executions = sandbox.estate.executions
    told = {row["query_id"] for row in bucket.rows("databaselog")}
    assert before <= after
    assert set(after.values()) == {1}
    assert set(after) == {
        query_id
        for query_id in told
        if (at := event_at(executions[query_id])) and at <= START + 30 * HOUR
    }


async def test_a_package_that_is_extracted_again_keeps_the_principal_of_a_query_of_days(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Its event lies days before the window, and the package that knew when is gone."""
    running = make_execution(4001, submitted_at=START - HOUR, state="RUNNING")
    assert event_at(running) is not None
    sandbox.submit(running)
    days = timedelta(days=1)
    await run_at(START)
    second = await run_at(START + days)
    sandbox.finish(running.query_execution_id, completed_at=START + 2 * days)
    third = await run_at(START + 3 * days)
    extracts = read_extracts(tmp_path / "out")
    before = {row["query_id"]: row for row in extracts.rows("query_principals")}
    assert running.query_execution_id in before
    for path in (tmp_path / "out").glob(f"*_{second.end:%Y%m%dT%H%M%SZ}.*"):
        path.unlink()

    await run_at(START + 4 * days, start_hwm=third.start, end_hwm=third.end, again=True)

    rows = [row for row in extracts.rows("query_principals")]
    [row] = [row for row in rows if row["query_id"] == running.query_execution_id]
    assert row == before[running.query_execution_id]


async def test_progress_says_how_far_back_the_events_are_read(run_at: Any) -> None:
    """Shares grow from the newest event to the oldest, for the line of users on the terminal."""
    events: list[Event] = []
    await run_at(START, observers=[events.append])

    shares = [
        event.share
        for event in events
        if isinstance(event, UnitAdvanced) and event.unit_id == "principal_events"
    ]
    assert len(set(shares)) > 1
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1


async def test_the_manifest_counts_resolved_unresolved_and_late(
    run_at: Any, sandbox: Sandbox
) -> None:
    """All executions of a run are resolved, still asked for, or lost: the counts add up."""
    first = await run_at(START)
    counts = counts_of(first)

    executions = first.rows["databaselog"]
    assert counts["resolved"] + counts["unresolved"] + counts["lost"] == executions
    assert counts["unresolved"] > 0
    assert counts["late"] == 0


@pytest.mark.parametrize("between", ["off", "workgroups denied"])
async def test_a_run_that_asks_for_no_principals_forgets_none_of_those_that_are_owed(
    sandbox: Sandbox, run_at: Any, between: str
) -> None:
    """Late events of a run before it are found by the next run that looks."""
    await run_at(START)
    if between == "off":
        await run_at(START + HOUR, attribute_users="off")
    else:
        denied = sandbox.faults.add("access_denied", "athena:ListWorkGroups")
        await run_at(START + HOUR, on_error="skip")
        sandbox.faults.clear(denied)

    last = await run_at(START + 8 * HOUR)
    assert counts_of(last)["late"] > 0


async def test_an_execution_without_event_is_given_up_after_three_days(
    run_at: Any,
) -> None:
    """It is asked for again until then, and no longer held in the state after."""
    await run_at(START)
    await run_at(START + timedelta(days=2))
    last = await run_at(START + timedelta(days=6))

    assert counts_of(last)["lost"] > 0
    assert manifest_of(last)["carried"].get("unresolved", {}) == {}


async def test_denied_the_run_commits_and_names_the_right(run_at: Any, sandbox: Sandbox) -> None:
    """Without cloudtrail:LookupEvents there is everything but people, and a sentence says so."""
    sandbox.faults.add("access_denied", "cloudtrail:LookupEvents")
    report = await run_at(START)

    assert report.committed
    assert report.rows["databaselog"] > 0
    assert report.rows["query_principals"] == 0
    assert any("cloudtrail:LookupEvents" in warning for warning in report.warnings)


async def test_a_resumed_run_says_again_what_it_lacks(run_at: Any, sandbox: Sandbox) -> None:
    """Denied while another unit failed: the run that continues warns as the first one did."""
    denied = [
        sandbox.faults.add("access_denied", f"{service}:{operation}")
        for service, operation in (
            ("cloudtrail", "LookupEvents"),
            ("athena", "ListQueryExecutions"),
        )
    ]
    broken = await run_at(START)
    assert not broken.committed
    for fault in denied:
        sandbox.faults.clear(fault)

    report = (await run_at(START)).continued

    assert report.committed
    [resumed] = [o for o in report.outcomes if o.unit_id == "principal_events"]
    assert resumed.outcome == "resumed"
    assert any("cloudtrail:LookupEvents" in warning for warning in report.warnings)


async def test_off_asks_nothing(run_at: Any) -> None:
    """By default no event is looked up, and the extract has its header only."""
    report = await run_at(START, attribute_users="off")

    assert "cloudtrail:LookupEvents" not in report.calls
    assert report.rows["query_principals"] == 0


async def test_pseudonyms_hide_every_person_in_all_files(
    run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """With hash_users no extract or manifest names a person; the tools stay."""
    await run_at(START, hash_users=True, hash_key="0123456789abcdef")

    rows = read_extracts(tmp_path / "out").rows("query_principals")
    assert {row["client"] for row in rows} >= {"pyathena", "console"}
    texts = repr([read_extracts(tmp_path / "out").rows(k) for k in ("query_principals", "users")])
    for name in ("ann.smith", "bela", "dmitri", "user/eve", "9067-frank"):
        assert name not in texts


def test_what_an_old_event_and_a_parameter_hold_is_in_no_file_log_or_page(tmp_path: Path) -> None:
    """The command line with logs, its page, exports and answers: no planted secret is in any."""
    now = datetime.now(timezone.utc)
    estate = tiny_estate(now)
    estate.system_table_lag = timedelta()
    for number, days in enumerate((60, 30)):  # the table reaches back beyond the window
        old = make_execution(3000 + number, submitted_at=now - timedelta(days=days))
        estate.executions[old.query_execution_id] = old

    told = ""
    with Sandbox(estate) as sandbox:
        config = tmp_path / "config.json"
        fields = {"metadata_source": "api", "attribute_users": "cloudtrail"}
        config.write_text(
            json.dumps(
                sandbox.config(tmp_path / "out", **fields, history_source="auto", compress=False)
            )
        )
        config.chmod(0o600)
        for command in (
            ["run", "-c", str(config), "-v", "--log-file", "run.log"],
            ["report", "-c", str(config), "-v", "-f", "page.html"],
            ["show", "who", "sales.orders", "-c", str(config)],
            ["export", "--to", "openlineage", "-o", "lineage", "-c", str(config), "-v"],
        ):
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            done = run_command(command, cwd=tmp_path, env=environment, timeout=240)
            assert done.returncode == 0, done.stderr
            told += done.stdout + done.stderr

        assert sandbox.calls["cloudtrail:LookupEvents"] > 0
        assert sandbox.calls["athena:StartQueryExecution"] > 2

    for name in ("run.log", "page.html", "lineage"):
        assert (tmp_path / name).exists()

    texts = [told.encode(), *contents_below(tmp_path)]
    for secret in (OLD_SECRET, PARAMETER_SECRET):
        assert not [text for text in texts if secret.encode() in text]


async def test_the_statement_of_an_old_event_reaches_no_file(
    run_at: Any, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Old events carry SQL; nothing of it is on the disk, not even while the run goes on."""
    sandbox.submit(make_execution(3000, submitted_at=START - timedelta(days=30)))
    await run_at(START, compress=False)

    texts = contents_below(tmp_path)
    assert len(texts) > 5
    assert not [text for text in texts if OLD_SECRET.encode() in text]
