"""Limits of workgroups: read where that is allowed, a fact where it is not, advice with dollars."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.config import Config, make_config
from kada_athena_async.extracts.advice import advice
from kada_athena_async.extracts.runs import select_runs
from kada_athena_async.files import Files
from kada_athena_async.permissions import Target, account_scope, permissions_of, policy_of
from kada_athena_async.sandbox import Sandbox
from tests.extraction.test_least_privilege import config_for, extract
from tests.kit.small_estate import tiny_estate

GET = "athena:GetWorkGroup"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    estate = tiny_estate(datetime.now(timezone.utc))
    for each in estate.executions.values():
        each.scanned_bytes = 3 * 2**30

    with Sandbox(estate) as running:
        yield running


def limits_in(config: Config) -> dict[str, Any]:
    (path,) = config.output_path.glob("*_manifest_*.json")
    found: dict[str, Any] = json.loads(path.read_text())["facts"]["workgroup_limits"]
    return found


async def test_limits_are_in_the_manifest_and_their_absence_in_advice(
    sandbox: Sandbox, tmp_path: Path, fast_clock: Any
) -> None:
    """One call for each workgroup whose history is read, none for Spark; a workgroup without a
    limit is advised with the ids of its largest queries."""
    config = config_for(sandbox, tmp_path, metadata_source="api")
    report = await extract(config, tmp_path, fast_clock)

    truth = {w.name: w.cutoff_bytes for w in sandbox.estate.workgroups.values() if not w.is_spark}
    assert limits_in(config) == {"cutoff_bytes": truth, "unknown": ""}
    assert truth["adhoc"] == 100 * 2**30
    assert truth["primary"] is None
    assert report.calls[GET] == len(truth)

    found = advice(select_runs(tmp_path, "athena", Files()))
    largest: dict[str, int] = {}
    for each in sandbox.estate.executions.values():
        largest[each.workgroup] = max(largest.get(each.workgroup, 0), each.scanned_bytes or 0)
    advised = {f.subject: f for f in found if f.kind == "no_scan_limit"}
    assert set(advised) == {n for n, cutoff in truth.items() if cutoff is None and largest.get(n)}
    assert advised
    for name, finding in advised.items():
        first = sandbox.estate.executions[finding.evidence[0]]
        assert (first.workgroup, first.scanned_bytes) == (name, largest[name])


@pytest.mark.parametrize(
    ("resources", "calls", "known"),
    [
        (["*"], 1, set()),
        (["*:workgroup/adhoc", "*:workgroup/bi_dashboards"], 2, {"primary"}),
    ],
)
async def test_a_denial_is_a_fact_and_nobody_asks_again(
    sandbox: Sandbox,
    tmp_path: Path,
    fast_clock: Any,
    resources: list[str],
    calls: int,
    known: set[str],
) -> None:
    """As for the vendor's role: the run is committed without a warning, and is told why once."""
    deny = {"Effect": "Deny", "Action": GET, "Resource": resources}
    policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, deny]}
    config = config_for(sandbox, tmp_path, policy, metadata_source="api", workgroup="primary")
    report = await extract(config, tmp_path, fast_clock)

    limits = limits_in(config)
    assert report.committed
    assert report.warnings == ()
    assert report.calls[GET] == calls
    assert set(limits["cutoff_bytes"]) == known
    assert "athena:GetWorkGroup is not allowed" in limits["unknown"]


def test_the_right_is_optional_and_names_the_workgroups_that_are_read(tmp_path: Path) -> None:
    """``iam-policy`` has it among the optional rights only, for the history's workgroups."""
    fields = {"server": "s", "bucket": "s3://bucket/x", "region": "eu-west-1"}
    role = "arn:aws:iam::123456789012:role/x"
    config = make_config({**fields, "output_path": str(tmp_path), "workgroups": ["bi*"]})
    (right,) = [r for r in permissions_of(config) if (r.action, r.target) == (GET, Target.HISTORY)]
    assert not right.is_needed

    scope = account_scope(config, role.split(":")[4])
    needed, every = (
        json.dumps(policy_of(config, scope, optional=is_optional)) for is_optional in (False, True)
    )
    assert GET not in needed
    assert GET in every
    assert "workgroup/bi*" in every
