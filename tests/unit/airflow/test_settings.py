"""Settings of a task become a job, or one clear error; nothing of it needs Airflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.airflow.settings import AwsAccess, Job, make_job
from kada_athena_async.errors import ConfigError

SCRATCH = Path("/scratch")
ROLE = "arn:aws:iam::123456789012:role/KadaAthenaRole"
CONFIG: dict[str, object] = {
    "server": "athena",
    "bucket": "s3://results/athena",
    "landing": "s3://landing/lz",
    "hwm_store": "landing",
}
ACCESS = AwsAccess(
    conn_id="aws", key="AKIAIOSFODNN7EXAMPLE", secret="wJalrXUtnFEMI-secret", region="eu-west-1"
)


def job(
    config: Any = CONFIG,
    access: AwsAccess = ACCESS,
    *,
    name: str = "athena",
    site: str = "",
    hwm_path: str | None = None,
    environment: dict[str, str] | None = None,
) -> Job:
    return make_job(
        config,
        access,
        name=name,
        site=site,
        hwm_path=hwm_path,
        scratch=SCRATCH,
        environment=environment or {},
    )


def without(*names: str) -> dict[str, object]:
    return {key: value for key, value in CONFIG.items() if key not in names}


def test_the_connection_says_who_we_are() -> None:
    """Keys, region, role with its arguments and endpoint of the connection become our fields."""
    access = AwsAccess(
        conn_id="aws",
        key="AKIAIOSFODNN7EXAMPLE",
        secret="wJalrXUtnFEMI-secret",
        region="eu-west-1",
        role=ROLE,
        role_method="assume_role",
        role_arguments={"ExternalId": "ext-1", "RoleSessionName": "nightly", "DurationSeconds": 9},
        endpoint_url="http://127.0.0.1:4566",
    )
    made = job(access=access)

    assert made.config.key.get_secret_value() == "AKIAIOSFODNN7EXAMPLE"
    assert made.config.secret.get_secret_value() == "wJalrXUtnFEMI-secret"
    assert (made.config.region, made.config.role) == ("eu-west-1", ROLE)
    assert (made.config.external_id, made.config.session_name) == ("ext-1", "nightly")
    assert made.config.endpoint_url == "http://127.0.0.1:4566"
    assert made.config.output_path == SCRATCH
    assert "secret" not in repr(access)


def test_the_configuration_says_the_rest() -> None:
    """Its own region and role win over the connection's; empty fields of it count as not given."""
    other = "arn:aws:iam::210987654321:role/Other"
    made = job(
        {**CONFIG, "key": "", "secret": "", "region": "us-east-1", "role": other},
        AwsAccess(conn_id="aws", key="AKIAIOSFODNN7EXAMPLE", secret="s" * 40, role=ROLE),
    )

    assert (made.config.region, made.config.role) == ("us-east-1", other)
    assert made.config.key.get_secret_value() == "AKIAIOSFODNN7EXAMPLE"


def test_a_file_is_taken_like_a_mapping(tmp_path: Path) -> None:
    """The vendor's JSON file, and the environment for what must not stand in it."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**without("landing"), "output_path": "/data/extracts"}))
    made = job(path, environment={"KADA_ATHENA_LANDING": "s3://elsewhere/lz"})

    assert made == job({**CONFIG, "landing": "s3://elsewhere/lz", "output_path": "/data/extracts"})
    assert made.config.output_path == Path("/data/extracts")


@pytest.mark.parametrize(
    ("config", "hwm_path", "said"),
    [
        (
            without("hwm_store"),
            None,
            "hwm_store = (empty): a high-water mark on this worker's disk is lost",
        ),
        (without("hwm_store"), "k_hwm.txt", "hwm_path = 'k_hwm.txt': write an absolute path"),
        (
            {**without("landing"), "hwm_store": "s3://marks/k"},
            None,
            "output_path = (missing): without a landing the extracts would be lost",
        ),
        ({**CONFIG, "key": "AKIA", "secret": "x"}, None, "key = (hidden): connection aws fills it"),
        ({**CONFIG, "regoin": "x"}, None, "regoin = (hidden): did you mean region?"),
    ],
)
def test_what_would_be_lost_or_is_contradictory_is_refused(
    config: dict[str, object], hwm_path: str | None, said: str
) -> None:
    """Before any call, with key and remedy, and never with a secret."""
    with pytest.raises(ConfigError) as caught:
        job(config, hwm_path=hwm_path)

    assert said in str(caught.value)
    assert "AKIA" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"session_token": "FwoGZXIvYXdzE"}, "aws_session_token = (hidden): it would expire"),
        (
            {"role": ROLE, "role_method": "assume_role_with_saml"},
            "assume_role_method = 'assume_role_with_saml': only assume_role is known",
        ),
        (
            {"role": ROLE, "role_arguments": {"Policy": "{}"}},
            "assume_role_kwargs = 'Policy': leave it out; known are",
        ),
    ],
)
def test_a_connection_that_asks_for_more_is_refused(fields: dict[str, Any], said: str) -> None:
    """Nothing that it says about rights is silently left out."""
    with pytest.raises(ConfigError) as caught:
        job(access=AwsAccess(conn_id="aws", region="eu-west-1", **fields))

    assert "problem in the connection aws" in str(caught.value)
    assert said in str(caught.value)
    assert "FwoG" not in str(caught.value)


def test_what_lies_on_shared_storage_is_enough() -> None:
    """An explicit mark's file and an explicit directory do without landing and store."""
    made = job(
        {**without("landing", "hwm_store"), "output_path": "/shared/out"},
        hwm_path="/shared/k_hwm.txt",
    )

    assert made.hwm_path == Path("/shared/k_hwm.txt")
    with pytest.raises(ConfigError, match="name = "):
        job(name="../escape")


SITES = {
    **CONFIG,
    "sites": [{"name": "sydney"}, {"name": "eu", "role": ROLE, "region": "eu-west-1"}],
}


def test_a_task_takes_one_site() -> None:
    """With its own fields over the others, and an instance of its own."""
    sydney, eu = job(SITES, site="sydney"), job(SITES, site="eu", name="nightly")

    assert (sydney.name, eu.name) == ("athena-sydney", "nightly-eu")
    assert (sydney.config.role, eu.config.role) == ("", ROLE)
    assert sydney.config.key == eu.config.key == job().config.key


@pytest.mark.parametrize(
    ("config", "fields", "said"),
    [
        (SITES, {}, "site = (empty): name one of the configuration's 2 sites, or map the task"),
        (SITES, {"site": "sidney"}, "site = 'sidney': did you mean sydney?"),
        (
            CONFIG,
            {"site": "sydney"},
            "site = 'sydney': the configuration lists no sites; leave it out",
        ),
        (
            SITES,
            {"site": "sydney", "hwm_path": "/shared/k_hwm.txt"},
            "hwm_path = '/shared/k_hwm.txt': one file for all sites; write hwm_store",
        ),
    ],
)
def test_a_site_that_is_not_meant_is_refused(
    config: dict[str, object], fields: dict[str, str], said: str
) -> None:
    """No task runs another site than its own, and no two move one mark."""
    with pytest.raises(ConfigError) as caught:
        job(config, **fields)

    assert said in str(caught.value)
