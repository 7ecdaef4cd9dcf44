"""Runs with a landing: extract, deliver, and only then move the mark."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import pytest

from kada_athena_async import Extractor, Shared
from kada_athena_async.errors import (
    ConfigError,
    DeliveryError,
    LockedError,
    NetworkError,
    NotFoundError,
)
from kada_athena_async.events import QueryStarted, StageFinished, StageStarted
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.wire import Reply
from kada_athena_async.sync import load_config
from tests.kit.command import ROOT, Done, run_command
from tests.kit.raw_aws import RawAws
from tests.kit.small_estate import tiny_estate
from tests.kit.wires import closed_port
from tests.landing.support import Bucket, in_sight


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tiny_estate(datetime.now(timezone.utc))) as running:
        yield running


@pytest.fixture
def bucket(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Bucket]:
    yield Bucket(sandbox, f"landing-{abs(hash(request.node.name)):x}")
    sandbox.faults.clear()


@pytest.fixture
def landing(bucket: Bucket) -> dict[str, object]:
    return {"bucket": bucket.name, "prefix": "lz/athena"}


@pytest.fixture
def make(
    sandbox: Sandbox, out: Path, tmp_path: Path, fast_clock: Any, landing: dict[str, object]
) -> Callable[..., Extractor]:
    def extractor(**fields: Any) -> Extractor:
        settings = {"quota_share": 1.0, "landing": landing, **fields}
        return Extractor(
            name="k",
            clock=settings.pop("clock", fast_clock),
            observers=settings.pop("observers", ()),
            hwm_path=settings.pop("hwm_path", tmp_path / "k_hwm.txt"),
            **sandbox.config(settings.pop("output_path", out), **settings),
        )

    return extractor


def down(bucket: Bucket) -> int:
    """The landing does not answer from now on."""
    return bucket.sandbox.faults.add("server_error", "s3:*", where={"bucket": bucket.name})


async def test_a_run_delivers_before_it_moves_the_mark(
    make: Callable[..., Extractor], bucket: Bucket, out: Path, tmp_path: Path
) -> None:
    """At the end of the delivery the mark has not moved; at the end of the run it has."""
    seen: list[tuple[bool, int]] = []

    def look(event: object) -> None:
        if isinstance(event, (StageStarted, StageFinished)) and event.stage == "deliver":
            seen.append(((tmp_path / "k_hwm.txt").exists(), len(bucket.names())))

    report = await make(observers=[look]).run()

    assert report.exit_code == 0
    assert bucket.names() == in_sight(out)
    assert seen == [(False, 0), (False, len(in_sight(out)))]
    assert (tmp_path / "k_hwm.txt").exists()


async def test_a_landing_that_is_down_loses_nothing(
    make: Callable[..., Extractor], bucket: Bucket, out: Path, tmp_path: Path
) -> None:
    """The extracts wait and the mark too; the next run delivers them before it asks anything."""
    fault = down(bucket)
    with pytest.raises(DeliveryError) as caught:
        await make().run()

    waiting = in_sight(out)
    assert caught.value.exit_code == 4
    assert waiting
    assert not (tmp_path / "k_hwm.txt").exists()
    with pytest.raises(DeliveryError):
        await make().run()

    assert in_sight(out) == waiting
    bucket.sandbox.faults.clear(fault)
    queries: list[object] = []
    first_delivery: list[int] = []

    def look(event: object) -> None:
        if isinstance(event, QueryStarted):
            queries.append(event)
        if isinstance(event, StageFinished) and event.stage == "deliver":
            first_delivery.append(len(queries))

    await make(observers=[look], settle_seconds=0).run()

    assert first_delivery[0] == 0
    assert set(waiting) <= set(bucket.names())
    assert bucket.names() == in_sight(out)
    assert (tmp_path / "k_hwm.txt").exists()


async def test_a_package_that_waits_is_delivered_by_a_run_that_shares_quotas(
    make: Callable[..., Extractor], bucket: Bucket, out: Path
) -> None:
    """Whose package it is was asked before the run connects, and the account is known then."""
    shared = Shared()
    fault = down(bucket)
    with pytest.raises(DeliveryError):
        await make(shared=shared).run()

    bucket.sandbox.faults.clear(fault)
    report = await make(shared=shared, settle_seconds=0).run()

    assert report.exit_code == 0
    assert bucket.names() == in_sight(out)


async def test_a_caller_with_his_own_marks_is_told(
    make: Callable[..., Extractor], bucket: Bucket, out: Path
) -> None:
    """The vendor's wrapper moves its mark only after a run that delivered."""
    window = {"start_hwm": "2026-11-01 00:00:00", "manage_hwm": False}
    fault = down(bucket)
    with pytest.raises(DeliveryError):
        await make().run(**window)

    waiting = in_sight(out)
    bucket.sandbox.faults.clear(fault)
    await make(settle_seconds=0).run(**window)

    assert set(waiting) <= set(bucket.names())
    assert bucket.names() == in_sight(out)


