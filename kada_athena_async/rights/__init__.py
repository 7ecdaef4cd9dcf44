"""The rights that a configuration needs: what for, what is lost without, and how to grant them."""

from __future__ import annotations

from kada_athena_async.rights.needs import Bearer
from kada_athena_async.rights.policy import policy_of, statement_of
from kada_athena_async.rights.resources import AccountScope, account_scope
from kada_athena_async.rights.right import Right, Target
from kada_athena_async.rights.table import bearers, lost_without, rights_of

__all__ = [
    "AccountScope",
    "Bearer",
    "Right",
    "Target",
    "account_scope",
    "bearers",
    "lost_without",
    "policy_of",
    "rights_of",
    "statement_of",
]
