"""A small IAM evaluator: does a policy document allow an action on a resource."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kada_athena_async.errors import ConfigError, Problem

# Evaluated conditions; a policy with any other is refused, because ignoring one would grant more
# or less than its author meant.
CONDITION_OPERATORS = ("StringEquals", "StringLike")
STATEMENT_KEYS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}

ADMIN: Mapping[str, object] = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def collector_policy(results_bucket: str) -> Mapping[str, object]:
    """The least-privilege policy that the vendor's collector documentation gives to KadaAthenaRole.

    The document names the bucket only; object actions need ``bucket/*`` too, so both are here.
    """
    bucket = f"arn:aws:s3:::{results_bucket}"
    athena = (
        "BatchGetQueryExecution GetQueryExecution GetQueryResults GetQueryResultsStream "
        "ListQueryExecutions StartQueryExecution ListWorkGroups ListDataCatalogs ListDatabases "
        "ListTableMetadata"
    )
    glue = "GetDatabase GetDatabases GetTable GetTables GetPartition GetPartitions"
    s3 = (
        "GetBucketLocation GetObject ListBucket ListBucketMultipartUploads "
        "ListMultipartUploadParts AbortMultipartUpload PutObject PutBucketPublicAccessBlock "
        "DeleteObject"
    )
    return {
        "Version": "2012-10-17",
        "Statement": [
            _allow("athena", athena, "*"),
            _allow("glue", glue, "*"),
            _allow("s3", s3, [bucket, f"{bucket}/*"]),
        ],
    }


def _allow(service: str, actions: str, resource: object) -> Mapping[str, object]:
    names = [f"{service}:{action}" for action in actions.split()]
    return {"Effect": "Allow", "Action": names, "Resource": resource}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, as IAM's policy grammar has it."""

    is_allow: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    def applies(self, action: str, resource: str, context: Mapping[str, str]) -> bool:
        """True if the statement says anything about *action* on *resource*."""
        if self.not_actions:
            about_action = not _any_matches(self.not_actions, action, ignore_case=True)
        else:
            about_action = _any_matches(self.actions, action, ignore_case=True)

        if self.not_resources:
            about_resource = not _any_matches(self.not_resources, resource)
        else:
            about_resource = _any_matches(self.resources, resource)

        return about_action and about_resource and self._conditions_hold(context)

    def _conditions_hold(self, context: Mapping[str, str]) -> bool:
        for operator, key, wanted in self.conditions:
            value = context.get(key.lower())
            if value is None:
                return False

            if not (_any_matches(wanted, value) if operator == "StringLike" else value in wanted):
                return False

        return True


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy document."""

    statements: tuple[Statement, ...]

    @classmethod
    def parse(cls, document: Mapping[str, object]) -> Policy:
        """*document* read.

        Raises:
            ConfigError: It is no policy, or uses a part of the grammar that is not evaluated here.
        """
        raw = document.get("Statement")
        statements = raw if isinstance(raw, list) else [raw]
        return cls(tuple(_parse_statement(statement) for statement in statements))

    def joined(self, other: Policy) -> Policy:
        """Both policies attached to the same principal."""
        return Policy(self.statements + other.statements)

    def allows(self, action: str, resource: str, context: Mapping[str, str]) -> bool:
        """True where a statement allows it and none denies it.

        Args:
            context: Condition keys, lower case, such as ``aws:requestedregion``.
        """
        applying = [s for s in self.statements if s.applies(action, resource, context)]
        return bool(applying) and all(statement.is_allow for statement in applying)


def _parse_statement(raw: object) -> Statement:
    if not isinstance(raw, Mapping):
        raise _refused("Statement", raw, "a statement is an object with Effect, Action, Resource")

    if unknown := set(raw) - STATEMENT_KEYS:
        raise _refused("Statement", sorted(unknown), f"use only {sorted(STATEMENT_KEYS)}")

    if raw.get("Effect") not in ("Allow", "Deny"):
        raise _refused("Effect", raw.get("Effect"), "write Allow or Deny")

    for first, second in (("Action", "NotAction"), ("Resource", "NotResource")):
        if (first in raw) == (second in raw):
            raise _refused(first, raw.get(first), f"give either {first} or {second}")

    return Statement(
        is_allow=raw["Effect"] == "Allow",
        actions=_strings(raw.get("Action")),
        not_actions=_strings(raw.get("NotAction")),
        resources=_strings(raw.get("Resource")),
        not_resources=_strings(raw.get("NotResource")),
        conditions=_parse_conditions(raw.get("Condition") or {}),
    )


def _parse_conditions(raw: object) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    if not isinstance(raw, Mapping):
        raise _refused("Condition", raw, "a condition is an object")

    parsed: list[tuple[str, str, tuple[str, ...]]] = []
    for operator, tests in raw.items():
        if operator not in CONDITION_OPERATORS or not isinstance(tests, Mapping):
            raise _refused("Condition", operator, f"evaluated are {CONDITION_OPERATORS}")

        parsed.extend((operator, key, _strings(wanted)) for key, wanted in tests.items())

    return tuple(parsed)


def _strings(value: object) -> tuple[str, ...]:
    if value is None:
        return ()

    values: Sequence[object] = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(item, str) for item in values):
        raise _refused("Statement", value, "write a string or a list of strings")

    return tuple(str(item) for item in values)


def _refused(key: str, value: object, remedy: str) -> ConfigError:
    return ConfigError([Problem(key, repr(value), remedy)], source="policy of the sandbox")


def _any_matches(patterns: Sequence[str], value: str, *, ignore_case: bool = False) -> bool:
    return any(_compiled(pattern, ignore_case).fullmatch(value) for pattern in patterns)


@lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(wild, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
