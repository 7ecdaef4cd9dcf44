"""Where the mark is kept: exact or refused, and never without its state."""

from __future__ import annotations

import errno
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from kada_athena_async.errors import CommitError, StateError
from kada_athena_async.files import Files
from kada_athena_async.hwm import (
    DeliveryIntent,
    RunState,
    StoredState,
    WorkgroupState,
    format_hwm,
    parse_hwm,
)
from kada_athena_async.hwm.store import FileHwmStore

HWM = datetime(2026, 11, 23, 5, 6, 7, tzinfo=timezone.utc)
STATE = RunState(
    hwm=HWM,
    workgroups={
        "primary": WorkgroupState(
            hwm=HWM,
            pending={"a": HWM - timedelta(hours=3)},
            recent={"b": HWM - timedelta(milliseconds=1)},
        )
    },
)
STORED = StoredState(run_id="r", manifest_sha256="0" * 64, state=STATE)


@pytest.fixture
def store(tmp_path: Path) -> FileHwmStore:
    """A store in an empty directory."""
    return FileHwmStore(tmp_path / "athena_hwm.txt", Files())


async def write(store: FileHwmStore) -> None:
    """A commit of the state."""
    await store.write(STATE, run_id="r", manifest_sha256="0" * 64)


async def test_before_the_first_run_there_is_nothing(store: FileHwmStore) -> None:
    """No file is no mark, and no error."""
    assert await store.read() == (None, None)


async def test_what_was_written_is_read(store: FileHwmStore) -> None:
    """The mark in the vendor's format, the state beside it, both as they were."""
    await write(store)

    assert store.hwm_path.read_text() == "2026-11-23 05:06:07\n"
    assert store.state_path.name == "athena_state.json"
    assert await store.read() == (HWM, STORED)


async def test_the_state_is_written_as_earlier_versions_read_it(store: FileHwmStore) -> None:
    """Names and order of its members stay; one whose workgroup has fewer of them is read."""
    await write(store)
    text = store.state_path.read_text()
    lines = [line.strip() for line in text.splitlines()]

    assert [line.partition(":")[0] for line in lines if line.startswith('"')] == [
        '"schema_version"', '"run_id"', '"manifest_sha256"', '"output_path"', '"carried"', '"hwm"',
        '"origin"', '"workgroups"', '"primary"', '"mark"', '"since"', '"pending"', '"a"',
        '"recent"', '"b"', '"recent_since"', '"unresolved"',
    ]  # fmt: skip
    early = ('"since": null,', '"recent_since": null', '"output_path": "",', '"origin": null,')
    kept = "\n".join(line for line in lines if line not in early)
    store.state_path.write_text(kept.replace("},\n}", "}\n}"))

    assert await store.read() == (HWM, STORED)


@pytest.mark.parametrize("text", ["2026-11-23 05:06:07", "2026-11-23 05:06:07\r\n"])
async def test_the_vendors_line_is_understood(store: FileHwmStore, text: str) -> None:
    """With and without a line end."""
    store.hwm_path.write_bytes(text.encode())

    assert await store.read() == (HWM, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "yesterday",
        "2026-11-23",
        "2026-11-23T05:06:07",
        "2026-11-23 05:06:07.123",
        "2026-11-23 05:06:07Z",
        "2026-11-23 05:06:07+11:00",
        "2026-11-23 05:06:07\n2026-11-24 05:06:07",
        " 2026-11-23 05:06:07",
        "2026-13-23 05:06:07",
        "2026-11-23 25:06:07",
        "\u0662026-11-23 05:06:07",
        "x" * 2000,
    ],
)
async def test_a_mark_that_is_no_mark_is_refused(store: FileHwmStore, text: str) -> None:
    """F11: the error names the file, what is in it and what should be; the file stays as it is."""
    store.hwm_path.write_text(text)

    with pytest.raises(StateError) as caught:
        await store.read()

    assert caught.value.exit_code == 3
    assert str(store.hwm_path) in caught.value.message
    assert "not a time of the form" in caught.value.message or len(text) > 1024
    assert "2026-01-31 23:59:59" in caught.value.hint
    assert store.hwm_path.read_text() == text


