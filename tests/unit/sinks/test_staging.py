"""Parts and units: finished ones survive, all else leaves nothing behind."""

from __future__ import annotations

import errno
import gzip
import os
import stat
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import anyio
import pytest

from kada_athena_async.errors import CommitError, StateError
from kada_athena_async.files import Files
from kada_athena_async.records import UserRecord
from kada_athena_async.sinks.journal import PartFile, RunIntent
from kada_athena_async.sinks.part import BLOCK_BYTES
from kada_athena_async.sinks.part_reader import read_parts
from kada_athena_async.sinks.staging import PARTS, SEALS, Staging, staging_root

NOW = datetime(2026, 11, 23, 5, tzinfo=timezone.utc)


def intent(**changes: object) -> RunIntent:
    """A run's intent."""
    facts: dict[str, object] = {
        "run_id": "run-1",
        "name": "athena",
        "start": NOW - timedelta(days=1),
        "end": NOW,
        "hwm": None,
        "manages_hwm": False,
        "compress": True,
        "config_digest": "c",
        "plan_digest": "p",
        "started_at": NOW,
    }
    return RunIntent(**(facts | changes))  # type: ignore[arg-type]


def users(count: int, *, first: int = 0) -> list[UserRecord]:
    """Rows that compress badly, so that files grow."""
    return [
        UserRecord("s", f"u{n}", os.urandom(16).hex() if n % 7 else "w", None, None, None, None)
        for n in range(first, first + count)
    ]


MANY = 20_000
"""Rows of a part that is too large for its unit's seal."""


def leftovers(staging: Staging) -> list[str]:
    """The files of parts and seals on disk."""
    return sorted(
        path.name for below in (PARTS, SEALS) for path in (staging.path / below).iterdir()
    )


class SlowFiles(Files):
    """A disk that takes its time, and notices a descriptor that is used after it was closed."""

    def __init__(self) -> None:
        self.writing, self.go_on = threading.Event(), threading.Event()
        self.closed: set[int] = set()
        self.misused = False

    def create(self, path: Path) -> int:
        fd = super().create(path)
        self.closed.discard(fd)
        return fd

    def write(self, fd: int, data: bytes | memoryview) -> None:
        self.writing.set()
        self.go_on.wait(60)
        self.misused |= fd in self.closed
        super().write(fd, data)

    def close(self, fd: int) -> None:
        super().close(fd)
        self.closed.add(fd)


class FailingFiles(Files):
    """A disk on which one operation fails from some moment on."""

    def __init__(self, operation: str, number: int) -> None:
        self.operation, self.number = operation, number
        self.is_broken = False

    def _maybe(self, operation: str) -> None:
        if self.is_broken and operation == self.operation:
            raise OSError(self.number, os.strerror(self.number))

    def write(self, fd: int, data: bytes | memoryview) -> None:
        self._maybe("write")
        super().write(fd, data)

    def sync(self, fd: int) -> None:
        self._maybe("sync")
        super().sync(fd)


@pytest.fixture
async def staging(tmp_path: Path) -> Staging:
    """A run's directory on a real disk."""
    return await Staging.create(tmp_path, intent(), Files())


async def sealed(staging: Staging) -> PartFile:
    """The part of the unit ``u``, sealed now."""
    await staging.seal("u", {})
    (part,) = staging.sealed()["u"].parts
    return part


def stored(part: PartFile) -> bytes:
    """The bytes of a part."""
    return part.path.read_bytes()[part.within.start :]


async def test_a_part_is_a_complete_gzip_member_without_header(staging: Staging) -> None:
    """The seal holds what the writer counted, and the member names no time and no file."""
    async with staging.part("u", "users") as part:
        await part.write(users(2)[:1])
        await part.write([UserRecord("s", "x", "w", None, None, None, None)])

    assert part.file is not None
    data = stored(await sealed(staging))
    raw = gzip.decompress(data)
    assert raw.startswith(b"s,u0,w")
    assert raw.endswith(b"s,x,w,,,,,workgroup\n")
    assert (part.file.rows, part.file.size_bytes) == (2, len(data))
    assert data[4:8] == bytes(4)
    assert data[3] == 0


