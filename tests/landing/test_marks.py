"""The high-water mark away from this machine: in a bucket, in a directory, in the landing."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.config.landing import LocalPlace, S3Place
from kada_athena_async.errors import CommitError, CredentialsError, LockedError, StateError
from kada_athena_async.hwm import DeliveryIntent, RunState, StoredState, WorkgroupState
from kada_athena_async.hwm.object_store import ObjectHwmStore
from kada_athena_async.hwm.store import FileHwmStore
from kada_athena_async.landing import Runtime
from kada_athena_async.landing.hwm_stores import open_hwm_store
from kada_athena_async.sandbox import Sandbox
from tests.kit.raw_aws import RawAws
from tests.landing.support import T0, Bucket

Store = FileHwmStore | ObjectHwmStore


def state_of(hour: int) -> RunState:
    """State that a run to *hour* hands on."""
    end = T0 + timedelta(hours=hour)
    mark = WorkgroupState(hwm=end, pending={"q": T0}, recent={})
    return RunState(hwm=end, workgroups={"primary": mark})


def stored(hour: int) -> StoredState:
    """The same as it is kept."""
    return StoredState(run_id="r", manifest_sha256="m", state=state_of(hour))


@pytest.fixture
def store(
    bucket: Bucket, runtime: Callable[..., Runtime]
) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """Opens one run's view of the mark in the bucket."""
    return lambda **fields: open_hwm_store(bucket.place(**fields), "k", runtime())


async def test_what_is_written_is_read_back(store: Any, bucket: Bucket) -> None:
    """Mark and state, by the next run; the mark is the vendor's line."""
    async with store() as first:
        assert await first.read() == (None, None)
        await first.write(state_of(1), run_id="r", manifest_sha256="m")
        assert await first.read() == (state_of(1).hwm, stored(1))

    async with store() as second:
        assert await second.read() == (state_of(1).hwm, stored(1))
        await second.write(state_of(2), run_id="r", manifest_sha256="m")

    assert bucket.content("k_hwm.txt") == b"2026-11-01 02:00:00\n"
    assert bucket.names() == ["k_hwm.txt", "k_state.json"]


@pytest.mark.parametrize("begun_at", [0, 1])
async def test_two_runners_cannot_both_win(store: Any, bucket: Bucket, begun_at: int) -> None:
    """Both began at the same mark, be it none: the slower one is told, the mark is the other's."""
    if begun_at:
        async with store() as earlier:
            await earlier.write(state_of(begun_at), run_id="0", manifest_sha256="m")

    async with store() as fast, store() as slow:
        assert await fast.read() == await slow.read()
        await fast.write(state_of(2), run_id="fast", manifest_sha256="m")

        with pytest.raises(LockedError, match="moved the high-water mark at s3://landing"):
            await slow.write(state_of(3), run_id="slow", manifest_sha256="m")

        with pytest.raises(LockedError, match="since this run began"):
            await slow.read()

    assert bucket.content("k_hwm.txt") == b"2026-11-01 02:00:00\n"
    assert json.loads(bucket.content("k_state.json"))["run_id"] == "fast"


async def test_a_mark_set_by_hand_during_a_run_stays(store: Any, bucket: Bucket) -> None:
    """The run that would move it is told instead."""
    async with store() as run:
        await run.read()
        bucket.store("k_hwm.txt", b"2026-10-01 00:00:00\n")

        with pytest.raises(LockedError):
            await run.write(state_of(1), run_id="r", manifest_sha256="m")

    async with store() as following:
        hwm, left = await following.read()

    assert bucket.content("k_hwm.txt") == b"2026-10-01 00:00:00\n"
    assert (hwm, left.state) == (T0 - timedelta(days=31), state_of(1))


async def test_setting_the_mark_by_hand_is_conditional_too(store: Any, bucket: Bucket) -> None:
    """An operator who looked before a run moved the mark does not undo what the run did."""
    async with store() as operator, store() as run:
        await operator.read()
        await run.write(state_of(1), run_id="r", manifest_sha256="m")

        with pytest.raises(LockedError, match="moved the high-water mark"):
            await operator.publish(T0)

    assert bucket.content("k_hwm.txt") == b"2026-11-01 01:00:00\n"


