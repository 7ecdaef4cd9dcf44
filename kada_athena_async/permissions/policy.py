"""The least-privilege policy of a configuration, as a value. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from kada_athena_async.config import Config
from kada_athena_async.permissions.permission import Permission, Target
from kada_athena_async.permissions.requirements import Principal
from kada_athena_async.permissions.resources import AccountScope, arns
from kada_athena_async.permissions.table import permissions_of

Statement: TypeAlias = Mapping[str, object]
PolicyDocument: TypeAlias = Mapping[str, object]

# The version of IAM's policy language, not of ours.
LANGUAGE = "2012-10-17"

MANAGED_POLICY_MAX = 6144
"""Characters of a managed policy, white space not counted
(docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""


def policy_of(
    config: Config, around: AccountScope, *, principal: Principal = "run", optional: bool = False
) -> PolicyDocument:
    """The permissions that *principal* needs, and no other.

    Args:
        optional: With the permissions whose absence only costs something.
    """
    wanted = [
        permission
        for permission in permissions_of(config)
        if permission.principal == principal and (optional or permission.is_needed)
    ]
    by_target: dict[Target, list[str]] = {}
    for permission in wanted:
        by_target.setdefault(permission.target, []).append(permission.action)

    statements = [
        _statement(actions, arns(config, target, around), sid=_sid(target))
        for target, actions in by_target.items()
    ]
    return {"Version": LANGUAGE, "Statement": statements}


def statement_of(config: Config, permission: Permission, around: AccountScope) -> Statement:
    """The statement that grants *permission* to its principal."""
    return _statement([permission.action], arns(config, permission.target, around))


def _statement(actions: Sequence[str], resources: Sequence[str], *, sid: str = "") -> Statement:
    named: dict[str, object] = {"Sid": sid} if sid else {}
    return {
        **named,
        "Effect": "Allow",
        "Action": list(dict.fromkeys(actions)),
        "Resource": resources[0] if len(resources) == 1 else list(resources),
    }


def _sid(target: Target) -> str:
    """IAM allows letters and digits in a Sid."""
    return "".join(word[:1].upper() + word[1:] for word in target.value.split())
