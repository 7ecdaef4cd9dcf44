"""Permissions that a configuration needs: their use, the loss without them, the policy."""

from __future__ import annotations

from kada_athena_async.permissions.permission import Permission, Target
from kada_athena_async.permissions.policy import policy_of, statement_of
from kada_athena_async.permissions.requirements import Principal
from kada_athena_async.permissions.resources import AccountScope, account_scope
from kada_athena_async.permissions.table import lost_without, permissions_of, principals

__all__ = [
    "AccountScope",
    "Permission",
    "Principal",
    "Target",
    "account_scope",
    "lost_without",
    "permissions_of",
    "policy_of",
    "principals",
    "statement_of",
]
