"""Whatever is wrong: a clear message, the documented exit code, and nothing written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Workgroup
from tests.acceptance.conftest import Cli, Done


def expect(done: Done, code: int, *fragments: str) -> None:
    """The exit code, each fragment in the message, a way out, and no traceback."""
    assert done.returncode == code, done.stderr
    for fragment in fragments:
        assert fragment in done.stderr

    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.fixture(autouse=True)
def _nothing_written(tmp_path: Path):
    """Whatever the test did, no extract and no mark is in sight afterwards."""
    yield
    output = tmp_path / "output"
    assert not (output.is_dir() and [p for p in output.iterdir() if p.name[0] != "."])
    assert not (tmp_path / "athena_state.json").exists()


def test_a_missing_configuration(cli: Cli) -> None:
    """The default file's name is told."""
    expect(cli("run"), 2, "kada_athena_extractor_config.json", "no such file")


def test_a_malformed_configuration(cli: Cli, configure: Callable[..., Path]) -> None:
    """Line and column."""
    path = configure()
    path.write_text('{"server": "athena",\n}')

    expect(cli("run"), 2, "not JSON at line 2 column 1")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_configuration(cli: Cli, configure: Callable[..., Path]) -> None:
    """Why it cannot be read."""
    configure().chmod(0)

    expect(cli("run"), 2, "cannot be read: Permission denied")


def test_many_mistakes_at_once(cli: Cli, configure: Callable[..., Path]) -> None:
    """Type, unknown key, ARN, bucket, region and path in one go."""
    configure(
        mask="yes", catlogs=[], role="x", bucket="my-bucket", region="mars-1", output_path="out"
    )

    expect(
        cli("run"),
        2,
        "6 problems in the configuration",
        'bucket = "my-bucket": write s3://bucket/prefix',
        'region = "mars-1": write the code of an AWS region',
        "role = (hidden): write a whole ARN",
        'output_path = "out": write an absolute directory',
        'mask = "yes": write true or false',
        "catlogs = (hidden): did you mean catalogs?",
    )


def test_an_output_path_that_cannot_be_written(
    cli: Cli, configure: Callable[..., Path], tmp_path: Path
) -> None:
    """A file stands where the directory should be."""
    (tmp_path / "file").write_text("")
    configure(output_path=str(tmp_path / "file" / "output"))

    done = cli("run")

    assert done.returncode == 2, done.stderr
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_catalog(cli: Cli, configure: Callable[..., Path]) -> None:
    """Named, with those that exist."""
    configure(catalogs=["AwsDataCatalogue"])

    expect(cli("run"), 2, "AwsDataCatalogue", "AwsDataCatalog")


def test_an_unknown_workgroup(cli: Cli, configure: Callable[..., Path]) -> None:
    """For our own queries."""
    configure(workgroup="nobody")

    done = cli("run")

    assert done.returncode == 2, done.stderr
    assert "nobody" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("workgroup", "word"),
    [
        (Workgroup(name="closed", state="DISABLED"), "disabled"),
        (Workgroup(name="notebooks", engine_version="PySpark engine version 3"), "Spark"),
    ],
    ids=["disabled", "spark"],
)
def test_a_workgroup_that_runs_no_sql(
    cli: Cli,
    configure: Callable[..., Path],
    sandbox: Sandbox,
    workgroup: Workgroup,
    word: str,
) -> None:
    """Disabled, or for Spark: said so, by name."""
    sandbox.estate.workgroups[workgroup.name] = workgroup
    configure(workgroup=workgroup.name)

    done = cli("run")
    del sandbox.estate.workgroups[workgroup.name]

    assert done.returncode == 2, done.stderr
    assert workgroup.name in done.stderr
    assert word.lower() in done.stderr.lower()


def test_wrong_credentials(cli: Cli, configure: Callable[..., Path]) -> None:
    """AWS's refusal in a sentence, without the secret."""
    configure(secret="wrong-canary-wrong-canary-wrong-canary-12")

    done = cli("run")

    expect(done, 3, "try:")
    assert "canary" not in done.stderr


def test_no_credentials(cli: Cli, configure: Callable[..., Path]) -> None:
    """Where they could come from."""
    configure(key="", secret="")

    expect(cli("run"), 3, "try:")


