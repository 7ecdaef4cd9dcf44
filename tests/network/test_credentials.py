"""Each way to log in that fails says why in one sentence, with one command to type; at once."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import anyio
import pytest

from kada_athena_async import Extractor
from kada_athena_async.errors import CredentialsError
from kada_athena_async.events import RetryScheduled
from kada_athena_async.sandbox import Sandbox
from tests.kit.command import command
from tests.kit.raw_aws import RawAws
from tests.kit.small_estate import tiny_estate
from tests.kit.wires import BytesServer, closed_port
from tests.network.conftest import NOW

START_URL = "https://d-1234567890.awsapps.com/start"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory of its own, with AWS files to be written."""
    directory = tmp_path / "home"
    (directory / ".aws" / "sso" / "cache").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(directory / ".aws" / "config"))
    return directory


def profile(home: Path, *lines: str, more: str = "") -> None:
    (home / ".aws" / "config").write_text("\n".join(["[profile p]", *lines, more, ""]))


def of_profile(sandbox: Sandbox, tmp_path: Path, **fields: Any) -> dict[str, Any]:
    """A configuration that leaves it to profile ``p`` who we are."""
    settings = {"key": "", "secret": "", "profile": "p", "metadata_source": "api", "bucket": ""}
    return sandbox.config(tmp_path / "out", **{**settings, **fields})


def ends(
    sandbox: Sandbox, tmp_path: Path, *words: str, environment: dict[str, str] | None = None
) -> str:
    """Run ``test-connection``; it has to end with exit code 3 and say *words*."""
    config = of_profile(sandbox, tmp_path)
    code, output = command(["test-connection"], config, tmp_path, environment)

    assert code == 3, output
    assert "Traceback" not in output
    for text in words:
        assert text in output

    return output


LOGIN = "try: aws sso login --profile p"


@pytest.mark.parametrize("cached", [None, "expired"])
def test_an_sso_session_that_has_ended(
    sandbox: Sandbox, tmp_path: Path, home: Path, cached: str | None
) -> None:
    """Ended or never begun, in both kinds of profiles: log in, with the profile's name."""
    kinds = {
        START_URL: [f"sso_start_url = {START_URL}", "sso_region = us-east-1"],
        "s": ["sso_session = s"],
    }
    for key, lines in kinds.items():
        session = f"[sso-session s]\nsso_start_url = {START_URL}\nsso_region = us-east-1"
        account = ["sso_account_id = 123456789012", "sso_role_name = Reader"]
        profile(home, *lines, *account, more=session)
        if cached:
            ended = datetime.now(timezone.utc) - timedelta(days=1)
            token = {
                "accessToken": "token-of-a-session",
                "expiresAt": f"{ended:%Y-%m-%dT%H:%M:%SZ}",
                "startUrl": START_URL,
                "region": "us-east-1",
            }
            name = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
            path = home / ".aws" / "sso" / "cache" / f"{name}.json"
            path.write_text(json.dumps(token))

        output = ends(sandbox, tmp_path, "the SSO session of profile p has ended", LOGIN)

        assert "token-of-a-session" not in output


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "import sys; sys.exit('no ticket; key was AKIAIOSFODNN7EXAMPLE')",
            "failed: no ticket; key was ***",
        ),
        ("print('junk')", "failed: its output is not the JSON that AWS asks for"),
        ("print('[1]')", "failed: its output is not the JSON that AWS asks for"),
        ("print('{}')", "failed: Unsupported version"),
        ("import sys; sys.exit(3)", "failed: it ended with an error and said nothing"),
    ],
    ids=["error", "junk", "list", "empty", "silent"],
)
def test_a_credential_process_that_fails(
    sandbox: Sandbox, tmp_path: Path, home: Path, script: str, words: str
) -> None:
    """Its own words are kept, secrets are not."""
    program = tmp_path / "process.py"
    program.write_text(script)
    profile(home, f"credential_process = {sys.executable} {program}")

    output = ends(
        sandbox,
        tmp_path,
        f"credential_process of profile p {words}",
        "try: see what it says: aws configure export-credentials --profile p",
    )

    assert "AKIAIOSFODNN7EXAMPLE" not in output


