"""The invented organisation's people, roles and tools: who ran which execution.

Nothing of it is stored: it follows from an execution's id and workgroup, so that every estate has
people. An execution that was started in the sandbox is its real caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

import msgspec

from kada_athena_async.sandbox.estate.model import Execution
from kada_athena_async.sandbox.wire import Json


class Person(NamedTuple):
    """Somebody who runs queries.

    Attributes:
        identity: CloudTrail's ``userIdentity`` with ``{account}`` in place of the account's id.
        user_agent: The tool's.
    """

    identity: Json
    user_agent: str


def _role(role: str, session: str, **context: object) -> Json:
    arn = f"arn:aws:sts::{{account}}:assumed-role/{role}/{session}"
    issuer = {
        "type": "Role",
        "arn": f"arn:aws:iam::{{account}}:role/{role}",
        "accountId": "{account}",
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": arn,
        "accountId": "{account}",
        "sessionContext": {"sessionIssuer": issuer, **context},
    }


_SSO = "AWSReservedSSO_Analyst_0123456789abcdef"
_BOTO = "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.0 os/linux lang/python#3.12"
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"

ANALYSTS: Sequence[Person] = (
    Person(_role(_SSO, "ann.smith@scfreight.example"), _BROWSER),
    Person(_role(_SSO, "bela.kovacs@scfreight.example"), _BROWSER),
    Person(_role("DataAnalyst", "carol@scfreight.example"), f"{_BOTO} PyAthena/3.1"),
    Person(_role("DataAnalyst", "i-0a1b2c3d", sourceIdentity="dmitri"), f"{_BOTO} awswrangler/3.9"),
    Person(
        {"type": "IAMUser", "arn": "arn:aws:iam::{account}:user/eve", "userName": "eve"},
        "aws-cli/2.17 md/awscrt#0.20 ua/2.0",
    ),
    Person(
        {**_role("Trusted", "session"), "onBehalfOf": {"userId": "9067-frank"}},
        "aws-sdk-java/2.25 AthenaJdbc/3.2",
    ),
)
LOADERS: Sequence[Person] = (
    Person(_role("EtlNightly", "airflow-worker"), f"{_BOTO} Airflow/3.0"),
    Person(_role("DbtRunner", "botocore-session-1764"), f"{_BOTO} dbt-athena/1.9"),
    Person(_role("LoaderLambda", "loader"), f"{_BOTO} exec-env/AWS_Lambda_python3.12"),
)
DASHBOARDS: Sequence[Person] = (
    Person(
        {"type": "AWSService", "invokedBy": "quicksight.amazonaws.com"},
        "quicksight.amazonaws.com",
    ),
    Person(_role("Tableau", "tableau-server"), "Tableau 2026.1 SimbaAthenaJDBCDriver/2.1"),
    Person(_role("Grafana", "grafana-athena"), "aws-sdk-go/1.55 Grafana/11.1"),
)
OTHERS: Sequence[Person] = (
    Person({"type": "Root", "arn": "arn:aws:iam::{account}:root"}, _BROWSER),
    Person(
        {
            "type": "WebIdentityUser",
            "userName": "ci-pipeline",
            "principalId": "token.actions.githubusercontent.com:repo",
        },
        f"{_BOTO}",
    ),
)

PEOPLE: Mapping[str, Sequence[Person]] = {
    "bi_dashboards": DASHBOARDS,
    "legacy_reports": DASHBOARDS,
    "etl_nightly": LOADERS,
    "integration.test_v2": OTHERS,
}
"""Workgroup -> who runs queries in it; analysts in all others."""


def person_of(execution: Execution) -> Person:
    """The person that started *execution*."""
    if execution.caller_arn is not None:
        arn = execution.caller_arn
        is_role = ":assumed-role/" in arn
        role, _, session = arn.rpartition(":")[2].removeprefix("assumed-role/").partition("/")
        identity: Json = (
            _role(role, session)
            if is_role
            else {"type": "IAMUser", "arn": arn, "userName": arn.rpartition("/")[2]}
        )
        return Person(identity, execution.user_agent or "")

    people = PEOPLE.get(execution.workgroup, ANALYSTS)
    return people[number_of(execution.query_execution_id, "person") % len(people)]


def in_account(identity: Json, account_id: str) -> Json:
    text = msgspec.json.encode(identity).replace(b"{account}", account_id.encode())
    return msgspec.json.decode(text, type=dict[str, object])


@lru_cache(maxsize=100_000)
def number_of(query_execution_id: str, salt: str) -> int:
    """An arbitrary number that is always the same for an execution."""
    digest = sha256(f"{salt} {query_execution_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big")
