"""One run of a collector, as far as two runners on one high-water mark can meet in it.

What runs is the product's: ``PendingDelivery``, ``recover``, ``WindowPlanner``, ``Ledger``,
``commit``, ``deliver``, the landings and ``ObjectHwmStore``. Invented are the executions that
Athena lists, and the order of the calls, which ``tests.landing.explore`` decides. Worker threads
are replaced by calls in place, so that a run that gets the same answers makes the same calls.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import io
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any, Literal, TypeAlias, TypeVar

import pytest

from kada_athena_async.commit.recovery import RecoverySettings
from kada_athena_async.commit.transaction import CommitRequest, commit
from kada_athena_async.config import Config, make_config
from kada_athena_async.config.landing import Place
from kada_athena_async.engine.destination import Destination
from kada_athena_async.engine.ownership import Owner, origin_of
from kada_athena_async.engine.pending_delivery import PendingDelivery
from kada_athena_async.engine.window_planner import WindowPlanner
from kada_athena_async.files import Files
from kada_athena_async.hwm import (
    DeliveryIntent,
    Disposition,
    Execution,
    Ledger,
    WindowPlan,
    next_state,
    parse_hwm,
)
from kada_athena_async.hwm.object_store import ObjectHwmStore
from kada_athena_async.landing import Landing
from kada_athena_async.landing.azure import AzureLanding
from kada_athena_async.landing.s3 import S3Landing
from kada_athena_async.manifest import RunFacts
from kada_athena_async.records import QueryRecord, UserRecord
from kada_athena_async.sinks.journal import RunIntent
from kada_athena_async.sinks.staging import Staging
from tests.kit.in_place import work_in_place
from tests.landing.stores import Blobs, Contents, S3Calls, TurnedLocal, opened
from tests.unit.commit.disk import CrashingFiles

Kind: TypeAlias = Literal["s3", "azure", "local"]
Order: TypeAlias = Literal["run", "push", "oldest again", "newest again"]
"""Orders of a run: what is new; only to deliver; or a package here once more."""

ResultT = TypeVar("ResultT")

T0 = datetime(2026, 11, 1, tzinfo=timezone.utc)
STEP = timedelta(minutes=10)
SETTLE = timedelta(minutes=1)
MINUTE = timedelta(minutes=1)
KINDS = ("users", "databaselog")
LANDING = Path("/landing")

PLACES: dict[Kind, dict[str, object]] = {
    "s3": {"bucket": "landing", "prefix": "lz"},
    "azure": {
        "account": "kadalanding",
        "container": "landing",
        "prefix": "lz",
        "sas_token": "sig=x",
    },
    "local": {"path": str(LANDING)},
}


class Killed(BaseException):
    """The process is dead. Nothing may handle it."""


class Loop(asyncio.SelectorEventLoop):
    """An event loop that runs until nobody has anything to do."""

    def settle(self) -> None:
        def look() -> None:
            if self._ready:  # type: ignore[attr-defined]
                self.call_soon(look)
            else:
                self.stop()

        self.call_soon(look)
        self.run_forever()


class InPlace(ThreadPoolExecutor):
    """Calls at once what it is given."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **fields: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **fields))
        except BaseException as exc:
            future.set_exception(exc)

        return future


@contextmanager
def without_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    """A loop in which what would be done in worker threads is done in place."""
    work_in_place(monkeypatch)
    loop = Loop()
    loop.set_default_executor(InPlace())
    try:
        yield loop
    finally:
        loop.close()


class Clock:
    """Time stands still: no step of a schedule depends on it."""

    def now(self) -> datetime:
        return T0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, duration_s: float) -> None:
        await asyncio.sleep(0)