ROLE = "role_arn = arn:aws:iam::123456789012:role/Kada"
KEYS = '{"Version": 1, "AccessKeyId": %s, "SecretAccessKey": %s, "SessionToken": "t"%s}'
NO_JSON = "credential_process of profile p failed: its output is not the JSON that AWS asks for"
UNFIT = {
    "keys that are null": (f"credential_process = echo '{KEYS % ('null', 'null', '')}'", NO_JSON),
    "keys that are numbers": (f"credential_process = echo '{KEYS % (1, 2, '')}'", NO_JSON),
    "a time that is none": (
        "credential_process = echo '" + KEYS % ('"A"', '"s"', ', "Expiration": "soon"') + "'",
        NO_JSON,
    ),
    "expired": (
        "credential_process = echo '"
        + KEYS % ('"A"', '"s"', ', "Expiration": "2020-01-01T00:00:00Z"')
        + "'",
        "credential_process of profile p failed: the credentials that it gives have expired",
    ),
    "a quote that is open": (
        "credential_process = 'echo",
        "credential_process of profile p failed: its command line cannot be read: No closing",
    ),
    "no source": (f"{ROLE}\nsource_profile = nope", "profile p cannot be used: The source_profile"),
    "a loop": (
        f"{ROLE}\nsource_profile = q\n[profile q]\n{ROLE}\nsource_profile = p",
        "profile p cannot be used: Infinite loop",
    ),
    "half a key": (
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
        "profile p cannot be used: Partial credentials found in ",
    ),
    "an SSO session that is not there": (
        "sso_session = s\nsso_account_id = 123456789012\nsso_role_name = R",
        "profile p cannot be used: The specified sso-session does not exist",
    ),
}


@pytest.mark.parametrize(("lines", "words"), UNFIT.values(), ids=UNFIT)
async def test_a_profile_that_cannot_be_used_says_why(
    extractor: Callable[..., Extractor], home: Path, lines: str, words: str
) -> None:
    """The setting that is wrong, and the command that shows it; nothing is a mistake of ours."""
    profile(home, lines)
    made = extractor(key="", secret="", profile="p")

    with pytest.raises(CredentialsError) as caught:
        await made.test_connection()

    assert words in caught.value.message
    assert "--profile p" in caught.value.hint
    assert "AKIAIOSFODNN7EXAMPLE" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_RETRY_MODE", "Adaptive", "must be one of"),
        ("AWS_STS_REGIONAL_ENDPOINTS", "local", "STS regional endpoints option local is invalid"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "no", "for request_checksum_calculation"),
        ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "no", "account_id_endpoint_mode"),
    ],
)
async def test_a_setting_of_the_sdk_that_it_refuses_is_named(
    extractor: Callable[..., Extractor],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    words: str,
) -> None:
    """It is a mistake of the machine's settings, and none of ours."""
    monkeypatch.setenv(name, value)

    with pytest.raises(CredentialsError) as caught:
        await extractor().test_connection()

    assert "cannot be used: " in caught.value.message
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("lines", "words", "remedy"),
    [
        ("s3 = foo", "profile default of {file} cannot be used: `s3` has a value", "below `s3 =`"),
        ("s3 =", "profile default of {file} cannot be used: `s3` has a value", "below `s3 =`"),
        ("api_versions = x", "`api_versions` has a value", "or remove the line"),
        ("api_versions =\n  athena = 1999-01-01", "athena/1999-01-01", "the line of ~/.aws/config"),
        ("retry_mode = fast", '"fast" must be one of', "the line of ~/.aws/config"),
        ("region = a\nregion = b", "parse config file: {file}", "check ~/.aws/config"),
        ("[default]", "parse config file: {file}", "check ~/.aws/config"),
    ],
)
async def test_a_line_of_the_aws_configuration_that_cannot_be_used_is_named(
    extractor: Callable[..., Extractor], home: Path, lines: str, words: str, remedy: str
) -> None:
    """A value where a section belongs, a version that is none, and what stands there twice."""
    file = home / ".aws" / "config"
    file.write_text(f"[default]\n{lines}\n")

    with pytest.raises(CredentialsError) as caught:
        await extractor().test_connection()

    assert words.format(file=file) in caught.value.message
    assert remedy in caught.value.hint


