"""Answers to Airflow: plain, small, without secrets, and whether to try again."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from kada_athena_async.airflow.outcome import (
    console_url,
    failure_text,
    is_final,
    is_final_report,
    xcom,
)
from kada_athena_async.config import Config, make_config
from kada_athena_async.config.landing import LocalPlace, S3Place
from kada_athena_async.errors import (
    AccessDeniedError,
    ConfigError,
    CredentialsError,
    DeliveryError,
    KadaAthenaError,
    LockedError,
    Problem,
    RetriesExhaustedError,
    StateError,
)
from kada_athena_async.manifest import ManifestFile
from kada_athena_async.report import RunReport, UnitOutcome

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
END = datetime(2026, 11, 2, tzinfo=timezone.utc)


def config(**fields: object) -> Config:
    return make_config(
        {
            "server": "athena",
            "bucket": "s3://results",
            "region": "eu-west-1",
            "output_path": "/out",
            **fields,
        }
    )


def report(*, committed: bool = True, **fields: object) -> RunReport:
    file = ManifestFile(name="k_users.csv.gz", kind="users", rows=3, size_bytes=9, sha256="0" * 64)
    return RunReport(
        run_id="r1",
        name="k",
        start=START,
        end=END,
        committed=committed,
        exit_code=0 if committed else 1,
        output_path=Path("/out"),
        manifest=Path("/out/k_manifest_20261102T000000Z.json") if committed else None,
        files=(file,) if committed else (),
        calls={"athena:ListQueryExecutions": 2, "sts:GetCallerIdentity": 1},
        **fields,  # type: ignore[arg-type]
    )


def test_counts_and_links_go_to_xcom() -> None:
    """The manifest in the landing, the window, rows and calls, as plain JSON without a secret."""
    landing = {
        "bucket": "kada-lz",
        "prefix": "athena",
        "key": "AKIA",
        "secret": "very-secret-value",
    }
    told = xcom(report(continued=report()), config(landing=landing))

    assert json.loads(json.dumps(told)) == told
    assert told["manifest_url"] == "s3://kada-lz/athena/k_manifest_20261102T000000Z.json"
    assert told["landing"] == "s3://kada-lz/athena"
    assert told["window"] == {"start": "2026-11-01 00:00:00", "end": "2026-11-02 00:00:00"}
    assert (told["rows"], told["size_bytes"], told["calls"]) == ({"users": 3}, 9, 3)
    assert told["continued"] == {**told, "continued": None}
    assert "secret" not in json.dumps(told)


def test_without_a_landing_the_link_leads_to_the_directory() -> None:
    """And where nothing was committed there is no link."""
    told = xcom(report(), config())

    assert told["manifest_url"] == "file:///out/k_manifest_20261102T000000Z.json"
    assert told["landing"] is None
    assert xcom(report(committed=False), config())["manifest_url"] is None


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (ConfigError([Problem("region", "x", "write one")]), True),
        (StateError("the mark is junk"), True),
        (CredentialsError("AWS refused the credentials"), True),
        (AccessDeniedError("glue:GetTables is not allowed", action="glue:GetTables"), True),
        (LockedError("another run"), False),
        (DeliveryError("the landing is down"), False),
        (RetriesExhaustedError("no answer", operation="athena:x", attempts=9), False),
    ],
)
def test_only_what_needs_a_person_is_not_tried_again(error: KadaAthenaError, final: bool) -> None:
    """Trouble that only a person can mend stays so: configuration, login, rights, junk HWM."""
    assert is_final(error) is final


@pytest.mark.parametrize(("denied", "final"), [((True, False), True), ((False, False), False)])
def test_a_run_that_lacks_a_right_is_not_tried_again(denied: tuple[bool, ...], final: bool) -> None:
    """One denied unit keeps every next try from its commit; a broken connection does not."""
    outcomes = tuple(
        UnitOutcome(unit_id=f"history:{n}", outcome="failed", reason="x", is_denied=is_denied)
        for n, is_denied in enumerate(denied)
    )

    assert is_final_report(report(committed=False, outcomes=outcomes)) is final


def test_failed_units_are_named() -> None:
    """The first of them with their reasons, the others by number."""
    outcomes = tuple(
        UnitOutcome(unit_id=f"history:{n}", outcome="failed", reason="denied", hint="wait a bit")
        for n in range(7)
    )
    text = failure_text(report(committed=False, outcomes=outcomes))

    assert text.startswith("7 of 7 units of work failed, nothing was committed:")
    assert "history:4: denied" in text
    assert "history:5" not in text
    assert "and 2 more" in text
    assert text.endswith("\n  try: wait a bit")
    assert "on_error" not in text, "nothing was denied"


def test_the_console_shows_a_landing_on_s3() -> None:
    """The page of bucket and prefix; no page for other places."""
    url = console_url(S3Place(bucket="kada-lz", prefix="a b/c"))

    assert url == "https://console.aws.amazon.com/s3/buckets/kada-lz?prefix=a%20b/c/"
    assert console_url(LocalPlace(path=Path("/mnt"))) == console_url(None) == ""
