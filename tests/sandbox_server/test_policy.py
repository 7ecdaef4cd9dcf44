"""The evaluator follows IAM's rules, and refuses what it would have to ignore."""

from __future__ import annotations

from typing import Any

import pytest

from kada_athena_async.errors import ConfigError
from kada_athena_async.sandbox.policy import Policy, collector_policy

ARN = "arn:aws:athena:ap-southeast-2:123456789012:workgroup/primary"


def allows(
    *statements: dict[str, Any], action: str = "athena:GetWorkGroup", **context: str
) -> bool:
    return Policy.parse({"Statement": list(statements)}).allows(action, ARN, context)


def allow(action: object = "*", resource: object = "*", **more: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([allow()], True),
        ([allow("athena:*")], True),
        ([allow("ATHENA:getworkgroup")], True),
        ([allow("athena:Get????Group")], True),
        ([allow(["glue:*", "athena:Get*"])], True),
        ([allow("athena:ListWorkGroups")], False),
        ([allow("athena")], False),
        ([allow(resource=ARN)], True),
        ([allow(resource="arn:aws:athena:*:*:workgroup/*")], True),
        ([allow(resource="arn:aws:athena:*:*:workgroup/other")], False),
        ([allow(resource=ARN.upper())], False),
        ([{"Effect": "Allow", "NotAction": "glue:*", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": "athena:*", "Resource": "*"}], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": ARN}], False),
        ([allow(), {"Effect": "Deny", "Action": "athena:Get*", "Resource": "*"}], False),
        ([allow(), {"Effect": "Deny", "Action": "*", "Resource": "*other"}], True),
    ],
)
def test_statements_are_matched_as_iam_does(
    statements: list[dict[str, Any]], expected: bool
) -> None:
    """Wildcards, cases, exclusions; a denial wins over every allowance."""
    assert allows(*statements) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:RequestedRegion": "here"}}, True),
        ({"StringEquals": {"aws:RequestedRegion": ["there", "here"]}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "h*"}}, False),
        ({"StringLike": {"aws:requestedregion": "h*"}}, True),
        ({"StringLike": {"aws:RequestedRegion": "x*"}}, False),
        ({"StringEquals": {"aws:SourceVpc": "vpc"}}, False),
    ],
)
def test_conditions_on_text_are_evaluated(condition: dict[str, Any], expected: bool) -> None:
    """A key that the call does not have matches nothing."""
    context = {"aws:requestedregion": "here"}

    assert allows(allow(Condition=condition), **context) is expected


@pytest.mark.parametrize(
    "statement",
    [
        allow(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        allow(Principal="*"),
        {"Effect": "Perhaps", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*"},
        {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"},
        allow(action=[1]),
        "Allow",
    ],
)
def test_what_cannot_be_evaluated_is_refused(statement: Any) -> None:
    """A part that would be ignored makes the policy unusable, loudly."""
    with pytest.raises(ConfigError):
        Policy.parse({"Statement": statement})


def test_the_documented_policy_names_its_bucket_and_the_objects_in_it() -> None:
    """Both ARNs are needed for a bucket to be of use."""
    policy = Policy.parse(collector_policy("b"))

    assert policy.allows("s3:ListBucket", "arn:aws:s3:::b", {})
    assert policy.allows("s3:PutObject", "arn:aws:s3:::b/k", {})
    assert not policy.allows("s3:PutObject", "arn:aws:s3:::other/k", {})
    assert not policy.allows("athena:StopQueryExecution", ARN, {})