def test_a_role_that_may_not_be_assumed(
    cli: Cli, configure: Callable[..., Path], sandbox: Sandbox
) -> None:
    """The role is named."""
    role = f"arn:aws:iam::{sandbox.account_id}:role/Nobody"
    configure(role=role)

    expect(cli("run"), 3, "Nobody")


def test_a_bucket_that_is_missing(cli: Cli, configure: Callable[..., Path]) -> None:
    """The results' bucket is named."""
    configure(bucket="s3://no-such-bucket-at-all/x", metadata_source="sql")

    done = cli("run")

    assert done.returncode == 2, done.stderr
    assert "no-such-bucket-at-all" in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [("last tuesday\n", "last tuesday"), ("2999-01-01 00:00:00\n", "lies in the future")],
)
def test_a_mark_that_cannot_be_trusted(
    cli: Cli, configure: Callable[..., Path], tmp_path: Path, content: str, message: str
) -> None:
    """Junk, or in the future; the file is left as it was."""
    configure()
    (tmp_path / "athena_hwm.txt").write_text(content)

    expect(cli("run"), 3, message, "try:")
    assert (tmp_path / "athena_hwm.txt").read_text() == content


def test_a_window_that_ends_before_it_starts(cli: Cli, configure: Callable[..., Path]) -> None:
    """Both ends are told."""
    configure()

    done = cli("run", "--start-hwm", "2026-02-01 00:00:00", "--end-hwm", "2026-01-01 00:00:00")

    expect(done, 2, "2026-02-01 00:00:00", "2026-01-01 00:00:00")


def test_a_time_that_is_none(cli: Cli, configure: Callable[..., Path]) -> None:
    """The message says how to write it."""
    configure()

    expect(cli("run", "--start-hwm", "yesterday"), 2, "write YYYY-MM-DD HH:MM:SS")


@pytest.fixture
def rightless(configure: Callable[..., Path], sandbox: Sandbox) -> None:
    """Valid credentials of a user who may do nothing."""
    key = sandbox.add_user("nobody", policy={"Version": "2012-10-17", "Statement": []})
    configure(key=key.access_key_id, secret=key.secret)


@pytest.mark.usefixtures("rightless")
def test_no_permission(cli: Cli) -> None:
    """The rights that are missing are named, and what to do."""
    done = cli("run")

    expect(
        done,
        1,
        "failed: history/*: athena:ListWorkGroups is not allowed",
        "nothing was committed",
        "try: allow athena:ListWorkGroups to the role or user of the run",
        "-m kada_athena_async run   (goes on: finished parts are kept)",
        "-m kada_athena_async run --on-error skip   (leaves out what cannot be read)",
    )


@pytest.mark.usefixtures("rightless")
def test_a_connection_that_lacks_rights(cli: Cli) -> None:
    """We are let in and may not look: said, and the exit code tells a script."""
    done = cli("test-connection")

    assert done.returncode == 1, done.stderr
    assert "user/nobody" in done.stdout
    assert "missing: athena:ListWorkGroups is not allowed" in done.stdout


def test_a_profile_that_is_not_there(cli: Cli, configure: Callable[..., Path]) -> None:
    """The profile is named, and the files to look into."""
    configure(key="", secret="", profile="nope")

    expect(cli("run"), 3, "there is no AWS profile 'nope'", "aws configure list-profiles")


def test_an_unknown_option(cli: Cli) -> None:
    """Usage errors have the code of configuration errors."""
    done = cli("run", "--bogus")

    assert done.returncode == 2
    assert "--bogus = (unknown): there is no such option" in done.stderr


def test_a_plain_endpoint_elsewhere(cli: Cli, configure: Callable[..., Path]) -> None:
    """Queries would travel unencrypted; by configuration or by the SDK's own variables."""
    configure(endpoint_url="http://athena.example.com")
    expect(cli("run"), 2, "plain http is for loopback addresses only")

    configure(endpoint_url=None)
    done = cli("run", AWS_ENDPOINT_URL_ATHENA="http://athena.example.com")
    expect(done, 2, "AWS_ENDPOINT_URL_ATHENA", "plain http is for loopback addresses only")
