"""Each right is tried, and one that is missing is named with what is lost and how to grant it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest

from kada_athena_async import Extractor
from kada_athena_async.config import make_config
from kada_athena_async.engine.doctor import DoctorReport
from kada_athena_async.permissions import account_scope, permissions_of, policy_of
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.workgroups import build_workgroups
from tests.doctor.conftest import LANDING

FIELDS: dict[str, Any] = {
    "catalogs": ["AwsDataCatalog", "dynamo_orders"],
    "landing": f"s3://{LANDING}/lz",
    "hwm_store": "landing",
    "attribute_users": "cloudtrail",
    "lake_formation_tags": True,
}
RIGHTS = permissions_of(
    make_config(
        {
            "server": "s",
            "bucket": "s3://bucket/prefix",
            "region": "ap-southeast-2",
            "output_path": str(Path.cwd()),
            **FIELDS,
        }
    )
)


def exact_policy(sandbox: Sandbox, *, without: str = "") -> Mapping[str, Any]:
    """The policy that ``iam-policy --optional`` prints, less one action."""
    config = make_config(sandbox.config(Path.cwd(), **FIELDS))
    around = account_scope(config, sandbox.account_id)
    document = policy_of(config, around, optional=True)
    return {
        "Statement": [
            {**statement, "Action": kept}
            for statement in document["Statement"]  # type: ignore[attr-defined]
            if (kept := [a for a in statement["Action"] if a != without])
        ]
    }


@pytest.fixture
def all_workgroups(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other workgroups of the organisation, some of which no run can use."""
    now = datetime.now(timezone.utc)
    groups = build_workgroups(now=now, results_bucket=sandbox.results_bucket)
    monkeypatch.setattr(sandbox.estate, "workgroups", groups | sandbox.estate.workgroups)


async def test_with_the_printed_policy_nothing_is_denied(
    sandbox: Sandbox, examined: Callable[..., Extractor]
) -> None:
    """``doctor`` asks for exactly what ``iam-policy`` prints, and each of it can be tried."""
    report = await examined(exact_policy(sandbox), **FIELDS).examine(runs_query=True)
    rights = [finding for finding in report.findings if finding.area == "rights"]

    assert {finding.subject for finding in rights} == {right.action for right in RIGHTS}
    assert [f for f in rights if f.state != "ok"] == []
    assert (report.exit_code, report.policy) == (0, None)


@pytest.mark.parametrize("action", sorted({right.action for right in RIGHTS}))
async def test_any_right_that_is_missing_is_named(
    action: str, sandbox: Sandbox, examined: Callable[..., Extractor]
) -> None:
    """The loss and the statement that grants it are named; exit code 1 where a run needs it."""
    extractor = examined(exact_policy(sandbox, without=action), **FIELDS)
    # Nobody else's results are read, and of our own there are none before a statement was run.
    report = await extractor.examine(runs_query=action == "athena:GetQueryResults")
    denied = [f for f in report.findings if f.state == "denied" and f.subject == action]
    needed = any(right.is_needed for right in RIGHTS if right.action == action)

    assert denied
    for finding in denied:
        assert finding.lost in {right.lost for right in RIGHTS if right.action == action}
        assert finding.statement is not None
        assert finding.statement["Action"] == [action]
    assert report.exit_code == (1 if needed else 0)


async def test_what_is_printed_as_missing_grants_it(
    sandbox: Sandbox, examined: Callable[..., Extractor]
) -> None:
    """The statements that the report gives, added to the policy, leave nothing denied."""
    before = await examined(exact_policy(sandbox, without="glue:GetTables"), **FIELDS).examine()
    assert before.policy is not None
    mended = {
        "Statement": [
            *exact_policy(sandbox, without="glue:GetTables")["Statement"],
            *before.policy["Statement"],  # type: ignore[misc]
        ]
    }
    after = await examined(mended, **FIELDS).examine()

    assert after.counts["denied"] == 0


async def test_nothing_is_left_behind_and_no_query_is_run(
    sandbox: Sandbox, examined: Callable[..., Extractor], tmp_path: Path
) -> None:
    """No object, no half-written upload, no execution, no file."""
    s3 = boto3.client(
        "s3",
        endpoint_url=sandbox.endpoint_url,
        region_name=sandbox.region,
        aws_access_key_id=sandbox.admin.access_key_id,
        aws_secret_access_key=sandbox.admin.secret,
    )

    def state() -> tuple[object, ...]:
        buckets = (LANDING, sandbox.results_bucket)
        return (
            [s3.list_objects_v2(Bucket=bucket).get("Contents") for bucket in buckets],
            [s3.list_multipart_uploads(Bucket=bucket).get("Uploads") for bucket in buckets],
            len(sandbox.estate.executions),
            sorted(tmp_path.iterdir()),
        )

    before = state()
    # Nothing may be deleted, so nothing can have been tidied up either.
    await examined(exact_policy(sandbox), **FIELDS).examine()

    assert state() == before


