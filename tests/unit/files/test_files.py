"""The file system's doors: what they promise, and how they fail."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path

import anyio
import msgspec
import pytest

from kada_athena_async.errors import CommitError, LockedError, StateError
from kada_athena_async.files import WHOLE, Files, failing, read_document, to_bytes
from kada_athena_async.files.threads import in_thread

NOW = datetime(2026, 11, 23, 5, tzinfo=timezone.utc)

HOLD = """
import sys, time
from datetime import datetime, timezone
from pathlib import Path
from kada_athena_async.files import Files
lock = Files().lock(Path(sys.argv[1]), run_id="first", now=datetime.now(timezone.utc))
print("held", flush=True)
time.sleep(60)
"""


class Note(msgspec.Struct, forbid_unknown_fields=True):
    """A document."""

    schema_version: int
    text: str


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A write that fails leaves the old content; one that succeeds leaves nothing else."""

    class Full(Files):
        def sync(self, fd: int) -> None:
            raise OSError(errno.ENOSPC, "full")

    path = tmp_path / "x"
    Files().write_durably(path, b"old")
    with pytest.raises(OSError, match="full"):
        Full().write_durably(path, b"new")

    assert path.read_bytes() == b"old"
    assert [child.name for child in tmp_path.iterdir()] == ["x"]
    with pytest.raises(OSError, match="full"):
        Full().write_new(tmp_path / "y", b"new")

    assert not (tmp_path / "y").exists()
    Files().write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert [child.name for child in tmp_path.iterdir()] == ["x"]


def test_writes_are_complete_even_if_the_system_takes_them_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may write less than it was given; the rest follows."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:7])))
    Files().write_new(tmp_path / "x", b"0123456789" * 10)

    assert (tmp_path / "x").read_bytes() == b"0123456789" * 10


def test_joining_tells_what_was_joined(tmp_path: Path) -> None:
    """The bytes of head and sources in order, and the digests of the whole and of each."""
    sources = [tmp_path / "a", tmp_path / "b"]
    for source, data in zip(sources, [b"one", b"<two>"], strict=True):
        source.write_bytes(data)

    wanted = [*zip(sources, [WHOLE, range(1, 4)], strict=True)]
    whole, *parts = Files().join(wanted, tmp_path / "c", head=b"head")

    assert (tmp_path / "c").read_bytes() == b"headonetwo"
    assert whole == (10, hashlib.sha256(b"headonetwo").hexdigest())
    assert parts == [Files().digest(*source) for source in wanted]
    assert [part.sha256 for part in parts] == [
        hashlib.sha256(data).hexdigest() for data in (b"one", b"two")
    ]


def test_s11_links_are_not_followed(tmp_path: Path) -> None:
    """S11: neither reading nor creating follows a link that somebody put there."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"secret")
    link.symlink_to(target)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")

    for path in (link, dangling):
        with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
            Files().read(path, max_bytes=100)

        with pytest.raises(FileExistsError):
            Files().create(path)

    Files().remove_tree(link.parent)
    assert not link.parent.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_an_output_directory_may_be_a_users_own_way(tmp_path: Path) -> None:
    """A directory shared by a group, or a link to one, is fine for extracts, not for staging."""
    shared, link = tmp_path / "shared", tmp_path / "link"
    shared.mkdir()
    shared.chmod(0o775)
    link.symlink_to(shared)
    for path in (shared, link):
        Files().make_dir(path)
        with pytest.raises(StateError, match=r"others may write|a link"):
            Files().make_private_dir(path)


def test_a_tree_of_many_files_is_removed(tmp_path: Path) -> None:
    """A run's checkpoints go some at a time, with the directories beside them."""
    for below in ("tree", "tree/below"):
        (tmp_path / below).mkdir()
        for number in range(64):
            (tmp_path / below / f"{number}.seal").touch()

    Files().remove_tree(tmp_path / "tree")

    assert not (tmp_path / "tree").exists()