async def test_a_number_of_the_aws_configuration_that_is_none_is_named(
    extractor: Callable[..., Extractor], home: Path
) -> None:
    """The value stands in the message, so that its line is found; the keys are not blamed."""
    (home / ".aws" / "config").write_text("[default]\nmetadata_service_timeout = soon\n")

    with pytest.raises(CredentialsError) as caught:
        await extractor(key="", secret="").test_connection()

    assert "the AWS settings of this machine cannot be used: " in caught.value.message
    assert "'soon'" in caught.value.message
    assert "the line of ~/.aws/config" in caught.value.hint


async def test_an_sso_session_whose_file_is_junk(
    extractor: Callable[..., Extractor], home: Path
) -> None:
    """A file that was cut or edited is written anew by the login."""
    session = f"[sso-session s]\nsso_start_url = {START_URL}\nsso_region = us-east-1"
    lines = ("sso_session = s", "sso_account_id = 123456789012", "sso_role_name = Reader")
    profile(home, *lines, more=session)
    name = hashlib.sha1(b"s", usedforsecurity=False).hexdigest()
    path = home / ".aws" / "sso" / "cache" / f"{name}.json"
    path.write_text('{"accessToken": "a", "expiresAt": "soon"}')

    with pytest.raises(CredentialsError, match="the SSO session of profile p has ended") as caught:
        await extractor(key="", secret="", profile="p").test_connection()

    assert caught.value.hint == "aws sso login --profile p"


async def test_a_web_identity_token_that_is_empty(
    extractor: Callable[..., Extractor],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file that is mounted and not written yet is named."""
    (tmp_path / "token").write_text("")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/Kada")

    with pytest.raises(
        CredentialsError, match="the web identity token is empty: AWS_WEB"
    ) as caught:
        await extractor(key="", secret="").test_connection()

    assert "unset AWS_WEB_IDENTITY_TOKEN_FILE" in caught.value.hint


def test_a_credential_process_that_is_not_there(
    sandbox: Sandbox, tmp_path: Path, home: Path
) -> None:
    """A missing program is the process's fault, also where another profile names it."""
    (home / ".aws" / "config").write_text(
        "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/Kada\nsource_profile = base\n"
        "[profile base]\ncredential_process = /no/such/program --flag\n"
    )

    ends(
        sandbox,
        tmp_path,
        "credential_process of profile p failed: /no/such/program cannot be started: No such file",
    )


@pytest.mark.parametrize("is_source", [False, True], ids=["own", "of the source profile"])
async def test_a_credential_process_ends_with_whoever_waits_for_it(
    extractor: Callable[..., Extractor], home: Path, is_source: bool
) -> None:
    """One that waits for a login is killed and reaped when the wait is given up."""
    pid_file = home / "pid"
    (home / "wait").write_text(
        f"#!/bin/sh\necho $$ > {pid_file}.new\nmv {pid_file}.new {pid_file}\nexec sleep 600\n"
    )
    waits = f"credential_process = /bin/sh {home / 'wait'}"
    profile(home, *([ROLE, "source_profile = q", "[profile q]"] if is_source else []), waits)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(extractor(key="", secret="", profile="p").test_connection)
        while not pid_file.exists():  # noqa: ASYNC110 - a file cannot set an event
            await anyio.sleep(0.01)

        pid = int(pid_file.read_text())
        tasks.cancel_scope.cancel()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_mfa_code_that_nobody_can_type(sandbox: Sandbox, tmp_path: Path, home: Path) -> None:
    """Without a terminal: get a session where there is one."""
    profile(
        home,
        "role_arn = arn:aws:iam::123456789012:role/Kada",
        "source_profile = base",
        "mfa_serial = arn:aws:iam::123456789012:mfa/someone",
        more="[profile base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiC",
    )

    output = ends(
        sandbox,
        tmp_path,
        "profile p needs an MFA code: there is no terminal to type it",
        "aws configure export-credentials --profile p --format env",
    )

    assert "EXAMPLEKEY" not in output


def test_a_web_identity_token_that_is_missing(sandbox: Sandbox, tmp_path: Path, home: Path) -> None:
    """The variable, the file and what to do; tried once."""
    path = str(tmp_path / "token")
    environment = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": path,
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/Kada",
    }
    config = of_profile(sandbox, tmp_path, profile="")

    code, output = command(["run"], config, tmp_path, environment)

    assert code == 3
    assert f"AWS_WEB_IDENTITY_TOKEN_FILE = {path}: No such file or directory" in output
    assert "unset AWS_WEB_IDENTITY_TOKEN_FILE" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("kind", ["unreachable", "500"])
