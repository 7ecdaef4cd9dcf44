"""An error of any class is a failed login only where the SDK's credential code raised it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.credentials import ProcessProvider

from kada_athena_async.aws.credentials_error import credentials_error
from kada_athena_async.aws.lenient import parse
from kada_athena_async.errors import CredentialsError

PROFILES: Mapping[str, Mapping[str, Any]] = {
    "process": {"credential_process": "/opt/ticket"},
    "sso": {"sso_session": "s"},
}


def meaning_of(profile: str, work: Callable[[], object]) -> CredentialsError | None:
    """Meaning for the credentials of the error that *work* raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of any class
        work()

    return credentials_error(caught.value, profile=profile, region="us-east-1", profiles=PROFILES)


class Ended:
    """A process that printed *output* and ended well."""

    returncode = 0

    def __init__(self, output: bytes) -> None:
        self.output = output

    def communicate(self) -> tuple[bytes, bytes]:
        return self.output, b""


def load_from(start: Callable[..., Ended]) -> object:
    """Let the SDK load credentials from the process that *start* starts."""
    return ProcessProvider("process", lambda: {"profiles": PROFILES}, popen=start).load()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "work",
    [lambda: {}["WorkGroups"], lambda: parse(b"{"), lambda: int("seven"), lambda: None + 1],
    ids=["KeyError", "of the package", "ValueError", "TypeError"],
)
def test_a_defect_during_a_call_is_no_failed_login(
    profile: str, work: Callable[[], object]
) -> None:
    """Whoever logs in by SSO or by a process would be sent to the wrong place."""
    assert meaning_of(profile, work) is None


def test_a_defect_of_ours_below_the_credential_code_is_no_failed_login() -> None:
    """The SDK calls our HTTP session and our prompt while it looks for credentials."""
    assert meaning_of("process", lambda: load_from(lambda *_, **__: parse(b"{"))) is None


def test_output_that_the_sdk_cannot_read_is_a_failed_login() -> None:
    """Its ValueError has no class of its own."""
    error = meaning_of("process", lambda: load_from(lambda *_, **__: Ended(b"junk")))

    assert error is not None
    assert "credential_process of profile process failed: its output is not" in error.message
