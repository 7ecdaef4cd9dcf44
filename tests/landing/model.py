"""Two runners of one instance, each with a disk of its own, stepped call by call.

What they run is the product's: ``PendingDelivery``, ``recover``, ``commit``, ``deliver``, the
landings and ``ObjectHwmStore``. Invented are the executions that they extract, and the order of
their calls. Worker threads are replaced by calls in place, so that a schedule plays the same each
time.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import io
import json
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any, Literal, TypeAlias

import pytest
from anyio._backends._asyncio import AsyncIOBackend

from kada_athena_async.commit import (
    CommitRequest,
    RecoverySettings,
    RunFacts,
    commit,
    published_packages,
)
from kada_athena_async.config import Config, make_config
from kada_athena_async.config.landing import Place
from kada_athena_async.engine.delivery import Destination
from kada_athena_async.engine.pending_delivery import PendingDelivery
from kada_athena_async.errors import LockedError
from kada_athena_async.files import Files
from kada_athena_async.hwm import RunState, Window, WorkgroupMark, overlapping, parse_hwm
from kada_athena_async.hwm.object_store import ObjectHwmStore
from kada_athena_async.landing import Landing
from kada_athena_async.landing.azure import AzureLanding
from kada_athena_async.landing.s3 import S3Landing
from kada_athena_async.records import QueryRecord, UserRecord
from kada_athena_async.sinks import RunIntent, Staging
from tests.landing.stores import BlobContainer, Blobs, Bucket, S3Calls, TurnedLocal, opened

Kind: TypeAlias = Literal["s3", "azure", "local"]

T0 = datetime(2026, 11, 1, tzinfo=timezone.utc)
STEP = timedelta(minutes=10)
KINDS = ("users", "databaselog")

PLACES: dict[str, object] = {
    "s3": {"bucket": "landing", "prefix": "lz"},
    "azure": {
        "account": "kadalanding",
        "container": "landing",
        "prefix": "lz",
        "sas_token": "sig=x",
    },
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

    async def in_place(
        _cls: type, function: Callable[..., Any], args: tuple[Any, ...], **_: Any
    ) -> Any:
        return function(*args)

    monkeypatch.setattr(AsyncIOBackend, "run_sync_in_worker_thread", classmethod(in_place))
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
    """A runner's disk: it dies with the process, and syncing costs nothing."""

    def __init__(self) -> None:
        self.is_dead = False

    def _live(self) -> None:
        if self.is_dead:
            raise Killed

    def make_dir(self, path: Path, *, mode: int = 0o700) -> None:
        self._live()
        super().make_dir(path, mode=mode)

    def create(self, path: Path) -> int:
        self._live()
        return super().create(path)

    def sync(self, fd: int) -> None:
        """Nothing here survives the machine anyway."""

    def sync_dir(self, path: Path) -> None:
        """As ``sync``."""

    def rename(self, source: Path, target: Path) -> None:
        self._live()
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        self._live()
        super().remove(path)

    def remove_dir(self, path: Path) -> None:
        self._live()
        super().remove_dir(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutside(Destination):
    """Its landing is the world's."""

    opened: Landing

    def landing(self, place: Place) -> AbstractAsyncContextManager[Landing]:
        assert place == self.config.landing
        return opened(self.opened)


class World:
    """What the runners share: the landing, the mark, and what is true.

    Attributes:
        runs: How many runs began. The n-th extracts to ``T0 + n * STEP``.
    """

    def __init__(self, kind: Kind, root: Path, loop: Loop) -> None:
        self.kind = kind
        self.root = root
        self.loop = loop
        self.bucket = Bucket()
        self.container = BlobContainer()
        self.folder = root / "landing"
        self.folder.mkdir(parents=True)
        self.config = _config(kind, root)
        self.runs = 0

    def landing(self, runner: Runner, prefix: str) -> Any:
        """The real landing, or at another *prefix* the place of the mark, called by *runner*."""
        place: Any = self.config.landing
        if self.kind == "local":
            path = self.folder / prefix if prefix else self.folder
            return TurnedLocal(path, runner.disk, runner.turn, makes=bool(prefix))

        place = place.model_copy(update={"prefix": f"lz/{prefix}".rstrip("/")})
        if self.kind == "s3":
            return S3Landing(S3Calls(self.bucket, runner.turn), runner.disk, place)  # type: ignore[arg-type]

        return AzureLanding(Blobs(self.container, runner.turn), place, runner.around)  # type: ignore[arg-type]

    def files(self) -> dict[str, bytes]:
        """What the platform finds in the landing."""
        if self.kind == "local":
            return {
                path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()
            }

        things = self.bucket.things if self.kind == "s3" else self.container.things
        found = {name.removeprefix("lz/"): thing.data for name, thing in things.items()}
        return {name: data for name, data in found.items() if not name.startswith("_hwm/")}

    def marks(self) -> dict[str, bytes]:
        """What lies where the mark is kept."""
        if self.kind == "local":
            hwm = self.folder / "_hwm"
            if not hwm.exists():
                return {}

            return {path.name: path.read_bytes() for path in hwm.iterdir() if path.is_file()}

        things = self.bucket.things if self.kind == "s3" else self.container.things
        return {
            name.removeprefix("lz/_hwm/"): thing.data
            for name, thing in things.items()
            if name.startswith("lz/_hwm/")
        }

    def at_rest(self, runners: Iterable[Runner]) -> bytes:
        """What everything that follows depends on, if nobody runs."""
        found = hashlib.sha256()
        for held in (self.files(), self.marks()):
            for name, data in sorted(held.items()):
                found.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())

        for runner in runners:
            found.update(f"{runner.name} {runner.disks} {runner.rng.getstate()[1]}\n".encode())
            for path in sorted(runner.out.rglob("*")):
                size = path.stat().st_size if path.is_file() else 0
                found.update(f"{path} {size}\n".encode())

        found.update(str(self.runs).encode())
        return found.digest()

    def check_manifests(self) -> None:
        """Every manifest is true, at any moment."""
        files = self.files()
        for name, data in files.items():
            if "_manifest_" not in name:
                continue

            for file in json.loads(data)["files"]:
                held = files.get(file["name"])
                assert held is not None, f"{name} names {file['name']}, which is not there"
                sha256 = hashlib.sha256(held).hexdigest()
                assert sha256 == file["sha256"], f"{name} lies about {file['name']}"

    def check_end(self) -> None:
        """At rest: each execution once, no leftover, and the mark where the last manifest ends."""
        files = self.files()
        manifests = [json.loads(data) for name, data in files.items() if "_manifest_" in name]
        named = {file["name"] for manifest in manifests for file in manifest["files"]}
        assert {name for name in files if "_manifest_" not in name} == named, "a leftover"
        windows = sorted((manifest["start"], manifest["end"]) for manifest in manifests)
        assert [end for _, end in windows[:-1]] == [start for start, _ in windows[1:]]
        mark = parse_hwm(self.marks()["k_hwm.txt"].decode())
        assert f"{mark:%Y-%m-%dT%H:%M:%SZ}" == windows[-1][1], "the mark is behind"
        told: Counter[str] = Counter()
        for name in named:
            if "_databaselog_" in name:
                text = gzip.decompress(files[name]).decode()
                told.update(row["query_id"] for row in csv.DictReader(io.StringIO(text)))

        assert told == Counter(_finished(mark, self.runs)), "not each execution once"