async def test_a_workgroup_among_many_is_named(
    sandbox: Sandbox, examined: Callable[..., Extractor]
) -> None:
    """A right that is denied on one workgroup says on which."""
    document = exact_policy(sandbox)
    closed = {
        "Effect": "Deny",
        "Action": "athena:ListQueryExecutions",
        "Resource": "arn:aws:athena:*:*:workgroup/adhoc",
    }
    policy = {"Statement": [*document["Statement"], closed]}
    report = await examined(policy, **FIELDS).examine()
    (denied,) = [f for f in report.findings if f.state == "denied"]

    assert denied.detail == "history, denied on adhoc (1 of 2)"


async def test_keys_that_aws_does_not_know_are_exit_code_3(
    examined: Callable[..., Extractor],
) -> None:
    """The machine is looked at all the same, and no secret is said."""
    report = await examined(key="AKIANOBODY", secret="s3cr3t-value").examine()

    assert report.exit_code == 3
    assert finding(report, "credentials").state == "problem"
    assert finding(report, "output_path").state == "ok"
    assert "s3cr3t-value" not in str(report.to_dict())


@pytest.mark.parametrize(
    ("fields", "subject", "said"),
    [
        ({"catalogs": ["nowhere"]}, "'nowhere'", "Athena shows only: AwsDataCatalog"),
        ({"workgroup": "nowhere"}, "workgroup nowhere", "there is no such workgroup"),
        ({"workgroup": "legacy_reports"}, "workgroup legacy_reports", "is disabled"),
        ({"workgroup": "spark_notebooks"}, "workgroup spark_notebooks", "a Spark workgroup"),
        ({"bucket": "s3://no-such-bucket/x"}, "s3://no-such-bucket/x", "no such bucket"),
    ],
)
@pytest.mark.usefixtures("all_workgroups")
async def test_what_does_not_exist_is_exit_code_2(
    fields: dict[str, Any], subject: str, said: str, examined: Callable[..., Extractor]
) -> None:
    """The configuration is to blame, and the finding names its value and the remedy."""
    report = await examined(**fields).examine()
    found = finding(report, subject)

    assert report.exit_code == 2
    assert said in f"{found.detail} {found.remedy}"


@pytest.mark.parametrize(
    ("workgroup", "state", "said"),
    [
        ("bi_dashboards", "problem", "enforces s3://"),
        ("finance_managed", "ok", "Athena keeps its results itself; `bucket` is not used"),
        ("primary", "ok", "results go to s3://"),
    ],
)
@pytest.mark.usefixtures("all_workgroups")
async def test_where_results_go_is_told(
    workgroup: str, state: str, said: str, examined: Callable[..., Extractor]
) -> None:
    """A place that the workgroup enforces is compared with ``bucket``."""
    found = finding(await examined(workgroup=workgroup).examine(), f"workgroup {workgroup}")

    assert found.state == state
    assert said in found.detail


async def test_a_broken_catalog_is_told_from_a_denied_one(
    sandbox: Sandbox, examined: Callable[..., Extractor]
) -> None:
    """A connector that fails is no missing right."""
    where = {"catalog": "dynamo_orders"}
    fault = sandbox.faults.add("metadata_exception", "athena:ListDatabases", where=where)
    try:
        report = await examined(**FIELDS).examine()
    finally:
        sandbox.faults.clear(fault)

    found = finding(report, "catalog dynamo_orders")

    assert (found.state, found.exit_code) == ("problem", 1)
    assert "lambda" in found.detail.lower()


def finding(report: DoctorReport, subject: str) -> Any:
    return next(f for f in report.findings if f.subject == subject)


@pytest.mark.parametrize(
    ("condition", "shown"),
    [("{1} OR 1 = 1", "4 rows after"), ("{1}", "1 row after"), ("{1} AND 1 = 0", "0 rows after")],
)
async def test_the_rows_of_the_statement_are_counted(
    examined: Any, condition: str, shown: str
) -> None:
    """``--query`` says how many rows came, not how many columns they have."""
    extractor = examined()
    sql = f"SELECT schema_name FROM {{0}}.information_schema.schemata WHERE {condition}"
    extractor.overwrite_sql("SCHEMATA_SQL", sql)
    report = await extractor.examine(runs_query=True)
    (finding,) = (f for f in report.findings if f.area == "statement")
    assert finding.detail.startswith(shown)
