"""Secrets that lie in AWS are read by the run, once, and never shown."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import ConfigError, Extractor, load_config
from kada_athena_async.config import config_schema, known_secrets
from kada_athena_async.permissions import account_scope, policy_of
from kada_athena_async.redact import Redactor
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.people import in_account, person_of
from kada_athena_async.sources.principals import pseudonym
from tests.faults.world import START, WallClock
from tests.kit.small_estate import tiny_estate

PARAMETER = "/kada/hash_key"
ARN = "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:kada/landing-AbCdEf"
HASH_KEY = "ninety-nine-balloons-and-more"


@pytest.fixture(scope="module")
def wall() -> WallClock:
    return WallClock(START)


@pytest.fixture(scope="module")
def sandbox(wall: WallClock) -> Iterator[Sandbox]:
    with Sandbox(tiny_estate(START), now=wall.now) as running:
        yield running


@pytest.fixture(autouse=True)
def _kept(sandbox: Sandbox) -> Iterator[None]:
    """The key of pseudonyms as a parameter, the landing's key as a secret."""
    sandbox.estate.secrets.clear()
    sandbox.estate.secrets.update({PARAMETER: HASH_KEY, ARN: sandbox.secret_access_key})
    sandbox.calls.clear()
    yield
    sandbox.faults.clear()


@pytest.fixture
def make(extractor: Any, wall: WallClock) -> Any:
    """Makes an extractor whose secrets lie in AWS."""

    def _make(**fields: Any) -> Extractor:
        settings: dict[str, Any] = {
            "metadata_source": "api",
            "catalogs": ["AwsDataCatalog"],
            "attribute_users": "cloudtrail",
            "hash_users": True,
            "hash_key": {"aws_ssm": PARAMETER},
            "clock": wall,
            **fields,
        }
        made: Extractor = extractor(**settings)
        return made

    return _make


def landing_in(sandbox: Sandbox) -> dict[str, object]:
    """A landing in S3 whose secret lies in Secrets Manager."""
    return {
        "bucket": sandbox.results_bucket,
        "prefix": "landing",
        "key": sandbox.access_key_id,
        "secret": {"aws_secretsmanager": ARN},
        "endpoint_url": sandbox.endpoint_url,
    }


def texts_below(directory: Path) -> list[str]:
    """The text of every file below *directory*."""
    return [path.read_text() for path in directory.rglob("*") if path.is_file()]


async def test_a_run_reads_each_secret_once_and_works_with_it(
    make: Any, sandbox: Sandbox, read_extracts: Any, tmp_path: Path, caplog: Any
) -> None:
    """Pseudonyms are made with the parameter, the landing is reached with the secret."""
    caplog.set_level(logging.DEBUG)
    made = make(landing=landing_in(sandbox), compress=False)
    async with made:
        report = await made.run(manage_hwm=True)

    assert report.committed
    assert sandbox.calls["ssm:GetParameter"] == sandbox.calls["secretsmanager:GetSecretValue"] == 1
    assert sandbox.calls["s3:PutObject"] > 5
    rows = read_extracts(tmp_path / "out").rows("query_principals")
    identities = [person_of(e).identity for e in sandbox.estate.executions.values()]
    arns = [in_account(identity, sandbox.account_id).get("arn") for identity in identities]
    known = {pseudonym(str(arn), HASH_KEY.encode()) for arn in arns if arn}
    assert rows
    assert {row["principal_arn"] for row in rows if row["principal_arn"]} <= known
    texts = [caplog.text, *texts_below(tmp_path)]
    for secret in (HASH_KEY, sandbox.secret_access_key):
        assert not [text for text in texts if secret in text]

    assert Redactor()(f"key {HASH_KEY}") == "key ***"


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (None, r"there is none in ap-southeast-2; create it, or correct the name"),
        ("two-secret-lines-of\nsome length", r"it must hold one line, the value alone"),
        ("too-short-9f", r"its value is wrong: write 16 characters or more"),
    ],
)
async def test_what_cannot_be_used_is_named_with_its_place_and_never_shown(
    make: Any, sandbox: Sandbox, kept: str | None, expected: str
) -> None:
    """Key, reference and remedy in one sentence, before anything is extracted."""
    sandbox.estate.secrets.pop(PARAMETER)
    if kept:
        sandbox.estate.secrets[PARAMETER] = kept

    async with make() as made:
        with pytest.raises(ConfigError) as caught:
            await made.run(manage_hwm=True)

    message = str(caught.value)
    assert re.search(r'hash_key = \{"aws_ssm": "/kada/hash_key"\}: ' + expected, message)
    assert kept is None or not any(line in message for line in kept.split("\n"))
    assert sandbox.calls["athena:ListQueryExecutions"] == 0


async def test_without_the_right_the_message_names_it(make: Any, sandbox: Sandbox) -> None:
    """The run does not start, and says which action to allow to whom."""
    sandbox.faults.add("access_denied", "ssm:GetParameter")
    async with make() as made:
        with pytest.raises(ConfigError, match=r"ssm:GetParameter is denied; allow it to the run"):
            await made.run(manage_hwm=True)


async def test_doctor_says_that_the_secrets_were_read(make: Any) -> None:
    """The right is among those that were tried."""
    async with make() as made:
        report = await made.examine()

    [finding] = [f for f in report.findings if f.subject == "ssm:GetParameter"]
    assert finding.state == "ok"


def test_the_policy_has_the_secrets_that_are_referred_to(sandbox: Sandbox, tmp_path: Path) -> None:
    """Each action on its own resource: the secret's ARN, and that of the parameter."""
    config = load_config(
        sandbox.config(
            tmp_path / "out",
            hash_key={"aws_ssm": PARAMETER},
            landing=landing_in(sandbox),
            on_finish_url={"aws_ssm": "plain"},
        ),
        environment={},
    )
    text = json.dumps(policy_of(config, account_scope(config, "123456789012")))
    assert ARN in text
    assert "arn:aws:ssm:ap-southeast-2:123456789012:parameter/kada/hash_key" in text
    assert "arn:aws:ssm:ap-southeast-2:123456789012:parameter/plain" in text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"hash_key": {"aws_secretsmanager": "kada/sas"}}, "write the secret's ARN, such as arn:"),
        ({"hash_key": {"aws_ssm": "a b"}}, "write the parameter's name, such as /kada/"),
        ({"hash_key": {"vault": "x"}}, 'or {"aws_ssm": NAME}'),
        ({"secret": {"aws_ssm": "/kada/secret"}}, "AWS is asked with it; write"),
    ],
)
def test_a_reference_that_cannot_be_read_is_refused_before_the_run(
    sandbox: Sandbox, tmp_path: Path, fields: dict[str, object], expected: str
) -> None:
    """Another form, and credentials that only AWS would give to who has them already."""
    with pytest.raises(ConfigError, match=re.escape(expected)):
        load_config(sandbox.config(tmp_path / "out", **fields), environment={})


def test_a_reference_is_no_secret(sandbox: Sandbox, tmp_path: Path) -> None:
    """It is shown, it is not hidden in texts, and the schema knows it in every secret field."""
    config = load_config(
        sandbox.config(tmp_path / "out", hash_key={"aws_ssm": PARAMETER}), environment={}
    )
    assert PARAMETER in repr(config)
    assert not any(PARAMETER in secret for secret in known_secrets(config, environment={}))
    fields = config_schema()["properties"]
    for name in ("hash_key", "on_finish_url"):
        assert "aws_secretsmanager" in json.dumps(fields[name])