async def test_the_same_rows_give_the_same_bytes_however_they_are_batched(tmp_path: Path) -> None:
    """Pages of any size lead to the same part, byte for byte."""
    rows, found = users(20_000), []
    for name, size in [("a", 20_000), ("b", 1_000), ("c", 17)]:
        staging = await Staging.create(tmp_path, intent(run_id=name), Files())
        async with staging.part("u", "users") as part:
            for at in range(0, len(rows), size):
                await part.write(rows[at : at + size])

        assert part.file is not None
        assert len(gzip.decompress(stored(part.file))) > BLOCK_BYTES
        found.append(part.file.sha256)

    assert len(set(found)) == 1


async def test_without_compression_the_bytes_are_the_rows(tmp_path: Path) -> None:
    """With compress off a part is plain CSV."""
    staging = await Staging.create(tmp_path, intent(compress=False), Files())
    async with staging.part("u", "users") as part:
        await part.write([UserRecord("s", "x", "w", None, None, None, None)])

    assert stored(await sealed(staging)) == b"s,x,w,,,,,workgroup\n"


async def test_a_part_without_rows_leaves_no_file(staging: Staging) -> None:
    """Most units have nothing of most kinds; that costs no file."""
    async with staging.part("u", "users") as part:
        await part.write([])

    assert part.file is None
    assert leftovers(staging) == []


async def test_a_part_left_by_an_error_is_gone(staging: Staging) -> None:
    """Half a part is never taken for a part."""

    async def fail() -> None:
        async with staging.part("u", "users") as part:
            await part.write(users(20_000))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    assert leftovers(staging) == []

    async with staging.part("u", "users") as again:
        await again.write(users(1))

    assert again.file is not None


async def test_a_timeout_around_a_write_leaves_nothing(tmp_path: Path) -> None:
    """Cancelled while the thread writes: no closed descriptor is written to."""
    files = SlowFiles()
    files.go_on.set()
    staging = await Staging.create(tmp_path, intent(), files)
    files.go_on.clear()
    files.writing.clear()

    async def cancel(scope: anyio.CancelScope) -> None:
        await anyio.to_thread.run_sync(files.writing.wait)
        scope.cancel()
        await anyio.sleep(0.02)  # whoever left the thread alone would have closed the file by now
        files.go_on.set()

    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:
            group.start_soon(cancel, scope)
            async with staging.part("u", "users") as part:
                await part.write(users(20_000))
                await anyio.sleep_forever()

    assert scope.cancelled_caught
    assert not files.misused
    assert leftovers(staging) == []


async def test_a_sealed_unit_survives_a_restart(staging: Staging) -> None:
    """Parts, counts and facts of a sealed unit are there again; what was not sealed is gone."""
    async with staging.part("done", "users", 1) as second:
        await second.write(users(3))
    async with staging.part("done", "users", 0) as first:
        await first.write(users(2))

    await staging.seal("done", {"pages": [1, 2], "name": "\u65e5"})
    async with staging.part("open", "users") as part:
        await part.write(users(2))

    again = await Staging.reopen(staging.path, Files())

    assert again.intent == staging.intent
    assert again.sealed() == staging.sealed()
    assert [part.rows for part in again.sealed()["done"].parts] == [2, 3]
    assert again.sealed()["done"].facts == {"pages": [1, 2], "name": "\u65e5"}
    assert len(leftovers(again)) == 1


async def test_small_parts_lie_in_the_seal_and_large_ones_in_files(staging: Staging) -> None:
    """A unit makes one file, and one more for each part that is large; each is read back whole."""
    written = {0: users(2), 1: users(MANY), 2: users(3)}
    for index, rows in written.items():
        async with staging.part("u", "users", index) as part:
            await part.write(rows)

    await staging.seal("u", {})
    again = await Staging.reopen(staging.path, Files())

    assert len(leftovers(again)) == 2
    assert [
        [record for batch in read_parts([part], is_packed=True) for record in batch]
        for part in again.sealed()["u"].parts
    ] == [*written.values()]


