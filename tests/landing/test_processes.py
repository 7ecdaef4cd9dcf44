"""Two real processes on one mark: one is stopped, or killed, in the middle of its upload."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from kada_athena_async.sandbox import Sandbox
from tests.kit.command import ROOT, start_command
from tests.kit.small_estate import tiny_estate
from tests.landing.support import Bucket

START_S = 200


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tiny_estate(datetime.now(timezone.utc))) as running:
        yield running


@pytest.fixture
def bucket(sandbox: Sandbox) -> Bucket:
    return Bucket(sandbox, "landing")


@pytest.fixture
def start(sandbox: Sandbox, tmp_path: Path) -> Callable[[str], subprocess.Popen[str]]:
    """Begins a run on the machine of a name; its process."""

    def begin(machine: str) -> subprocess.Popen[str]:
        folder = tmp_path / machine
        (folder / "out").mkdir(parents=True, exist_ok=True)
        config = sandbox.config(
            folder / "out",
            landing={"bucket": "landing", "prefix": "lz/athena"},
            hwm_store="landing",
            metadata_source="api",
            quota_share=1.0,
            settle_seconds=0,
        )
        path = folder / "config.json"
        path.write_text(json.dumps(config))
        path.chmod(0o600)
        return start_command(
            ["run", "-c", path, "-n", "k"],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "PYTHONPATH": str(ROOT),
                "AWS_EC2_METADATA_DISABLED": "true",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def check(bucket: Bucket, sandbox: Sandbox) -> None:
    """Manifests are true, no other file lies there, and no execution is there twice."""
    names = [name for name in bucket.names() if not name.startswith("_hwm/")]
    held = {name: bucket.content(name) for name in names}
    manifests = [json.loads(held[name]) for name in names if "_manifest_" in name]
    named = {file["name"]: file["sha256"] for m in manifests for file in m["files"]}
    told: Counter[str] = Counter()
    csv.field_size_limit(2**20)
    for name, sha256 in named.items():
        assert hashlib.sha256(held[name]).hexdigest() == sha256
        if "_databaselog_" in name:
            text = gzip.decompress(held[name]).decode()
            told.update(r["query_id"] for r in csv.DictReader(io.StringIO(text, newline="")))

    finished = {e.query_execution_id for e in sandbox.estate.executions.values() if e.is_final}
    assert manifests
    assert {name for name in names if "_manifest_" not in name} == set(named)
    assert set(told.values()) == {1}
    assert set(told) <= finished


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", [signal.SIGCONT, signal.SIGKILL])
def test_h2_a_process_stopped_in_its_upload_changes_nothing_when_it_wakes(
    start: Callable[[str], subprocess.Popen[str]],
    bucket: Bucket,
    sandbox: Sandbox,
    how: signal.Signals,
) -> None:
    """Stopped with one file in the landing; another machine finishes the window; then it wakes."""
    slow = sandbox.faults.add(
        "slow", "s3:PutObject", where={"key": "*_metadata_*"}, seconds=4, times=1000
    )
    stopped = start("first")
    try:
        deadline = time.monotonic() + START_S
        while not any(".csv" in name for name in bucket.names()):
            assert stopped.poll() is None, stopped.communicate()
            assert time.monotonic() < deadline, "nothing was uploaded"
            time.sleep(0.02)

        stopped.send_signal(signal.SIGSTOP)
        sandbox.faults.clear(slow)
        assert not any("_manifest_" in name for name in bucket.names())
        other = start("second")
        _, said = other.communicate(timeout=START_S)
        assert other.returncode == 0, said
        check(bucket, sandbox)
        published = {name: bucket.content(name) for name in bucket.names() if name[0] != "_"}

        stopped.send_signal(how)
        if how == signal.SIGKILL:
            stopped.send_signal(signal.SIGCONT)

        _, said = stopped.communicate(timeout=START_S)
        assert stopped.returncode == (3 if how == signal.SIGCONT else -signal.SIGKILL), said
        assert published == {name: bucket.content(name) for name in published}
        check(bucket, sandbox)
    finally:
        stopped.kill()
        stopped.wait()

    again = start("first")
    _, said = again.communicate(timeout=START_S)
    assert again.returncode == 0, said
    check(bucket, sandbox)