async def test_a_cancelled_delivery_is_finished_by_the_next_run(
    make: Callable[..., Extractor], bucket: Bucket, out: Path, tmp_path: Path
) -> None:
    """Cancelled while files are on their way: nothing is extracted again, nothing is missing."""
    with anyio.CancelScope() as scope:

        def cancel(event: object) -> None:
            if isinstance(event, StageStarted) and event.stage == "deliver":
                scope.cancel()

        await make(observers=[cancel]).run()

    waiting = in_sight(out)
    assert scope.cancelled_caught
    assert waiting
    assert not (tmp_path / "k_hwm.txt").exists()
    await make().run()

    assert set(waiting) <= set(bucket.names())
    assert (tmp_path / "k_hwm.txt").exists()


async def test_push_brings_what_waits(
    make: Callable[..., Extractor], bucket: Bucket, out: Path
) -> None:
    """Packages of runs without a landing go at once, and only once."""
    await make(landing=None).run()

    assert bucket.names() == []
    assert (await make().push()).sent == len(in_sight(out))
    assert bucket.names() == in_sight(out)
    assert (await make().push()).manifests == ()
    with pytest.raises(ConfigError, match="landing"):
        await make(landing=None).push()


@pytest.mark.parametrize("hwm_store", ["landing", "file"])
async def test_the_mark_may_be_kept_elsewhere(
    make: Callable[..., Extractor],
    bucket: Bucket,
    tmp_path: Path,
    hwm_store: str,
) -> None:
    """In the landing area, as the vendor offers, or in another directory; a second run finds it."""
    (tmp_path / "marks").mkdir()
    where = tmp_path.joinpath("marks").as_uri() if hwm_store == "file" else "landing"
    first = await make(hwm_store=where, hwm_path=None).run()
    second = await make(hwm_store=where, hwm_path=None, settle_seconds=0).run()

    assert second.start == first.end
    if hwm_store == "landing":
        assert {"_hwm/k_hwm.txt", "_hwm/k_state.json"} <= set(bucket.names())
        assert not [name for name in bucket.names() if name.startswith("k_hwm")]
        assert second.hwm_path is None
    else:
        assert second.hwm_path == tmp_path / "marks" / "k_hwm.txt"


async def test_of_two_runners_one_is_told(
    make: Callable[..., Extractor], bucket: Bucket, out: Path, tmp_path: Path
) -> None:
    """On two machines, with one mark in the landing: the slower one commits nothing."""
    fast = make(hwm_store="landing", hwm_path=None, metadata_source="api")

    def overtake(event: object) -> None:
        if isinstance(event, StageFinished) and event.stage == "extract":
            runner = Thread(target=anyio.run, args=(fast.run,))
            runner.start()
            runner.join()

    other = tmp_path / "other"
    slow = make(hwm_store="landing", hwm_path=None, output_path=str(other), observers=[overtake])

    with pytest.raises(LockedError, match="moved the high-water mark"):
        await slow.run()

    assert in_sight(other) == []
    assert [name for name in bucket.names() if not name.startswith("_hwm/")] == in_sight(out)