def _config(kind: Kind, root: Path) -> Config:
    landing = PLACES.get(kind) or {"path": str(root / "landing")}
    fields = {
        "server": "s",
        "region": "us-east-1",
        "bucket": "s3://results/p",
        "output_path": str(root),
    }
    return make_config({**fields, "landing": landing, "hwm_store": "landing"})


def _finished(end: datetime, run: int) -> list[str]:
    """The executions that ended before *end* and that the *run*-th run can see.

    Of each step one is seen at once and one only by later runs; both belong to its window.
    """
    count = int((end - T0) / STEP)
    early = [f"e{n}" for n in range(count)]
    return [*early, *(f"late{n}" for n in range(count) if run >= n + 2)]


class Runner:
    """One runner on a machine of its own; its runs follow each other.

    Attributes:
        trace: The calls that it made.
    """

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.disks = 0
        self.trace: list[tuple[str, str]] = []
        self.error: BaseException | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.disk = Disk()
        self.rng = Random(name)

    @property
    def out(self) -> Path:
        return self.world.root / f"{self.name}{self.disks}"

    @property
    def around(self) -> Any:
        return self._outside().runtime

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def turn(self, operation: str, name: str) -> None:
        """Wait for the next step; a dead runner makes none."""
        disk = self.disk
        future = self.world.loop.create_future()
        self._waiting.append(future)
        await future
        if disk.is_dead:
            raise Killed

        self.trace.append((operation, name))

    def step(self) -> bool:
        """Make one call, beginning a run if none is under way; False if the run is over."""
        if self._task is None:
            self._begin()

        while self._waiting and self._waiting[0].done():  # cancelled beside another's failure
            self._waiting.popleft()

        if not self._waiting:
            self._end()
            return False

        self._waiting.popleft().set_result(None)
        self.world.loop.settle()
        if not self.is_running:
            self._end()

        return True

    def finish(self) -> None:
        """Run to the end of the run that is under way, or of a new one."""
        while self.step():
            if self._task is None:
                return

            assert len(self.trace) < 5000, "it never ends"

    def kill(self, *, with_disk: bool) -> None:
        """End the process at the call that it is about to make; perhaps the machine with it."""
        self.disk.is_dead = True
        if self._task is not None:
            self._task.cancel()
            # What it does about its end is refused by its disk, and each of its calls dies.
            while not self._task.done():
                self.world.loop.settle()
                while self._waiting:
                    future = self._waiting.popleft()
                    if not future.done():
                        future.set_result(None)

            with suppress(BaseException):
                self._task.result()

            self._waiting.clear()

        self._task, self.disk = None, Disk()
        if with_disk:
            self.disks += 1

    def _begin(self) -> None:
        self.out.mkdir(exist_ok=True, mode=0o700)
        self.error = None
        self.world.runs += 1
        self._task = self.world.loop.create_task(self._run(self.world.runs))
        self.world.loop.settle()

    def _end(self) -> None:
        assert self._task is not None
        self.error = self._task.exception()
        self._task = None
        if self.error is not None and not isinstance(self.error, LockedError):
            raise self.error

    def _outside(self) -> ModelOutside:
        return ModelOutside(
            config=self.world.config,
            name="k",
            files=self.disk,
            clock=Clock(),
            rng=self.rng,
            notify=lambda event: None,
            opened=None,  # type: ignore[arg-type]
        )

    async def _run(self, run: int) -> None:
        landing = self.world.landing(self, "")
        destination = ModelOutside(
            config=self.world.config,
            name="k",
            files=self.disk,
            clock=Clock(),
            rng=self.rng,
            notify=lambda event: None,
            opened=landing,
        )
        store = ObjectHwmStore(self.world.landing(self, "_hwm"), "k")
        delivery = PendingDelivery(
            destination=destination, store=store, output_path=self.out, files=self.disk
        )
        settings = RecoverySettings(config_digest="c", resume=timedelta(0))
        _, unfinished = await delivery.begin(settings)
        if unfinished is not None:
            window = Window(unfinished.start, unfinished.end)
            await self._extract(run, f"{run:04d}-0", window, store, delivery)

        begun_at, end = (await store.read()).hwm or T0, T0 + run * STEP
        if begun_at < end:
            await self._extract(run, f"{run:04d}", Window(begun_at, end), store, delivery)

    async def _extract(
        self,
        run: int,
        run_id: str,
        window: Window,
        store: ObjectHwmStore,
        delivery: PendingDelivery,
    ) -> None:
        mark = await store.read()
        packages = await published_packages(self.out, "k", self.disk)
        assert not overlapping(window, [package.window for package in packages]), "it sticks"

        await self.turn("extract", "")
        carried = mark.newest
        known = carried.workgroups["w"].recent if carried else {}
        rows = [query_id for query_id in _finished(window.end, run) if query_id not in known]
        intent = RunIntent(
            run_id=run_id,
            name="k",
            start=window.start,
            end=window.end,
            hwm=mark.hwm,
            manages_hwm=True,
            compress=True,
            config_digest="c",
            plan_digest="p",
            started_at=T0,
            mask=True,
        )
        recent = {query_id: T0 for query_id in (*known, *rows)}
        after = WorkgroupMark(mark=window.end, pending={}, recent=recent)
        request = CommitRequest(
            unit_order=["u"],
            facts=RunFacts(version="1"),
            carried=RunState(hwm=window.end, workgroups={"w": after}),
            kinds=KINDS,
        )
        async with await Staging.create(self.out, intent, self.disk) as staging:
            async with staging.part("u", "users") as part:
                # The same every other run, so that bytes and ETags come back.
                await part.write([UserRecord("s", f"u{run % 2}", "w", "ENABLED", *[None] * 3)])

            async with staging.part("u", "databaselog") as part:
                await part.write([_row(query_id) for query_id in rows])

            await staging.seal("u", {})
            await commit(
                staging, request, store=store, notify=lambda event: None, delivery=delivery
            )


