"""A run in miniature over a small ledger, and a checker that shares no code with it."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import msgspec

from kada_athena_async.commit.publication import Publisher
from kada_athena_async.commit.recovery import RecoverySettings, recover
from kada_athena_async.commit.transaction import CommitRequest, commit
from kada_athena_async.config import make_config
from kada_athena_async.engine.window_planner import WindowPlanner
from kada_athena_async.events import Event
from kada_athena_async.files import Files
from kada_athena_async.hwm import (
    Disposition,
    Execution,
    ExecutionLedger,
    Ledger,
    Origin,
    RunState,
    WorkgroupWindow,
    next_state,
)
from kada_athena_async.hwm.store import FileHwmStore
from kada_athena_async.manifest import RunFacts
from kada_athena_async.records import QueryRecord, UserRecord
from kada_athena_async.sinks.journal import RunIntent
from kada_athena_async.sinks.part import HELD_BYTES
from kada_athena_async.sinks.staging import Staging

T0 = datetime(2026, 11, 1, tzinfo=timezone.utc)
KINDS = ("users", "databaselog")
WORKGROUPS = ("primary", "reports")
ORIGIN = Origin(server="s", region="us-east-1", account_id="1" * 12, instance="athena")


class Entry(NamedTuple):
    """An execution of the ledger: what is true, whatever a run sees of it.

    Attributes:
        delay: How long after its submission the listing shows it.
    """

    query_id: str
    workgroup: str
    submitted_at: datetime
    completed_at: datetime
    delay: timedelta = timedelta(0)


def ledger() -> list[Entry]:
    """Executions around two windows, some of them across the end of the first."""
    minutes = [(1, 2), (3, 50), (20, 70), (58, 61), (62, 64), (90, 130), (119, 121), (122, 123)]
    return [
        Entry(
            f"q{index}",
            WORKGROUPS[index % 2],
            T0 + timedelta(minutes=submitted),
            T0 + timedelta(minutes=completed),
        )
        for index, (submitted, completed) in enumerate(minutes)
    ]


def ignore(event: Event) -> None:
    """An observer that looks away."""


class Miniature:
    """A world in *root*: extracts in ``out``, marks in ``marks``."""

    def __init__(self, root: Path, *, files: Files, entries: Sequence[Entry] | None = None) -> None:
        self.out = root / "out"
        self.marks = root / "marks"
        for path in (self.out, self.marks):
            path.mkdir(exist_ok=True, parents=True, mode=0o700)

        self.files = files
        self.entries = ledger() if entries is None else entries
        self.extracted: list[str] = []
        self.store = FileHwmStore(self.marks / "athena_hwm.txt", files)

    async def run(
        self, now: datetime, *, config_digest: str = "c", notify: Callable[[Event], None] = ignore
    ) -> None:
        """A run as the engine goes: recover, finish what was interrupted, then the own window."""
        found = await recover(
            self.out,
            "athena",
            settings=RecoverySettings(
                config_digest=config_digest, now=now, resume=timedelta(hours=12)
            ),
            publisher=Publisher(files=self.files, notify=notify, store=self.store),
        )
        if found is not None:
            staging = await Staging.reopen(found.path, self.files)
            await self._extract(staging, now)

        plans, _ = await self.planner.requested_windows(now)
        if not plans:
            return

        (window,) = (plan.window for plan in plans)
        assert window is not None
        intent = RunIntent(
            run_id=f"{now:%Y%m%dT%H%M%S}",
            name="athena",
            start=window.start,
            end=window.end,
            hwm=(await self.store.read())[0],
            manages_hwm=True,
            compress=True,
            config_digest=config_digest,
            plan_digest="p",
            started_at=now,
        )
        await self._extract(await Staging.create(self.out, intent, self.files), now)

    @property
    def planner(self) -> WindowPlanner:
        """The planner of the windows of its runs."""
        config = make_config(
            {
                "server": "s",
                "region": "us-east-1",
                "bucket": "s3://bucket/p",
                "output_path": str(self.out),
                "initial_lookback_days": 1,
            }
        )
        return WindowPlanner(
            config=config,
            origin=ORIGIN,
            output_path=self.out,
            store=self.store,
            files=self.files,
        )

    async def _extract(self, staging: Staging, now: datetime) -> None:
        window_plan = await self.planner.plan(staging.intent, now)
        assert window_plan.window == staging.intent.window
        units = ["users", *WORKGROUPS]
        async with staging:
            for unit in units:
                if unit not in staging.sealed():
                    self.extracted.append(unit)
                    await self._unit(staging, unit, now, window_plan.of_workgroup)

            accounts = [
                msgspec_account(staging.sealed()[workgroup].facts) for workgroup in WORKGROUPS
            ]
            state: RunState = next_state(
                staging.intent.end,
                window_plan.previous,
                accounts,
                origin=ORIGIN,
            )
            request = CommitRequest(
                unit_order=units, facts=RunFacts(version="1"), state=state, kinds=KINDS
            )
            publisher = Publisher(files=self.files, notify=ignore, store=self.store)
            await commit(staging, request, publisher)

    async def _unit(
        self,
        staging: Staging,
        unit: str,
        now: datetime,
        history: Callable[[str], WorkgroupWindow],
    ) -> None:
        # Parts of both kinds: in a file of its own, and in the seal.
        staging.held_bytes = 0 if unit == "users" else HELD_BYTES
        if unit == "users":
            async with staging.part(unit, "users") as part:
                await part.write([user(workgroup) for workgroup in WORKGROUPS])

            await staging.seal(unit, {})
            return

        what = history(unit)
        account = Ledger(what)
        async with staging.part(unit, "databaselog") as part:
            unfinished = account.unfinished()
            listed = [
                e.query_id
                for e in self.entries
                if e.submitted_at >= what.listed_since and e.submitted_at + e.delay <= now
            ]
            for entry in self._of(unit, [*unfinished, *listed]):
                if entry.query_id not in unfinished:
                    account.admit([entry.query_id])

                is_done = entry.completed_at <= now
                classified = account.classify(
                    Execution(
                        entry.query_id,
                        unit,
                        "SUCCEEDED" if is_done else "RUNNING",
                        entry.submitted_at,
                        entry.completed_at if is_done else None,
                    )
                )
                if classified.disposition is Disposition.EMIT:
                    await part.write([query(entry)])

        await staging.seal(unit, account_facts(account.close()))

    def _of(self, workgroup: str, query_ids: Sequence[str]) -> list[Entry]:
        known = {e.query_id: e for e in self.entries if e.workgroup == workgroup}
        return [known[query_id] for query_id in dict.fromkeys(query_ids) if query_id in known]


def account_facts(account: ExecutionLedger) -> dict[str, object]:
    """An account as a seal's facts."""
    return dict(msgspec.to_builtins(account))