async def test_a_unit_of_many_parts_holds_few_of_them(staging: Staging) -> None:
    """Memory is bounded: what is more than two blocks goes into files before the seal."""
    for index in range(8):
        async with staging.part("u", "users", index) as part:
            await part.write(users(1_500))

        assert part.file is not None
        assert part.file.size_bytes < BLOCK_BYTES

    assert len(leftovers(staging)) > 1

    await staging.seal("u", {})
    assert (await Staging.reopen(staging.path, Files())).sealed() == staging.sealed()


@pytest.mark.parametrize("rows", [5, MANY])
@pytest.mark.parametrize("harm", ["cut", "changed", "gone", "seal cut", "seal gone"])
async def test_a_damaged_unit_is_done_again(staging: Staging, harm: str, rows: int) -> None:
    """A unit whose part or seal is not what was written does not count as finished."""
    for unit in ("good", "bad"):
        async with staging.part(unit, "users") as part:
            await part.write(users(rows if unit == "bad" else 5))

        await staging.seal(unit, {})

    found = staging.sealed()["bad"].parts[0]
    path, data = found.path, found.path.read_bytes()
    (seal,) = (staging.path / SEALS).glob("u-bad-*")
    first = found.within.start
    match harm:
        case "cut":
            path.write_bytes(data[:-1])
        case "changed":
            path.write_bytes(data[:first] + bytes([data[first] ^ 1]) + data[first + 1 :])
        case "gone":
            path.unlink()
        case "seal cut":
            seal.write_bytes(seal.read_bytes()[:90])
        case "seal gone":
            seal.unlink()

    again = await Staging.reopen(staging.path, Files())

    assert list(again.sealed()) == ["good"]
    assert len(leftovers(again)) == 1
    async with again.part("bad", "users") as part:
        await part.write(users(5))

    await again.seal("bad", {})


async def test_a_discarded_unit_leaves_nothing(staging: Staging) -> None:
    """Sealed or not, a unit can be dropped and begun anew."""
    async with staging.part("u", "users") as part:
        await part.write(users(2))

    await staging.discard("u")
    assert leftovers(staging) == []

    async with staging.part("u", "users") as part:
        await part.write(users(2))

    await staging.seal("u", {})
    await staging.discard("u")

    assert leftovers(staging) == []
    assert (await Staging.reopen(staging.path, Files())).sealed() == {}


async def test_what_would_mix_up_parts_is_refused(staging: Staging) -> None:
    """A part twice, an open part sealed, a sealed unit written to: each is a bug and said so."""
    async with staging.part("u", "users") as part:
        await part.write(users(1))
        with pytest.raises(ValueError, match="has a part 0 of users already"):
            staging.part("u", "users")

        with pytest.raises(ValueError, match="open parts"):
            await staging.seal("u", {})

    with pytest.raises(ValueError, match="has a part 0 of users already"):
        staging.part("u", "users")

    with pytest.raises(ValueError, match="closed"):
        await part.write(users(1))

    await staging.seal("u", {})
    with pytest.raises(ValueError, match="is sealed"):
        staging.part("u", "users")


async def test_hostile_unit_ids_stay_in_their_directory(staging: Staging) -> None:
    """S4: units named by strangers leave their parts where they belong, apart from each other."""
    ids = ["../../x", "a/b", "A", "a", "\x00", "CON", "x" * 300]
    for unit_id in ids:
        async with staging.part(unit_id, "users") as part:
            await part.write(users(1))

        await staging.seal(unit_id, {})

    assert len(leftovers(staging)) == len(ids)
    assert sorted((await Staging.reopen(staging.path, Files())).sealed()) == sorted(ids)


async def test_facts_that_utf8_cannot_hold_are_sealed_all_the_same(staging: Staging) -> None:
    """F45: a message with a lone surrogate costs itself, not the unit."""
    await staging.seal("u", {"reason": ["\ud800", {"\udfff": 1}], "rows": 2})
    again = await Staging.reopen(staging.path, Files())

    assert again.sealed()["u"].facts == {"reason": ["\ufffd", {"\ufffd": 1}], "rows": 2}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