def test_credentials_of_a_container_that_do_not_come(
    sandbox: Sandbox, tmp_path: Path, home: Path, kind: str
) -> None:
    """The address, what it said, and how to ask it by hand."""

    def broken(_: str) -> Any:
        yield b"HTTP/1.1 500 Oh\r\nContent-Length: 7\r\n\r\nno role"

    with BytesServer(broken) as server:
        port = server.port if kind == "500" else closed_port()
        url = f"http://127.0.0.1:{port}/role"
        config = of_profile(sandbox, tmp_path, profile="")
        environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url}
        code, output = command(["test-connection"], config, tmp_path, environment)

    assert code == 3
    assert f"the credentials of the container cannot be fetched from 127.0.0.1:{port}" in output
    assert ("no role" if kind == "500" else "connect") in output
    assert 'curl -i "$AWS_CONTAINER_CREDENTIALS_FULL_URI"' in output
    assert "Traceback" not in output


def test_a_profile_that_is_not_there_is_answered_with_those_that_are(
    sandbox: Sandbox, tmp_path: Path, home: Path
) -> None:
    """The nearest first."""
    (home / ".aws" / "config").write_text("[profile zeta]\n[profile pp]\n[default]\n")

    ends(sandbox, tmp_path, "there is no AWS profile 'p'; there are: pp, default, zeta")


@pytest.mark.parametrize(
    ("code", "message", "words", "remedy"),
    [
        ("RequestTimeTooSkewed", "", "clock of this machine", "sudo timedatectl set-ntp true"),
        (
            "InvalidSignatureException",
            "Signature expired: 20261101T000000Z is now earlier than 20261101T001000Z",
            "clock of this machine",
            "sudo timedatectl set-ntp true",
        ),
        (
            "OptInRequired",
            "You are not subscribed to this service",
            "has not opted in to region",
            "aws account enable-region --region-name",
        ),
        (
            "SubscriptionRequiredException",
            "The AWS Access Key Id needs a subscription for the service",
            "is not signed up for the service",
            "open the service once in the AWS console",
        ),
    ],
)
async def test_an_account_that_is_refused(
    extractor: Callable[..., Extractor], code: str, message: str, words: str, remedy: str
) -> None:
    """AWS's code decides what the message says, at the first answer."""
    said: list[object] = []
    with Sandbox(tiny_estate(NOW), now=lambda: NOW) as sandbox, RawAws(sandbox) as aws:
        aws.error("athena:*", code, message)
        # STS, which is asked at the same time, accepts these keys: Athena's word is the first.
        made = extractor(
            endpoint_url=aws.endpoint_url,
            observers=[said.append],
            key=sandbox.access_key_id,
            secret=sandbox.secret_access_key,
        )
        with pytest.raises(CredentialsError, match=words) as caught:
            await made.run()

        assert aws.calls["athena:ListWorkGroups"] == 1

    assert remedy in caught.value.hint
    assert not any(isinstance(event, RetryScheduled) for event in said)
