"""One commit: all in sight or nothing, refused rather than overwritten, told when it cannot be."""

from __future__ import annotations

import errno
import gzip
import itertools
import json
import os
import shutil
import stat
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from kada_athena_async.commit.publication import Publisher
from kada_athena_async.commit.recovery import InterruptedRun, RecoverySettings, recover
from kada_athena_async.commit.transaction import CommitRequest, commit
from kada_athena_async.errors import CommitError, StateError
from kada_athena_async.events import Event, FileCommitted, Warned
from kada_athena_async.files import Files
from kada_athena_async.hwm import RunState
from kada_athena_async.hwm.store import FileHwmStore
from kada_athena_async.manifest import RunFacts
from kada_athena_async.records import KINDS, RECORD_TYPES
from kada_athena_async.sinks.journal import RunIntent
from kada_athena_async.sinks.staging import Staging
from tests.unit.commit.disk import CrashingFiles, SimulatedCrash
from tests.unit.commit.miniature import T0, ignore, read_csv, user

START, END = T0, T0 + timedelta(hours=1)
NOW = END + timedelta(minutes=1)
UNITS = ("b", "a")


class World:
    """An output directory and a mark."""

    def __init__(self, root: Path, files: Files | None = None) -> None:
        self.out, self.files = root / "out", files or Files()
        self.out.mkdir(exist_ok=True)
        self.store = FileHwmStore(root / "athena_hwm.txt", Files())

    async def staged(self, **changes: object) -> Staging:
        """A run with two finished units."""
        facts: dict[str, object] = {
            "run_id": "run-1",
            "name": "athena",
            "start": START,
            "end": END,
            "hwm": None,
            "manages_hwm": True,
            "compress": True,
            "config_digest": "c",
            "plan_digest": "p",
            "started_at": NOW,
        }
        intent = RunIntent(**(facts | changes))  # type: ignore[arg-type]
        staging = await Staging.create(self.out, intent, self.files)
        for unit in UNITS:
            async with staging.part(unit, "users") as part:
                await part.write([user(unit), user(unit * 2)])

            await staging.seal(unit, {})

        return staging

    async def commit(self, staging: Staging, *, notify: Callable[[Event], None] = ignore) -> None:
        """Commit it in the order of ``UNITS``."""
        request = CommitRequest(
            unit_order=UNITS,
            facts=RunFacts(version="1", calls={"athena:ListWorkGroups": 2}),
            state=RunState(hwm=staging.intent.end),
        )
        store = self.store if staging.intent.manages_hwm else None
        await commit(staging, request, Publisher(files=staging.files, notify=notify, store=store))

    async def recover(
        self,
        *,
        config_digest: str = "c",
        is_fresh: bool = False,
        age: timedelta = timedelta(0),
        has_store: bool = True,
        notify: Callable[[Event], None] = ignore,
    ) -> InterruptedRun | None:
        """Look at what was left."""
        return await recover(
            self.out,
            "athena",
            settings=RecoverySettings(
                config_digest=config_digest,
                now=NOW + age,
                resume=timedelta(hours=12),
                is_fresh=is_fresh,
            ),
            publisher=Publisher(
                files=Files(), notify=notify, store=self.store if has_store else None
            ),
        )

    def in_sight(self) -> list[str]:
        """The names that a consumer sees."""
        return sorted(path.name for path in self.out.iterdir() if not path.name.startswith("."))

    def staged_runs(self) -> list[str]:
        """The runs that left something."""
        return sorted(path.name for path in (self.out / ".athena-staging").iterdir())


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A fresh world."""
    return World(tmp_path)


async def crashed(root: Path, operation: str, name: str, **changes: object) -> World:
    """A world whose commit died right before *operation* on a file whose name begins so."""

    class Dying(CrashingFiles):
        def rename(self, source: Path, target: Path) -> None:
            if operation == "rename" and target.name.startswith(name) and target.parent != source:
                self.crash_at = self.steps
            super().rename(source, target)

    dying = Dying()
    world = World(root, dying)
    world.store = FileHwmStore(root / "athena_hwm.txt", dying)
    staging = await world.staged(**changes)
    with pytest.raises(SimulatedCrash):
        await world.commit(staging)

    world.files, world.store = Files(), FileHwmStore(root / "athena_hwm.txt", Files())
    return world


async def test_every_kind_is_in_sight_with_its_header(world: World) -> None:
    """One file a kind, header first, parts in plan order, header only where there is nothing."""
    events: list[Event] = []
    await world.commit(await world.staged(), notify=events.append)
    stamp = "20261101T010000Z"

    names = [f"athena_{kind}_{stamp}.csv.gz" for kind in KINDS]
    assert world.in_sight() == sorted([*names, f"athena_manifest_{stamp}.json"])
    assert [event.name for event in events if isinstance(event, FileCommitted)] == names
    for kind in KINDS:
        text = gzip.decompress((world.out / f"athena_{kind}_{stamp}.csv.gz").read_bytes())
        assert text.split(b"\n")[0] == ",".join(RECORD_TYPES[kind]._fields).encode()
        workgroups = [row["workgroup"] for row in read_csv(text)]
        assert workgroups == (["b", "bb", "a", "aa"] if kind == "users" else [])

    assert world.staged_runs() == []
    assert (await world.store.read())[0] == END


async def test_without_compression_the_files_are_plain(world: World) -> None:
    """With compress off the same rows are plain CSV."""
    await world.commit(await world.staged(compress=False))
    data = (world.out / "athena_users_20261101T010000Z.csv").read_bytes()

    assert [row["workgroup"] for row in read_csv(data)] == ["b", "bb", "a", "aa"]


async def test_the_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    """Two runs with the same rows write the same extracts."""
    contents = []
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        world = World(tmp_path / str(number))
        await world.commit(await world.staged(run_id=f"run-{number}"))
        contents.append({path.name: path.read_bytes() for path in world.out.glob("*.gz")})

    assert contents[0] == contents[1]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
async def test_s10_what_is_in_sight_is_for_the_owner(world: World) -> None:
    """S10: extracts, manifest, mark and state are 0600."""
    await world.commit(await world.staged())
    files = [*world.out.glob("athena_*"), world.store.hwm_path, world.store.state_path]

    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


async def test_a_caller_with_his_own_marks_keeps_them(world: World) -> None:
    """Without a store there is a manifest, and no mark."""
    await world.commit(await world.staged(manages_hwm=False))

    assert len(world.in_sight()) == len(KINDS) + 1
    assert not world.store.hwm_path.exists()
    assert not world.store.state_path.exists()


async def test_what_is_in_sight_is_not_overwritten(world: World) -> None:
    """A second commit of the same end is refused, with the name and `again=True` in the message."""
    await world.commit(await world.staged())
    before = {name: (world.out / name).read_bytes() for name in world.in_sight()}
    staging = await world.staged(run_id="run-2", hwm=END)
    with pytest.raises(CommitError, match="is published already") as caught:
        await world.commit(staging)

    assert "`again=True`" in caught.value.hint
    assert {name: (world.out / name).read_bytes() for name in world.in_sight()} == before


async def test_again_replaces_the_whole_commit(world: World) -> None:
    """With --again the old files go, also those whose names have no successor."""
    await world.commit(await world.staged())
    await world.commit(await world.staged(run_id="run-2", compress=False, hwm=END, replaces=True))

    suffixes = {Path(name).suffix for name in world.in_sight()}
    assert suffixes == {".csv", ".json"}
    manifest = json.loads((world.out / "athena_manifest_20261101T010000Z.json").read_text())
    assert manifest["run_id"] == "run-2"


async def test_an_interrupted_replacement_may_still_replace(world: World) -> None:
    """The permission by --again is remembered: the run that continues it commits it."""
    await world.commit(await world.staged())
    await world.staged(run_id="run-2", hwm=END, replaces=True)
    recovery = await world.recover()
    assert recovery is not None

    await world.commit(await Staging.reopen(recovery.path, Files()))

    manifest = json.loads((world.out / "athena_manifest_20261101T010000Z.json").read_text())
    assert manifest["run_id"] == "run-2"


async def test_again_never_replaces_what_no_manifest_names(world: World) -> None:
    """A file that somebody else put there is not ours to overwrite, with or without --again."""
    stranger = world.out / "athena_users_20261101T010000Z.csv.gz"
    stranger.write_bytes(b"mine")
    with pytest.raises(CommitError, match=stranger.name):
        await world.commit(await world.staged(replaces=True))

    assert stranger.read_bytes() == b"mine"


@pytest.mark.parametrize("k", range(1, 200, 3))
async def test_a_replacement_that_dies_is_finished(world: World, tmp_path: Path, k: int) -> None:
    """Killed at any operation of a replacement: the old commit or the new one, never a mixture."""
    await world.commit(await world.staged())
    dying = CrashingFiles()
    world.files = dying
    staging = await world.staged(run_id="run-2", compress=False, hwm=END, replaces=True)
    dying.crash_at = dying.steps + k
    try:
        await world.commit(staging)
    except SimulatedCrash:
        await world.recover()

    manifest = json.loads((world.out / "athena_manifest_20261101T010000Z.json").read_text())
    named = [file["name"] for file in manifest["files"]]
    assert world.in_sight() == sorted([*named, "athena_manifest_20261101T010000Z.json"])


async def test_the_mark_only_moves_forward(world: World) -> None:
    """A window that is read again on purpose leaves a later mark where it is."""
    await world.store.publish(END + timedelta(days=1))
    await world.commit(await world.staged(hwm=END + timedelta(days=1)))

    assert (await world.store.read())[0] == END + timedelta(days=1)


async def test_a_mark_that_somebody_set_meanwhile_stays(world: World) -> None:
    """A mark that an operator writes during a run counts, and the run says so."""
    staging = await world.staged(hwm=None)
    await world.store.publish(START - timedelta(days=1))
    events: list[Event] = []
    await world.commit(staging, notify=events.append)

    assert (await world.store.read())[0] == START - timedelta(days=1)
    assert [event.code for event in events if isinstance(event, Warned)] == ["mark_edited"]


async def test_i7_an_unfinished_unit_stops_the_commit(world: World) -> None:
    """I7: a plan whose units are not all finished is not committed."""
    staging = await world.staged()
    await staging.discard("a")
    with pytest.raises(StateError, match="the unit a is not finished"):
        await world.commit(staging)

    assert world.in_sight() == []


async def test_i6_a_part_that_changed_stops_the_commit(world: World) -> None:
    """I6: what is joined is what was written, or nothing is in sight."""
    staging = await world.staged()
    path = staging.sealed()["a"].parts[0].path
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(StateError, match="is not what was written"):
        await world.commit(staging)

    assert world.in_sight() == []
    assert not world.store.hwm_path.exists()


async def test_f05_a_manifest_whose_mark_has_not_moved_is_rolled_forward(tmp_path: Path) -> None:
    """F05: dead between manifest and mark: the next run moves the mark and extracts nothing."""
    world = await crashed(tmp_path, "rename", "athena_state")
    assert len(world.in_sight()) == len(KINDS) + 1
    assert await world.store.read() == (None, None)

    assert await world.recover() is None
    hwm, stored = await world.store.read()
    assert stored is not None
    assert (hwm, stored.run_id, stored.state) == (END, "run-1", RunState(hwm=END))
    assert world.staged_runs() == []


async def test_f12_a_missing_file_of_a_manifest_is_no_success(tmp_path: Path) -> None:
    """F12: a commit in sight whose file is gone: exit 3, the file is named, the mark stays."""
    world = await crashed(tmp_path, "rename", "athena_state")
    gone = world.out / "athena_users_20261101T010000Z.csv.gz"
    gone.unlink()
    for _ in range(2):
        with pytest.raises(StateError, match=gone.name) as caught:
            await world.recover()

        assert caught.value.exit_code == 3
        assert "athena_manifest_20261101T010000Z.json" in caught.value.hint
        assert await world.store.read() == (None, None)

    (world.out / "athena_manifest_20261101T010000Z.json").unlink()
    shutil.rmtree(world.out / ".athena-staging" / "run-1")
    assert await world.recover() is None


async def test_f12_a_damaged_file_of_a_manifest_is_no_success(tmp_path: Path) -> None:
    """F12: the same for a file that is not what the manifest says."""
    world = await crashed(tmp_path, "rename", "athena_state")
    harmed = world.out / "athena_users_20261101T010000Z.csv.gz"
    harmed.write_bytes(harmed.read_bytes() + b"x")
    with pytest.raises(StateError, match=harmed.name):
        await world.recover()

    assert await world.store.read() == (None, None)


async def test_a_journaled_commit_is_finished_without_any_call(tmp_path: Path) -> None:
    """Dead in the middle of the moves: all files are complete, so the next run finishes them."""
    world = await crashed(tmp_path, "rename", "athena_users")

    assert await world.recover() is None
    assert len(world.in_sight()) == len(KINDS) + 1
    assert (await world.store.read())[0] == END


@pytest.mark.parametrize("how", ["other configuration", "fresh", "mark set"])
async def test_a_commit_that_must_not_be_finished_is_taken_back(tmp_path: Path, how: str) -> None:
    """Under another configuration (it may mask now), with --fresh, from another mark."""
    world = await crashed(tmp_path, "rename", "athena_users")
    stranger = world.out / "athena_notes.csv.gz"
    stranger.write_bytes(b"mine")
    if how == "mark set":
        await world.store.publish(START)

    events: list[Event] = []
    recovery = await world.recover(
        config_digest="other" if how == "other configuration" else "c",
        is_fresh=how == "fresh",
        notify=events.append,
    )

    assert recovery is None
    assert world.in_sight() == [stranger.name]
    assert [event.code for event in events if isinstance(event, Warned)] == ["leftover"]


async def test_a_file_that_changed_in_sight_is_not_removed(tmp_path: Path) -> None:
    """Taking back removes exactly what was moved there; what somebody changed is his."""
    world = await crashed(tmp_path, "rename", "athena_users")
    changed = next(iter(world.out.glob("athena_metadata_*")))
    changed.write_bytes(b"changed")
    await world.recover()

    assert world.in_sight() == [changed.name]


async def test_an_interrupted_run_is_offered_for_continuation(world: World) -> None:
    """Young, same configuration, same mark: to be continued with its own window."""
    staging = await world.staged()
    recovery = await world.recover(age=timedelta(hours=11))

    assert recovery is not None
    assert recovery.intent == staging.intent
    again = await Staging.reopen(recovery.path, Files())
    await world.commit(again)
    assert (await world.store.read())[0] == END


@pytest.mark.parametrize(
    "change",
    [
        {"age": timedelta(hours=12)},
        {"age": timedelta(hours=-1)},
        {"config_digest": "other"},
        {"is_fresh": True},
    ],
)
async def test_what_cannot_be_continued_is_swept(world: World, change: dict[str, object]) -> None:
    """Too old, from the future, another configuration, --fresh: gone, and said so."""
    await world.staged()
    events: list[Event] = []
    recovery = await world.recover(notify=events.append, **change)  # type: ignore[arg-type]

    assert recovery is None
    assert world.staged_runs() == []
    (warning,) = (event for event in events if isinstance(event, Warned))
    assert warning.code == "leftover"
    said = (
        "is discarded, as asked"
        if change.get("is_fresh")
        else "cannot be continued and was discarded"
    )
    assert warning.message.endswith(said)


async def test_of_several_interrupted_runs_the_youngest_is_continued(world: World) -> None:
    """One window can be finished once."""
    await world.staged(run_id="run-1")
    await world.staged(run_id="run-2")
    recovery = await world.recover()

    assert recovery is not None
    assert recovery.intent.run_id == "run-2"
    assert world.staged_runs() == ["run-2"]


async def test_a_run_with_a_mark_is_left_to_one_with_a_mark(world: World) -> None:
    """A caller with his own marks neither finishes nor sweeps what moves a mark."""
    await world.staged()
    events: list[Event] = []

    assert await world.recover(has_store=False, notify=events.append) is None
    assert world.staged_runs() == ["run-1"]
    assert [event.code for event in events if isinstance(event, Warned)] == ["leftover"]


async def test_f11_a_junk_journal_stops_the_run(tmp_path: Path) -> None:
    """F11: without the journal nobody knows what in sight belongs to the dead commit."""
    world = await crashed(tmp_path, "rename", "athena_users")
    (world.out / ".athena-staging" / "run-1" / "commit.json").write_bytes(b"{")

    with pytest.raises(StateError, match=r"commit\.json cannot be used"):
        await world.recover()


async def test_a_tampered_journal_reaches_nothing_outside(tmp_path: Path) -> None:
    """S11: names in journals and manifests are plain names, or they are refused."""
    world = await crashed(tmp_path, "rename", "athena_users")
    journal = world.out / ".athena-staging" / "run-1" / "commit.json"
    journal.write_text(journal.read_text().replace('"athena_users', '"../athena_users'))

    with pytest.raises(StateError, match=r"edited or damaged, at files\[7\]\.name"):
        await world.recover()


async def test_f09_a_replaced_output_path_stops_the_commit(world: World, tmp_path: Path) -> None:
    """F09: replaced by a link during the run: nothing is moved, nor written behind it."""
    staging = await world.staged()
    elsewhere = tmp_path / "elsewhere"
    shutil.move(world.out, elsewhere)
    world.out.symlink_to(elsewhere)
    with pytest.raises(CommitError, match="was replaced by something else"):
        await world.commit(staging)

    assert [path.name for path in elsewhere.iterdir()] == [".athena-staging"]


async def test_an_extract_is_written_while_another_is_synced(tmp_path: Path) -> None:
    """A disk takes milliseconds for each sync, and several at once take no longer than one."""
    numbers, another = itertools.count(), threading.Event()

    class Slow(Files):
        def sync(self, fd: int) -> None:
            if next(numbers):
                another.set()
            else:
                assert another.wait(60), "one after the other"

            super().sync(fd)

    world = World(tmp_path)
    staging = await world.staged()
    staging.files = Slow()
    await world.commit(staging)

    assert len(world.in_sight()) == len(KINDS) + 1


class Full(Files):
    """A disk that is full from a chosen operation on."""

    def __init__(self) -> None:
        self.left: float = float("inf")

    def _use(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def create(self, path: Path) -> int:
        self._use()
        return super().create(path)

    def write(self, fd: int, data: bytes | memoryview) -> None:
        self._use()
        super().write(fd, data)

    def sync(self, fd: int) -> None:
        self._use()
        super().sync(fd)

    def rename(self, source: Path, target: Path) -> None:
        if not target.name.endswith(".done"):
            self._use()

        super().rename(source, target)


async def failure_of(world: World, staging: Staging) -> CommitError | None:
    """Why the commit failed, if it did."""
    try:
        async with staging:
            await world.commit(staging)
    except CommitError as exc:
        return exc

    return None


@pytest.mark.parametrize("left", range(0, 70, 2))
async def test_f07_a_disk_full_at_any_moment_leaves_all_or_nothing(
    tmp_path: Path, left: int
) -> None:
    """F07: no space at the k-th create, write, sync or rename: nothing in sight, or everything."""
    full = Full()
    world = World(tmp_path, full)
    world.store = FileHwmStore(tmp_path / "athena_hwm.txt", full)
    staging = await world.staged()
    full.left = left
    failure = await failure_of(world, staging)
    assert failure is None or "no space left" in failure.message

    full.left = float("inf")
    assert len(world.in_sight()) in (0, len(KINDS) + 1)
    if failure and world.in_sight():
        assert await world.recover() is None
    elif failure:
        assert world.staged_runs() == []
        await world.commit(await world.staged(run_id="run-2"))

    assert (await world.store.read())[0] == END


async def test_f07_too_little_space_is_told_before_anything_is_written(world: World) -> None:
    """F07: the joined extracts need room beside the parts; how much is in the message."""

    class Small(Files):
        def free_bytes(self, path: Path) -> int:
            return 100

    world.files = Small()
    staging = await world.staged()
    with pytest.raises(CommitError, match=r"[\d,]+ bytes are needed, 100 are free"):
        await world.commit(staging)

    assert world.in_sight() == []
    assert await world.recover() is not None
