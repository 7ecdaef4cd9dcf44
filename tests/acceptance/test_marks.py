"""``hwm show`` and ``hwm set`` where the configuration keeps the mark: in a bucket, by site."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from kada_athena_async.sandbox import Sandbox
from tests.acceptance.conftest import Cli
from tests.kit.estates import few_schemas


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with few_schemas(scale=0.02) as running:
        running.create_bucket("marks")
        yield running


@pytest.fixture
def bucket(sandbox: Sandbox) -> Any:
    """The bucket of marks, seen with its owner's eyes; empty."""
    session = boto3.Session(sandbox.admin.access_key_id, sandbox.admin.secret, region_name="x")
    found = session.resource("s3", endpoint_url=sandbox.endpoint_url).Bucket("marks")
    found.objects.all().delete()
    return found


def line(bucket: Any, name: str) -> str:
    return bucket.Object(f"k/{name}").get()["Body"].read().decode()


def test_the_mark_that_runs_use_is_shown_and_set(
    cli: Cli, configure: Callable[..., Path], bucket: Any, tmp_path: Path
) -> None:
    """In the bucket that hwm_store names, also without -c; no file here is looked at or written."""
    configure(hwm_store="s3://marks/k")

    none = cli("hwm", "show", "-c", "kada_athena_extractor_config.json")
    assert (none.returncode, none.stdout) == (0, "")
    assert "no high-water mark yet: s3://marks/k/athena_hwm.txt does not exist" in none.stderr

    done = cli("hwm", "set", "2026-01-02 03:04:05")
    assert (done.returncode, done.stdout) == (0, "2026-01-02 03:04:05\n")
    assert line(bucket, "athena_hwm.txt") == "2026-01-02 03:04:05\n"

    back = cli("hwm", "set", "2026-01-01 00:00:00")
    assert "2026-01-01 00:00:00 to 2026-01-02 03:04:05 what is published" in back.stderr

    shown = json.loads(cli("hwm", "show", "--json").stdout)
    assert (shown["hwm"], shown["path"]) == ("2026-01-01 00:00:00", "s3://marks/k/athena_hwm.txt")
    assert list(tmp_path.glob("*_hwm.txt")) == []

    here = cli("hwm", "show", "--hwm-path", "athena_hwm.txt")
    assert f"{tmp_path / 'athena_hwm.txt'} does not exist" in here.stderr


def test_a_mark_that_cannot_be_reached_is_not_set(
    cli: Cli, configure: Callable[..., Path], sandbox: Sandbox
) -> None:
    """Exit code 3 and the place; nobody is told that there is no mark."""
    configure(hwm_store="s3://no-such-bucket-here/k")
    for command in (("show",), ("set", "2026-01-01 00:00:00")):
        done = cli("hwm", *command)

        assert done.returncode == 3
        assert done.stdout == ""
        assert "s3://no-such-bucket-here/k/athena_hwm.txt" in done.stderr
        assert "bucket does not exist" in done.stderr


def test_each_site_has_its_own_mark(cli: Cli, configure: Callable[..., Path], bucket: Any) -> None:
    """All are shown; one is set, and has to be named."""
    configure(hwm_store="s3://marks/k", sites=[{"name": "au"}, {"name": "us"}])

    unclear = cli("hwm", "set", "2026-01-01 00:00:00")
    assert unclear.returncode == 2
    assert "a high-water mark is set for one site: name one of au, us" in unclear.stderr

    assert cli("hwm", "set", "2026-01-01 00:00:00", "--site", "us").returncode == 0
    assert line(bucket, "athena-us_hwm.txt") == "2026-01-01 00:00:00\n"

    shown = cli("hwm", "show")
    assert shown.stdout == "us: 2026-01-01 00:00:00\n"
    assert "au: no high-water mark yet: s3://marks/k/athena-au_hwm.txt" in shown.stderr