async def test_f43_an_edited_mark_is_seen(store: FileHwmStore) -> None:
    """F43: the state does not belong to it, so it is left out, and the mark it had is told."""
    await write(store)
    await store.publish(HWM - timedelta(days=1))

    assert await store.read() == (HWM - timedelta(days=1), STORED)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot be used"),
        ("{", "cannot be used"),
        ('{"schema_version": 1}', "cannot be used"),
        ('{"schema_version": 9, "anything": 1}', "newer version"),
    ],
)
async def test_f11_a_junk_state_is_no_missing_state(
    store: FileHwmStore, content: str, message: str
) -> None:
    """F11, F53: truncated, empty, junk or newer: told with a remedy, preserved, never ignored."""
    await write(store)
    store.state_path.write_text(content)

    with pytest.raises(StateError, match=message) as caught:
        await store.read()

    assert caught.value.hint
    assert store.state_path.read_text() == content


async def test_f11_a_cut_state_is_refused(store: FileHwmStore) -> None:
    """F11: cut anywhere, a state is never half of one."""
    await write(store)
    whole = store.state_path.read_bytes()
    for length in range(0, len(whole) - 2, 7):
        store.state_path.write_bytes(whole[:length])
        with pytest.raises(StateError):
            await store.read()


async def test_f07_the_mark_does_not_move_without_its_state(store: FileHwmStore) -> None:
    """F07: no space for the state: the mark and its state are the old ones."""
    await write(store)

    class Full(Files):
        def sync(self, fd: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    full = FileHwmStore(store.hwm_path, Full())
    later = RunState(hwm=HWM + timedelta(hours=1))
    with pytest.raises(CommitError, match=r"athena_state\.json"):
        await full.write(later, run_id="r2", manifest_sha256="1" * 64)

    assert await store.read() == (HWM, STORED)


async def test_a_linked_mark_stays_a_link(tmp_path: Path) -> None:
    """A user's own link is followed, once: mark and state lie together, where it points."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "athena_hwm.txt"
    link.symlink_to(tmp_path / "real" / "athena_hwm.txt")
    store = FileHwmStore(link, Files())
    await write(store)

    assert link.is_symlink()
    assert (tmp_path / "real" / "athena_state.json").exists()


def test_a_mark_is_a_whole_second_with_a_zone() -> None:
    """A value that the text would lose is refused before it is written."""
    assert parse_hwm(format_hwm(HWM)) == HWM
    assert format_hwm(HWM.astimezone(timezone(timedelta(hours=11)))) == "2026-11-23 05:06:07"
    for moment in (HWM.replace(microsecond=1), HWM.replace(tzinfo=None)):
        with pytest.raises(ValueError, match="whole second"):
            format_hwm(moment)


ANNOUNCED = DeliveryIntent(
    run_id="r",
    hwm=HWM - timedelta(days=1),
    start=HWM - timedelta(days=1),
    end=HWM,
    manifest="athena_manifest_20261123T050607Z.json",
    sha256="0" * 64,
)


async def test_an_announcement_lasts_until_the_mark_moves(store: FileHwmStore) -> None:
    """Another instance finds it; a mark that moves, or is set by hand, ends it."""
    await store.write_intent(ANNOUNCED)
    assert await FileHwmStore(store.hwm_path, Files()).read_intent() == ANNOUNCED

    await write(store)
    assert await store.read_intent() is None

    await store.write_intent(ANNOUNCED)
    await store.publish(HWM)
    assert await store.read_intent() is None


async def test_a_junk_announcement_is_refused(store: FileHwmStore) -> None:
    """With what to look at before it is removed; never taken for none."""
    store.intent_path.write_text("{}")

    with pytest.raises(StateError, match=r"athena_delivery\.json cannot be used") as caught:
        await store.read_intent()

    assert "whether the landing holds a manifest" in caught.value.hint


async def test_h17_files_of_other_names_share_no_state_and_no_lock(tmp_path: Path) -> None:
    """Files of one stem beside each other, whatever they are called: each has its own."""
    names = ("x_hwm.txt", "x.txt", "x_hwm.dat", "x", "x_hwm")
    stores = [FileHwmStore(tmp_path / name, Files()) for name in names]

    for kind in ("state_path", "intent_path", "lock_path"):
        assert len({getattr(store, kind) for store in stores}) == len(stores)

    assert stores[0].state_path == tmp_path / "x_state.json"
    for hours, store in enumerate(stores):
        hwm = HWM - timedelta(hours=hours)
        await store.write(RunState(hwm=hwm), run_id="r", manifest_sha256="0")

    for hours, store in enumerate(stores):
        _, stored = await store.read()
        assert stored is not None
        assert stored.state == RunState(hwm=HWM - timedelta(hours=hours))