async def test_h1_a_package_whose_start_is_no_longer_the_mark_goes_nowhere(
    make: Callable[..., Extractor], bucket: Bucket, out: Path, tmp_path: Path
) -> None:
    """Two machines: one delivers while the other, whose window ends later, reaches its commit.

    The slower one is refused and published nothing; its next run goes on from the mark.
    """
    shared = {"hwm_store": "landing", "hwm_path": None, "metadata_source": "api"}
    fast = make(**shared)

    def overtake(event: object) -> None:
        if isinstance(event, StageStarted) and event.stage == "commit":
            runner = Thread(target=anyio.run, args=(fast.run,))
            runner.start()
            runner.join()

    other = tmp_path / "other"
    slow = make(**shared, output_path=str(other), observers=[overtake])
    with pytest.raises(LockedError):
        await slow.run()

    assert in_sight(other) == []
    following = await make(**shared, output_path=str(other), settle_seconds=0).run()

    assert following.committed
    names = [name for name in bucket.names() if "_databaselog_" in name]
    told = Counter(query_id for name in names for query_id in query_ids(bucket.content(name)))
    assert len(names) == 2
    assert set(told.values()) == {1}
    assert sorted(n for n in bucket.names() if not n.startswith("_hwm/")) == sorted(
        {*in_sight(out), *in_sight(other)}
    )


def query_ids(data: bytes) -> list[str]:
    """The executions of a databaselog."""
    csv.field_size_limit(2**20)
    text = gzip.decompress(data).decode()
    return [row["query_id"] for row in csv.DictReader(io.StringIO(text, newline=""))]


async def test_d7_a_landing_that_is_missing_is_found_before_anything_is_asked(
    make: Callable[..., Extractor], sandbox: Sandbox, out: Path, tmp_path: Path
) -> None:
    """A bucket, a directory: exit code 4, a sentence that says so, and not one call to Athena."""
    places = {
        "lnading-with-a-typo": {"bucket": "lnading-with-a-typo"},
        "does not exist": (tmp_path / "nowhere").as_uri(),
    }
    for told, place in places.items():
        before = sum(sandbox.calls[name] for name in sandbox.calls if name.startswith("athena:"))

        with pytest.raises(DeliveryError, match="nothing was extracted, because") as caught:
            await make(landing=place).run()

        after = sum(sandbox.calls[name] for name in sandbox.calls if name.startswith("athena:"))
        assert (caught.value.exit_code, after - before) == (4, 0)
        assert told in caught.value.message
        assert caught.value.hint
        assert in_sight(out) == []

        with pytest.raises(NotFoundError, match=f"the landing .*{told}") as caught:
            await make(landing=place).test_connection()

        assert caught.value.hint == "create it, or correct landing, then run again"


def refusal(
    status: int, code: str, message: str = "", *headers: tuple[str, str], more: str = ""
) -> Reply:
    """An error as S3 words it."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>".encode()
    return Reply(status=status, headers=(("Content-Type", "application/xml"), *headers), body=body)


DENIED = "User: arn:aws:iam::1:role/Kada is not authorized to perform: "
UNUSABLE: dict[str, tuple[set[str], Reply, str, str]] = {
    "all denied": ({"GET", "POST"}, refusal(403, "AccessDenied"), "", "allow s3:PutObject"),
    "writes denied": ({"POST"}, refusal(403, "AccessDenied"), "", "allow s3:PutObject"),
    "by the bucket's policy": (
        {"POST"},
        refusal(
            403,
            "AccessDenied",
            f"{DENIED}s3:PutObject with an explicit deny in a resource-based policy",
        ),
        "a resource-based policy refuses it",
        "let the owner of the resource allow s3:PutObject",
    ),
    "by the key of KMS": (
        {"POST"},
        refusal(
            403,
            "AccessDenied",
            f"{DENIED}kms:GenerateDataKey because no identity-based policy allows it",
        ),
        "kms:GenerateDataKey is not allowed",
        "allow kms:GenerateDataKey on the key",
    ),
    "missing and not to be read": (
        {"POST"},
        refusal(404, "NoSuchBucket", "The specified bucket does not exist"),
        "does not exist",
        "create it, or correct landing",
    ),
    "session over": (
        {"GET", "POST"},
        refusal(400, "ExpiredToken", "The provided token has expired."),
        "AWS refused the credentials: ExpiredToken",
        "check key and secret",
    ),
    "key unknown": (
        {"GET", "POST"},
        refusal(403, "InvalidAccessKeyId", "The key does not exist in our records."),
        "AWS refused the credentials: InvalidAccessKeyId",
        "check key and secret",
    ),
    "another region": (
        {"GET", "POST"},
        refusal(
            301, "PermanentRedirect", "Use another endpoint.", ("x-amz-bucket-region", "eu-west-1")
        ),
        "Use another endpoint.",
        "the bucket is in eu-west-1: write that as the region",
    ),
    "another region by the signature": (
        {"GET", "POST"},
        refusal(
            400,
            "AuthorizationHeaderMalformed",
            "the region 'ap-southeast-2' is wrong",
            more="<Region>eu-west-1</Region>",
        ),
        "is wrong",
        "the bucket is in eu-west-1: write that as the region",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
async def test_d7_a_bucket_that_cannot_be_written_is_found_before_anything_is_asked(
    make: Callable[..., Extractor], sandbox: Sandbox, bucket: Bucket, out: Path, case: str
) -> None:
    """Denied, gone, elsewhere, or by keys that are over: exit code 4, who says so, what helps."""
    methods, reply, words, remedy = UNUSABLE[case]
    with RawAws(sandbox) as aws:
        aws.respond("*", lambda request, go_on: reply if request.method in methods else go_on())
        place = {"bucket": bucket.name, "endpoint_url": aws.endpoint_url}
        with pytest.raises(DeliveryError, match="nothing was extracted, because") as caught:
            await make(landing=place, endpoint_url=aws.endpoint_url).run()

        assert set(aws.calls) == {"*"}

    assert caught.value.exit_code == 4
    assert words in caught.value.message
    assert remedy in caught.value.hint
    assert in_sight(out) == []
    assert bucket.open_uploads() == []


async def test_d7_a_landing_that_nobody_reaches_is_named(
    make: Callable[..., Extractor], sandbox: Sandbox, bucket: Bucket
) -> None:
    """It is the landing, not Athena, that has no way; nothing of Athena's was asked."""
    url = f"http://127.0.0.1:{closed_port()}"
    before = sandbox.calls["athena:ListWorkGroups"]
    with pytest.raises(NetworkError) as caught:
        await make(landing={"bucket": bucket.name, "endpoint_url": url}).run()

    assert f"because s3://{bucket.name} cannot be used: {url} cannot be" in caught.value.message
    assert sandbox.calls["athena:ListWorkGroups"] == before


