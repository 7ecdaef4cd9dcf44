"""``iam-policy``: the document on stdout, what else is needed on stderr."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kada_athena_async.cli.app import app

ROLE = "arn:aws:iam::123456789012:role/KadaAthenaRole"


@pytest.fixture
def printed(tmp_path: Path) -> Callable[..., Result]:
    """Runs ``iam-policy`` on a configuration that differs from the vendor's in some fields."""

    def run(*arguments: str, **fields: Any) -> Result:
        values = {
            "server": "athena",
            "bucket": "s3://examplebucket/examplefolder",
            "region": "ap-southeast-2",
            "role": ROLE,
            "output_path": str(tmp_path),
            **fields,
        }
        path = tmp_path / "config.json"
        path.write_text(json.dumps(values))
        path.chmod(0o600)
        return CliRunner().invoke(app, ["iam-policy", "-c", str(path), *arguments])

    return run


def test_the_document_stands_alone_on_stdout(printed: Callable[..., Result]) -> None:
    """It can be piped into a file, while stderr tells who else needs rights."""
    result = printed()

    assert (result.exit_code, result.exception) == (0, None), result.stderr
    assert json.loads(result.stdout)["Statement"]
    assert "whoever assumes the role needs rights too" in result.stderr
    assert "iam-policy --for caller" in result.stderr


def test_other_catalogs_are_said_to_need_more(printed: Callable[..., Result]) -> None:
    """A policy says what it cannot know offline."""
    result = printed(catalogs=["AwsDataCatalog", "crm"])

    assert "lambda:InvokeFunction" in result.stderr


def test_without_an_account_the_option_is_named(printed: Callable[..., Result]) -> None:
    """One sentence with the way to find the number, exit code 2, no document."""
    result = printed(role="")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--account = ''" in result.stderr
    assert "aws sts get-caller-identity" in result.stderr


def test_a_bearer_without_rights_is_refused(printed: Callable[..., Result]) -> None:
    """Nobody deploys an empty policy; the message lists whose there are."""
    result = printed("--for", "landing")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--for = 'landing': nothing has to be allowed there; use one of run, caller" in (
        result.stderr
    )


def test_of_many_sites_one_is_chosen(printed: Callable[..., Result]) -> None:
    """A policy belongs to one identity; the message lists the sites."""
    sites = [{"name": "au"}, {"name": "eu", "region": "eu-west-1"}]
    refused, chosen = printed(sites=sites), printed("--site", "eu", sites=sites)

    assert refused.exit_code == 2
    assert "a policy is one site's: choose one of au, eu" in refused.stderr
    assert "arn:aws:athena:eu-west-1:" in chosen.stdout


def test_a_policy_too_long_for_iam_is_announced(printed: Callable[..., Result]) -> None:
    """IAM's limit is said before IAM says it."""
    result = printed(workgroups=[f"team-{n:03d}-with-a-long-name" for n in range(80)])

    assert "a managed policy 6144 at most" in result.stderr
