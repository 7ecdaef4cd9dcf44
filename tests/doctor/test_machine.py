"""This machine: its clock, its disk, its packages, its marks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from kada_athena_async import Extractor
from kada_athena_async.engine.doctor.destination import sas_findings
from kada_athena_async.engine.doctor.machine import clashes_of, clock_finding, disk_findings
from kada_athena_async.files import Files
from kada_athena_async.sandbox import Sandbox

NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("skew_s", "state", "exit_code"),
    [(0, "ok", 0), (-59, "ok", 0), (61, "problem", 0), (-301, "problem", 1)],
)
def test_a_wrong_clock_is_told(skew_s: int, state: str, exit_code: int) -> None:
    """A minute is a warning; beyond five AWS refuses every call."""
    found = clock_finding(timedelta(seconds=skew_s))

    assert (found.state, found.exit_code) == (state, exit_code)


def test_no_directory_is_the_configurations_fault(tmp_path: Path) -> None:
    """A parent that is not there is never made: it may be a share that is not mounted."""
    (found,) = disk_findings(tmp_path / "missing" / "out", "athena", Files())

    assert (found.subject, found.exit_code) == ("output_path", 2)
    assert "is no directory" in found.detail
    assert not (tmp_path / "missing").exists()


class Cramped(Files):
    """A network share with a mebibyte left."""

    def free_bytes(self, path: Path) -> int:
        return 1 << 20

    def mount_kind(self, path: Path) -> str:
        return "nfs4"


def test_little_space_and_a_network_share_are_told(tmp_path: Path) -> None:
    """Space is needed; a share is a warning."""
    found = {f.subject: f for f in disk_findings(tmp_path, "athena", Cramped())}

    assert found["free space"].exit_code == 1
    assert found["free space"].detail == "1 MiB are free, 64 MiB should be"
    assert (found["file system"].state, found["file system"].exit_code) == ("problem", 0)


def test_packages_that_do_not_fit_together_are_named() -> None:
    """The versions that a package demands are compared with those that are installed."""
    wanted = ["botocore<1", "no-such-package-here", "anyio>=1", 'pytest<1; extra == "dev"']

    clash, missing = clashes_of("aiobotocore", wanted)

    assert clash.startswith("aiobotocore needs botocore<1, installed is ")
    assert missing == "aiobotocore needs no-such-package-here, which is missing"


@contextmanager
def junk(path: Path) -> Iterator[None]:
    path.write_text("yesterday\n")
    yield
    path.unlink()


async def test_a_mark_that_is_junk_is_told(
    examined: Callable[..., Extractor], tmp_path: Path
) -> None:
    """The run would not start, and neither says it is well."""
    with junk(tmp_path / "athena_hwm.txt"):
        report = await examined().examine()

    (found,) = [f for f in report.findings if f.area == "mark" and f.state != "ok"]
    assert (found.exit_code, found.lost) == (1, "the run does not start")
    assert "put one line like 2026-01-31 23:59:59 (UTC) there" in found.remedy


async def test_a_run_that_is_going_on_is_told_and_not_disturbed(
    examined: Callable[..., Extractor], tmp_path: Path
) -> None:
    """The lock is looked at, never taken: a run that begins meanwhile must not be refused."""
    (tmp_path / "out").mkdir()
    lock = tmp_path / "out" / ".athena.lock"
    held = Files().lock(lock, run_id="r1", now=NOW)
    try:
        report = await examined().examine()
        content = lock.read_text()
    finally:
        held.release()

    (found,) = [f for f in report.findings if f.subject == "lock"]
    assert (found.state, found.exit_code) == ("problem", 0)
    assert f"process {os.getpid()} holds it since 2026-11-25 00:00:00 UTC" in found.detail
    assert json.loads(content)["run_id"] == "r1"


async def test_a_landing_that_is_a_directory_is_tried(
    examined: Callable[..., Extractor], tmp_path: Path
) -> None:
    """A share that is not mounted is said to be missing; nothing is made in its place."""
    missing = tmp_path / "not-mounted"
    report = await examined(landing=missing.as_uri()).examine()
    (found,) = [f for f in report.findings if f.area == "landing"]

    assert (found.state, found.exit_code) == ("problem", 1)
    assert "does not exist" in found.detail
    assert not missing.exists()


@pytest.mark.parametrize(
    ("token", "states", "said"),
    [
        ("sp=rcw&se=2027-11-25T00:00:00Z&sig=x", ["ok", "ok"], "read, create, write"),
        ("sp=r&se=2027-11-25&sig=x", ["denied", "ok"], "the token lacks create, write"),
        ("si=policy&sig=x", ["untried"], "the token's rights are in a stored access policy"),
        ("sp=rcw&se=2026-11-26T00:00:00Z&sig=x", ["ok", "problem"], "2026-11-26 00:00 UTC"),
    ],
)
def test_a_sas_token_is_read(token: str, states: list[str], said: str) -> None:
    """Its rights and its end stand in it; its signature is not shown."""
    found = sas_findings(token, "https://x/landing", NOW)

    assert [f.state for f in found] == states
    assert any(said in f.detail for f in found)
    assert "sig" not in str(found)


async def test_aws_that_cannot_be_reached_is_told(
    examined: Callable[..., Extractor], sandbox: Sandbox
) -> None:
    """Everything else is looked at all the same."""
    report = await examined(endpoint_url="http://127.0.0.1:9").examine()
    (found,) = [f for f in report.findings if f.subject == "AWS"]

    assert (found.state, report.exit_code) == ("problem", 3)
    assert any(f.subject == "output_path" and f.state == "ok" for f in report.findings)