async def test_the_look_at_a_landing_leaves_nothing_there(
    make: Callable[..., Extractor], bucket: Bucket
) -> None:
    """The upload that shows whether it can be written is given up before anything is extracted."""
    uploads: list[list[str]] = []
    await make(observers=[lambda _: uploads.append(bucket.open_uploads())]).run()

    assert uploads
    assert not any(uploads)


async def test_h9_an_upload_that_begins_with_an_empty_answer_is_begun_again(
    make: Callable[..., Extractor], bucket: Bucket, out: Path
) -> None:
    """An answer without UploadId while the landing is tried is not S3's: the run goes on."""
    where = {"bucket": bucket.name}
    bucket.sandbox.faults.add("empty_body", "s3:CreateMultipartUpload", where=where, times=1)
    report = await make().run()

    assert report.exit_code == 0
    assert bucket.names() == in_sight(out)


async def test_the_connection_test_looks_at_the_landing(
    make: Callable[..., Extractor], bucket: Bucket
) -> None:
    """Rights that are missing there are named beside the rest."""
    assert (await make().test_connection()).missing == ()
    bucket.sandbox.faults.add("access_denied", "s3:GetObject", where={"bucket": bucket.name})

    (told,) = (await make().test_connection()).missing

    assert "s3:GetObject is not allowed" in told


def test_the_command_line_tells_and_recovers(
    sandbox: Sandbox, bucket: Bucket, out: Path, tmp_path: Path, landing: dict[str, object]
) -> None:
    """Exit code 4 with a remedy and no secret before anything is extracted; then all goes."""
    user = sandbox.add_user("pusher", policy={"Statement": []})
    config = sandbox.config(
        out, landing={**landing, "key": user.access_key_id, "secret": user.secret}
    )
    path = tmp_path / "kada_athena_extractor_config.json"
    path.write_text(json.dumps(config))
    path.chmod(0o600)

    def cli(*arguments: str, **variables: str) -> Done:
        return run_command(
            [*arguments, "-n", "k"],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "PYTHONPATH": str(ROOT),
                "AWS_EC2_METADATA_DISABLED": "true",
                **variables,
            },
        )

    denied = cli("run")
    assert denied.returncode == 4, denied.stderr
    assert "is not allowed" in denied.stderr
    assert "try: allow s3:PutObject" in denied.stderr
    assert user.secret not in denied.stdout + denied.stderr
    assert not (tmp_path / "k_hwm.txt").exists()

    own = json.dumps(landing)
    again = cli("run", KADA_ATHENA_LANDING=own)
    assert again.returncode == 0, again.stderr
    assert bucket.names() == in_sight(out)
    assert (tmp_path / "k_hwm.txt").exists()
    assert load_config(path)["landing"] == config["landing"]