def msgspec_account(facts: object) -> ExecutionLedger:
    """An account from a seal's facts."""
    return msgspec.convert(facts, ExecutionLedger)


def user(workgroup: str) -> UserRecord:
    """A workgroup's row."""
    name = f"athena_workgroup_{workgroup}"
    return UserRecord("s", name, workgroup, "ENABLED", None, None, None)


def query(entry: Entry) -> QueryRecord:
    """An execution's row; text with all that a CSV reader can stumble over."""
    row: list[object] = [None] * len(QueryRecord._fields)
    values = {
        "server": "s",
        "query_id": entry.query_id,
        "user": f"athena_workgroup_{entry.workgroup}",
        "workgroup": entry.workgroup,
        "query": 'SELECT "a", 1\nFROM t',
        "status": "SUCCEEDED",
        "submitted_at": entry.submitted_at,
        "completed_at": entry.completed_at,
    }
    for name, value in values.items():
        row[QueryRecord._fields.index(name)] = value

    return QueryRecord(*row)  # type: ignore[arg-type]


# The checker: knows the contract (manifest, CSV), nothing of the code that wrote it.


def read_csv(data: bytes) -> list[dict[str, str]]:
    """RFC 4180 in a few lines."""
    rows: list[list[str]] = [[]]
    field, is_quoted, text = "", False, data.decode()
    at = 0
    while at < len(text):
        char = text[at]
        if is_quoted:
            if char == '"' and text[at + 1 : at + 2] == '"':
                field, at = field + '"', at + 1
            elif char == '"':
                is_quoted = False
            else:
                field += char
        elif char == '"':
            is_quoted = True
        elif char in ",\n":
            rows[-1].append(field)
            field = ""
            if char == "\n":
                rows.append([])
        else:
            field += char

        at += 1

    assert rows.pop() == [], "the last line has no end"
    head, *body = rows
    return [dict(zip(head, row, strict=True)) for row in body]


def published(out: Path) -> list[str]:
    """The query ids of all manifests in sight, each checked against its files."""
    ids = []
    for path in sorted(out.glob("athena_manifest_*.json")):
        for file in json.loads(path.read_text())["files"]:
            data = (out / file["name"]).read_bytes()
            assert len(data) == file["size_bytes"]
            assert hashlib.sha256(data).hexdigest() == file["sha256"]
            rows = read_csv(gzip.decompress(data))
            assert len(rows) == file["rows"]
            if file["kind"] == "databaselog":
                ids += [row["query_id"] for row in rows]

    return ids


def check_in_sight(root: Path) -> None:
    """At any moment: what a manifest names is whole, and the mark has its manifest."""
    published(root / "out")
    hwm = root / "marks" / "athena_hwm.txt"
    if hwm.exists():
        stamp = hwm.read_text().strip().translate(str.maketrans({"-": "", ":": "", " ": "T"}))
        assert (root / "out" / f"athena_manifest_{stamp}Z.json").exists()


def check_complete(root: Path, until: datetime, entries: Sequence[Entry] | None = None) -> None:
    """At rest: everything finished before *until* is published once, and nothing lies about."""
    out = root / "out"
    truth = ledger() if entries is None else entries
    expected = [entry.query_id for entry in truth if entry.completed_at < until]
    assert sorted(published(out)) == sorted(expected)
    check_in_sight(root)
    named = {
        file["name"]
        for path in out.glob("athena_manifest_*.json")
        for file in json.loads(path.read_text())["files"]
    }
    in_sight = {path.name for path in out.iterdir() if path.is_file()}
    assert in_sight - {path.name for path in out.glob("*.json")} == named
    assert not list((out / ".athena-staging").iterdir())
    state = json.loads((root / "marks" / "athena_state.json").read_text())
    assert state["carried"]["hwm"].replace("T", " ") == (
        (root / "marks" / "athena_hwm.txt").read_text().strip() + "Z"
    )
