"""Endpoint URLs that may be talked to."""

from __future__ import annotations

import pytest

from kada_athena_async.config import check_aws_endpoint_files, check_endpoint
from kada_athena_async.config.endpoint import check_aws_endpoint_variables


@pytest.mark.parametrize(
    "url",
    [
        "https://athena.ap-southeast-2.amazonaws.com",
        "https://vpce-0a1b.athena.eu-west-1.vpce.amazonaws.com:443",
        "https://10.1.2.3",
        "http://127.0.0.1:4566",
        "http://127.8.8.8",
        "http://[::1]:4566",
        "http://localhost:4566",
        "http://athena.localhost",
    ],
)
def test_endpoints_that_may_be_used(url: str) -> None:
    """TLS anywhere, plain http to this machine."""
    assert check_endpoint(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254",
        "https://169.254.169.254/latest/meta-data",
        "http://169.254.170.2",
        "https://2852039166",
        "https://0xa9fea9fe",
        "https://0xa9.254.169.254",
        "https://169.254.43518",
        "https://[::ffff:169.254.169.254]",
        "https://[fe80::1%25eth0]",
        "https://[fd00:ec2::254]",
        "https://instance-data.",
        "https://0.0.0.0",
    ],
)
def test_addresses_that_hand_out_credentials_are_refused(url: str) -> None:
    """However the metadata service's address is spelt."""
    problem = check_endpoint(url)

    assert problem is not None
    assert "link-local and metadata addresses are refused" in problem.remedy


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("http://example.com", "plain http is for loopback addresses only"),
        ("http://127.0.0.1.example.com", "plain http is for loopback addresses only"),
        ("http://10.0.0.1", "plain http is for loopback addresses only"),
        ("ftp://example.com", "write a URL such as"),
        ("https://", "write a URL such as"),
        ("https://[::1", "write a URL such as"),
        ("https://example.com:0", "write a port"),
        ("https://example.com:99999", "write a URL such as"),
        ("https://example.com/?sig=canary", "no user, password, query or fragment"),
        ("https://me:canary@example.com", "no user, password, query or fragment"),
    ],
)
def test_other_endpoints_are_refused_without_repeating_a_secret(url: str, remedy: str) -> None:
    """The message says what to write and hides what may be secret in the URL."""
    problem = check_endpoint(url)

    assert problem is not None
    assert remedy in problem.remedy
    assert "canary" not in problem.value


def test_the_sdks_own_variables_obey_the_same_rule() -> None:
    """The variables that the SDK reads by itself are held to the rule, unless it ignores them."""
    environment = {"AWS_ENDPOINT_URL": "https://ok.example", "AWS_ENDPOINT_URL_SSO": "http://bad"}

    found = check_aws_endpoint_variables(environment)
    ignored = {**environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}

    assert [problem.key for problem in found] == ["AWS_ENDPOINT_URL_SSO"]
    assert check_aws_endpoint_variables(ignored) == []


def test_the_sdks_own_files_obey_the_same_rule() -> None:
    """So do the endpoints of a profile and of the services that it refers to."""
    profile = {"endpoint_url": "http://bad", "services": "ours"}
    services = {
        "ours": {"s3": {"endpoint_url": "https://169.254.169.254"}, "glue": {"max_attempts": "2"}},
        "others": {"s3": {"endpoint_url": "http://worse"}},
    }

    found = check_aws_endpoint_files(profile, {"services": services})
    ignored = {**profile, "ignore_configured_endpoint_urls": "true"}

    assert [problem.key for problem in found] == ["endpoint_url", "s3.endpoint_url"]
    assert check_aws_endpoint_files(ignored, {"services": services}) == []
    assert check_aws_endpoint_files({"region": "us-east-1"}, {}) == []