def test_one_of_many_files_that_stays_is_an_error(tmp_path: Path) -> None:
    """What the disk refuses is raised, whichever thread met it; the directory stays."""

    class Refusing(Files):
        def remove(self, path: Path) -> None:
            if path.name == "7":
                raise PermissionError(errno.EPERM, "refused", str(path))

            super().remove(path)

    for number in range(64):
        (tmp_path / str(number)).touch()

    with pytest.raises(PermissionError, match="refused"):
        Refusing().remove_tree(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["7"]


def test_removing_a_tree_leaves_what_its_links_point_to(tmp_path: Path) -> None:
    """A link in a staging directory cannot make us remove something else."""
    kept, tree = tmp_path / "kept", tmp_path / "tree"
    for path in (kept, tree, tree / "below"):
        path.mkdir()

    (kept / "x").write_bytes(b"x")
    (tree / "below" / "link").symlink_to(kept)
    Files().remove_tree(tree)

    assert (kept / "x").read_bytes() == b"x"
    assert not tree.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_a_pipe_in_a_files_place_does_not_hang(tmp_path: Path) -> None:
    """A file that is not regular is refused at once."""
    os.mkfifo(tmp_path / "x")

    with pytest.raises(OSError, match="no regular file"):
        Files().read(tmp_path / "x", max_bytes=100)


def test_s19_a_file_that_grew_is_refused(tmp_path: Path) -> None:
    """S19: reading a state never fills the memory."""
    (tmp_path / "x").write_bytes(b"x" * 101)

    with pytest.raises(OSError, match="larger than 100 bytes"):
        Files().read(tmp_path / "x", max_bytes=100)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be used: it is cut off, or no JSON$"),
        (b'{"schema_version": 1, "te', "cannot be used: it is cut off, or no JSON$"),
        (b"\xff\xfe", "cannot be used: it is cut off, or no JSON$"),
        (b'{"more": ' + b"[" * 100_000, "cannot be used: it is cut off, or no JSON$"),
        (b"null", "cannot be used: it was edited or damaged$"),
        (b'{"schema_version": 1, "text": "a", "more": 1}', "edited or damaged, at more$"),
        (b'{"schema_version": 1, "text": 5}', "edited or damaged, at text$"),
        (b'{"schema_version": 1}', "edited or damaged, at text$"),
        (b'{"schema_version": 9, "other": 5}', "written by a newer version"),
    ],
)
def test_s15_a_document_is_exact_or_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """F11, S15: junk is named with its path and left as it is; never taken for a missing file."""
    path = tmp_path / "x"
    path.write_bytes(content)

    with pytest.raises(StateError, match=f"(?m){message}") as caught:
        read_document(Files(), path, Note, newest=1, remedy="restore it")

    assert str(path) in caught.value.message
    assert path.read_bytes() == content


def test_a_document_comes_back(tmp_path: Path) -> None:
    """A written file is read; one that is not there is None."""
    path = tmp_path / "x"
    assert read_document(Files(), path, Note, newest=1, remedy="") is None

    note = Note(1, "\u65e5")
    Files().write_durably(path, to_bytes(note))

    assert read_document(Files(), path, Note, newest=1, remedy="") == note


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "no space left for /data/x; 1,234 bytes are needed"),
        (errno.EDQUOT, "the quota of this user is used up: no space left for /data/x"),
        (errno.EROFS, "cannot write /data/x: Read-only file system\n  try: the file system is"),
        (errno.EIO, "cannot write /data/x: Input/output error\n  try: the disk reports"),
        (errno.EMFILE, "cannot write /data/x: Too many open files\n  try: raise the limit of open"),
    ],
)
def test_refusals_name_the_path_and_a_remedy(number: int, message: str) -> None:
    """An error of the system becomes what the user can do about it."""
    with pytest.raises(CommitError) as caught, failing(Path("/data/x"), needed_bytes=1234):
        raise OSError(number, os.strerror(number))

    assert str(caught.value).startswith(message)