@pytest.mark.parametrize("times", [1, 2])
async def test_a_lost_answer_is_no_lost_race(store: Any, bucket: Bucket, times: int) -> None:
    """Our own write that was confirmed to nobody is recognised as ours."""
    bucket.sandbox.faults.add("reset_after", "s3:PutObject", times=times)

    async with store() as run:
        await run.write(state_of(1), run_id="r", manifest_sha256="m")
        await run.write(state_of(2), run_id="r", manifest_sha256="m")

    assert bucket.content("k_hwm.txt") == b"2026-11-01 02:00:00\n"


async def test_a_broken_answer_is_asked_for_again(store: Any, bucket: Bucket) -> None:
    """A body that breaks off is not taken for a mark."""
    async with store() as run:
        await run.write(state_of(1), run_id="r", manifest_sha256="m")

    fault = bucket.sandbox.faults.add("truncate", "s3:GetObject", times=2)
    async with store() as following:
        assert (await following.read())[0] == state_of(1).hwm

    assert bucket.sandbox.faults.struck(fault) == 2


async def test_a_crash_between_state_and_mark_moves_nothing(store: Any, bucket: Bucket) -> None:
    """The mark stays the old one, and the run that repeats the commit may write both."""
    async with store() as run:
        await run.write(state_of(1), run_id="r", manifest_sha256="m")
        bucket.sandbox.faults.add("access_denied", "s3:PutObject", where={"key": "*hwm.txt"})
        with pytest.raises(CommitError, match="cannot be moved"):
            await run.write(state_of(2), run_id="r", manifest_sha256="m")

    bucket.sandbox.faults.clear()
    async with store() as following:
        assert (await following.read())[0] == state_of(1).hwm
        await following.write(state_of(2), run_id="r", manifest_sha256="m")
        assert await following.read() == (state_of(2).hwm, stored(2))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("k_hwm.txt", b"yesterday"),
        ("k_hwm.txt", b""),
        ("k_hwm.txt", b"\xff\xfe"),
        ("k_state.json", b"{}"),
        ("k_state.json", b'{"schema_version": 99}'),
    ],
)
async def test_junk_is_refused_and_left(store: Any, bucket: Bucket, name: str, data: bytes) -> None:
    """It is never mistaken for a first run, and the message names the object."""
    bucket.store(name, data)

    async with store() as run:
        with pytest.raises(StateError, match=f"s3://landing/lz/athena/{name}"):
            await run.read()

    assert bucket.content(name) == data


async def test_a_page_in_place_of_the_mark_is_named_as_such(
    bucket: Bucket, runtime: Callable[..., Runtime]
) -> None:
    """S3 sends an ETag with each object; whoever answers without one is not S3."""
    with RawAws(bucket.sandbox) as aws:
        page = b"<html>Sign in</html>"
        aws.answer("*", page, headers=[("Content-Type", "text/html")])
        around = runtime(endpoint_url=aws.endpoint_url)
        async with open_hwm_store(S3Place(bucket="landing"), "k", around) as run:
            with pytest.raises(StateError, match="an answer without ETag") as caught:
                await run.read()

    assert "check the proxy" in caught.value.hint


async def test_a_missing_bucket_is_no_first_run(
    bucket: Bucket, runtime: Callable[..., Runtime]
) -> None:
    """A misspelt bucket must not make the run read 45 days again."""
    async with open_hwm_store(S3Place(bucket="lnading"), "k", runtime()) as run:
        with pytest.raises(StateError, match="bucket does not exist"):
            await run.read()


async def test_a_forbidden_mark_is_no_first_run(store: Any, bucket: Bucket) -> None:
    """Where reading is not allowed nobody knows whether there is a mark."""
    bucket.sandbox.faults.add("access_denied", "s3:GetObject")

    async with store() as run:
        with pytest.raises(StateError, match="GetObject is not allowed"):
            await run.read()