def _row(query_id: str) -> QueryRecord:
    row: list[object] = [None] * len(QueryRecord._fields)
    row[QueryRecord._fields.index("server")] = "s"
    row[QueryRecord._fields.index("query_id")] = query_id
    return QueryRecord(*row)  # type: ignore[arg-type]


Act: TypeAlias = tuple[str, int | Literal["kill", "lose"]]
"""A runner, and how many calls it makes; or that its process, or its machine, dies."""

WHOLE = 10_000
"""More calls than any run makes: to its end."""


class Game:
    """Plays schedules, one after the other.

    Attributes:
        played: How many.
    """

    def __init__(self, kind: Kind, root: Path, loop: Loop, *, broken: str = "") -> None:
        self.kind = kind
        self.played = 0
        self._root = root / "world"
        self._loop = loop
        self._broken = broken
        self._seen: set[bytes] = set()

    def play(self, acts: tuple[Act, ...]) -> bool:
        """Play a schedule to its end and check it; False if an act was longer than its run.

        After the acts whoever stands in the middle of a run ends it, and then each runs twice
        more: the last run of each must succeed. What follows a state of rest that was met before
        is known.
        """
        self.played += 1
        world, runners = self._world()
        try:
            is_exact = self._play(world, runners, acts)
        except BaseException as exc:
            exc.add_note(f"schedule: {acts}") if hasattr(exc, "add_note") else None
            for runner in runners.values():
                runner.kill(with_disk=False)

            raise

        return is_exact

    def trace(self, acts: tuple[Act, ...], name: str) -> list[tuple[str, str]]:
        """The calls that a runner makes in a schedule."""
        world, runners = self._world()
        for who, act in acts:
            _act(world, runners[who], act)

        for runner in runners.values():
            runner.kill(with_disk=False)

        return runners[name].trace

    def _world(self) -> tuple[World, dict[str, Runner]]:
        shutil.rmtree(self._root, ignore_errors=True)
        world = World(self.kind, self._root, self._loop)
        world.bucket.broken = self._broken
        return world, {name: Runner(world, name) for name in ("A", "B")}

    def _play(self, world: World, runners: dict[str, Runner], acts: tuple[Act, ...]) -> bool:
        is_exact = all([_act(world, runners[name], act) for name, act in acts])
        for runner in runners.values():
            while runner.is_running:
                runner.step()
                world.check_manifests()

        state = world.at_rest(runners.values())
        if state in self._seen:
            return is_exact

        for _ in range(2):
            for runner in runners.values():
                runner.finish()
                world.check_manifests()

        for runner in runners.values():
            assert runner.error is None, f"{runner.name} is stuck: {runner.error}"

        world.check_end()
        self._seen.add(state)
        return is_exact


def _act(world: World, runner: Runner, act: int | str) -> bool:
    if isinstance(act, str):
        runner.kill(with_disk=act == "lose")
        return True

    for n in range(act):
        runner.step()
        if runner.trace and runner.trace[-1][0] in WRITES:
            world.check_manifests()

        if not runner.is_running:
            return n + 1 == act

    return True


WRITES = frozenset(
    {
        *("PutObject", "CreateMultipartUpload", "CompleteMultipartUpload", "AbortMultipartUpload"),
        *("UploadPart", "PutBlob", "PutBlock", "PutBlockList", "write"),
    }
)
"""Calls that change something."""


def commutes(call: tuple[str, str], others: list[tuple[str, str]]) -> bool:
    """True if a call may as well be made before *others* as after them."""
    operation, name = call
    if operation in ("write", "ListMultipartUploads"):
        return False

    return not any(
        other_name == name and (operation in WRITES or other in WRITES)
        for other, other_name in others
    )