def test_f10_a_second_run_is_refused_and_told_by_whom(tmp_path: Path) -> None:
    """F10: while a process holds the lock nobody else gets it; when it dies, the next one does."""
    path = tmp_path / ".athena.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        with pytest.raises(LockedError) as caught:
            Files().lock(path, run_id="second", now=NOW)

        assert f"process {holder.pid}, run first, since 20" in caught.value.message
    finally:
        holder.kill()
        holder.communicate()

    assert path.read_text() != ""
    with Files().lock(path, run_id="second", now=NOW):
        assert '"run_id": "second"' in path.read_text()


def test_f10_runs_that_are_killed_one_after_the_other_lock_nobody_out(tmp_path: Path) -> None:
    """Each writes who it is from the file's beginning, over what the one before it left."""
    path = tmp_path / ".athena.lock"
    for _ in range(3):
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert json.loads(path.read_text())["pid"] == holder.pid
        holder.kill()
        holder.communicate()

    Files().lock(path, run_id="last", now=NOW).release()


@pytest.mark.parametrize("left", [b'{"pi', b'{"pid": 12, "run', b"\0" * 90, b'\0\0{"pid": 12}'])
def test_a_lock_file_that_a_power_cut_tore_is_taken(tmp_path: Path, left: bytes) -> None:
    """Zeros, or the beginning of a holder, are ours."""
    path = tmp_path / ".athena.lock"
    path.write_bytes(left)
    with Files().lock(path, run_id="next", now=NOW):
        assert json.loads(path.read_text())["run_id"] == "next"


@pytest.mark.parametrize("left", [b"alias ls=ls", b'{"name": 1}', b"[]", b"\0x"])
def test_what_is_no_lock_stays_as_it_is(tmp_path: Path, left: bytes) -> None:
    """Taking a lock empties its file, so somebody else's is refused."""
    path = tmp_path / ".athena.lock"
    path.write_bytes(left)
    with pytest.raises(StateError, match="stands where the lock belongs, and is none"):
        Files().lock(path, run_id="next", now=NOW)

    assert path.read_bytes() == left


def test_a_lock_given_back_can_be_taken_again(tmp_path: Path) -> None:
    """Within one process, too, one run excludes another, and only as long as it lasts."""
    path = tmp_path / "x.lock"
    first = Files().lock(path, run_id="first", now=NOW)
    with pytest.raises(LockedError, match="run first, since 2026-11-23 05:00:00 UTC"):
        Files().lock(path, run_id="second", now=NOW)

    first.release()
    first.release()
    Files().lock(path, run_id="second", now=NOW).release()


def test_a_lock_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A missing directory, or a link in the lock's place, is a reason not to start."""
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path in (tmp_path / "missing" / "x.lock", tmp_path / "link"):
        with pytest.raises(StateError, match="cannot be opened"):
            Files().lock(path, run_id="r", now=NOW)


async def test_a_cancelled_caller_leaves_after_its_thread() -> None:
    """However it is cancelled, what follows never runs beside the thread."""
    started, go_on = threading.Event(), threading.Event()
    order = []

    def work() -> None:
        started.set()
        go_on.wait(60)
        order.append("thread")

    async def call() -> None:
        try:
            await in_thread(work)
        finally:
            order.append("caller")

    task = asyncio.create_task(call())
    await anyio.to_thread.run_sync(started.wait)
    task.cancel()
    await anyio.sleep(0.02)
    assert order == []

    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert order == ["thread", "caller"]


async def test_errors_of_the_thread_reach_the_caller() -> None:
    """An exception of the function is raised."""

    def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await in_thread(work)


@pytest.mark.parametrize("busy", [1, 6])
def test_a_busy_windows_file_is_tried_again(
    tmp_path: Path, busy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses while a scanner holds the target: a sharing violation passes."""
    failures = [OSError(errno.EACCES, "sharing violation") for _ in range(busy)]
    for failure in failures:
        failure.winerror = 32  # type: ignore[attr-defined,unused-ignore]

    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if failures:
            raise failures.pop()

        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)

    class Impatient(Files):
        replace_waits_s = (0.0,) * 6

    (tmp_path / "a").write_bytes(b"a")
    Impatient().rename(tmp_path / "a", tmp_path / "b")

    assert (tmp_path / "b").read_bytes() == b"a"