async def test_wrong_keys_are_told_as_such(store: Any, bucket: Bucket) -> None:
    """Before anything is extracted."""
    async with store(key="AKIAIOSFODNN7EXAMPLE", secret="wrong-secret") as run:
        with pytest.raises(CredentialsError, match="refused the credentials") as caught:
            await run.read()

    assert "wrong-secret" not in str(caught.value)


async def test_the_landing_may_have_keys_of_its_own(
    store: Any, bucket: Bucket, sandbox: Sandbox
) -> None:
    """Another user, or a role: with the rights that they need and no others."""
    rights = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": "arn:aws:s3:::landing/lz/athena/*",
            },
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::landing"},
        ],
    }
    user = sandbox.add_user("landing", policy=rights)
    role = sandbox.add_role("landing", policy=rights, external_id="of-k")
    async with store(key=user.access_key_id, secret=user.secret) as run:
        await run.write(state_of(1), run_id="r", manifest_sha256="m")

    async with store(role=role, external_id="of-k") as run:
        await run.write(state_of(2), run_id="r", manifest_sha256="m")

    keys = {c.access_key_id for c in sandbox.log if c.operation == "s3:PutObject"}
    assert len(keys) == 2
    assert user.access_key_id in keys
    assert sandbox.access_key_id not in keys


async def test_a_directory_keeps_the_vendors_files(
    tmp_path: Path, runtime: Callable[..., Runtime]
) -> None:
    """``file://``: the same two files, written as the local mark is."""
    async with open_hwm_store(LocalPlace(path=tmp_path), "k", runtime()) as run:
        assert isinstance(run, FileHwmStore)
        await run.write(state_of(1), run_id="r", manifest_sha256="m")

    assert (tmp_path / "k_hwm.txt").read_text() == "2026-11-01 01:00:00\n"


def announcement(run_id: str) -> DeliveryIntent:
    return DeliveryIntent(
        run_id=run_id,
        hwm=None,
        start=T0,
        end=state_of(1).hwm,
        manifest="k_manifest_20261101T010000Z.json",
        sha256="0" * 64,
    )


async def test_an_announcement_lasts_until_the_mark_moves(store: Any, bucket: Bucket) -> None:
    """The next run finds it; of two runs that announce at once the slower one is refused."""
    async with store() as first, store() as second:
        assert await first.read_intent() is await second.read_intent() is None
        await first.write_intent(announcement("first"))
        with pytest.raises(LockedError, match="moved the high-water mark"):
            await second.write_intent(announcement("second"))

    async with store() as following:
        assert await following.read_intent() == announcement("first")
        await following.write(state_of(1), run_id="r", manifest_sha256="m")

    async with store() as last:
        assert await last.read_intent() is None


async def test_what_may_not_be_listed_is_no_announcement(store: Any, bucket: Bucket) -> None:
    """S3 says 403 for what is not there to those who may not list; a mark is read all the same."""
    bucket.sandbox.faults.add("access_denied", "s3:GetObject", where={"key": "*_delivery.json"})

    async with store() as run:
        assert await run.read_intent() is None
        await run.write_intent(announcement("r"))


@pytest.fixture
def in_landing(
    bucket: Bucket, runtime: Callable[..., Runtime]
) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """Opens one run's view of the mark in the landing itself."""
    return lambda **fields: open_hwm_store(bucket.place(), "k", runtime(**fields), is_landing=True)


async def test_in_the_landing_the_mark_lies_apart(in_landing: Any, bucket: Bucket) -> None:
    """K loads every file beside the extracts; below ``_hwm/`` it does not look."""
    async with in_landing() as run:
        await run.write(state_of(1), run_id="r", manifest_sha256="m")
        assert run.place == "s3://landing/lz/athena/_hwm/k_hwm.txt"

    assert bucket.names() == ["_hwm/k_hwm.txt", "_hwm/k_state.json"]


async def test_a_mark_among_the_extracts_moves_once(
    in_landing: Any, store: Any, bucket: Bucket
) -> None:
    """Read where an earlier version kept it, moved with the first write, and said so."""
    async with store() as earlier:
        await earlier.write(state_of(1), run_id="r", manifest_sha256="m")

    said: list[Any] = []
    async with in_landing(notify=said.append) as run:
        assert (await run.read())[1] == stored(1)
        assert said == []
        assert not [name for name in bucket.names() if name.startswith("_hwm/")]
        await run.write_intent(announcement("r"))
        assert (await run.read())[1] == stored(1)
        await run.write(state_of(2), run_id="r", manifest_sha256="m")
        assert (await run.read())[1] == stored(2)

    (warning,) = said
    assert warning.code == "hwm_relocated"
    assert "moved from s3://landing/lz/athena to s3://landing/lz/athena/_hwm" in warning.message
    async with in_landing(notify=said.append) as following:
        assert (await following.read())[1] == stored(2)
        await following.write(state_of(3), run_id="r", manifest_sha256="m")

    assert len(said) == 1
    assert bucket.content("_hwm/k_hwm.txt") == b"2026-11-01 03:00:00\n"


async def test_an_earlier_version_does_not_go_on_from_a_mark_that_moved(
    in_landing: Any, store: Any, bucket: Bucket
) -> None:
    """It is refused and not given a first run; and whoever it overtook before moves nothing."""
    async with store() as earlier, in_landing() as run:
        await earlier.write(state_of(1), run_id="r", manifest_sha256="m")
        await run.read()
        await earlier.write(state_of(2), run_id="r", manifest_sha256="m")
        with pytest.raises(LockedError, match="since this run began"):
            await run.write(state_of(3), run_id="r", manifest_sha256="m")

    async with in_landing() as run:
        await run.write(state_of(3), run_id="r", manifest_sha256="m")

    async with store() as earlier:
        with pytest.raises(StateError, match="cannot be used"):
            await earlier.read()


async def test_a_move_that_died_goes_on(in_landing: Any, store: Any, bucket: Bucket) -> None:
    """Between the old line and the new one the mark is in the old one, which nobody else takes."""
    async with store() as earlier:
        await earlier.write(state_of(1), run_id="r", manifest_sha256="m")

    fault = bucket.sandbox.faults.add(
        "access_denied", "s3:PutObject", where={"key": "*_hwm/k_hwm.txt"}
    )
    async with in_landing() as run:
        with pytest.raises(CommitError):
            await run.write(state_of(2), run_id="r", manifest_sha256="m")

    bucket.sandbox.faults.clear(fault)
    async with in_landing() as run:
        assert (await run.read())[1] == stored(1)
        await run.write(state_of(2), run_id="r", manifest_sha256="m")

    assert bucket.content("_hwm/k_hwm.txt") == b"2026-11-01 02:00:00\n"


async def test_in_a_directory_it_lies_apart_too(
    tmp_path: Path, runtime: Callable[..., Runtime]
) -> None:
    """A landing in a directory, with a mark of an earlier version in it."""
    (tmp_path / "k_hwm.txt").write_text("2026-11-01 01:00:00\n")
    place = LocalPlace(path=tmp_path)
    async with open_hwm_store(place, "k", runtime(), is_landing=True) as run:
        assert (await run.read())[0] == state_of(1).hwm
        await run.write(state_of(2), run_id="r", manifest_sha256="m")

    assert (tmp_path / "_hwm" / "k_hwm.txt").read_text() == "2026-11-01 02:00:00\n"
    assert (tmp_path / "k_hwm.txt").read_text().startswith("moved to _hwm/")


async def test_a_link_in_the_place_of_its_directory_is_refused(
    runtime: Callable[..., Runtime], tmp_path: Path
) -> None:
    """Whoever may write in the landing does not make us write elsewhere, nor believe what lies
    there."""
    landing, victim = tmp_path / "landing", tmp_path / "victim"
    landing.mkdir()
    victim.mkdir()
    (landing / "_hwm").symlink_to(victim)
    async with open_hwm_store(LocalPlace(path=landing), "k", runtime(), is_landing=True) as run:
        with pytest.raises(StateError, match=r"_hwm is a link: nothing is read or written"):
            await run.read()

        with pytest.raises(StateError, match=r"_hwm is a link"):
            await run.publish(T0)

    assert list(victim.iterdir()) == []