async def test_s10_nobody_else_can_read(staging: Staging) -> None:
    """S10: directories are 0700 and files 0600, whatever the umask."""
    async with staging.part("u", "users") as part:
        await part.write(users(1))

    await staging.seal("u", {})
    paths = [staging.path.parent, staging.path, *staging.path.rglob("*")]

    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in paths}
    assert modes == {True: 0o700, False: 0o600}


async def test_s11_a_link_in_the_staging_directorys_place_is_refused(tmp_path: Path) -> None:
    """S11: whoever puts a link there does not choose where we write."""
    elsewhere = tmp_path / "elsewhere"
    out = tmp_path / "out"
    for path in (elsewhere, out):
        path.mkdir()

    staging_root(out, "athena").symlink_to(elsewhere)
    with pytest.raises(StateError, match="is a link"):
        await Staging.create(out, intent(), Files())

    assert list(elsewhere.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
async def test_s11_a_staging_directory_open_to_others_is_refused(tmp_path: Path) -> None:
    """S11: what others may write to is not ours."""
    root = staging_root(tmp_path, "athena")
    root.mkdir()
    root.chmod(0o777)

    with pytest.raises(StateError, match=r"others may write to .*-staging \(mode 0777\)"):
        await Staging.create(tmp_path, intent(), Files())


async def test_a_linked_output_path_is_resolved_once(tmp_path: Path) -> None:
    """A user's own output_path may be a link; what we write lies behind it."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    staging = await Staging.create(link, intent(), Files())

    assert staging.output_path == real


@pytest.mark.parametrize("operation", ["write", "sync"])
async def test_f07_a_full_disk_is_told_and_freed(tmp_path: Path, operation: str) -> None:
    """F07: no space at a write or at a sync: the error says where, and the staging is gone."""
    files = FailingFiles(operation, errno.ENOSPC)
    staging = await Staging.create(tmp_path, intent(), files)
    files.is_broken = True

    async def fill() -> None:
        async with staging, staging.part("u", "users") as part:
            await part.write(users(20_000))

    with pytest.raises(CommitError, match=r"no space left for .*users\.0\.part"):
        await fill()

    assert not staging.path.exists()


async def test_f08_an_io_error_at_a_sync_is_never_success(tmp_path: Path) -> None:
    """F08: a sync that failed once proves nothing when it succeeds later: the part is gone."""
    files = FailingFiles("sync", errno.EIO)
    staging = await Staging.create(tmp_path, intent(), files)
    files.is_broken = True
    with pytest.raises(CommitError, match="Input/output error"):
        async with staging.part("u", "users") as part:
            await part.write(users(MANY))

    assert part.file is None
    assert leftovers(staging) == []


@pytest.mark.parametrize("operation", ["write", "sync"])
async def test_f08_an_error_at_a_seal_leaves_no_seal(tmp_path: Path, operation: str) -> None:
    """F08: the same where small parts become durable with their seal."""
    files = FailingFiles(operation, errno.EIO)
    staging = await Staging.create(tmp_path, intent(), files)
    async with staging.part("u", "users") as part:
        await part.write(users(1))

    files.is_broken = True
    with pytest.raises(CommitError, match="Input/output error"):
        await staging.seal("u", {})

    assert leftovers(staging) == []


async def test_an_interrupted_run_keeps_its_parts(staging: Staging) -> None:
    """A cancelled or failed run leaves its staging for the next one to continue."""

    async def fail() -> None:
        async with staging:
            async with staging.part("u", "users") as part:
                await part.write(users(1))

            await staging.seal("u", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    assert list((await Staging.reopen(staging.path, Files())).sealed()) == ["u"]


async def test_f53_a_newer_journal_is_refused(staging: Staging) -> None:
    """F53: an older version does not guess what a newer one meant."""
    path = staging.path / "intent.json"
    path.write_text(path.read_text().replace('"schema_version": 3', '"schema_version": 9, "x": 1'))

    with pytest.raises(StateError, match="newer version"):
        await Staging.reopen(staging.path, Files())