class Disk(Files):
    """A runner's disk: it dies with the process, and syncing costs nothing.

    Attributes:
        changes: How many operations changed it so far.
    """

    each = staticmethod(CrashingFiles.each)

    def __init__(self) -> None:
        self.is_dead = False
        self.changes = 0

    def _change(self) -> None:
        if self.is_dead:
            raise Killed

        self.changes += 1

    def guard(self, root: Path) -> None:
        """Nobody else is here: what ``files.private`` looks at takes most of a run's time."""

    def make_dir(self, path: Path, *, mode: int = 0o700) -> None:
        self._change()
        super().make_dir(path, mode=mode)

    def create(self, path: Path) -> int:
        self._change()
        return super().create(path)

    def sync(self, fd: int) -> None:
        """Nothing here survives the machine anyway."""

    def sync_dir(self, path: Path) -> None:
        """As ``sync``."""

    def rename(self, source: Path, target: Path) -> None:
        self._change()
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        self._change()
        super().remove(path)

    def remove_dir(self, path: Path) -> None:
        self._change()
        super().remove_dir(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutside(Destination):
    """Its landing is the model's."""

    opened: Landing

    def landing(self, place: Place) -> AbstractAsyncContextManager[Landing]:
        assert place == self.config.landing
        return opened(self.opened)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a run is about to make."""

    operation: str
    name: str
    function: Callable[[], object]


class Process:
    """A run that goes on with each answer that it gets.

    Args:
        root: The runner's disk.
        number: The n-th run of all; it extracts to ``T0 + n * STEP``.
    """

    def __init__(
        self, kind: Kind, contents: Contents, loop: Loop, root: Path, number: int, order: Order
    ) -> None:
        self.root = root
        self.disk = Disk()
        self._kind = kind
        self._contents = contents
        self._loop = loop
        self._number = number
        self._seen = number
        self._order = order
        self._waiting: deque[tuple[Call, asyncio.Future[object]]] = deque()
        self._task = loop.create_task(self._run())
        loop.settle()

    @property
    def call(self) -> Call | None:
        """The call that it is about to make; None if it has ended."""
        while self._waiting and self._waiting[0][1].done():  # cancelled beside another's failure
            self._waiting.popleft()

        if self._waiting:
            return self._waiting[0][0]

        assert self._task.done(), "it waits for nothing"
        return None

    @property
    def error(self) -> BaseException | None:
        """Its exit code or error."""
        return self._task.exception()

    def answer(self, outcome: object) -> None:
        """Go on with the outcome of the call."""
        assert self.call is not None
        self._waiting.popleft()[1].set_result(outcome)
        self._loop.settle()

    def drop(self) -> None:
        """End it without a trace."""
        self.disk.is_dead = True
        self._task.cancel()
        while not self._task.done():
            self._loop.settle()
            while self._waiting:
                _, future = self._waiting.popleft()
                if not future.done():
                    future.set_exception(Killed())

        if not self._task.cancelled():
            self._task.exception()

    async def _turn(self, operation: str, name: str, function: Callable[[], ResultT]) -> ResultT:
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((Call(operation, name, function), future))
        found: ResultT = await future
        return found

    def _landing(self, destination: ModelOutside | None, config: Config, prefix: str) -> Any:
        """The real landing, or at another *prefix* the place of the mark."""
        place: Any = config.landing
        if self._kind == "local":
            path = LANDING / prefix if prefix else LANDING
            return TurnedLocal(path, self._contents, self._turn, makes=bool(prefix))

        place = place.model_copy(update={"prefix": f"lz/{prefix}".rstrip("/")})
        if self._kind == "s3":
            return S3Landing(S3Calls(self._contents, self._turn), self.disk, place)  # type: ignore[arg-type]

        around = self._outside(config, None).runtime
        return AzureLanding(Blobs(self._contents, self._turn), place, around)  # type: ignore[arg-type]

    def _outside(self, config: Config, landing: Any) -> ModelOutside:
        return ModelOutside(
            config=config,
            name="k",
            files=self.disk,
            clock=Clock(),
            rng=Random(self._number),
            notify=lambda event: None,
            opened=landing,
        )

    async def _run(self) -> None:
        config = _CONFIGS[self._kind]
        destination = self._outside(config, self._landing(None, config, ""))
        store = ObjectHwmStore(self._landing(None, config, "_hwm"), "k")
        out = self.root
        owner = Owner(origin_of(config, "k"), _no_account)
        handover = PendingDelivery(
            files=destination.files,
            notify=destination.notify,
            destination=destination,
            owner=owner,
            store=store,
            output_path=out,
        )
        planner = replace(destination.planner(store, out), **_request(self._order, out))
        await planner.check()
        is_push = self._order == "push"
        settings = RecoverySettings(
            config_digest="c", now=T0, resume=timedelta(0), only_commits=is_push
        )
        _, unfinished = await handover.begin(settings)
        if is_push:
            return

        await planner.requested_windows(await self._now(store))
        if unfinished is not None:
            await self._extract(unfinished, "0", planner, handover)

        plans, _ = await planner.requested_windows(await self._now(store))
        for number, asked in enumerate(plans, start=1):
            await self._extract(asked, str(number), planner, handover)

    async def _now(self, store: ObjectHwmStore) -> datetime:
        """Time went on while this run waited and others moved the mark."""
        mark = (await store.read())[0] or T0
        return max(mark, T0 + self._number * STEP) + SETTLE

    async def _extract(
        self,
        asked: WindowPlan | DeliveryIntent,
        suffix: str,
        planner: WindowPlanner,
        handover: PendingDelivery,
    ) -> None:
        window, store = asked.window, planner.store
        assert window is not None
        assert isinstance(store, ObjectHwmStore)
        window_plan = await planner.plan(asked, await self._now(store))
        workgroup_window = window_plan.of_workgroup("w")
        account = Ledger(workgroup_window)
        # Time does not go back: what was listed once is listed from then on.
        newest = max(window.end, (await store.read())[0] or T0)
        self._seen = max(self._seen, (newest - T0) // STEP)
        seen = {e.query_id: e for e in executions(self._seen)}
        listed = [i for i, e in seen.items() if _submitted(e) >= workgroup_window.listed_since]
        rows = []
        for query_id in dict.fromkeys((*account.unfinished(), *account.admit(listed))):
            execution = seen[query_id]
            if account.classify(execution).disposition is Disposition.EMIT:
                rows.append(execution)

        closed = account.close()
        intent = RunIntent(
            run_id=f"{self._number:04d}-{suffix}",
            name="k",
            start=window.start,
            end=window.end,
            hwm=(await store.read())[0],
            manages_hwm=True,
            compress=True,
            replaces=asked.replaces,
            config_digest="c",
            plan_digest="p",
            started_at=T0,
            mask=True,
            origin=planner.origin,
        )
        request = CommitRequest(
            unit_order=["u"],
            facts=RunFacts(version="1"),
            state=window_plan.leaves(
                next_state(window.end, window_plan.previous, [closed], origin=planner.origin)
            ),
            kinds=KINDS,
            accounts=[closed],
        )
        async with await Staging.create(self.root, intent, self.disk) as staging:
            async with staging.part("u", "users") as part:
                # The same every other run, so that bytes and ETags come back.
                user = f"u{self._number % 2}"
                await part.write([UserRecord("s", user, "w", "ENABLED", *[None] * 3)])

            async with staging.part("u", "databaselog") as part:
                await part.write([_row(execution) for execution in rows])

            await staging.seal("u", {})
            await commit(staging, request, handover)


async def _no_account() -> str:
    return ""


def _config(kind: Kind) -> Config:
    return make_config(
        {
            "server": "s",
            "region": "us-east-1",
            "bucket": "s3://results/p",
            "output_path": "/out",
            "settle_seconds": SETTLE.seconds,
            "landing": PLACES[kind],
            "hwm_store": "landing",
        }
    )


_CONFIGS = {kind: _config(kind) for kind in PLACES}


def _request(order: Order, out: Path) -> dict[str, Any]:
    if order in ("run", "push"):
        return {}

    manifests = sorted(out.glob("k_manifest_*.json"))
    document = json.loads(manifests[0 if order == "oldest again" else -1].read_bytes())
    start, end = (datetime.fromisoformat(document[key]) for key in ("start", "end"))
    return {"start": start, "end": end, "again": True}


def executions(run: int) -> list[Execution]:
    """Executions that Athena lists to the *run*-th run.

    In each step one execution begins and ends, two do so and become listable two and three runs
    later, and one ends only in the next step.
    """
    found = []
    for n in range(run + 1):
        begin = T0 + n * STEP + MINUTE
        found.append(Execution(f"short{n}", "w", "SUCCEEDED", begin, begin + MINUTE))
        if run >= n + 2:
            found.append(Execution(f"late{n}", "w", "SUCCEEDED", begin, begin + 2 * MINUTE))

        if run >= n + 3:
            found.append(Execution(f"later{n}", "w", "SUCCEEDED", begin, begin + 3 * MINUTE))

        is_over = run >= n + 2
        state = "SUCCEEDED" if is_over else "RUNNING"
        end = begin + STEP if is_over else None
        found.append(Execution(f"long{n}", "w", state, begin, end))

    return [e for e in found if _submitted(e) < T0 + run * STEP + SETTLE]


def _submitted(execution: Execution) -> datetime:
    assert execution.submitted_at is not None
    return execution.submitted_at


def _row(execution: Execution) -> QueryRecord:
    row: list[object] = [None] * len(QueryRecord._fields)
    row[QueryRecord._fields.index("server")] = "s"
    row[QueryRecord._fields.index("query_id")] = execution.query_id
    row[QueryRecord._fields.index("workgroup")] = execution.workgroup
    row[QueryRecord._fields.index("submitted_at")] = execution.submitted_at
    return QueryRecord(*row)  # type: ignore[arg-type]


# --- what must be true ------------------------------------------------------------------------


def lies(contents: Contents, kind: Kind) -> dict[str, bytes]:
    """Contents of the landing as the platform finds them."""
    root = f"{LANDING}/" if kind == "local" else "lz/"
    found = {name.removeprefix(root): thing.data for name, thing in contents.things.items()}
    return {name: data for name, data in found.items() if "/" not in name}


def check_manifests(files: Mapping[str, bytes]) -> None:
    """Every manifest is true, at any moment."""
    for name, data in files.items():
        if "_manifest_" not in name:
            continue

        for file in json.loads(data)["files"]:
            held = files.get(file["name"])
            assert held is not None, f"{name} names {file['name']}, which is not there"
            sha256 = hashlib.sha256(held).hexdigest()
            assert sha256 == file["sha256"], f"{name} lies about {file['name']}"


def check_end(contents: Contents, kind: Kind, run: int) -> None:
    """At rest: each execution once, no leftover, and the mark where the last manifest ends."""
    files = lies(contents, kind)
    manifests = [json.loads(data) for name, data in files.items() if "_manifest_" in name]
    named = {file["name"] for manifest in manifests for file in manifest["files"]}
    assert {name for name in files if "_manifest_" not in name} == named, "a leftover"
    windows = sorted((manifest["start"], manifest["end"]) for manifest in manifests)
    assert [end for _, end in windows[:-1]] == [start for start, _ in windows[1:]]
    root = f"{LANDING}/_hwm/" if kind == "local" else "lz/_hwm/"
    mark = parse_hwm(contents.things[f"{root}k_hwm.txt"].data.decode())
    assert f"{mark:%Y-%m-%dT%H:%M:%SZ}" == windows[-1][1], "the mark is behind"
    told: Counter[str] = Counter()
    for name in named:
        if "_databaselog_" in name:
            text = gzip.decompress(files[name]).decode()
            told.update(row["query_id"] for row in csv.DictReader(io.StringIO(text)))

    truth = Counter(
        e.query_id for e in executions(run) if e.completed_at is not None and e.completed_at < mark
    )
    assert told == truth, f"told twice {told - truth}, lost {truth - told}"
