"""A run dies and the next one finds another disk: pods, spot machines, a pool of workers."""

from __future__ import annotations

import csv
import errno
import gzip
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.errors import CommitError, DeliveryError
from kada_athena_async.files import Files
from kada_athena_async.sandbox import Sandbox
from tests.kit.small_estate import tiny_estate
from tests.kit.wires import closed_port
from tests.landing.support import Bucket, in_sight

Make = Callable[..., Extractor]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tiny_estate(datetime.now(timezone.utc))) as running:
        yield running


@pytest.fixture
def bucket(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Bucket]:
    yield Bucket(sandbox, f"landing-{abs(hash(request.node.name)):x}")
    sandbox.faults.clear()


@pytest.fixture
def marks(bucket: Bucket, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, object]:
    """Where the mark is kept, as fields of the configuration: outside of either machine."""
    if getattr(request, "param", "bucket") == "file":
        (tmp_path / "shared").mkdir()
        return {"hwm_store": (tmp_path / "shared").as_uri()}

    bucket.sandbox.create_bucket(f"{bucket.name}-marks")
    return {"hwm_store": f"s3://{bucket.name}-marks"}


@pytest.fixture
def on(bucket: Bucket, marks: dict[str, object], tmp_path: Path, fast_clock: Any) -> Make:
    """The same collector on the machine of a name, which has a disk of its own."""

    def extractor(machine: str, files: Files | None = None, **more: object) -> Extractor:
        (tmp_path / machine).mkdir(exist_ok=True)
        fields = {
            "quota_share": 1.0,
            "metadata_source": "api",
            "settle_seconds": 0,
            "landing": {"bucket": bucket.name, "prefix": "lz/athena"},
            **marks,
            **more,
        }
        return Extractor(
            name="k",
            clock=fast_clock,
            files=files,
            **bucket.sandbox.config(tmp_path / machine, **fields),
        )

    return extractor


class NoState(Files):
    """A disk that refuses the state, as if the machine died before it was written."""

    def write_durably(self, path: Path, data: bytes) -> None:
        if path.name == "k_state.json":
            raise OSError(errno.EIO, "Input/output error", str(path))

        super().write_durably(path, data)


class Seen:
    """The landing as a consumer finds it: all CSV files, and those that manifests name."""

    def __init__(self, bucket: Bucket) -> None:
        names = bucket.names()
        self.manifests = [
            json.loads(bucket.content(name)) for name in names if "_manifest_" in name
        ]
        self.named = sorted(file["name"] for m in self.manifests for file in m["files"])
        self.files = sorted(name for name in names if ".csv" in name)
        self.told: Counter[str] = Counter()
        csv.field_size_limit(2**20)
        for name in self.files:
            if "_databaselog_" in name:
                text = gzip.decompress(bucket.content(name)).decode()
                rows = csv.DictReader(io.StringIO(text, newline=""))
                self.told.update(row["query_id"] for row in rows)


def assert_told_once(bucket: Bucket) -> None:
    """Each finished query of the sandbox in exactly one file, each file in a manifest."""
    seen = Seen(bucket)
    finished = {
        e.query_execution_id for e in bucket.sandbox.estate.executions.values() if e.is_final
    }
    windows = sorted((m["start"], m["end"]) for m in seen.manifests)

    assert max(seen.told.values()) == 1
    assert set(seen.told) <= finished
    assert seen.files == seen.named
    assert [end for _, end in windows[:-1]] == [start for start, _ in windows[1:]]


@pytest.mark.parametrize("marks", ["bucket", "file"], indirect=True)
async def test_delivered_but_not_marked(on: Make, bucket: Bucket) -> None:
    """Died between the landing's manifest and the mark: the mark follows, nothing comes twice."""
    bucket.sandbox.faults.add("access_denied", "s3:PutObject", where={"key": "k_state.json"})
    with pytest.raises(CommitError):
        await on("first", files=NoState()).run()

    bucket.sandbox.faults.clear()
    before = Seen(bucket)
    report = await on("second").run()

    assert len(before.manifests) == 1
    assert f"{report.start:%Y%m%dT%H%M%SZ}" in before.files[0]
    assert any("whose disk is not this one" in warning for warning in report.warnings)
    assert_told_once(bucket)


