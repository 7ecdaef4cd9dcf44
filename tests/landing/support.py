"""Packages to deliver, a bucket to deliver to, and what tests do with them again and again."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

import boto3

from kada_athena_async.aws.session import Identity
from kada_athena_async.config.landing import Place, S3Place
from kada_athena_async.events import Event, FileDelivered
from kada_athena_async.files import Files, to_bytes
from kada_athena_async.hwm import RunState
from kada_athena_async.landing import DeliveryReport, Landing, Runtime, deliver, open_landing
from kada_athena_async.manifest import Manifest, ManifestFile, RunFacts
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Estate

T0 = datetime(2026, 11, 1, tzinfo=timezone.utc)
MIB = 1 << 20
BIG = 20 * MIB + 7
"""Three parts, the last of them short."""

# Loading the SDK's model of S3 takes longer than most tests.
SESSION = boto3.Session(region_name="ap-southeast-2")

SMALL = {"metadata_tables": 1000, "users": 1, "databaselog": 70_000, "events": 12, "linkages": 9}


def empty_sandbox() -> Sandbox:
    """A sandbox without an estate: only its buckets matter here."""
    return Sandbox(Estate(account_id="123456789012", region="ap-southeast-2"))


def content(name: str, size_bytes: int) -> bytes:
    """Bytes that do not compress and differ from file to file."""
    return random.Random(name).randbytes(size_bytes)


def make_package(
    out: Path, hour: int, sizes: dict[str, int] | None = None, *, run_id: str = "r", name: str = "k"
) -> Path:
    """Write what a run from *hour* to the next one would have committed; its manifest's path."""
    out.mkdir(exist_ok=True, mode=0o700)
    start = T0 + timedelta(hours=hour)
    end = start + timedelta(hours=1)
    stamp = f"{end:%Y%m%dT%H%M%SZ}"
    extracts = []
    for kind, size_bytes in (SMALL if sizes is None else sizes).items():
        path = out / f"{name}_{kind}_{stamp}.csv.gz"
        data = content(f"{path.name} {run_id}", size_bytes)
        path.write_bytes(data)
        extracts.append(
            ManifestFile(
                name=path.name,
                kind=kind,
                rows=1,
                size_bytes=size_bytes,
                sha256=hashlib.sha256(data).hexdigest(),
            )
        )

    manifest = Manifest(
        run_id=run_id,
        name=name,
        start=start,
        end=end,
        started_at=end,
        config_digest="c",
        plan_digest="p",
        manages_hwm=True,
        files=tuple(extracts),
        facts=RunFacts(version="1"),
        state=RunState(hwm=end, workgroups={}),
    )
    path = out / f"{name}_manifest_{stamp}.json"
    path.write_bytes(to_bytes(manifest))
    return path


class Bucket:
    """A bucket of a sandbox, seen with its owner's eyes."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        sandbox.create_bucket(name)
        self.sandbox = sandbox
        self.name = name
        self.s3: Any = SESSION.client(
            "s3",
            endpoint_url=sandbox.endpoint_url,
            aws_access_key_id=sandbox.admin.access_key_id,
            aws_secret_access_key=sandbox.admin.secret,
        )

    def place(self, **fields: Any) -> S3Place:
        return S3Place(bucket=self.name, prefix="lz/athena", **fields)

    def names(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [item["Key"].removeprefix("lz/athena/") for item in found]

    def content(self, name: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.name, Key=f"lz/athena/{name}")["Body"].read()
        return body

    def rows(self, kind: str) -> list[dict[str, str]]:
        """The rows of a kind in the files that the manifests name."""
        found: list[dict[str, str]] = []
        csv.field_size_limit(2**20)
        for name in self.names():
            files = json.loads(self.content(name))["files"] if "_manifest_" in name else []
            for file in files:
                if file["kind"] == kind:
                    text = gzip.decompress(self.content(file["name"])).decode()
                    found += csv.DictReader(io.StringIO(text, newline=""))

        return found

    def store(self, name: str, data: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=f"lz/athena/{name}", Body=data)

    def delete(self, name: str) -> None:
        self.s3.delete_object(Bucket=self.name, Key=f"lz/athena/{name}")

    def open_uploads(self) -> list[str]:
        found = self.s3.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        return [item["Key"] for item in found]


class Deliverer:
    """Delivers what lies in *out*, as the engine does."""

    def __init__(self, out: Path, place: Place, runtime: Callable[..., Runtime]) -> None:
        self.out = out
        self.place = place
        self.events: list[Event] = []
        self.around = runtime(notify=self.events.append)

    def landing(self) -> AbstractAsyncContextManager[Landing]:
        return open_landing(self.place, self.around)

    async def __call__(self, **options: Any) -> DeliveryReport:
        self.events.clear()
        async with self.landing() as landing:
            options = {
                "files": self.around.files,
                "notify": self.around.notify,
                "clock": self.around.clock,
                **options,
            }
            return await deliver(self.out, "k", landing, **options)

    def sent(self) -> list[str]:
        return sorted(
            e.name for e in self.events if isinstance(e, FileDelivered) and not e.was_there
        )


def file_of(out: Path, kind: str) -> Path:
    """The one extract of a kind in *out*."""
    (path,) = out.glob(f"k_{kind}_*")
    return path


def in_sight(out: Path) -> list[str]:
    """The names of the extracts and manifests in *out*."""
    return sorted(path.name for path in out.iterdir() if path.name[0] != ".")


def make_surroundings(sandbox: Sandbox | None, clock: Any, **fields: Any) -> Runtime:
    """As a run of *sandbox*'s collector has them."""
    return Runtime(
        **{
            "identity": Identity(
                region="ap-southeast-2",
                key=sandbox.access_key_id if sandbox else "",
                secret=sandbox.secret_access_key if sandbox else "",
            ),
            "endpoint_url": sandbox.endpoint_url if sandbox else None,
            "files": Files(),
            "clock": clock,
            "rng": Random(1),
            "notify": lambda event: None,
            **fields,
        }
    )
