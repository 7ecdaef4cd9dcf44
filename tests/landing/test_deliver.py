"""A delivery is whole, verified, repeatable and in order; seen at a bucket."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from kada_athena_async.errors import DeliveryError, StateError
from kada_athena_async.events import DeliveryFinished, DeliveryStarted, FileDelivered, Warned
from kada_athena_async.landing import Runtime
from tests.landing.support import BIG, SMALL, Bucket, Deliverer, file_of, in_sight, make_package


async def test_every_file_arrives_as_it_is(push: Deliverer, bucket: Bucket, out: Path) -> None:
    """The landing holds byte for byte what lies here, small files and large ones."""
    make_package(out, 0, {"databaselog": BIG, "users": 0, "events": 5})

    report = await push()

    assert bucket.names() == in_sight(out)
    assert all(bucket.content(name) == (out / name).read_bytes() for name in in_sight(out))
    assert (report.sent, report.skipped) == (4, 0)
    assert report.sent_bytes == sum(len((out / name).read_bytes()) for name in in_sight(out))


async def test_the_manifest_goes_last(push: Deliverer, bucket: Bucket, out: Path) -> None:
    """At no time does a manifest lie there whose files do not."""
    make_package(out, 0)
    make_package(out, 1)

    await push()

    writes = [
        call.facts["key"].rpartition("/")[2]
        for call in bucket.sandbox.log
        if call.operation == "s3:PutObject"
    ]
    first, second = (n for n, name in enumerate(writes) if "manifest" in name)
    assert (first, second) == (len(SMALL), 2 * len(SMALL) + 1)
    assert all("T010000Z" in name for name in writes[: first + 1])


async def test_a_second_delivery_sends_nothing(push: Deliverer, bucket: Bucket, out: Path) -> None:
    """A delivery is remembered; the landing is not even asked."""
    make_package(out, 0)
    await push()
    calls = sum(bucket.sandbox.calls.values())

    report = await push()

    assert (report.manifests, report.sent) == ((), 0)
    assert sum(bucket.sandbox.calls.values()) == calls


async def test_without_its_journal_nothing_is_sent_twice(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """A lost journal costs a look at the landing."""
    make_package(out, 0, {"databaselog": BIG, "users": 5})
    await push()
    (out / ".k-delivered.json").unlink()

    report = await push()

    assert (report.sent, report.skipped) == (0, 3)
    assert bucket.sandbox.calls["s3:PutObject"] == 2


async def test_a_junk_journal_is_refused_and_left(push: Deliverer, out: Path) -> None:
    """It is never mistaken for an empty one."""
    make_package(out, 0)
    journal = out / ".k-delivered.json"
    journal.write_text("{")

    with pytest.raises(StateError, match="delivered"):
        await push()

    assert journal.read_text() == "{"


async def test_f36_after_a_failure_only_what_is_missing_is_sent(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """The third of five objects fails: no manifest appears, the next delivery sends the rest."""
    make_package(out, 0)
    fault = bucket.sandbox.faults.add("error", "s3:PutObject", calls=(3,), code="InvalidRequest")

    with pytest.raises(DeliveryError, match="not delivered"):
        await push(limit=1)

    there = bucket.names()
    assert (len(there), bucket.sandbox.faults.struck(fault)) == (2, 1)
    bucket.sandbox.faults.clear()
    report = await push(limit=1)
    assert (report.sent, report.skipped) == (4, 2)
    assert not set(push.sent()) & set(there)
    assert bucket.names() == in_sight(out)


async def test_what_lies_there_changed_is_sent_again(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """A file of another size or content under the right name is not taken for the right one."""
    make_package(out, 0, {"users": 10, "events": 20})
    users, events = file_of(out, "users"), file_of(out, "events")
    bucket.store(users.name, b"0123456789")
    bucket.store(events.name, b"short")

    await push()

    assert bucket.content(users.name) == users.read_bytes()
    assert bucket.content(events.name) == events.read_bytes()


@pytest.mark.parametrize("operation", ["s3:PutObject", "s3:UploadPart"])
async def test_f37_a_lost_answer_is_no_failure(
    push: Deliverer, bucket: Bucket, out: Path, operation: str
) -> None:
    """The connection breaks after the landing stored the bytes: the file arrives all the same."""
    make_package(out, 0, {"databaselog": BIG, "users": 10})
    fault = bucket.sandbox.faults.add("reset_after", operation, times=2)

    await push()

    assert bucket.sandbox.faults.struck(fault) == 2
    assert bucket.names() == in_sight(out)


async def test_f37_a_lost_answer_to_the_end_of_an_upload_is_no_failure(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """The upload was completed, its answer lost: the retry finds no upload, and looks."""
    make_package(out, 0, {"databaselog": BIG})
    bucket.sandbox.faults.add("reset_after", "s3:CompleteMultipartUpload", times=1)

    await push()

    assert bucket.sandbox.calls["s3:CompleteMultipartUpload"] == 2
    assert bucket.sandbox.calls["s3:UploadPart"] == 3
    assert bucket.names() == in_sight(out)


async def test_f37_a_landing_that_never_answers_has_it_all_the_same(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """Every answer to one file is lost: a look tells that it is there, and it counts as done."""
    make_package(out, 0, {"users": 10})
    bucket.sandbox.faults.add(
        "reset_after", "s3:PutObject", where={"bucket": "landing", "key": "*users*"}
    )

    report = await push()

    assert report.sent == 2
    assert bucket.names() == in_sight(out)


async def test_f38_a_manifest_that_is_there_already_is_success(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """The answer to the manifest was lost: the retry is refused (412), equal means delivered."""
    make_package(out, 0, {"users": 10})
    bucket.sandbox.faults.add("reset_after", "s3:PutObject", where={"key": "*manifest*"}, times=1)

    report = await push()

    assert bucket.sandbox.calls["s3:PutObject"] == 3
    assert report.sent == 2
    assert bucket.names() == in_sight(out)


async def test_f38_another_manifest_of_the_name_is_a_conflict(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """It is reported with exit code 4, and nothing of what lies there is touched."""
    manifest = make_package(out, 0, {"users": 10})
    bucket.store(manifest.name, b"another")

    with pytest.raises(DeliveryError, match="holds another") as caught:
        await push()

    assert caught.value.exit_code == 4
    assert manifest.name in caught.value.message
    assert bucket.names() == [manifest.name]
    assert bucket.content(manifest.name) == b"another"


async def test_f38_a_manifest_written_meanwhile_is_a_conflict(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """Somebody is faster between our look and our write: the write itself is conditional."""
    manifest = make_package(out, 0, {"users": 10})

    def interfere(event: object) -> None:
        if isinstance(event, FileDelivered):
            bucket.store(manifest.name, b"faster")

    with pytest.raises(DeliveryError, match="holds another"):
        await push(notify=interfere)

    assert bucket.content(manifest.name) == b"faster"


async def test_a_window_extracted_again_replaces_what_we_delivered(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """A package that ``--again`` replaced here replaces its forerunner there, and only that."""
    make_package(out, 0, {"users": 10})
    await push()
    make_package(out, 0, {"users": 30}, run_id="again")

    report = await push()

    assert report.sent == 2
    assert all(bucket.content(name) == (out / name).read_bytes() for name in in_sight(out))


async def test_f39_what_is_pending_goes_first_and_in_order(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """The landing was down for two runs: both packages arrive, the older one first."""
    make_package(out, 0, {"users": 10})
    down = bucket.sandbox.faults.add("server_error", "s3:*")
    with pytest.raises(DeliveryError):
        await push()

    make_package(out, 1, {"users": 10})
    with pytest.raises(DeliveryError) as caught:
        await push()

    assert "T010000Z" in caught.value.message
    assert "nothing is lost" in caught.value.hint
    bucket.sandbox.faults.clear(down)
    assert bucket.names() == []
    report = await push()
    assert [name[-21:] for name in report.manifests] == [
        "20261101T010000Z.json",
        "20261101T020000Z.json",
    ]
    keys = [
        call.facts["key"][-22:]
        for call in bucket.sandbox.log
        if call.operation == "s3:PutObject" and call.outcome == "ok"
    ]
    assert [key for key in keys if key.endswith("json")] == [
        f"_{name[-21:]}" for name in report.manifests
    ]


async def test_a_package_that_cannot_go_holds_back_the_later_ones(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """Order is kept: what is newer waits for what is older."""
    make_package(out, 0, {"users": 10})
    make_package(out, 1, {"users": 10})
    bucket.sandbox.faults.add("access_denied", "s3:PutObject", where={"key": "*T010000Z*"})

    with pytest.raises(DeliveryError, match="PutObject is not allowed"):
        await push()

    assert bucket.names() == []


async def test_a_file_damaged_here_is_not_delivered(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """Truncated, changed or lost since the commit: the package stays here, the file is named."""
    make_package(out, 0, {"databaselog": BIG})
    path = file_of(out, "databaselog")
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:-1] + b"!", whole + b"!", None):
        path.unlink()
        if damaged is not None:
            path.write_bytes(damaged)

        with pytest.raises(DeliveryError, match=path.name):
            await push()

        assert bucket.names() == []
        assert bucket.open_uploads() == []


async def test_a_cancelled_upload_leaves_nothing_behind(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """Cancelled in the middle of a large file: the upload is given up, the next one is whole."""
    make_package(out, 0, {"databaselog": BIG})
    slow = bucket.sandbox.faults.add("slow", "s3:UploadPart", calls=(2,), seconds=30)
    pushing = asyncio.create_task(push())
    # Not before: an upload that is cancelled while it begins is the next attempt's to find.
    while not bucket.sandbox.faults.struck(slow):  # noqa: ASYNC110 - another thread counts
        await anyio.sleep(0.01)

    assert len(bucket.open_uploads()) == 1
    pushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pushing

    assert bucket.names() == []
    assert bucket.open_uploads() == []
    bucket.sandbox.faults.clear()
    await push()
    assert bucket.names() == in_sight(out)


@pytest.mark.parametrize("size_bytes", [10, BIG])
async def test_what_the_bucket_demands_is_sent_with_every_file(
    bucket: Bucket, out: Path, runtime: Callable[..., Runtime], size_bytes: int
) -> None:
    """Encryption and key, with small files, large ones and the manifest."""
    make_package(out, 0, {"databaselog": size_bytes})
    place = bucket.place(sse="aws:kms", sse_kms_key_id="alias/k")

    await Deliverer(out, place, runtime)()

    for name in in_sight(out):
        head = bucket.s3.head_object(Bucket="landing", Key=f"lz/athena/{name}")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/k")


async def test_a_file_of_another_attempt_is_replaced(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """Also where it holds the same bytes: who stored it might still change it."""
    make_package(out, 0, {"users": 10})
    users = file_of(out, "users")
    bucket.store(users.name, users.read_bytes())

    await push()

    assert users.name in push.sent()


async def test_uploads_of_a_killed_process_are_given_up(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """Parts that nobody would ever complete are removed when the file is sent again."""
    make_package(out, 0, {"databaselog": BIG})
    name = file_of(out, "databaselog").name
    bucket.s3.create_multipart_upload(Bucket="landing", Key=f"lz/athena/{name}")
    bucket.s3.create_multipart_upload(Bucket="landing", Key=f"lz/athena/{name}.of-others")

    await push()

    assert bucket.open_uploads() == [f"lz/athena/{name}.of-others"]


async def test_delivered_files_are_removed_for_their_age(
    push: Deliverer, bucket: Bucket, out: Path, runtime: Callable[..., Runtime]
) -> None:
    """After N days the package goes, whole; the newest stays, and what is not delivered stays."""
    for hour in range(3):
        make_package(out, hour, {"users": 10})

    everything = in_sight(out)
    await push()
    make_package(out, 3, {"users": 10}, name="other")

    class Later(type(runtime().clock)):  # type: ignore[misc]
        def now(self) -> Any:
            return super().now() + timedelta(days=8)

    assert (await push(keep_days=7)).removed == ()
    report = await push(keep_days=7, clock=Later())

    assert sorted(report.removed) == [name for name in everything if "T030000Z" not in name]
    assert len(in_sight(out)) == 4
    assert bucket.names() == everything
    assert (await push()).manifests == ()


async def test_the_journal_forgets_with_the_manifests(push: Deliverer, out: Path) -> None:
    """It does not grow for ever."""
    for hour in range(3):
        manifest = make_package(out, hour, {"users": 1})
        await push()
        manifest.unlink()

    make_package(out, 3, {"users": 1})
    await push()

    journal = json.loads((out / ".k-delivered.json").read_text())
    assert len(journal["deliveries"]) == 1


async def test_progress_is_told(push: Deliverer, out: Path) -> None:
    """Beginning, each file, and end, with figures that add up."""
    make_package(out, 0)

    await push()

    started, *files, finished = push.events
    assert isinstance(started, DeliveryStarted)
    assert isinstance(finished, DeliveryFinished)
    assert started.files == len(files) == finished.sent == len(SMALL) + 1
    assert started.size_bytes == finished.sent_bytes == sum(f.size_bytes for f in files)


async def test_other_instances_are_left_alone(push: Deliverer, bucket: Bucket, out: Path) -> None:
    """Only the packages of the name go; what no manifest names stays too."""
    make_package(out, 0, {"users": 1})
    make_package(out, 0, {"users": 1}, name="kk")
    shutil.copy(file_of(out, "users"), out / "k_users_20990101T000000Z.csv.gz")

    await push()

    assert len(bucket.names()) == 2


async def test_where_looking_is_not_allowed_files_are_sent(
    push: Deliverer, bucket: Bucket, out: Path
) -> None:
    """A key that may only write still delivers; that files may be sent twice is told once."""
    make_package(out, 0, {"databaselog": BIG, "users": 10})
    bucket.sandbox.faults.add("access_denied", "s3:HeadObject")

    await push()

    assert bucket.names() == in_sight(out)
    assert [e.code for e in push.events if isinstance(e, Warned)] == ["landing_unseen"]