async def test_half_delivered(on: Make, bucket: Bucket) -> None:
    """Died with files in the landing and no manifest: the same window is told once more."""
    bucket.sandbox.faults.add("access_denied", "s3:PutObject", where={"key": "*_databaselog_*"})
    with pytest.raises(DeliveryError):
        await on("first").run()

    bucket.sandbox.faults.clear()
    before = Seen(bucket)
    report = await on("second").run()

    assert before.files
    assert before.manifests == []
    assert report.continued is not None
    assert set(before.files) < {file.name for file in report.continued.files}
    assert_told_once(bucket)


async def test_half_delivered_and_taken_over_by_a_run_that_is_not_continued(
    on: Make, bucket: Bucket, tmp_path: Path
) -> None:
    """What the second machine began is of another version: its window goes first all the same."""
    bucket.sandbox.faults.add("access_denied", "s3:PutObject", where={"key": "*_databaselog_*"})
    with pytest.raises(DeliveryError):
        await on("first").run()

    bucket.sandbox.faults.clear()
    bucket.sandbox.faults.add("access_denied", "athena:ListQueryExecutions")
    broken = await on("second").run()
    assert broken.exit_code == 1

    bucket.sandbox.faults.clear()
    [intent] = (tmp_path / "second").glob(".k-staging/*/intent.json")
    intent.write_text(json.dumps(json.loads(intent.read_text()) | {"version": "0.0"}))
    report = await on("second").run()

    assert report.continued is not None
    assert report.continued.end == broken.end
    assert_told_once(bucket)


async def test_all_but_the_manifest_delivered(on: Make, bucket: Bucket) -> None:
    """Died when all files were there: the manifest is written from the intent beside the mark."""
    bucket.sandbox.faults.add("access_denied", "s3:PutObject", where={"key": "*_manifest_*"})
    with pytest.raises(DeliveryError):
        await on("first").run()

    bucket.sandbox.faults.clear()
    before = Seen(bucket)
    report = await on("second").run()
    back = await on("first").run()

    assert before.manifests == []
    assert report.continued is None
    assert set(before.files) <= set(Seen(bucket).named)
    assert not any("another machine" in warning for warning in back.warnings)
    assert_told_once(bucket)


async def test_a_decided_delivery_waits_for_a_landing_that_nobody_reaches(
    on: Make, bucket: Bucket
) -> None:
    """It is extracted and not delivered, as in any delivery: exit code 4, with what to check."""
    bucket.sandbox.faults.add("access_denied", "s3:PutObject", where={"key": "*_manifest_*"})
    with pytest.raises(DeliveryError):
        await on("first").run()

    bucket.sandbox.faults.clear()
    url = f"http://127.0.0.1:{closed_port()}"
    place = {"bucket": bucket.name, "prefix": "lz/athena", "endpoint_url": url}
    with pytest.raises(DeliveryError, match=f"cannot be completed in .*: {url} cannot") as caught:
        await on("second", landing=place).run()

    assert caught.value.hint
    await on("second").run()
    assert_told_once(bucket)


async def test_the_first_machine_comes_back(on: Make, bucket: Bucket, tmp_path: Path) -> None:
    """Executions that it could not deliver are delivered by another since: its package goes."""
    fault = bucket.sandbox.faults.add("server_error", "s3:*", where={"bucket": bucket.name})
    with pytest.raises(DeliveryError):
        await on("first").run()

    waiting = in_sight(tmp_path / "first")
    bucket.sandbox.faults.clear(fault)
    await on("second").run()
    report = await on("first").run()

    assert waiting
    assert report.exit_code == 0
    assert not set(waiting) & set(in_sight(tmp_path / "first"))
    assert any("another machine" in warning for warning in report.warnings)
    assert_told_once(bucket)