def an_hour_ago() -> str:
    """The end of a first window, so that a second run has one too."""
    return f"{datetime.now(timezone.utc) - timedelta(hours=1):%Y-%m-%d %H:%M:%S}"


def unmasked(out: Path) -> list[str]:
    """Names of the manifests here whose texts are not masked."""
    return [
        path.name
        for path in out.glob("*_manifest_*.json")
        if json.loads(path.read_text())["mask"] is False
    ]


@pytest.mark.parametrize("reason", ["no landing", "landing down"])
async def test_h4_nothing_unmasked_leaves_while_mask_is_on(
    make: Callable[..., Extractor],
    bucket: Bucket,
    out: Path,
    reason: str,
) -> None:
    """Extracted without mask and not delivered, then mask on: held back by name, all else goes."""
    told: list[Any] = []
    if reason == "no landing":
        await make(mask=False, landing=None).run(end_hwm=an_hour_ago())
    else:
        down(bucket)
        with pytest.raises(DeliveryError):
            await make(mask=False).run(end_hwm=an_hour_ago())

        bucket.sandbox.faults.clear()

    (name,) = unmasked(out)
    report = await make(observers=[told.append]).run()

    assert report.exit_code == 0
    assert [n for n in bucket.names() if name[-25:-5] in n] == []
    assert report.manifest is not None
    assert report.manifest.name in bucket.names()
    warned = [event for event in told if getattr(event, "code", "") == "unmasked"]
    assert [event.message.split()[0] for event in warned] == [name]
    assert "run with `again=True` `start_hwm=...`" in warned[0].hint

    window = json.loads((out / name).read_text())
    again = await make().run(
        start_hwm=window["start"][:19].replace("T", " "),
        end_hwm=window["end"][:19].replace("T", " "),
        again=True,
    )
    assert again.exit_code == 0
    assert unmasked(out) == []
    assert name in bucket.names()


async def test_h4_another_prefix_gets_what_is_new_and_the_rest_when_asked(
    make: Callable[..., Extractor], bucket: Bucket
) -> None:
    """A changed landing is not sent the history by itself; push(sends_all=True) sends it."""
    told: list[Any] = []
    first = await make().run(end_hwm=an_hour_ago())
    moved = {"bucket": bucket.name, "prefix": "elsewhere"}
    second = await make(landing=moved, observers=[told.append]).run()

    def there() -> list[str]:
        found = [n.removeprefix("elsewhere/") for n in bucket.names() if n[:10] == "elsewhere/"]
        return [n for n in found if "_manifest_" in n]

    assert first.manifest is not None
    assert second.manifest is not None
    assert there() == [second.manifest.name]
    assert [e.code for e in told if getattr(e, "code", "") == "delivered_elsewhere"]
    assert (await make(landing=moved).push()).manifests == ()
    assert (await make(landing=moved).push(sends_all=True)).manifests == (first.manifest.name,)
    assert there() == sorted([first.manifest.name, second.manifest.name])


@pytest.mark.parametrize("lands", [False, True])
async def test_the_mark_is_read_a_few_times_a_run(
    make: Callable[..., Extractor], bucket: Bucket, landing: dict[str, object], lands: bool
) -> None:
    """Mark and state in a bucket cost at most six GetObject calls, a first run and a later one."""
    store = f"s3://{bucket.name}/marks"
    for settle in (600, 0):
        before = _mark_reads(bucket)
        report = await make(
            hwm_store=store,
            hwm_path=None,
            settle_seconds=settle,
            landing=landing if lands else None,
            metadata_source="api",
        ).run()

        assert report.committed
        assert 0 < _mark_reads(bucket) - before <= 6


def _mark_reads(bucket: Bucket) -> int:
    keys = ("k_hwm.txt", "k_state.json")
    return sum(
        call.operation == "s3:GetObject"
        and call.facts["bucket"] == bucket.name
        and call.facts["key"].endswith(keys)
        for call in bucket.sandbox.log
    )
